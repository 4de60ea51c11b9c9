#include "perf/e2e/report.h"

#include <algorithm>
#include <cmath>
#include <fmt/core.h>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sys/utsname.h>

#include "perf/e2e/hdr_log.h"
#include "perf/e2e/version.h"

namespace fulmar::perf {

namespace {

using Json = nlohmann::ordered_json;

std::string first_match(const char* path, const std::string& key) {
    std::ifstream file(path);
    for (std::string line; std::getline(file, line);) {
        if (line.rfind(key, 0) == 0) {
            const auto value = line.find_first_not_of(" \t", line.find(':') + 1);
            return value == std::string::npos ? "" : line.substr(value);
        }
    }
    return "";
}

std::string time_text(std::int64_t ns) {
    const auto value = static_cast<double>(ns);
    if (ns < 10'000) {
        return fmt::format("{} ns", ns);
    }
    return ns < 10'000'000 ? fmt::format("{:.1f} us", value / 1e3) : fmt::format("{:.1f} ms", value / 1e6);
}

/// One line per percentile; the bar is logarithmic, as latencies are.
void plot(const base::Histogram& histogram) {
    const double low = std::log(std::max<double>(1, static_cast<double>(histogram.min())) * 0.8);
    const double high = std::log(std::max<double>(2, static_cast<double>(histogram.max())));
    for (const double percentile : {0.0, 50.0, 90.0, 99.0, 99.9, 99.99, 100.0}) {
        const auto value = percentile == 0.0 ? histogram.min() : histogram.value_at_percentile(percentile);
        const double share = (std::log(std::max<double>(1, static_cast<double>(value))) - low) / (high - low);
        const auto width = static_cast<std::size_t>(std::clamp(share, 0.02, 1.0) * 50);
        const std::string name = percentile == 0.0     ? "min"
                                 : percentile == 100.0 ? "max"
                                                       : fmt::format("p{:g}", percentile);
        fmt::print("  {:>7} {:>10}  {}\n", name, time_text(value), std::string(width, '#'));
    }
}

}  // namespace

Json percentiles(const base::Histogram& histogram) {
    return {{"min", histogram.min()}, {"p50", histogram.value_at_percentile(50)},
        {"p90", histogram.value_at_percentile(90)}, {"p99", histogram.value_at_percentile(99)},
        {"p999", histogram.value_at_percentile(99.9)}, {"p9999", histogram.value_at_percentile(99.99)},
        {"max", histogram.max()}};
}

Json environment() {
    utsname name{};
    uname(&name);
    return {{"cpu", first_match("/proc/cpuinfo", "model name")}, {"kernel", name.release},
        {"dpdk", kDpdkVersion}, {"commit", kCommit},
        {"hugepages", first_match("/proc/meminfo", "HugePages_Total")}};
}

Json to_json(const Figures& figures, const Options& options) {
    const double seconds = std::max(figures.elapsed_s, 1e-9);
    Json json;
    json["test"] = figures.test;
    json["pass"] = figures.pass;
    json["device"] = figures.device;
    if (options.size_min == options.size_max) {
        json["size"] = options.size_min;
    } else {
        json["size"] = fmt::format("{}-{}", options.size_min, options.size_max);
    }
    if (options.rate > 0) {
        json["rate_target"] = options.rate;
    } else {
        json["rate_target"] = "max";
    }
    json["rate_msgs_per_s"] = std::round(static_cast<double>(figures.counts.messages) / seconds);
    json["bytes_per_s"] = std::round(static_cast<double>(figures.counts.bytes) / seconds);
    json["messages"] = figures.counts.messages;
    json["lost"] = figures.counts.lost;
    json["duplicated"] = figures.counts.duplicated;
    json["out_of_order"] = figures.counts.out_of_order;
    json["corrupted"] = figures.counts.corrupted;
    if (figures.rtt != nullptr) {
        json[figures.latency] = percentiles(*figures.rtt);
    }
    json["check"] = options.check == BodyCheck::kFull ? "full" : "header";
    json["durability"] = "none";
    return json;
}

int report(const Figures& figures, const Options& options, const Json& extra) {
    if (figures.rtt != nullptr && !options.hdr.empty()) {
        if (const auto written =
                write_hdr_log(options.hdr, *figures.rtt, figures.start_epoch_s, figures.elapsed_s);
            !written) {
            fmt::print(stderr, "fulmar-perf: {}\n", written.error().message);
            return 1;
        }
    }
    Json json = to_json(figures, options);
    json.update(extra);
    json["env"] = environment();
    if (options.json) {
        fmt::print("{}\n", json.dump());
    } else {
        fmt::print("{} over {}: {} messages in {:.2f} s, {:.3f} M/s, {:.1f} MB/s\n", figures.test,
            figures.device, figures.counts.messages, figures.elapsed_s,
            static_cast<double>(figures.counts.messages) / std::max(figures.elapsed_s, 1e-9) / 1e6,
            static_cast<double>(figures.counts.bytes) / std::max(figures.elapsed_s, 1e-9) / 1e6);
        fmt::print("  lost {}  duplicated {}  out of order {}  corrupted {}\n", figures.counts.lost,
            figures.counts.duplicated, figures.counts.out_of_order, figures.counts.corrupted);
        if (figures.rtt != nullptr && figures.rtt->total() > 0) {
            plot(*figures.rtt);
        }
        if (!extra.empty()) {
            fmt::print("  {}\n", extra.dump());
        }
    }
    std::fflush(stdout);
    return figures.pass ? 0 : 1;
}

}  // namespace fulmar::perf

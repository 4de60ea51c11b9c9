// Measures the raw floor of one device by hand: two of these, one per end.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <atomic>
#include <csignal>
#include <cstdio>
#include <fmt/core.h>
#include <string>
#include <vector>

#include "perf/e2e/raw_engine.h"
#include "pmd_glue/eal.h"

namespace {

using fulmar::perf::RawOptions;
using fulmar::pmd_glue::DeviceSpec;

std::atomic<bool> g_stop{false};

bool parse_port(const std::string& text, DeviceSpec& spec) {
    const std::pair<const char*, DeviceSpec::Kind> kinds[] = {
        {"memif:server:", DeviceSpec::Kind::kMemifServer}, {"memif:client:", DeviceSpec::Kind::kMemifClient},
        {"af_packet:", DeviceSpec::Kind::kAfPacket}, {"af_xdp:", DeviceSpec::Kind::kAfXdp},
        {"tap:", DeviceSpec::Kind::kTap}, {"ring:", DeviceSpec::Kind::kRing},
        {"null:", DeviceSpec::Kind::kNull}, {"vdev:", DeviceSpec::Kind::kVdev},
        {"pci:", DeviceSpec::Kind::kPci}};
    for (const auto& [prefix, kind] : kinds) {
        if (text.rfind(prefix, 0) == 0) {
            spec = {kind, text.substr(std::string(prefix).size())};
            return true;
        }
    }
    return false;
}

void print_round_trips(std::vector<std::int64_t>& samples) {
    if (samples.empty()) {
        return;
    }
    std::sort(samples.begin(), samples.end());
    const auto at = [&](double q) {
        return samples[std::min(
            samples.size() - 1, static_cast<std::size_t>(q * static_cast<double>(samples.size())))];
    };
    fmt::print("rtt_ns min {} p50 {} p90 {} p99 {} p99.9 {} max {}\n", samples.front(), at(0.5), at(0.9),
        at(0.99), at(0.999), samples.back());
}

}  // namespace

int main(int argc, char** argv) {
    std::string role = "ping";
    std::string port;
    std::string huge = "auto";
    RawOptions options;
    fulmar::pmd_glue::DeviceOptions device_options;
    double seconds = 0;
    bool verbose = false;
    bool zero_copy = false;
    CLI::App app{"Raw floor of one device: frames, no protocol"};
    app.add_option("--role", role, "ping, pong, pub or sub")
        ->check(CLI::IsMember({"ping", "pong", "pub", "sub"}));
    app.add_option("--port", port, "device, as memif:server:/path or af_packet:veth0")->required();
    app.add_option("--size", options.frame_bytes, "frame length in bytes, Ethernet header included");
    app.add_option("--count", options.messages, "messages to measure, 0: until --duration");
    app.add_option("--warmup", options.warmup, "round trips before the measured ones");
    app.add_option("--duration", seconds, "seconds, 0: no limit");
    app.add_option("--burst", options.burst, "frames handed over at once (pub)");
    app.add_option("--ring", device_options.rx_ring, "ring length, 0: default");
    app.add_flag("--copy", options.copy, "copy from and to a 48 MiB ring (pub, sub)");
    app.add_option("--hugepages", huge, "auto, on or off")->check(CLI::IsMember({"auto", "on", "off"}));
    app.add_flag("--zero-copy", zero_copy, "memif client on hugepages: share buffers with the peer");
    app.add_flag("--verbose", verbose, "device library log to stderr");
    CLI11_PARSE(app, argc, argv);

    DeviceSpec spec;
    if (!parse_port(port, spec)) {
        fmt::print(
            stderr, "--port {}: unknown device, use memif:client:/path, af_packet:veth0, null: ...\n", port);
        return 2;
    }
    options.role = role == "ping"   ? RawOptions::Role::kPing
                   : role == "pong" ? RawOptions::Role::kPong
                   : role == "pub"  ? RawOptions::Role::kPub
                                    : RawOptions::Role::kSub;
    if (options.role == RawOptions::Role::kPong && app.count("--count") == 0) {
        options.messages = 0;
    }
    options.duration_ns = static_cast<std::int64_t>(seconds * 1e9);
    options.stop = &g_stop;
    std::vector<std::int64_t> samples;
    samples.reserve(static_cast<std::size_t>(std::max<std::int64_t>(options.messages, 1)));
    options.context = &samples;
    options.on_rtt = [](void* context, std::int64_t rtt_ns) {
        static_cast<std::vector<std::int64_t>*>(context)->push_back(rtt_ns);
    };
    std::signal(SIGTERM, [](int) { g_stop.store(true); });
    std::signal(SIGINT, [](int) { g_stop.store(true); });

    using Hugepages = fulmar::pmd_glue::EalOptions::Hugepages;
    fulmar::pmd_glue::EalOptions eal;
    eal.verbose = verbose;
    eal.hugepages = huge == "on" ? Hugepages::kOn : huge == "off" ? Hugepages::kOff : Hugepages::kAuto;
    if (spec.kind == DeviceSpec::Kind::kPci) {
        eal.pci_devices = {spec.target};
    }
    device_options.zero_copy = zero_copy;
    const auto mode = fulmar::pmd_glue::start_eal(eal);
    if (!mode) {
        fmt::print(stderr, "{}\n", mode.error().message);
        return 1;
    }
    int status = 0;
    {
        auto device = fulmar::pmd_glue::Device::open(spec, device_options);
        if (!device) {
            fmt::print(stderr, "{}\n", device.error().message);
            status = 1;
        } else {
            const auto& info = (*device)->info();
            fmt::print("{} {} driver={} zero_copy={} mtu={}\n", mode->description, info.name, info.driver,
                info.zero_copy, info.mtu);
            std::fflush(stdout);
            const auto result = fulmar::perf::run_raw(**device, options);
            if (!result) {
                fmt::print(stderr, "{}\n", result.error().message);
                status = 1;
            } else {
                fmt::print(
                    "{} size={} messages={} lost={} rate={:.0f}/s bytes={:.0f}/s frames_per_burst={:.1f}\n",
                    role, options.frame_bytes, result->messages, result->lost, result->messages_per_s(),
                    result->bytes_per_s(), result->frames_per_burst());
                print_round_trips(samples);
            }
        }
    }
    fulmar::pmd_glue::stop_eal();
    return status;
}

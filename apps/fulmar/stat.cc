// fulmar stat: the counters of a driver, once or as they change.
#include <fmt/core.h>
#include <memory>
#include <nlohmann/json.hpp>
#include <vector>

#include "apps/fulmar/command.h"
#include "apps/fulmar/driver_view.h"

namespace fulmar::cli {

namespace {

struct Options {
    Common common;
    std::vector<int> types;
    std::string match;
    double watch_s = 0;
    bool nonzero = false;
};

bool wanted(const Options& options, const observe::CounterView& counter) {
    const bool type_ok = options.types.empty() || std::find(options.types.begin(), options.types.end(),
                                                      counter.type_id) != options.types.end();
    return type_ok && (!options.nonzero || counter.value != 0) &&
           (options.match.empty() || counter.label.find(options.match) != std::string_view::npos);
}

void print_once(const Options& options, const DriverView& driver) {
    driver.counters().for_each([&options](const observe::CounterView& counter) {
        if (!wanted(options, counter)) {
            return;
        }
        if (options.common.json) {
            const nlohmann::ordered_json line{{"id", counter.id}, {"type", counter.type_id},
                {"value", counter.value}, {"registration_id", counter.registration_id},
                {"owner_id", counter.owner_id}, {"label", counter.label}};
            print_json(line);
        } else {
            fmt::print("{:>5} {:>22}  {}\n", counter.id, counter.value, counter.label);
        }
    });
    std::fflush(stdout);
}

int run(const Options& options) {
    auto driver = DriverView::open(options.common.dir);
    if (!driver) {
        return report("stat", driver.error());
    }
    watch_signals();
    for (;;) {
        if (!options.common.json) {
            const std::int64_t age = driver->heartbeat_age_ms();
            fmt::print("{}  pid {}  {}\n", driver->dir(), driver->cnc().pid(),
                age < 0 ? "driver has shut down" : fmt::format("heartbeat {} ms ago", age));
        }
        print_once(options, *driver);
        if (options.watch_s <= 0 || !wait_seconds(options.watch_s)) {
            return kExitPass;
        }
    }
}

}  // namespace

Run add_stat(CLI::App& app) {
    auto options = std::make_shared<Options>();
    auto* verb = app.add_subcommand("stat", "counters of a driver");
    add_common(*verb, options->common);
    verb->add_option("--type", options->types, "only these counter types");
    verb->add_option("--match", options->match, "only labels that contain this");
    verb->add_option("--watch", options->watch_s, "again every so many seconds, until interrupted");
    verb->add_flag("--nonzero", options->nonzero, "only counters that are not 0");
    return [options] { return run(*options); };
}

}  // namespace fulmar::cli

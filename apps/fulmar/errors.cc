// fulmar errors: what went wrong in a driver, each distinct error once, with its count.
#include <fmt/core.h>
#include <memory>
#include <nlohmann/json.hpp>

#include "apps/fulmar/command.h"
#include "apps/fulmar/driver_view.h"
#include "layout/error_log.h"

namespace fulmar::cli {

namespace {

int run(const Common& common) {
    auto driver = DriverView::open(common.dir);
    if (!driver) {
        return report("errors", driver.error());
    }
    layout::ErrorLogCursor cursor(driver->cnc().error_log());
    layout::ErrorRecord record;
    int count = 0;
    while (cursor.next(record)) {
        ++count;
        if (common.json) {
            const nlohmann::ordered_json line{{"count", record.observation_count},
                {"first_ms", record.first_observation_ms}, {"last_ms", record.last_observation_ms},
                {"error", record.text}};
            print_json(line);
        } else {
            fmt::print("{} times, first {}, last {}\n  {}\n", record.observation_count,
                time_text(record.first_observation_ms), time_text(record.last_observation_ms), record.text);
        }
    }
    if (cursor.corrupt()) {
        return report("errors", {ErrorCode::kGeneric, "the error log is damaged behind what is shown"});
    }
    if (!common.json) {
        fmt::print("{} distinct errors\n", count);
    }
    return kExitPass;
}

}  // namespace

Run add_errors(CLI::App& app) {
    auto common = std::make_shared<Common>();
    auto* verb = app.add_subcommand("errors", "distinct errors of a driver, with their counts");
    add_common(*verb, *common);
    return [common] { return run(*common); };
}

}  // namespace fulmar::cli

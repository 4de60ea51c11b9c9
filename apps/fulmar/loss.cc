// fulmar loss: which streams lost packets, and how much had to be sent again.
#include <fmt/core.h>
#include <memory>
#include <nlohmann/json.hpp>

#include "apps/fulmar/command.h"
#include "apps/fulmar/driver_view.h"
#include "layout/loss_report.h"

namespace fulmar::cli {

namespace {

int run(const Common& common) {
    auto mapping = open_file(common.dir, layout::kLossReportFileName);
    if (!mapping) {
        return report("loss", mapping.error());
    }
    layout::LossReportCursor cursor((*mapping)->bytes());
    layout::LossRecord record;
    int count = 0;
    while (cursor.next(record)) {
        ++count;
        if (common.json) {
            const nlohmann::ordered_json line{{"count", record.observation_count},
                {"bytes_lost", record.total_bytes_lost}, {"first_ms", record.first_observation_ms},
                {"last_ms", record.last_observation_ms}, {"session_id", record.session_id},
                {"stream_id", record.stream_id}, {"channel", record.channel}, {"source", record.source}};
            print_json(line);
        } else {
            fmt::print("session {} stream {} from {}: {} B in {} losses, first {}, last {}\n  {}\n",
                record.session_id, record.stream_id, record.source, record.total_bytes_lost,
                record.observation_count, time_text(record.first_observation_ms),
                time_text(record.last_observation_ms), record.channel);
        }
    }
    if (!common.json) {
        fmt::print(
            "{} streams lost data on the way (all of it was sent again unless reliable=false)\n", count);
    }
    return kExitPass;
}

}  // namespace

Run add_loss(CLI::App& app) {
    auto common = std::make_shared<Common>();
    auto* verb = app.add_subcommand("loss", "streams that lost packets");
    add_common(*verb, *common);
    return [common] { return run(*common); };
}

}  // namespace fulmar::cli

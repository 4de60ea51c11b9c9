// fulmar: looks into running drivers and talks to them.
#include <CLI/CLI.hpp>
#include <utility>
#include <vector>

#include "apps/fulmar/command.h"

int main(int argc, char** argv) {
    using namespace fulmar::cli;
    CLI::App app{"Looks into a running media driver, ours or a stock one, and tries streams by hand."};
    app.require_subcommand(1);
    app.set_version_flag("--version", FULMAR_VERSION);

    std::vector<std::pair<const char*, Run>> verbs{{"stat", add_stat(app)}, {"errors", add_errors(app)},
        {"loss", add_loss(app)}, {"streams", add_streams(app)}, {"channels", add_channels(app)},
        {"doctor", add_doctor(app)}, {"pub", add_pub(app)}, {"sub", add_sub(app)}, {"ping", add_ping(app)}};
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        return app.exit(error) == 0 ? kExitPass : kExitUsage;
    }
    for (const auto& [name, run] : verbs) {
        if (app.got_subcommand(name)) {
            return run();
        }
    }
    return kExitUsage;
}

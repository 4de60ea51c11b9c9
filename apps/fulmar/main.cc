// fulmar: looks into running drivers and talks to them.
#include <CLI/CLI.hpp>
#include <fmt/core.h>
#include <utility>
#include <vector>

#include "apps/fulmar/command.h"
#include "config/text.h"

namespace fulmar::cli {

namespace {

/// The innermost verb that was given, and the words that lead to it.
struct Level {
    const CLI::App* app;
    std::string command;
};

Level level_of(const CLI::App& app) {
    Level level{&app, "fulmar"};
    while (!level.app->get_subcommands().empty()) {
        level.app = level.app->get_subcommands().front();
        level.command += ' ' + level.app->get_name();
    }
    return level;
}

/// The word that CLI11 did not know, and the known one it was perhaps meant to be.
std::string did_you_mean(const CLI::App& app) {
    const CLI::App& level = *level_of(app).app;
    const std::vector<std::string> unknown = app.remaining(true);
    if (unknown.empty()) {
        return "";
    }
    std::vector<std::string> known;
    for (const CLI::App* verb : level.get_subcommands([](const CLI::App*) { return true; })) {
        known.push_back(verb->get_name());
    }
    for (const CLI::Option* option : level.get_options()) {
        for (const std::string& name : option->get_lnames()) {
            known.push_back("--" + name);
        }
    }
    const std::vector<std::string_view> views(known.begin(), known.end());
    const std::string& word = unknown.front();
    return config::suggestion(word.substr(0, word.find('=')), views);
}

int usage(const CLI::App& app, const CLI::ParseError& error) {
    const std::string command = level_of(app).command;
    const std::vector<std::string> unknown = app.remaining(true);
    const std::string what =
        unknown.empty() ? error.what() : "unknown " + config::quoted(unknown.front()) + did_you_mean(app);
    fmt::print(stderr, "{}: {}; see {} --help\n", command, what, command);
    return kExitUsage;
}

}  // namespace

}  // namespace fulmar::cli

int main(int argc, char** argv) {
    using namespace fulmar::cli;
    CLI::App app{
        "Looks into a running media driver, ours or a stock one, and tries streams by hand.", "fulmar"};
    app.require_subcommand(1);
    app.set_version_flag("--version", "fulmar " FULMAR_VERSION);
    app.footer(
        "A first look: `fulmard --port udp` in one terminal, `fulmar sub` in a second and\n"
        "`fulmar pub --message hello` in a third; `fulmar stat` shows what the driver counts.");

    std::vector<std::pair<const char*, Run>> verbs{{"stat", add_stat(app)}, {"errors", add_errors(app)},
        {"loss", add_loss(app)}, {"streams", add_streams(app)}, {"channels", add_channels(app)},
        {"log", add_log(app)}, {"doctor", add_doctor(app)}, {"fault", add_fault(app)}, {"pub", add_pub(app)},
        {"sub", add_sub(app)}, {"ping", add_ping(app)}, {"pong", add_pong(app)}, {"sbe", add_sbe(app)},
        {"archive", add_archive(app)}};
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        return error.get_exit_code() == 0 ? app.exit(error) : usage(app, error);
    }
    for (const auto& [name, run] : verbs) {
        if (app.got_subcommand(name)) {
            return run();
        }
    }
    return kExitUsage;
}

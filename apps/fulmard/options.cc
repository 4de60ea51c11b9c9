#include "apps/fulmard/options.h"

#include <CLI/CLI.hpp>
#include <array>
#include <fstream>
#include <map>
#include <pwd.h>
#include <sstream>
#include <string_view>
#include <unistd.h>

#include "config/settings_loader.h"
#include "drivers/driver_runtime/version.h"

namespace fulmar::fulmard {
namespace {

/// What the command line says, before anything is judged.
struct CommandLine {
    std::map<std::string, std::vector<std::string>> settings;  ///< by setting name
    std::vector<std::string> switches;                         ///< settings given as bare flags
    std::vector<std::string> defines;
    std::string toml_file;
    std::vector<std::string> properties_files;
};

bool is_switch(std::string_view name) {
    return name == "print-config" || name == "strict-uri";
}

/// One option per row of the table, so that help and parser cannot disagree with it.
void add_settings(CLI::App& app, CommandLine& line) {
    for (const config::SettingRow& row : config::setting_rows()) {
        const std::string name(row.name);
        std::string help(row.doc);
        if (const std::string limits = config::describe_limits(row); !limits.empty()) {
            help += " (" + limits + ")";
        }
        if (!row.default_text.empty()) {
            help += " [" + std::string(row.default_text) + "]";
        }
        if (is_switch(name)) {
            app.add_flag_callback(
                "--" + name, [&line, name] { line.switches.push_back(name); }, help);
            continue;
        }
        app.add_option("--" + name, line.settings[name], help)->allow_extra_args(false)->type_name("VALUE");
    }
}

Result<std::string> read_file(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    if (!file) {
        return fail(ErrorCode::kGeneric, "cannot read " + path + ": check the path and its permissions");
    }
    std::ostringstream text;
    text << file.rdbuf();
    return std::move(text).str();
}

/// Where services start without USER, the same name that clients look up.
std::string user_name() {
    std::array<char, 16 * 1024> buffer{};
    passwd entry{};
    passwd* found = nullptr;
    const int error = ::getpwuid_r(::getuid(), &entry, buffer.data(), buffer.size(), &found);
    return error == 0 && found != nullptr && found->pw_name != nullptr ? found->pw_name : "";
}

Status apply(const CommandLine& line, char** environment, config::SettingsLoader& loader) {
    if (!line.toml_file.empty()) {
        FULMAR_TRY(text, read_file(line.toml_file));
        FULMAR_TRY_VOID(loader.apply_toml(text, line.toml_file));
    }
    for (const std::string& path : line.properties_files) {
        FULMAR_TRY(text, read_file(path));
        FULMAR_TRY_VOID(loader.apply_properties(text, path));
    }
    loader.assume_user(user_name());
    FULMAR_TRY_VOID(loader.apply_environment(environment));
    for (const std::string& define : line.defines) {
        FULMAR_TRY_VOID(loader.apply_define(define));
    }
    for (const std::string& name : line.switches) {
        FULMAR_TRY_VOID(loader.apply_option(name, "true"));
    }
    for (const auto& [name, values] : line.settings) {
        for (const std::string& value : values) {
            FULMAR_TRY_VOID(loader.apply_option(name, value));
        }
    }
    return Done{};
}

/// What CLI11 did not know: a slip in an option's name gets the nearest one, a word is a properties file.
Status take_extras(const CLI::App& app, CommandLine& line, config::SettingsLoader& loader) {
    for (const std::string& extra : app.remaining()) {
        if (extra.starts_with("--")) {
            const std::string name = extra.substr(2, extra.find('=') - 2);
            FULMAR_TRY_VOID(loader.apply_option(name, ""));
        }
        if (extra.starts_with("-")) {
            return fail(ErrorCode::kGeneric, "unknown option " + extra + ": see fulmard --help");
        }
        line.properties_files.push_back(extra);
    }
    return Done{};
}

}  // namespace

Result<Invocation> read_invocation(int argc, char** argv, char** environment) {
    CLI::App app{"A media driver for Aeron's protocols, on poll-mode devices or kernel sockets.", "fulmard"};
    CommandLine line;
    app.add_option("--config", line.toml_file, "Settings from a TOML file")->type_name("FILE.toml");
    app.add_option("-D", line.defines, "One of Aeron's properties: -Daeron.mtu.length=8k")
        ->allow_extra_args(false)
        ->type_name("KEY=VALUE");
    add_settings(app, line);
    app.set_version_flag("--version", "fulmard " + drivers::version_text());
    app.footer("Words without dashes are Java properties files. Command line > -D > environment > file.");
    app.allow_extras();

    Invocation invocation;
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        if (error.get_exit_code() == 0) {
            invocation.exit_code = app.exit(error);
            invocation.has_ended = true;
            return invocation;
        }
        return fail(ErrorCode::kGeneric, std::string(error.what()) + ": see fulmard --help");
    }
    config::SettingsLoader loader;
    FULMAR_TRY_VOID(take_extras(app, line, loader));
    FULMAR_TRY_VOID(apply(line, environment, loader));
    FULMAR_TRY(settings, loader.finish());
    invocation.settings = std::move(settings);
    invocation.config_lines = loader.print_config();
    invocation.unused = loader.unused();
    invocation.print_only = loader.origin("print-config").layer == config::SettingLayer::kCommandLine;
    return invocation;
}

}  // namespace fulmar::fulmard

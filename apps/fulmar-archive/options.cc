#include "apps/fulmar-archive/options.h"

#include <CLI/CLI.hpp>
#include <cctype>
#include <map>

#include "apps/fulmar-archive/settings.h"
#include "config/text.h"
#include "drivers/driver_runtime/version.h"

namespace fulmar::archived {
namespace {

/// `aeron.archive.control.channel` as environments write it.
std::string env_name(std::string_view property) {
    std::string name;
    for (const char c : property) {
        name += c == '.' || c == '-' ? '_' : static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
    }
    return name;
}

struct CommandLine {
    std::map<std::string, std::vector<std::string>> values;
    std::map<std::string, bool> flags;
    std::vector<std::string> defines;
};

Status apply(const Setting& setting, std::string_view value, const std::string& origin,
    drivers::ArchiveOptions& options) {
    if (const Status status = setting.set(value, options); !status) {
        return fail(ErrorCode::kGeneric, origin + ": " + status.error().message);
    }
    return Done{};
}

Status apply_environment(char** environment, drivers::ArchiveOptions& options) {
    std::map<std::string, std::string> given;
    for (char** entry = environment; entry != nullptr && *entry != nullptr; ++entry) {
        const std::string_view text(*entry);
        const std::size_t equals = text.find('=');
        if (equals != std::string_view::npos) {
            given.emplace(text.substr(0, equals), text.substr(equals + 1));
        }
    }
    for (const std::string property :
        {"aeron.archive.authenticator.supplier", "aeron.archive.authorisation.service.supplier"}) {
        if (const auto found = given.find(env_name(property)); found != given.end()) {
            FULMAR_TRY_VOID(check_foreign(property, found->second));
        }
    }
    for (const Setting& setting : settings()) {
        for (const std::string& name : {setting.property.empty() ? "" : env_name(setting.property),
                 "FULMAR_ARCHIVE_" + env_name(setting.name)}) {
            if (const auto found = given.find(name); found != given.end()) {
                FULMAR_TRY_VOID(apply(setting, found->second, name, options));
            }
        }
    }
    return Done{};
}

Status apply_defines(const std::vector<std::string>& defines, Invocation& invocation) {
    for (const std::string& define : defines) {
        const std::size_t equals = define.find('=');
        const std::string property = define.substr(0, equals);
        if (equals == std::string::npos) {
            return fail(ErrorCode::kGeneric, "-D" + define + ": write -DPROPERTY=VALUE");
        }
        bool is_known = false;
        for (const Setting& setting : settings()) {
            if (setting.property == property) {
                is_known = true;
                FULMAR_TRY_VOID(
                    apply(setting, define.substr(equals + 1), "-D" + property, invocation.options));
            }
        }
        if (!is_known && property.starts_with("aeron.") && !property.starts_with("aeron.archive.")) {
            invocation.options.driver.settings.push_back(define);  // the driver's
        } else if (!is_known) {
            FULMAR_TRY_VOID(check_foreign(property, define.substr(equals + 1)));
            invocation.unused.push_back(property);
        }
    }
    return Done{};
}

}  // namespace

Result<Invocation> read_invocation(int argc, char** argv, char** environment) {
    CLI::App app{
        "Records, replays and replicates streams: an archive with its own media driver, or beside one.",
        "fulmar-archive"};
    CommandLine line;
    for (const Setting& setting : settings()) {
        const std::string help =
            setting.doc + (setting.shown_default.empty() ? "" : " [" + setting.shown_default + "]");
        if (setting.is_flag) {
            app.add_flag("--" + setting.name, line.flags[setting.name], help);
        } else {
            app.add_option("--" + setting.name, line.values[setting.name], help)
                ->allow_extra_args(false)
                ->type_name("VALUE");
        }
    }
    app.add_option("-D", line.defines, "One of Aeron's properties: -Daeron.archive.file.sync.level=1")
        ->allow_extra_args(false)
        ->type_name("KEY=VALUE");
    app.set_version_flag("--version", "fulmar-archive " + drivers::version_text());
    app.footer(
        "Command line > -D > environment (FULMAR_ARCHIVE_..., AERON_ARCHIVE_...).\n"
        "An example: fulmar-archive --archive-dir /data/archive "
        "--control-channel 'aeron:udp?endpoint=localhost:8010'");

    Invocation invocation;
    invocation.options.archive_dir = "aeron-archive";
    invocation.options.driver.threading = MediaDriverOptions::Threading::kAuto;
    invocation.options.driver.use_environment = true;
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        if (error.get_exit_code() == 0) {
            invocation.exit_code = app.exit(error);
            invocation.has_ended = true;
            return invocation;
        }
        return fail(ErrorCode::kGeneric, std::string(error.what()) + ": see fulmar-archive --help");
    }
    FULMAR_TRY_VOID(apply_environment(environment, invocation.options));
    FULMAR_TRY_VOID(apply_defines(line.defines, invocation));
    for (const Setting& setting : settings()) {
        if (setting.is_flag) {
            if (line.flags[setting.name]) {
                FULMAR_TRY_VOID(apply(setting, "true", "--" + setting.name, invocation.options));
            }
            continue;
        }
        for (const std::string& value : line.values[setting.name]) {
            FULMAR_TRY_VOID(apply(setting, value, "--" + setting.name, invocation.options));
        }
    }
    FULMAR_TRY_VOID(check(invocation.options));
    return invocation;
}

}  // namespace fulmar::archived

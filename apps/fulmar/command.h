/// What every verb of the fulmar tool shares: the driver's directory, JSON or text, and one error line.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

#include "fulmar/result.h"

namespace fulmar::cli {

inline constexpr int kExitPass = 0;
inline constexpr int kExitFailed = 1;
inline constexpr int kExitUsage = 2;

/// Options that every verb takes.
struct Common {
    std::string dir;  ///< the driver's directory
    bool json = false;
};

/// A verb registers its options and says what runs once the command line is parsed.
using Run = std::function<int()>;

/// Adds --dir and --json; the defaults are the client's.
void add_common(CLI::App& verb, Common& common);

/// `fulmar VERB: message` on stderr; returns the status for main.
int report(std::string_view verb, const Error& error, int status = kExitFailed);

/// One JSON object on a line of its own; bytes that are no text are replaced.
void print_json(const nlohmann::ordered_json& object);

/// From here on SIGINT and SIGTERM are waited for instead of ending the process.
void watch_signals();
[[nodiscard]] bool stop_requested();
/// Waits until `seconds` are over or a signal arrives; false when one did.
[[nodiscard]] bool wait_seconds(double seconds);

/// `2026-01-31 12:34:56.789` in local time.
[[nodiscard]] std::string time_text(std::int64_t epoch_ms);

// One per verb; each returns what to run.
Run add_stat(CLI::App& app);
Run add_errors(CLI::App& app);
Run add_loss(CLI::App& app);
Run add_streams(CLI::App& app);
Run add_channels(CLI::App& app);
Run add_log(CLI::App& app);
Run add_doctor(CLI::App& app);
Run add_fault(CLI::App& app);
Run add_pub(CLI::App& app);
Run add_sub(CLI::App& app);
Run add_ping(CLI::App& app);
Run add_pong(CLI::App& app);
Run add_sbe(CLI::App& app);
Run add_archive(CLI::App& app);

}  // namespace fulmar::cli

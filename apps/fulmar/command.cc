#include "apps/fulmar/command.h"

#include <fmt/core.h>
#include <nlohmann/json.hpp>
#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <time.h>

#include "fulmar/client.h"

namespace fulmar::cli {

namespace {

/// Signals are read from here instead of interrupting us.
int signal_fd() {
    static const int fd = [] {
        sigset_t set;
        sigemptyset(&set);
        sigaddset(&set, SIGINT);
        sigaddset(&set, SIGTERM);
        pthread_sigmask(SIG_BLOCK, &set, nullptr);
        return signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
    }();
    return fd;
}

bool readable(int timeout_ms) {
    pollfd entry{signal_fd(), POLLIN, 0};
    return poll(&entry, 1, timeout_ms) > 0;
}

}  // namespace

void add_common(CLI::App& verb, Common& common) {
    common.dir = default_directory();
    verb.add_option("--dir", common.dir, "the driver's directory")->capture_default_str();
    verb.add_flag("--json", common.json, "one JSON object per line");
}

int report(std::string_view verb, const Error& error, int status) {
    fmt::print(stderr, "fulmar {}: {}\n", verb, error.message);
    return status;
}

void print_json(const nlohmann::ordered_json& object) {
    fmt::print("{}\n", object.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace));
    std::fflush(stdout);
}

void watch_signals() {
    signal_fd();
}
bool stop_requested() {
    return readable(0);
}
bool wait_seconds(double seconds) {
    return !readable(static_cast<int>(seconds * 1000));
}

std::string time_text(std::int64_t epoch_ms) {
    const time_t seconds = epoch_ms / 1000;
    tm parts{};
    localtime_r(&seconds, &parts);
    char text[32];
    strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S", &parts);
    return fmt::format("{}.{:03}", text, epoch_ms % 1000);
}

}  // namespace fulmar::cli

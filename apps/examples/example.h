/// What the examples share: flags, connecting, stopping at Ctrl-C.
#pragma once

#include <CLI/CLI.hpp>
#include <atomic>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <string>

#include "fulmar/client.h"

namespace fulmar::examples {

inline std::atomic<bool> running{true};

inline void stop_on_signal() {
    const auto stop = [](int) { running.store(false, std::memory_order_relaxed); };
    (void)std::signal(SIGINT, stop);
    (void)std::signal(SIGTERM, stop);
}

struct StreamFlags {
    std::string dir;
    std::string channel = "aeron:udp?endpoint=localhost:20121";
    std::int32_t stream_id = 1001;

    void add_to(CLI::App& app) {
        app.add_option(
            "--dir", dir, "The driver's directory (default: FULMAR_DIR, AERON_DIR, or the user's)");
        app.add_option("--channel", channel, "Channel URI")->capture_default_str();
        app.add_option("--stream", stream_id, "Stream id")->capture_default_str();
    }
};

/// Prints why and answers 1: the exit status of an example that cannot go on.
inline int failed(const Error& error) {
    std::fprintf(stderr, "%s: %s\n", std::string(to_string(error.code)).c_str(), error.message.c_str());
    return 1;
}

inline Result<std::unique_ptr<Client>> connect(const std::string& dir, const char* name) {
    ClientOptions options;
    options.dir = dir;
    options.name = name;
    options.on_error = [](const Error& error) {
        (void)failed(error);
        running.store(false, std::memory_order_relaxed);
    };
    return Client::connect(std::move(options));
}

}  // namespace fulmar::examples

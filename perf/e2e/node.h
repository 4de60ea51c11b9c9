/// One end of a measurement: a client, and the driver under it: our own, polled by the same thread, or one
/// that runs elsewhere. threads: the measuring thread.
#pragma once

#include <csignal>
#include <cstdint>
#include <memory>
#include <string>

#include "fulmar/client.h"
#include "fulmar/driver.h"
#include "fulmar/result.h"
#include "perf/e2e/options.h"

namespace fulmar::perf {

class Node {
  public:
    static Result<std::unique_ptr<Node>> open(const Options& options);
    ~Node();

    /// One duty cycle of driver (when inline) and client.
    void poll() {
        const Instant now = clock_now();
        if (driver_ != nullptr) {
            driver_->poll(now);
        }
        if (now >= next_client_poll_) {
            client_->poll(now);
            next_client_poll_ = now + kClientPollInterval;
        }
        now_ = now;
    }
    /// Time of the last poll.
    [[nodiscard]] Instant now() const { return now_; }
    [[nodiscard]] Client& client() { return *client_; }
    [[nodiscard]] MediaDriver* driver() { return driver_.get(); }
    [[nodiscard]] const std::string& device() const { return device_; }

    static Instant clock_now();
    static double epoch_s();

  private:
    /// The client's events can wait this long; data does not pass through it.
    static constexpr Duration kClientPollInterval = microseconds(20);

    Node() = default;

    std::unique_ptr<MediaDriver> driver_;
    std::unique_ptr<Client> client_;
    std::string device_;
    Instant now_;
    Instant next_client_poll_;
};

/// SIGTERM or SIGINT arrived.
[[nodiscard]] bool stop_requested();
void watch_signals();
/// A line a second on a terminal, for runs longer than two.
class Progress {
  public:
    Progress(Instant start, std::string what, bool quiet);
    void show(Instant now, std::int64_t done, std::int64_t of);
    ~Progress();

  private:
    Instant next_;
    std::string what_;
    bool enabled_;
    bool shown_ = false;
};

}  // namespace fulmar::perf

/// A subscriber that reads one stream on a thread of its own, as fast as it can.
/// threads: one owner; has_image and position while it runs, latency after stop.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <thread>

#include "base/histogram.h"
#include "fulmar/client.h"
#include "fulmar/result.h"

namespace fulmar::perf {

class StreamReader {
  public:
    StreamReader() = default;
    ~StreamReader() { stop(); }
    StreamReader(const StreamReader&) = delete;
    StreamReader& operator=(const StreamReader&) = delete;

    /// `times`: messages begin with the Instant at which they were meant to be sent; looking at the clock for
    /// each costs some rate.
    [[nodiscard]] Status start(
        Client& client, const std::string& channel, std::int32_t stream_id, bool times);
    void stop();

    [[nodiscard]] bool has_image() const { return has_image_.load(std::memory_order_acquire); }
    [[nodiscard]] std::int64_t position() const { return position_.load(std::memory_order_acquire); }
    [[nodiscard]] const base::Histogram& latency() const { return latency_; }

  private:
    void run();

    std::unique_ptr<Subscription> subscription_;
    bool times_ = false;
    base::Histogram latency_;
    std::atomic<bool> stop_{false};
    std::atomic<bool> has_image_{false};
    std::atomic<std::int64_t> position_{0};
    std::thread thread_;
};

}  // namespace fulmar::perf

#include "perf/e2e/stream_reader.h"

#include <cstring>
#include <span>

#include "fulmar/idle.h"
#include "perf/e2e/node.h"

namespace fulmar::perf {

Status StreamReader::start(Client& client, const std::string& channel, std::int32_t stream_id, bool times) {
    FULMAR_TRY(subscription, client.add_subscription(channel, stream_id));
    subscription_ = std::move(subscription);
    times_ = times;
    thread_ = std::thread([this] { run(); });
    return Done{};
}

void StreamReader::stop() {
    stop_.store(true, std::memory_order_release);
    if (thread_.joinable()) {
        thread_.join();
    }
}

void StreamReader::run() {
    const auto read = [this](std::span<const std::byte> message, const Header&) {
        if (!times_) {
            return;
        }
        Instant intended;
        std::memcpy(&intended, message.data(), sizeof intended);
        latency_.record((Node::clock_now() - intended).ns);
    };
    YieldIdle idle;
    while (!stop_.load(std::memory_order_acquire)) {
        const int work = subscription_->poll(read, 2000);
        if (!subscription_->images().empty()) {
            has_image_.store(true, std::memory_order_release);
            position_.store(subscription_->images().front()->position(), std::memory_order_release);
        }
        idle.idle(work);
    }
}

}  // namespace fulmar::perf

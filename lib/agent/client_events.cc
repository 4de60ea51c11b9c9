#include "agent/client_events.h"

#include <algorithm>

#include "ring/shm_record.h"

namespace fulmar::agent {
namespace {

/// The longest event carries a channel or a file name and little else.
constexpr std::size_t kEventLengthMax = 16 * 1024;

}  // namespace

ClientEvents::ClientEvents(ring::BroadcastTransmitter transmitter)
    : transmitter_(transmitter),
      burst_bytes_(static_cast<std::int64_t>(transmitter.capacity() / 2)),
      allowance_bytes_(burst_bytes_),
      buffer_(std::min(kEventLengthMax, transmitter.message_length_max())) {}

void ClientEvents::error(std::int64_t correlation_id, ErrorCode code, std::string_view message) {
    send(layout::EventType::kError, layout::ErrorEvent{correlation_id, static_cast<std::int32_t>(code),
                                        message.substr(0, layout::kReasonTextMax)});
}

void ClientEvents::operation_success(std::int64_t correlation_id) {
    send(layout::EventType::kOperationSuccess, layout::OperationSuccess{correlation_id});
}

void ClientEvents::unavailable_counter(std::int64_t correlation_id, std::int32_t counter_id) {
    send(layout::EventType::kUnavailableCounter, layout::CounterEvent{correlation_id, counter_id});
}

bool ClientEvents::spend(std::size_t length) {
    const auto cost = static_cast<std::int64_t>(length + ring::kShmRecordHeaderBytes);
    if (allowance_bytes_ < cost) {
        return false;
    }
    allowance_bytes_ -= cost;
    return true;
}

void ClientEvents::transmit(layout::EventType type, std::size_t length) {
    if (length == 0) {
        return;  // A broadcast configured too small for this event; its command times out in the client.
    }
    const std::span<const std::byte> body{buffer_.data(), length};
    if (waiting_.empty() && spend(length)) {
        (void)transmitter_.transmit(static_cast<std::int32_t>(type), body);
        return;
    }
    waiting_.push_back({type, {body.begin(), body.end()}});
}

int ClientEvents::flush(Instant now) {
    if (allowance_bytes_ == burst_bytes_) {
        last_refill_ = now;
        return 0;
    }
    const Duration elapsed = std::min(now - last_refill_, kRefill);
    const std::int64_t refill = burst_bytes_ / 1024 * (elapsed.ns / 1024) / (kRefill.ns / 1024) * 1024;
    if (refill > 0) {
        allowance_bytes_ = std::min(burst_bytes_, allowance_bytes_ + refill);
        last_refill_ = now;
    }
    int work = 0;
    while (!waiting_.empty() && spend(waiting_.front().body.size())) {
        (void)transmitter_.transmit(static_cast<std::int32_t>(waiting_.front().type), waiting_.front().body);
        waiting_.pop_front();
        ++work;
    }
    return work;
}

}  // namespace fulmar::agent

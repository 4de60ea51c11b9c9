#include "client/driver_link.h"

namespace fulmar::client {

namespace {

constexpr std::int64_t kHeartbeatOfDriverThatLeft = -1;

Unexpected<Error> not_yet(const std::string& dir, const std::string& why) {
    return fail(ErrorCode::kResourceTemporarilyUnavailable,
        "no media driver in " + dir + ": " + why + "; start one with: fulmard --dir " + dir);
}

}  // namespace

Result<DriverLink> DriverLink::open(
    const std::string& dir, port::MemoryMap& memory_map, LivenessCheck check) {
    const std::string path = dir + "/" + std::string(layout::kCncFileName);
    if (!memory_map.exists(path)) {
        return not_yet(dir, "there is no " + std::string(layout::kCncFileName));
    }
    auto opened = memory_map.open(path, true);
    if (!opened) {
        // A driver that is starting has an empty file for a moment; one without permission stays so.
        return not_yet(dir, opened.error().message);
    }
    DriverLink link;
    link.mapping_ = std::move(opened).value();
    FULMAR_TRY(cnc, layout::CncFile::open(link.mapping_->bytes()));
    FULMAR_TRY(ring, ring::ShmMpscRing::attach(cnc.to_driver()));
    FULMAR_TRY(events, ring::BroadcastReceiver::attach(cnc.to_clients()));
    link.cnc_ = cnc;
    link.ring_ = ring;
    link.events_ = std::move(events);
    link.counters_ = CountersReader(cnc.counter_metadata(), cnc.counter_values());
    if (const auto alive = link.check_driver(check); !alive) {
        return not_yet(dir, alive.error().message);
    }
    return link;
}

Status DriverLink::check_driver(LivenessCheck check) const {
    const std::int64_t heartbeat_ms = ring_.consumer_heartbeat_ms();
    if (heartbeat_ms == kHeartbeatOfDriverThatLeft) {
        return fail(ErrorCode::kGeneric, "the media driver has shut down");
    }
    const std::int64_t age_ms = check.epoch_ms - heartbeat_ms;
    const std::int64_t timeout_ms = check.driver_timeout.ns / 1'000'000;
    if (age_ms > timeout_ms) {
        return fail(ErrorCode::kGeneric, "the media driver shows no life: its heartbeat is " +
                                             std::to_string(age_ms) + " ms old, more than " +
                                             std::to_string(timeout_ms) + " ms");
    }
    return Done{};
}

observe::Counter DriverLink::counter(std::int32_t id) const {
    if (id < 0 || id >= counters_.capacity()) {
        return {};
    }
    return {id, cnc_.counter_values().data() + static_cast<std::size_t>(id) * layout::kCounterValueLength};
}

Status DriverLink::refused(ring::ShmWriteResult result, std::size_t length) {
    switch (result) {
        case ring::ShmWriteResult::kFull:
            return fail(ErrorCode::kResourceTemporarilyUnavailable,
                "the driver's command ring is full; try again when it has caught up");
        case ring::ShmWriteResult::kInvalid:
            return fail(ErrorCode::kMalformedCommand,
                "a command of " + std::to_string(length) + " bytes does not fit the driver's command ring");
        case ring::ShmWriteResult::kCorrupt:
            return fail(ErrorCode::kGeneric, "the driver's command ring is damaged; restart the driver");
        case ring::ShmWriteResult::kWritten: break;
    }
    return Done{};
}

}  // namespace fulmar::client

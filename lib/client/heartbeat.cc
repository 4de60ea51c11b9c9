#include "client/heartbeat.h"

#include <algorithm>
#include <cstring>

#include "layout/counters.h"

namespace fulmar::client {

namespace metadata = layout::counter_metadata_field;

Status Heartbeat::beat(const DriverLink& link, std::int64_t epoch_ms) {
    if (!is_established()) {
        find(link);
    } else if (!is_ours(link.counters(), counter_.id())) {
        return fail(ErrorCode::kGeneric,
            "the media driver took this client's heartbeat counter away: it timed us out");
    }
    if (is_established()) {
        counter_.set_release(epoch_ms);
    }
    return Done{};
}

bool Heartbeat::is_ours(const CountersReader& counters, std::int32_t id) const {
    return counters.is_allocated(id) && counters.type_id(id) == layout::counter_type::kClientHeartbeat &&
           base::load_le<std::int64_t>(counters.key(id).data(), 0) == client_id_;
}

void Heartbeat::find(const DriverLink& link) {
    const auto& counters = link.counters();
    for (std::int32_t id = 0; id < counters.capacity(); ++id) {
        const auto* record =
            link.counter_metadata().data() + static_cast<std::size_t>(id) * layout::kCounterMetadataLength;
        if (base::load_acquire<std::int32_t>(record, metadata::kState) == layout::kCounterUnused) {
            return;
        }
        if (is_ours(counters, id)) {
            counter_ = link.counter(id);
            extend_label(link.counter_metadata(), id);
            return;
        }
    }
}

void Heartbeat::extend_label(std::span<std::byte> metadata_bytes, std::int32_t id) const {
    std::byte* record = metadata_bytes.data() + static_cast<std::size_t>(id) * layout::kCounterMetadataLength;
    const auto length = base::load_relaxed<std::int32_t>(record, metadata::kLabelLength);
    const auto length_max = static_cast<std::int32_t>(layout::kCounterLabelMax);
    if (length < 0 || length > length_max) {
        return;
    }
    const std::string suffix = " name=" + client_name_ + " " + version_text();
    const auto room = static_cast<std::size_t>(length_max - length);
    const std::size_t added = std::min(suffix.size(), room);
    std::memcpy(record + metadata::kLabel + length, suffix.data(), added);
    // SYNC(counter.label): release; a tool that sees the new length sees the text.
    base::store_release(record, metadata::kLabelLength, length + static_cast<std::int32_t>(added));
}

}  // namespace fulmar::client

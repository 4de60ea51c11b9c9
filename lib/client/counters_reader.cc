#include "fulmar/counters_reader.h"

#include <algorithm>

namespace fulmar {

namespace {
namespace metadata = layout::counter_metadata_field;
namespace values = layout::counter_value_field;
}  // namespace

CountersReader::CountersReader(
    std::span<const std::byte> metadata_bytes, std::span<const std::byte> value_bytes)
    : metadata_(metadata_bytes),
      values_(value_bytes),
      capacity_(static_cast<std::int32_t>(std::min(metadata_bytes.size() / layout::kCounterMetadataLength,
          value_bytes.size() / layout::kCounterValueLength))) {}

bool CountersReader::is_allocated(std::int32_t id) const {
    // SYNC(counter.state): acquire; pairs with the release by which the driver announces a counter.
    return contains(id) && base::load_acquire<std::int32_t>(metadata_record(id), metadata::kState) ==
                               layout::kCounterAllocated;
}

std::int32_t CountersReader::type_id(std::int32_t id) const {
    return contains(id) ? base::load_relaxed<std::int32_t>(metadata_record(id), metadata::kTypeId)
                        : kNullCounterId;
}

std::int64_t CountersReader::registration_id(std::int32_t id) const {
    // SYNC(counter.registration): acquire; pairs with the release at reuse, so that find() mistakes no
    // counter for its predecessor.
    return contains(id) ? base::load_acquire<std::int64_t>(value_record(id), values::kRegistrationId) : 0;
}

std::int64_t CountersReader::owner_id(std::int32_t id) const {
    return contains(id) ? base::load_relaxed<std::int64_t>(value_record(id), values::kOwnerId) : 0;
}

std::int64_t CountersReader::reference_id(std::int32_t id) const {
    return contains(id) ? base::load_relaxed<std::int64_t>(value_record(id), values::kReferenceId) : 0;
}

std::string CountersReader::label(std::int32_t id) const {
    if (!contains(id)) {
        return {};
    }
    const std::byte* record = metadata_record(id);
    // SYNC(counter.label): acquire; pairs with whoever wrote or appended to the label.
    const auto claimed = base::load_acquire<std::int32_t>(record, metadata::kLabelLength);
    const auto length =
        std::clamp<std::int32_t>(claimed, 0, static_cast<std::int32_t>(layout::kCounterLabelMax));
    return {reinterpret_cast<const char*>(record + metadata::kLabel), static_cast<std::size_t>(length)};
}

std::span<const std::byte> CountersReader::key(std::int32_t id) const {
    return contains(id)
               ? std::span<const std::byte>(metadata_record(id) + metadata::kKey, layout::kCounterKeyMax)
               : std::span<const std::byte>();
}

std::optional<std::int32_t> CountersReader::find(
    std::int32_t type_id_wanted, std::int64_t registration_wanted) const {
    for (std::int32_t id = 0; id < capacity_; ++id) {
        const auto state = base::load_acquire<std::int32_t>(metadata_record(id), metadata::kState);
        if (state == layout::kCounterUnused) {
            break;  // ids are given out in order: nothing was ever allocated from here on
        }
        if (state == layout::kCounterAllocated && type_id(id) == type_id_wanted &&
            registration_id(id) == registration_wanted) {
            return id;
        }
    }
    return std::nullopt;
}

}  // namespace fulmar

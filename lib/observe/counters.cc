#include "observe/counters.h"

#include <algorithm>
#include <limits>

namespace fulmar::observe {
namespace {

namespace value_field = layout::counter_value_field;
namespace metadata_field = layout::counter_metadata_field;
using base::store_le;

std::int32_t count_of(std::size_t metadata_length, std::size_t values_length) {
    const std::size_t count = std::min(
        metadata_length / layout::kCounterMetadataLength, values_length / layout::kCounterValueLength);
    return static_cast<std::int32_t>(std::min<std::size_t>(count, std::numeric_limits<std::int32_t>::max()));
}

std::size_t label_length(const std::byte* metadata) {
    const auto length = base::load_acquire<std::int32_t>(metadata, metadata_field::kLabelLength);
    return static_cast<std::size_t>(
        std::clamp(length, std::int32_t{0}, static_cast<std::int32_t>(layout::kCounterLabelMax)));
}

/// Writes text at `from` and then the length, so that a reader sees either label whole.
void write_label(std::byte* metadata, std::size_t from, std::string_view text) {
    const std::size_t length = std::min(text.size(), layout::kCounterLabelMax - from);
    std::copy_n(text.data(), length, reinterpret_cast<char*>(metadata) + metadata_field::kLabel + from);
    // SYNC(counter.label): release; publishes the text to label_length.
    base::store_release(metadata, metadata_field::kLabelLength, static_cast<std::int32_t>(from + length));
}

void write_key(std::byte* metadata, std::span<const std::byte> key) {
    const std::size_t length = std::min(key.size(), layout::kCounterKeyMax);
    std::copy_n(key.data(), length, metadata + metadata_field::kKey);
    std::fill_n(metadata + metadata_field::kKey + length, layout::kCounterKeyMax - length, std::byte{0});
}

void write_value(std::byte* record, const CountersManager::Spec& spec) {
    // SYNC(counter.registration): release; a reader that holds an old id sees that its owner changed
    // before it sees the new value.
    base::store_release(record, value_field::kRegistrationId, spec.registration_id);
    base::store_release(record, value_field::kOwnerId, spec.owner_id);
    base::store_release(record, value_field::kReferenceId, spec.reference_id);
    base::store_release(record, value_field::kValue, spec.initial_value);
}

}  // namespace

CountersManager::CountersManager(
    std::span<std::byte> metadata, std::span<std::byte> values, std::int64_t reuse_timeout_ms)
    : metadata_(metadata),
      values_(values),
      reuse_timeout_ms_(reuse_timeout_ms),
      capacity_(count_of(metadata.size(), values.size())),
      allocated_(static_cast<std::size_t>(capacity_)),
      freed_(static_cast<std::size_t>(capacity_)) {}

Counter CountersManager::allocate(const Spec& spec, std::int64_t now_ms) {
    const std::int32_t id = next_id(now_ms);
    if (id == layout::kNullCounterId) {
        return {};
    }
    allocated_[static_cast<std::size_t>(id)] = true;
    write_value(value_at(id), spec);
    std::byte* metadata = metadata_at(id);
    store_le(metadata, metadata_field::kTypeId, spec.type_id);
    store_le(metadata, metadata_field::kFreeForReuseDeadlineMs, std::numeric_limits<std::int64_t>::max());
    write_key(metadata, spec.key);
    write_label(metadata, 0, spec.label);
    // SYNC(counter.state): release; publishes the whole record to for_each_counter.
    base::store_release(metadata, metadata_field::kState, layout::kCounterAllocated);
    return {id, value_at(id)};
}

void CountersManager::free(std::int32_t id, std::int64_t now_ms) {
    if (!is_allocated(id)) {
        return;
    }
    allocated_[static_cast<std::size_t>(id)] = false;
    const std::int64_t reusable_at_ms = now_ms + reuse_timeout_ms_;
    std::byte* metadata = metadata_at(id);
    // SYNC(counter.state): release; nobody may take the zeroed key for a live one.
    base::store_release(metadata, metadata_field::kState, layout::kCounterReclaimed);
    std::fill_n(metadata + metadata_field::kKey, layout::kCounterKeyMax, std::byte{0});
    store_le(metadata, metadata_field::kFreeForReuseDeadlineMs, reusable_at_ms);
    freed_[(freed_head_ + freed_count_) % freed_.size()] = {id, reusable_at_ms};
    ++freed_count_;
}

void CountersManager::append_to_label(std::int32_t id, std::string_view suffix) {
    if (is_allocated(id)) {
        write_label(metadata_at(id), label_length(metadata_at(id)), suffix);
    }
}

void CountersManager::set_label(std::int32_t id, std::string_view label) {
    if (is_allocated(id)) {
        write_label(metadata_at(id), 0, label);
    }
}

Counter CountersManager::counter(std::int32_t id) const {
    return id >= 0 && id < capacity_ ? Counter(id, value_at(id)) : Counter();
}

bool CountersManager::is_allocated(std::int32_t id) const {
    return id >= 0 && id < capacity_ && allocated_[static_cast<std::size_t>(id)];
}

std::int32_t CountersManager::next_id(std::int64_t now_ms) {
    if (freed_count_ > 0 && now_ms >= freed_[freed_head_].reusable_at_ms) {
        const std::int32_t id = freed_[freed_head_].id;
        freed_head_ = (freed_head_ + 1) % freed_.size();
        --freed_count_;
        return id;
    }
    return high_water_ < capacity_ ? high_water_++ : layout::kNullCounterId;
}

std::byte* CountersManager::metadata_at(std::int32_t id) const {
    return metadata_.data() + static_cast<std::size_t>(id) * layout::kCounterMetadataLength;
}

std::byte* CountersManager::value_at(std::int32_t id) const {
    return values_.data() + static_cast<std::size_t>(id) * layout::kCounterValueLength;
}

void for_each_counter(std::span<const std::byte> metadata, std::span<const std::byte> values,
    const std::function<void(const CounterView&)>& visit) {
    const std::int32_t count = count_of(metadata.size(), values.size());
    for (std::int32_t id = 0; id < count; ++id) {
        const std::byte* record =
            metadata.data() + static_cast<std::size_t>(id) * layout::kCounterMetadataLength;
        const std::byte* value = values.data() + static_cast<std::size_t>(id) * layout::kCounterValueLength;
        // SYNC(counter.state): acquire; pairs with allocate and free, of any process.
        const auto state = base::load_acquire<std::int32_t>(record, metadata_field::kState);
        if (state == layout::kCounterUnused) {
            return;  // ids are handed out in order, so nothing follows
        }
        if (state != layout::kCounterAllocated) {
            continue;
        }
        visit({
            .id = id,
            .type_id = base::load_le<std::int32_t>(record, metadata_field::kTypeId),
            .value = base::load_acquire<std::int64_t>(value, value_field::kValue),
            .registration_id = base::load_acquire<std::int64_t>(value, value_field::kRegistrationId),
            .owner_id = base::load_acquire<std::int64_t>(value, value_field::kOwnerId),
            .reference_id = base::load_acquire<std::int64_t>(value, value_field::kReferenceId),
            .key = {record + metadata_field::kKey, layout::kCounterKeyMax},
            .label = {reinterpret_cast<const char*>(record) + metadata_field::kLabel, label_length(record)},
        });
    }
}

}  // namespace fulmar::observe

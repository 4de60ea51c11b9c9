#include "fulmar/archive/recording_position.h"

#include "base/bytes.h"

namespace fulmar {

namespace {

constexpr std::size_t kRecordingIdAt = 0;
constexpr std::size_t kSessionIdAt = 8;
constexpr std::size_t kSourceLengthAt = 12;
constexpr std::size_t kSourceAt = 16;

/// A key as it lay in memory that others write.
struct Key {
    std::int64_t recording_id;
    std::int32_t session_id;
    std::string source_identity;
    std::int64_t archive_id;  ///< right behind the source, wherever that ends
};

std::optional<Key> read_key(const CountersReader& counters, std::int32_t id) {
    const auto key = counters.key(id);
    const auto length = base::load_le<std::int32_t>(key.data(), kSourceLengthAt);
    const std::size_t room = key.size() - kSourceAt - sizeof(std::int64_t);
    if (length < 0 || static_cast<std::size_t>(length) > room) {
        return std::nullopt;
    }
    const auto source_length = static_cast<std::size_t>(length);
    return Key{base::load_le<std::int64_t>(key.data(), kRecordingIdAt),
        base::load_le<std::int32_t>(key.data(), kSessionIdAt),
        std::string(reinterpret_cast<const char*>(key.data()) + kSourceAt, source_length),
        base::load_le<std::int64_t>(key.data(), kSourceAt + source_length)};
}

bool is_recording(const CountersReader& counters, std::int32_t id) {
    return counters.is_allocated(id) && counters.type_id(id) == kRecordingPositionTypeId;
}

template <class Matches>
std::optional<std::int32_t> find(const CountersReader& counters, std::int64_t archive_id, Matches&& matches) {
    for (std::int32_t id = 0; id < counters.capacity(); ++id) {
        if (!is_recording(counters, id)) {
            continue;
        }
        const auto key = read_key(counters, id);
        if (key && matches(*key) && (archive_id == kAnyArchive || key->archive_id == archive_id)) {
            return id;
        }
    }
    return std::nullopt;
}

}  // namespace

std::optional<std::int32_t> find_recording_counter(
    const CountersReader& counters, std::int64_t recording_id, std::int64_t archive_id) {
    return find(counters, archive_id, [&](const Key& key) { return key.recording_id == recording_id; });
}

std::optional<std::int32_t> find_recording_counter_by_session(
    const CountersReader& counters, std::int32_t session_id, std::int64_t archive_id) {
    return find(counters, archive_id, [&](const Key& key) { return key.session_id == session_id; });
}

std::optional<RecordingPosition> RecordingPosition::open(
    const CountersReader& counters, std::int32_t counter_id) {
    if (!is_recording(counters, counter_id)) {
        return std::nullopt;
    }
    RecordingPosition opened;
    opened.counters_ = counters;
    opened.counter_id_ = counter_id;
    opened.registration_id_ = counters.registration_id(counter_id);
    auto key = read_key(counters, counter_id);
    if (!key) {
        return std::nullopt;
    }
    opened.recording_id_ = key->recording_id;
    opened.session_id_ = key->session_id;
    opened.source_identity_ = std::move(key->source_identity);
    opened.archive_id_ = key->archive_id;
    // It may have been freed and given to another while the key was read.
    return opened.is_active() ? std::optional(std::move(opened)) : std::nullopt;
}

bool RecordingPosition::is_active() const {
    return is_recording(counters_, counter_id_) &&
           counters_.registration_id(counter_id_) == registration_id_ &&
           base::load_le<std::int64_t>(counters_.key(counter_id_).data(), kRecordingIdAt) == recording_id_;
}

std::int64_t RecordingPosition::position() const {
    const std::int64_t value = counters_.value(counter_id_);
    return is_active() ? value : kNullPosition;
}

}  // namespace fulmar

// The archive's counters, as it writes them and as nobody should.
#include "fulmar/archive/recording_position.h"

#include <doctest/doctest.h>

#include "observe/counters.h"

using namespace fulmar;

namespace {

constexpr std::int64_t kArchive = 77;
constexpr std::string_view kSource = "127.0.0.1:40123";

/// A counters file with an archive's counters in it.
struct File {
    static constexpr std::int32_t kCapacity = 16;
    std::vector<std::byte> metadata = std::vector<std::byte>(kCapacity * layout::kCounterMetadataLength);
    std::vector<std::byte> values = std::vector<std::byte>(kCapacity * layout::kCounterValueLength);
    observe::CountersManager manager{metadata, values, 0};  // freed counters may be reused at once
    CountersReader reader{metadata, values};

    observe::Counter add(std::int64_t recording_id, std::int32_t session_id,
        std::int64_t archive_id = kArchive, std::string_view source = kSource,
        std::int32_t type_id = kRecordingPositionTypeId) {
        std::vector<std::byte> key(16 + source.size() + 8);
        base::store_le(key.data(), 0, recording_id);
        base::store_le(key.data(), 8, session_id);
        base::store_le(key.data(), 12, static_cast<std::int32_t>(source.size()));
        std::memcpy(key.data() + 16, source.data(), source.size());
        base::store_le(key.data(), 16 + source.size(), archive_id);
        return manager.allocate({.type_id = type_id,
                                    .key = key,
                                    .label = "rec-pos",
                                    .registration_id = ++registrations,
                                    .initial_value = 4096},
            ++now_ms);
    }
    std::int64_t registrations = 0;
    std::int64_t now_ms = 0;
};

}  // namespace

TEST_CASE("archive client: recordings are found by id and session, in the archive that is meant") {
    File file;
    file.add(1, 10, kArchive + 1);
    const auto counter = file.add(1, 10);
    file.add(2, 20);
    file.add(3, 30, kArchive, kSource, 99);  // not a recording's
    CHECK(find_recording_counter(file.reader, 1, kArchive) == counter.id());
    CHECK(find_recording_counter(file.reader, 1, kArchive + 1) == 0);
    CHECK(find_recording_counter(file.reader, 1, kAnyArchive) == 0);
    CHECK(find_recording_counter(file.reader, 2, kArchive) == 2);
    CHECK_FALSE(find_recording_counter(file.reader, 3, kArchive));
    CHECK(find_recording_counter_by_session(file.reader, 10, kArchive) == counter.id());
    CHECK_FALSE(find_recording_counter_by_session(file.reader, 11, kArchive));

    const auto position = RecordingPosition::open(file.reader, counter.id());
    REQUIRE(position);
    CHECK(position->counter_id() == counter.id());
    CHECK(position->recording_id() == 1);
    CHECK(position->session_id() == 10);
    CHECK(position->archive_id() == kArchive);
    CHECK(position->source_identity() == kSource);
    CHECK(position->position() == 4096);
    counter.set_release(8192);
    CHECK(position->position() == 8192);
}

TEST_CASE("archive client: a counter that was freed and used again is another recording's") {
    File file;
    const auto counter = file.add(1, 10);
    const auto position = RecordingPosition::open(file.reader, counter.id());
    REQUIRE(position);
    file.manager.free(counter.id(), ++file.now_ms);
    CHECK_FALSE(position->is_active());
    CHECK(position->position() == kNullPosition);
    CHECK_FALSE(RecordingPosition::open(file.reader, counter.id()));
    REQUIRE(file.add(1, 10).id() == counter.id());  // even the same recording, extended
    CHECK_FALSE(position->is_active());
    CHECK_FALSE(RecordingPosition::open(file.reader, -1));
    CHECK_FALSE(RecordingPosition::open(file.reader, File::kCapacity));
}

TEST_CASE("archive client: a key that cannot be is nobody's") {
    for (const std::int32_t length : {-1, INT32_MIN, INT32_MAX, 89, 112}) {
        CAPTURE(length);
        File file;
        const auto counter = file.add(1, 10);
        std::byte* key = file.metadata.data() + layout::counter_metadata_field::kKey;
        base::store_le(key, 12, length);
        CHECK_FALSE(find_recording_counter(file.reader, 1, kAnyArchive));
        CHECK_FALSE(RecordingPosition::open(file.reader, counter.id()));
    }
    File file;
    const std::string longest(88, 'x');
    file.add(1, 10, kArchive, longest);
    const auto position = RecordingPosition::open(file.reader, 0);
    REQUIRE(position);
    CHECK(position->source_identity() == longest);
    CHECK(position->archive_id() == kArchive);
}

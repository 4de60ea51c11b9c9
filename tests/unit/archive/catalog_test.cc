// The catalog of an archive: Aeron's own file, our own changes to one, and files that are none.
#include "archive/catalog.h"

#include <algorithm>
#include <cstring>
#include <limits>
#include <string>

#include "base/bytes.h"
#include "tests/unit/golden.h"

namespace fulmar::archive {
namespace {

std::vector<std::byte> golden_catalog() {
    const std::string content = test::read_golden("sbe/archive.catalog");
    const auto* bytes = reinterpret_cast<const std::byte*>(content.data());
    return {bytes, bytes + content.size()};
}

Recording sample(std::int64_t start = 0) {
    Recording recording;
    recording.start_timestamp = 1000;
    recording.start_position = start;
    recording.initial_term_id = 7;
    recording.segment_file_length = 128 * 1024;
    recording.term_buffer_length = 64 * 1024;
    recording.mtu_length = 1408;
    recording.session_id = 42;
    recording.stream_id = 1001;
    recording.stripped_channel = "aeron:udp?endpoint=localhost:40123";
    recording.original_channel = "aeron:udp?endpoint=localhost:40123|alias=x";
    recording.source_identity = "127.0.0.1:51234";
    return recording;
}

Error error_of(std::vector<std::byte> bytes) {
    const auto catalog = Catalog::open(std::move(bytes));
    return catalog ? Error{ErrorCode::kNone, ""} : catalog.error();
}

bool mentions(const Error& error, std::string_view words) {
    INFO(error.message);
    return error.message.find(words) != std::string::npos;
}

TEST_CASE("archive catalog: a file of Aeron's is read, and found equal when written from its values") {
    const auto golden = golden_catalog();
    const auto opened = Catalog::open(golden);
    REQUIRE_MESSAGE(opened, (opened ? "" : opened.error().message));
    REQUIRE(opened->size() == 3);
    CHECK(opened->next_recording_id() == 3);
    auto again = Catalog::create(golden.size());
    for (std::size_t i = 0; i < opened->size(); ++i) {
        const Recording recording = opened->at(i);
        CHECK(recording.id == static_cast<std::int64_t>(i));
        CHECK(recording.term_buffer_length == 65536);
        CHECK(!recording.original_channel.empty());
        REQUIRE(again.add(recording));
        again.set_state(i, recording.state);
    }
    const auto bytes = again.bytes().first(golden.size());
    CHECK(std::equal(bytes.begin(), bytes.end(), golden.begin(), golden.end()));
}

TEST_CASE("archive catalog: recordings get ids in order and are found by them while they are valid") {
    auto catalog = Catalog::create();
    CHECK(catalog.size() == 0);
    CHECK(catalog.find(0) == 0);
    for (std::int64_t i = 0; i < 3; ++i) {
        const auto id = catalog.add(sample(i * 1024));
        REQUIRE(id);
        CHECK(*id == i);
    }
    CHECK(catalog.find(1) == 1);
    CHECK(catalog.at(2).start_position == 2048);
    CHECK(catalog.at(1).source_identity == "127.0.0.1:51234");
    CHECK(catalog.at(1).stop_position == kNullValue);
    catalog.set_state(1, RecordingState::kDeleted);
    CHECK(catalog.find(1) == catalog.size());
    CHECK(catalog.find(2) == 2);
    CHECK(catalog.find(3) == catalog.size());
    CHECK(*catalog.add(sample()) == 3);
}

TEST_CASE("archive catalog: stopping, extending and moving the start are kept over a reopening") {
    auto catalog = Catalog::create();
    REQUIRE(catalog.add(sample()));
    catalog.set_stop(0, 4096, 2000);
    catalog.set_start_position(0, 1024);
    auto reopened = Catalog::open({catalog.bytes().begin(), catalog.bytes().end()});
    REQUIRE(reopened);
    CHECK(reopened->at(0).stop_position == 4096);
    CHECK(reopened->at(0).stop_timestamp == 2000);
    CHECK(reopened->at(0).start_position == 1024);
    reopened->extend(0, 43, 5, 6);
    CHECK(reopened->at(0).stop_position == kNullValue);
    CHECK(reopened->at(0).stop_timestamp == kNullValue);
    CHECK(reopened->at(0).session_id == 43);
    CHECK(reopened->at(0).control_session_id == 5);
    CHECK(reopened->at(0).correlation_id == 6);
    CHECK(reopened->at(0).original_channel == sample().original_channel);
}

TEST_CASE("archive catalog: writing what changed is all that a file on disk needs") {
    auto catalog = Catalog::create(256);
    std::vector<std::byte> disk;
    const auto write = [&] {
        for (const Catalog::Changed& range : catalog.take_changes()) {
            disk.resize(std::max(disk.size(), range.offset + range.length));
            std::memcpy(disk.data() + range.offset, catalog.bytes().data() + range.offset, range.length);
        }
        return std::equal(disk.begin(), disk.end(), catalog.bytes().begin(), catalog.bytes().end());
    };
    CHECK(write());
    for (int i = 0; i < 50; ++i) {
        REQUIRE(catalog.add(sample(i * 32)));
        if (i % 3 == 0) {
            catalog.set_stop(static_cast<std::size_t>(i), 1 << 20, 5);
        }
        if (i % 7 == 0) {
            CHECK(write());
            CHECK(catalog.take_changes().empty());
        }
    }
    catalog.set_state(10, RecordingState::kDeleted);
    catalog.extend(3, 1, 2, 3);
    CHECK(write());
    const auto reopened = Catalog::open(disk);
    REQUIRE(reopened);
    CHECK(reopened->size() == 50);
}

TEST_CASE("archive catalog: an old file without an alignment has entries of 1024 bytes") {
    auto bytes = std::vector<std::byte>(4096);
    base::store_le<std::int32_t>(bytes.data(), 0, kCatalogVersion);
    base::store_le<std::int32_t>(bytes.data(), 4, 32);
    auto catalog = Catalog::open(bytes);
    REQUIRE(catalog);
    CHECK(catalog->size() == 0);
    auto modern = Catalog::create(2048);
    REQUIRE(modern.add(sample()));
    // the same entry where an old file has its first
    std::memcpy(bytes.data() + 1024, modern.bytes().data() + 32, 1024);
    base::store_le<std::int32_t>(bytes.data(), 1024, 1024 - 32);
    base::store_le<std::int64_t>(bytes.data(), 8, 1);
    catalog = Catalog::open(bytes);
    REQUIRE_MESSAGE(catalog, (catalog ? "" : catalog.error().message));
    REQUIRE(catalog->size() == 1);
    CHECK(catalog->at(0).stream_id == 1001);
    REQUIRE(catalog->add(sample()));
    CHECK(catalog->descriptor(1).data() - catalog->descriptor(0).data() == 1024);
    // and the first one also in a file that ends before its place
    bytes.resize(64);
    base::store_le<std::int64_t>(bytes.data(), 8, 0);
    catalog = Catalog::open(bytes);
    REQUIRE(catalog);
    REQUIRE(catalog->add(sample()));
    const auto again = Catalog::open({catalog->bytes().begin(), catalog->bytes().end()});
    REQUIRE(again);
    CHECK(again->size() == 1);
}

TEST_CASE("archive catalog: what is no catalog is refused with its place") {
    CHECK(mentions(error_of({}), "no room for the header"));
    CHECK(mentions(error_of(std::vector<std::byte>(31)), "31 bytes"));
    auto catalog = Catalog::create(2048);
    REQUIRE(catalog.add(sample()));
    REQUIRE(catalog.add(sample()));
    const std::vector<std::byte> good(catalog.bytes().begin(), catalog.bytes().end());
    REQUIRE(mentions(error_of(good), ""));
    REQUIRE(error_of(good).code == ErrorCode::kNone);
    const auto with = [&](std::size_t offset, auto value) {
        auto bytes = good;
        base::store_le(bytes.data(), offset, value);
        return error_of(bytes);
    };
    const std::size_t second = 32 + 32 + catalog.descriptor(0).size();
    CHECK(mentions(with(0, std::int32_t{2 << 16}), "format 2"));
    CHECK(mentions(with(4, std::int32_t{64}), "header of 64"));
    CHECK(mentions(with(16, std::int32_t{63}), "alignment of 63"));
    CHECK(mentions(with(16, std::int32_t{-64}), "alignment of -64"));
    CHECK(mentions(with(second, std::int32_t{1 << 30}), "at " + std::to_string(second) + ": an entry of"));
    CHECK(mentions(with(32, std::int32_t{64}), "at 32: RecordingDescriptor"));
    CHECK(mentions(with(64 + 80, std::uint32_t{0x7fffffff}), "strippedChannel"));
    CHECK(mentions(with(second + 32 + 16, std::int64_t{0}), "recording id 0 does not follow 0"));
    CHECK(mentions(with(second + 32 + 16, std::int64_t{2}), "not below the next id 2"));
    CHECK(mentions(with(64 + 16, std::int64_t{-1}), "recording id -1"));
    CHECK(mentions(with(8, std::int64_t{1}), "not below the next id 1"));
    CHECK(mentions(with(8, std::int64_t{-1}), "at 8: a next recording id of -1"));
    auto bytes = good;
    base::store_le(bytes.data(), 8, std::numeric_limits<std::int64_t>::max());
    auto full = Catalog::open(bytes);
    REQUIRE(full);
    const auto id = full->add(sample());
    REQUIRE(!id);
    CHECK(mentions(id.error(), "no recording ids are left"));
}

TEST_CASE("archive catalog: what lies behind the end of the list does not become an entry of it") {
    auto catalog = Catalog::create(4096);
    REQUIRE(catalog.add(sample()));
    REQUIRE(catalog.add(sample()));
    std::vector<std::byte> bytes(catalog.bytes().begin(), catalog.bytes().end());
    // The list ends at the first entry; the second is left of an earlier life, as is something behind it.
    const std::size_t first = 32;
    const std::size_t second = first + 32 + catalog.descriptor(0).size();
    base::store_le<std::int32_t>(bytes.data(), first, 0);
    std::fill_n(bytes.begin() + static_cast<std::ptrdiff_t>(second), 32, std::byte{0x7f});
    base::store_le<std::int64_t>(bytes.data(), 8, 0);
    auto opened = Catalog::open(bytes);
    REQUIRE(opened);
    REQUIRE(opened->size() == 0);
    REQUIRE(opened->add(sample()));
    const auto again = Catalog::open({opened->bytes().begin(), opened->bytes().end()});
    REQUIRE_MESSAGE(again, (again ? "" : again.error().message));
    CHECK(again->size() == 1);
}

TEST_CASE("archive catalog: texts beyond what an entry holds are refused, and nothing is added") {
    auto catalog = Catalog::create();
    (void)catalog.take_changes();
    Recording recording = sample();
    recording.original_channel.assign(kCatalogTextMax, 'x');
    const auto id = catalog.add(recording);
    REQUIRE(!id);
    CHECK(mentions(id.error(), "more than an entry holds"));
    CHECK(catalog.size() == 0);
    CHECK(catalog.next_recording_id() == 0);
    CHECK(catalog.take_changes().empty());
}

}  // namespace
}  // namespace fulmar::archive

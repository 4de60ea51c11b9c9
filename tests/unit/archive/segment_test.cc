// Names and frames of segment files: Aeron's own, and bytes that are none.
#include "archive/segment.h"

#include <cstring>
#include <limits>
#include <string>

#include "base/bytes.h"
#include "tests/unit/golden.h"
#include "wire/frame.h"

namespace fulmar::archive {
namespace {

constexpr SegmentShape kShape{.initial_term_id = std::numeric_limits<std::int32_t>::max(),
    .term_length = 64 * 1024,
    .segment_length = 128 * 1024,
    .mtu = 1408,
    .stream_id = 1001};

void put_frame(std::vector<std::byte>& bytes, std::int64_t base, std::int64_t position, std::int32_t length,
    wire::FrameType type = wire::FrameType::kData) {
    std::byte* at = bytes.data() + (position - base);
    const auto terms = static_cast<std::uint32_t>(position / kShape.term_length);
    base::store_le<std::int32_t>(at, wire::field::kFrameLength, length);
    base::store_le<std::uint16_t>(at, wire::field::kType, static_cast<std::uint16_t>(type));
    base::store_le<std::int32_t>(
        at, wire::field::kTermOffset, static_cast<std::int32_t>(position % kShape.term_length));
    base::store_le<std::int32_t>(at, wire::field::kStreamId, kShape.stream_id);
    base::store_le<std::uint32_t>(
        at, wire::field::kTermId, static_cast<std::uint32_t>(kShape.initial_term_id) + terms);
}

TEST_CASE("archive segment: names say recording and base, and nothing else is one") {
    CHECK(segment_name(12, 131072) == "12-131072.rec");
    CHECK(parse_segment_name("12-131072.rec") == SegmentName{12, 131072});
    CHECK(parse_segment_name("0-0.rec") == SegmentName{0, 0});
    for (const char* name :
        {"", ".rec", "-.rec", "1-.rec", "-1.rec", "1-2", "1-2.rec.del", "01-2.rec", "1-02.rec", "+1-2.rec",
            "1--2.rec", "1-2-3.rec", "a-2.rec", "1-99999999999999999999.rec", "1-2.rec2", " 1-2.rec"}) {
        CAPTURE(name);
        CHECK(!parse_segment_name(name));
    }
}

TEST_CASE("archive segment: bases count from the term in which the recording starts") {
    constexpr std::int32_t term = 64 * 1024;
    constexpr std::int32_t segment = 128 * 1024;
    CHECK(segment_base(0, 0, term, segment) == 0);
    CHECK(segment_base(0, segment - 32, term, segment) == 0);
    CHECK(segment_base(0, segment, term, segment) == segment);
    // from the middle of the fourth term: the first file begins with that term
    constexpr std::int64_t start = 3 * term + 4096;
    CHECK(segment_base(start, start, term, segment) == 3 * term);
    CHECK(segment_base(start, 3 * term + segment - 32, term, segment) == 3 * term);
    CHECK(segment_base(start, 3 * term + segment, term, segment) == 3 * term + segment);
}

TEST_CASE("archive segment: Aeron's recordings are walked to the position at which they stopped") {
    const std::string catalog_bytes = test::read_golden("sbe/archive.catalog");
    const auto* begin = reinterpret_cast<const std::byte*>(catalog_bytes.data());
    const auto catalog = Catalog::open({begin, begin + catalog_bytes.size()});
    REQUIRE(catalog);
    for (const auto& [id, file] :
        {std::pair<std::int64_t, const char*>{0, "recording_0-0.rec"}, {1, "recording_1-196608.rec"}}) {
        CAPTURE(file);
        const Recording recording = catalog->at(catalog->find(id));
        const auto shape = SegmentShape::of(recording);
        REQUIRE(shape);
        const std::string content = test::read_golden(std::string("sbe/") + file);
        const auto base = segment_base(
            recording.start_position, recording.start_position, shape->term_length, shape->segment_length);
        CHECK(std::string(file) == "recording_" + segment_name(id, base));
        const auto walk =
            walk_segment(*shape, base, recording.start_position, std::as_bytes(std::span(content)));
        CHECK(walk.fault == FrameFault::kNone);
        CHECK(walk.frames > 0);
        CHECK(walk.position == recording.stop_position);
    }
}

TEST_CASE(
    "archive segment: a walk crosses terms, wraps term ids and passes padding whose bytes are not there") {
    const std::int64_t base = kShape.segment_length;
    std::vector<std::byte> bytes(static_cast<std::size_t>(kShape.segment_length));
    std::int64_t position = base + 96;
    put_frame(bytes, base, position, 33);
    position += 64;
    const std::int64_t term_end = base + kShape.term_length;
    put_frame(bytes, base, position, static_cast<std::int32_t>(term_end - position), wire::FrameType::kPad);
    put_frame(bytes, base, term_end, 1408);
    const auto walk = walk_segment(kShape, base, base + 96, bytes);
    CHECK(walk.fault == FrameFault::kNone);
    CHECK(walk.position == term_end + 1408);
    CHECK(walk.last_frame == term_end);
    CHECK(walk.frames == 3);
    CHECK(walk.data_bytes == 64 + 1408);
    CHECK(walk.padding_bytes == static_cast<std::uint64_t>(kShape.term_length - 160));
}

TEST_CASE("archive segment: a walk ends before what is no frame of the recording and says what it is") {
    const auto fault_with = [](std::size_t offset, auto value) {
        std::vector<std::byte> bytes(4096);
        put_frame(bytes, 0, 0, 64);
        put_frame(bytes, 0, 64, 64);
        base::store_le(bytes.data(), 64 + offset, value);
        const auto walk = walk_segment(kShape, 0, 0, bytes);
        CHECK(walk.position == 64);
        CHECK(walk.frames == 1);
        return walk.fault;
    };
    CHECK(fault_with(wire::field::kType, std::uint16_t{2}) == FrameFault::kType);
    CHECK(fault_with(wire::field::kFrameLength, std::int32_t{31}) == FrameFault::kLength);
    CHECK(fault_with(wire::field::kFrameLength, std::int32_t{1409}) == FrameFault::kLength);
    CHECK(fault_with(wire::field::kTermId, std::int32_t{0}) == FrameFault::kTermId);
    CHECK(fault_with(wire::field::kTermOffset, std::int32_t{0}) == FrameFault::kTermOffset);
    CHECK(fault_with(wire::field::kStreamId, std::int32_t{0}) == FrameFault::kStreamId);
    CHECK(fault_with(wire::field::kFrameLength, std::int32_t{0}) == FrameFault::kNone);
    CHECK(fault_with(wire::field::kFrameLength, std::int32_t{-64}) == FrameFault::kNone);

    std::vector<std::byte> bytes(static_cast<std::size_t>(kShape.term_length));
    put_frame(bytes, 0, 0, kShape.term_length + 32, wire::FrameType::kPad);
    CHECK(walk_segment(kShape, 0, 0, bytes).fault == FrameFault::kPastTerm);
}

TEST_CASE("archive segment: a frame that the file cuts off is not counted") {
    std::vector<std::byte> bytes(200);
    put_frame(bytes, 0, 0, 128);
    put_frame(bytes, 0, 128, 100);
    auto walk = walk_segment(kShape, 0, 0, bytes);
    CHECK(walk.position == 128);
    CHECK(walk.fault == FrameFault::kNone);
    walk = walk_segment(kShape, 0, 0, std::span(bytes).first(31));
    CHECK(walk.position == 0);
    CHECK(walk.frames == 0);
}

TEST_CASE("archive segment: a descriptor whose numbers cannot be is refused by name") {
    Recording good;
    good.id = 9;
    good.term_buffer_length = 64 * 1024;
    good.segment_file_length = 128 * 1024;
    good.mtu_length = 1408;
    REQUIRE(SegmentShape::of(good));
    const auto refused = [&](auto member, auto value, std::string_view word) {
        Recording bad = good;
        bad.*member = value;
        const auto shape = SegmentShape::of(bad);
        REQUIRE(!shape);
        CHECK(shape.error().message.find(word) != std::string::npos);
        CHECK(shape.error().message.find("recording 9") != std::string::npos);
    };
    refused(&Recording::term_buffer_length, 0, "term length of 0");
    refused(&Recording::term_buffer_length, 96 * 1024, "term length");
    refused(&Recording::segment_file_length, 32 * 1024, "segment length");
    refused(&Recording::segment_file_length, -1, "segment length");
    refused(&Recording::mtu_length, 0, "MTU");
    refused(&Recording::start_position, 33, "start position");
    refused(&Recording::start_position, -32, "start position");
    Recording backwards = good;
    backwards.start_position = 64;
    backwards.stop_position = 32;
    CHECK(!SegmentShape::of(backwards));
}

}  // namespace
}  // namespace fulmar::archive

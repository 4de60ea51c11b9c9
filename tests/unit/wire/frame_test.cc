#include "wire/frame.h"

#include <algorithm>
#include <array>
#include <initializer_list>
#include <limits>
#include <string>
#include <vector>

#include <doctest/doctest.h>

using namespace fulmar::wire;
using fulmar::base::load_le;
using fulmar::base::store_le;

namespace {

/// A datagram of `size` bytes with a base header and zeroes behind it.
std::vector<std::byte> datagram(
    std::size_t size, std::int32_t frame_length, FrameType type, std::uint8_t version = 0) {
    std::vector<std::byte> bytes(std::max(size, std::size_t{8}));
    store_le(bytes.data(), field::kFrameLength, frame_length);
    store_le(bytes.data(), field::kVersion, version);
    store_le(bytes.data(), field::kType, static_cast<std::uint16_t>(type));
    bytes.resize(size);
    return bytes;
}

std::vector<std::byte> error_frame(std::int32_t frame_length, std::int32_t text_length, std::size_t size) {
    auto bytes = datagram(size, frame_length, FrameType::kError);
    store_le(bytes.data(), 36, text_length);
    return bytes;
}

constexpr std::int32_t kInt32Max = std::numeric_limits<std::int32_t>::max();
constexpr std::int32_t kInt32Min = std::numeric_limits<std::int32_t>::min();

}  // namespace

TEST_CASE("frame: a data datagram is accepted or refused by its envelope") {
    struct Row {
        const char* what;
        std::size_t size;
        std::int32_t frame_length;
        FrameType type;
        std::uint8_t version;
        FrameFault fault;
    };
    for (const Row& row : std::initializer_list<Row>{
             {"nothing", 0, 0, FrameType::kData, 0, FrameFault::kTruncated},
             {"one byte short of a base header", 7, 0, FrameType::kData, 0, FrameFault::kTruncated},
             {"base header alone", 8, 8, FrameType::kData, 0, FrameFault::kTruncated},
             {"one byte short of a data header", 31, 31, FrameType::kData, 0, FrameFault::kTruncated},
             {"heartbeat", 32, 0, FrameType::kData, 0, FrameFault::kNone},
             {"heartbeat with something behind it", 64, 0, FrameType::kData, 0, FrameFault::kLength},
             {"pad of length 0", 32, 0, FrameType::kPad, 0, FrameFault::kLength},
             {"empty message", 32, 32, FrameType::kData, 0, FrameFault::kNone},
             {"frame shorter than its header", 32, 31, FrameType::kData, 0, FrameFault::kLength},
             {"negative length", 32, -1, FrameType::kData, 0, FrameFault::kNegativeLength},
             {"least length", 32, kInt32Min, FrameType::kData, 0, FrameFault::kNegativeLength},
             {"version 1", 32, 32, FrameType::kData, 1, FrameFault::kVersion},
             {"not padded to 32", 49, 49, FrameType::kData, 0, FrameFault::kMisaligned},
             {"padded to 32", 64, 49, FrameType::kData, 0, FrameFault::kNone},
             {"longer than the datagram", 64, 65, FrameType::kData, 0, FrameFault::kLength},
             {"longest length", 64, kInt32Max, FrameType::kData, 0, FrameFault::kLength},
             {"batch", 128, 64, FrameType::kData, 0, FrameFault::kNone},
             {"pad that stands for more than it carries", 32, 65536, FrameType::kPad, 0, FrameFault::kNone},
         }) {
        CAPTURE(row.what);
        CHECK(check_datagram(datagram(row.size, row.frame_length, row.type, row.version)) == row.fault);
    }
}

TEST_CASE("frame: each control type has a least length, checked against datagram and frame length") {
    struct Row {
        FrameType type;
        std::int32_t length_min;
    };
    for (const Row& row : std::initializer_list<Row>{
             {FrameType::kNak, 28},
             {FrameType::kStatusMessage, 36},
             {FrameType::kError, 40},
             {FrameType::kSetup, 40},
             {FrameType::kRttMeasurement, 40},
             {FrameType::kResolution, 22},
             {FrameType::kResponseSetup, 20},
         }) {
        const auto size = static_cast<std::size_t>(row.length_min);
        CAPTURE(static_cast<int>(row.type));
        CHECK(check_datagram(datagram(size, row.length_min, row.type)) == FrameFault::kNone);
        CHECK(check_datagram(datagram(size - 1, row.length_min - 1, row.type)) == FrameFault::kTruncated);
        CHECK(check_datagram(datagram(size, row.length_min + 1, row.type)) == FrameFault::kLength);
        CHECK(check_datagram(datagram(size, kInt32Max, row.type)) == FrameFault::kLength);
        CHECK(check_datagram(datagram(size, -1, row.type)) == FrameFault::kNegativeLength);
        CHECK(check_datagram(datagram(size, row.length_min, row.type, 1)) == FrameFault::kVersion);
    }
}

TEST_CASE("frame: types nobody accepts are refused") {
    for (const int type : {0x08, 0x09, 0x0A, 0x0C, 0x100, 0xFFFF}) {
        CAPTURE(type);
        CHECK(check_datagram(datagram(64, 64, static_cast<FrameType>(type))) == FrameFault::kType);
    }
}

TEST_CASE("frame: an error text must lie inside its frame and keep the limit") {
    CHECK(check_datagram(error_frame(60, 20, 60)) == FrameFault::kNone);
    CHECK(check_datagram(error_frame(40, 0, 40)) == FrameFault::kNone);
    CHECK(check_datagram(error_frame(60, 21, 64)) == FrameFault::kLength);
    CHECK(check_datagram(error_frame(60, -1, 60)) == FrameFault::kLength);
    CHECK(check_datagram(error_frame(60, kInt32Min, 60)) == FrameFault::kLength);
    CHECK(check_datagram(error_frame(60, kInt32Max, 60)) == FrameFault::kLength);
    CHECK(check_datagram(error_frame(40 + 1023, 1023, 40 + 1023)) == FrameFault::kNone);
    CHECK(check_datagram(error_frame(40 + 1024, 1024, 40 + 1024)) == FrameFault::kLength);
    CHECK(check_datagram(error_frame(0, 0, 40)) == FrameFault::kLength);
}

TEST_CASE("frame: a status message has a tag exactly when its frame length says so") {
    std::array<std::byte, 64> bytes{};
    const StatusMessage with_tag{
        .flags = flag::kSendSetup,
        .session_id = -2,
        .stream_id = 3,
        .consumption_term_id = kInt32Min,
        .consumption_term_offset = 64,
        .receiver_window = 131072,
        .receiver_id = -5,
        .has_group_tag = true,
        .group_tag = std::numeric_limits<std::int64_t>::min(),
    };
    CHECK(write_status_message(bytes.data(), with_tag) == 44);
    const auto read = read_status_message(bytes.data());
    CHECK(read.has_group_tag);
    CHECK(read.group_tag == with_tag.group_tag);
    CHECK(read.receiver_id == with_tag.receiver_id);
    CHECK(read.consumption_term_id == with_tag.consumption_term_id);

    StatusMessage without = with_tag;
    without.has_group_tag = false;
    CHECK(write_status_message(bytes.data(), without) == 36);
    CHECK_FALSE(read_status_message(bytes.data()).has_group_tag);
    // Another trailing length carries no tag, but is still a status message.
    store_le(bytes.data(), 0, std::int32_t{40});
    CHECK(check_datagram(std::span(bytes).first(40)) == FrameFault::kNone);
    CHECK_FALSE(read_status_message(bytes.data()).has_group_tag);
    // The tag must not be read from beyond the datagram.
    store_le(bytes.data(), 0, std::int32_t{44});
    CHECK(check_datagram(std::span(bytes).first(36)) == FrameFault::kLength);
}

TEST_CASE("frame: fields stand at the protocol's offsets") {
    std::array<std::byte, 64> bytes{};
    const Setup setup{.flags = flag::kGroup,
        .term_offset = 1,
        .session_id = 2,
        .stream_id = 3,
        .initial_term_id = 4,
        .active_term_id = 5,
        .term_length = 6,
        .mtu = 7,
        .ttl = 8};
    CHECK(write_setup(bytes.data(), setup) == 40);
    CHECK(load_le<std::int32_t>(bytes.data(), 0) == 40);
    CHECK(load_le<std::uint8_t>(bytes.data(), 5) == 0x40);
    CHECK(load_le<std::uint16_t>(bytes.data(), 6) == 5);
    for (std::int32_t i = 1; i <= 8; ++i) {
        CHECK(load_le<std::int32_t>(bytes.data(), static_cast<std::size_t>(4 + 4 * i)) == i);
    }
    const Nak nak{.session_id = 1, .stream_id = 2, .term_id = 3, .term_offset = 4, .length = 5};
    CHECK(write_nak(bytes.data(), nak) == 28);
    for (std::int32_t i = 1; i <= 5; ++i) {
        CHECK(load_le<std::int32_t>(bytes.data(), static_cast<std::size_t>(4 + 4 * i)) == i);
    }
}

TEST_CASE("frame: an error text longer than the protocol's is cut") {
    std::vector<std::byte> bytes(2048);
    const std::string text(1500, 'x');
    CHECK(write_error(bytes.data(), {.text = text}) == 40 + 1023);
    CHECK(check_datagram(std::span(bytes).first(40 + 1023)) == FrameFault::kNone);
    CHECK(read_error(bytes.data()).text == text.substr(0, 1023));
    CHECK(write_error(bytes.data(), {}) == 40);
    CHECK(read_error(bytes.data()).text.empty());
}

TEST_CASE("frame: a data header in a log is read where it stands, and padding is known by its type") {
    alignas(8) std::array<std::byte, 64> bytes{};
    const DataHeader header{.frame_length = 49,
        .flags = flag::kUnfragmented,
        .type = FrameType::kPad,
        .term_offset = 32,
        .session_id = -1,
        .stream_id = 10,
        .term_id = kInt32Max,
        .reserved_value = -7};
    CHECK(write_data_header(bytes.data(), header) == 32);
    CHECK(is_padding(bytes.data()));
    CHECK(frame_length_acquire(bytes.data()) == 49);
    CHECK(align_frame(49) == 64);
    const auto read = read_data_header(bytes.data());
    CHECK(read.term_id == kInt32Max);
    CHECK(read.reserved_value == -7);
    CHECK(read.session_id == -1);
    frame_length_release(bytes.data(), -64);
    CHECK(read_frame_header(bytes.data()).frame_length == -64);
}

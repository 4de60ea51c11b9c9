#include "layout/log_buffer.h"

#include <algorithm>
#include <cstring>
#include <initializer_list>
#include <limits>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "tests/unit/golden.h"
#include "wire/frame.h"

using namespace fulmar::layout;
using fulmar::base::load_le;
using fulmar::base::store_le;

namespace {

constexpr std::int32_t kTermLength = fulmar::wire::kTermLengthMin;

std::vector<std::byte> log_file(std::int32_t page_size = kPageSizeMin) {
    std::vector<std::byte> bytes(static_cast<std::size_t>(log_file_length(kTermLength, page_size)));
    LogBuffer::create(bytes, {.correlation_id = 1,
                                 .initial_term_id = 7,
                                 .mtu = 1408,
                                 .term_length = kTermLength,
                                 .page_size = page_size});
    return bytes;
}

std::byte* metadata_of(std::vector<std::byte>& file) {
    return file.data() + file.size() - kLogMetadataLength;
}

/// A log whose metadata page is a recorded one.
std::vector<std::byte> recorded_log(const std::string& name) {
    const auto metadata = fulmar::test::golden_shm(name);
    REQUIRE(metadata.size() == static_cast<std::size_t>(kLogMetadataLength));
    std::vector<std::byte> bytes(static_cast<std::size_t>(log_file_length(65536, 4096)));
    std::copy(metadata.begin(), metadata.end(), metadata_of(bytes));
    return bytes;
}

}  // namespace

TEST_CASE("log_buffer: every field comes back from a created log") {
    std::vector<std::byte> bytes(static_cast<std::size_t>(log_file_length(kTermLength, kPageSizeMin)));
    const LogMetadata metadata{
        .correlation_id = 101,
        .initial_term_id = -102,
        .mtu = 1408,
        .term_length = kTermLength,
        .page_size = kPageSizeMin,
        .publication_window_length = 103,
        .receiver_window_length = 104,
        .socket_sndbuf_length = 105,
        .os_default_socket_sndbuf_length = 106,
        .os_max_socket_sndbuf_length = 107,
        .socket_rcvbuf_length = 108,
        .os_default_socket_rcvbuf_length = 109,
        .os_max_socket_rcvbuf_length = 110,
        .max_resend = 111,
        .session_id = -112,
        .stream_id = 113,
        .entity_tag = 114,
        .response_correlation_id = 115,
        .linger_timeout_ns = 116,
        .untethered_window_limit_timeout_ns = 117,
        .untethered_linger_timeout_ns = 118,
        .untethered_resting_timeout_ns = 119,
        .group = true,
        .is_response = true,
        .rejoin = false,
        .reliable = false,
        .sparse = false,
        .signal_eos = false,
        .spies_simulate_connection = true,
        .tether = false,
        .type = LogType::kImage,
    };
    LogBuffer::create(bytes, metadata);
    const auto opened = LogBuffer::open(bytes);
    REQUIRE(opened.has_value());
    const LogMetadata read = opened->read_metadata();
    CHECK(read.correlation_id == 101);
    CHECK(read.initial_term_id == -102);
    CHECK(read.mtu == 1408);
    CHECK(read.term_length == kTermLength);
    CHECK(read.page_size == kPageSizeMin);
    CHECK(read.publication_window_length == 103);
    CHECK(read.receiver_window_length == 104);
    CHECK(read.socket_sndbuf_length == 105);
    CHECK(read.os_default_socket_sndbuf_length == 106);
    CHECK(read.os_max_socket_sndbuf_length == 107);
    CHECK(read.socket_rcvbuf_length == 108);
    CHECK(read.os_default_socket_rcvbuf_length == 109);
    CHECK(read.os_max_socket_rcvbuf_length == 110);
    CHECK(read.max_resend == 111);
    CHECK(read.session_id == -112);
    CHECK(read.stream_id == 113);
    CHECK(read.entity_tag == 114);
    CHECK(read.response_correlation_id == 115);
    CHECK(read.linger_timeout_ns == 116);
    CHECK(read.untethered_window_limit_timeout_ns == 117);
    CHECK(read.untethered_linger_timeout_ns == 118);
    CHECK(read.untethered_resting_timeout_ns == 119);
    CHECK(read.group);
    CHECK(read.is_response);
    CHECK_FALSE(read.rejoin);
    CHECK_FALSE(read.reliable);
    CHECK_FALSE(read.sparse);
    CHECK_FALSE(read.signal_eos);
    CHECK(read.spies_simulate_connection);
    CHECK_FALSE(read.tether);
    CHECK(read.type == LogType::kImage);
    CHECK(opened->end_of_stream_position() == std::numeric_limits<std::int64_t>::max());
    CHECK_FALSE(opened->is_connected());
}

TEST_CASE("log_buffer: the default header is a data frame of the stream, ready but for its length") {
    auto bytes = log_file();
    const auto log = LogBuffer::open(bytes);
    REQUIRE(log.has_value());
    const auto header = fulmar::wire::read_data_header(log->default_header());
    CHECK(header.frame_length == 0);
    CHECK(header.flags == fulmar::wire::flag::kUnfragmented);
    CHECK(header.type == fulmar::wire::FrameType::kData);
    CHECK(header.term_id == 7);
    CHECK(header.reserved_value == 0);
}

TEST_CASE("log_buffer: metadata is the last page of the file, whatever the page size") {
    constexpr std::int32_t kHugePage = 2 * 1024 * 1024;
    CHECK(log_file_length(kTermLength, kPageSizeMin) == 3 * 65536 + 4096);
    CHECK(log_file_length(kTermLength, kHugePage) == kHugePage);
    auto bytes = log_file(kHugePage);
    const auto log = LogBuffer::open(bytes);
    REQUIRE(log.has_value());
    CHECK(log->metadata() == bytes.data() + bytes.size() - 4096);
    CHECK(log->term(2) == bytes.data() + 2 * 65536);
    CHECK(log->at(3 * 65536 + 32) == bytes.data() + 32);
}

TEST_CASE("log_buffer: metadata that cannot be is answered by its field's name") {
    struct Row {
        std::size_t field;
        std::int32_t value;
        const char* named;
    };
    for (const Row& row : std::initializer_list<Row>{
             {log_field::kTermLength, 0, "term length"},
             {log_field::kTermLength, -65536, "term length"},
             {log_field::kTermLength, kTermLength / 2, "term length"},
             {log_field::kTermLength, kTermLength + 32, "term length"},
             {log_field::kTermLength, kTermLength * 2, "file length"},
             {log_field::kTermLength, fulmar::wire::kTermLengthMax, "file length"},
             {log_field::kTermLength, static_cast<std::int32_t>(0x80000000), "term length"},
             {log_field::kPageSize, 0, "page size"},
             {log_field::kPageSize, 2048, "page size"},
             {log_field::kPageSize, 4097, "page size"},
             {log_field::kPageSize, -4096, "page size"},
             {log_field::kPageSize, 1 << 30, "file length"},
             {log_field::kDefaultFrameHeaderLength, 0, "header length"},
             {log_field::kDefaultFrameHeaderLength, 64, "header length"},
             {log_field::kMtuLength, 0, "mtu"},
             {log_field::kMtuLength, 32, "mtu"},
             {log_field::kMtuLength, 1400, "mtu"},
             {log_field::kMtuLength, fulmar::wire::kMtuMax + 32, "mtu"},
             {log_field::kMtuLength, -64, "mtu"},
         }) {
        CAPTURE(row.field);
        CAPTURE(row.value);
        auto bytes = log_file();
        store_le(metadata_of(bytes), row.field, row.value);
        const auto log = LogBuffer::open(bytes);
        REQUIRE_FALSE(log.has_value());
        CHECK(log.error().message.find(row.named) != std::string::npos);
    }
    for (const std::int32_t mtu : {fulmar::wire::kMtuMin, fulmar::wire::kMtuMax}) {
        auto bytes = log_file();
        store_le(metadata_of(bytes), log_field::kMtuLength, mtu);
        CHECK(LogBuffer::open(bytes).has_value());
    }
}

TEST_CASE("log_buffer: a file cut or grown is refused") {
    const auto whole = log_file();
    for (const std::size_t length :
        {std::size_t{0}, std::size_t{4096}, whole.size() - 4096, whole.size() + 4096}) {
        CAPTURE(length);
        std::vector<std::byte> other(length);
        std::copy_n(whole.begin(), std::min(length, whole.size()), other.begin());
        CHECK_FALSE(LogBuffer::open(other).has_value());
    }
}

TEST_CASE("log_buffer: tails start so that the first append lands where the stream starts") {
    auto bytes = log_file();
    auto log = *LogBuffer::open(bytes);
    log.init_tails(7, 0);
    CHECK(log.active_term_count_acquire() == 0);
    CHECK(log.tail_acquire(0).value == RawTail::pack(7, 0).value);
    CHECK(log.tail_acquire(1).value == RawTail::pack(5, 0).value);
    CHECK(log.tail_acquire(2).value == RawTail::pack(6, 0).value);
    CHECK(log.producer_position() == 0);

    log.init_tails(9, 4096);
    CHECK(log.active_term_count_acquire() == 2);
    CHECK(log.tail_acquire(2).value == RawTail::pack(9, 4096).value);
    CHECK(log.producer_position() == 2 * 65536 + 4096);
}

TEST_CASE("log_buffer: term ids wrap in the tails as they do in positions") {
    auto bytes = log_file();
    constexpr std::int32_t kInitial = std::numeric_limits<std::int32_t>::max();
    store_le(metadata_of(bytes), log_field::kInitialTermId, kInitial);
    auto log = *LogBuffer::open(bytes);
    log.init_tails(std::numeric_limits<std::int32_t>::min(), 64);
    CHECK(log.active_term_count_acquire() == 1);
    CHECK(log.producer_position() == 65536 + 64);
    CHECK(log.tail_acquire(2).term_id() == kInitial - 1);
    CHECK(log.tail_acquire(0).term_id() == kInitial);
}

TEST_CASE("log_buffer: a tail past the term counts as its end, and nonsense never leaves the counted term") {
    auto bytes = log_file();
    auto log = *LogBuffer::open(bytes);
    log.init_tails(7, 0);
    log.tail_release(0, {RawTail::pack(7, 0).value + kTermLength + 4096});
    CHECK(log.producer_position() == kTermLength);
    log.tail_release(0, RawTail::pack(7, -1));
    CHECK(log.producer_position() == kTermLength);
    log.tail_release(0, RawTail::pack(1000, 32));
    CHECK(log.producer_position() == 0);
    log.active_term_count_release(-5);
    CHECK(log.producer_position() == 0);
    log.active_term_count_release(std::numeric_limits<std::int32_t>::max());
    CHECK(log.producer_position() == std::int64_t{std::numeric_limits<std::int32_t>::max()} * kTermLength);
}

TEST_CASE("log_buffer: recorded logs open, and ours have the same bytes") {
    for (const char* name : {"log_publication_metadata", "log_exclusive_publication_metadata",
             "log_ipc_publication_metadata", "log_image_metadata", "log_image_joined_metadata"}) {
        CAPTURE(name);
        auto recorded = recorded_log(name);
        const auto log = LogBuffer::open(recorded);
        REQUIRE(log.has_value());
        std::vector<std::byte> ours(recorded.size());
        auto created = LogBuffer::create(ours, log->read_metadata());
        created.set_connected(log->is_connected());
        created.set_active_transport_count(log->active_transport_count());
        for (int partition = 0; partition < kPartitionCount; ++partition) {
            created.tail_release(partition, log->tail_acquire(partition));
        }
        created.active_term_count_release(log->active_term_count_acquire());
        CHECK(std::equal(ours.begin(), ours.end(), recorded.begin()));
    }
}

TEST_CASE("log_buffer: the recorded publications stand where their readers say") {
    auto recorded = recorded_log("log_publication_metadata");
    auto log = *LogBuffer::open(recorded);
    CHECK(log.initial_term_id() == 1128471558);
    CHECK(log.producer_position() == 4320);
    CHECK(log.read_metadata().session_id == 287454020);
    CHECK(log.read_metadata().stream_id == 1001);
    CHECK(log.read_metadata().type == LogType::kConcurrentPublication);

    recorded = recorded_log("log_exclusive_publication_metadata");
    log = *LogBuffer::open(recorded);
    CHECK(log.producer_position() == 135232);
    CHECK(log.read_metadata().type == LogType::kExclusivePublication);
    // The tails a publication starts with are ours too, but for the one that moved.
    auto ours = recorded;
    LogBuffer started = *LogBuffer::open(ours);
    started.init_tails(9, 4096);
    CHECK(started.tail_acquire(0).value == log.tail_acquire(0).value);
    CHECK(started.tail_acquire(1).value == log.tail_acquire(1).value);
    CHECK(started.tail_acquire(2).value + 64 == log.tail_acquire(2).value);
}

TEST_CASE("log_buffer: a recorded term is a run of frames") {
    const auto term = fulmar::test::golden_shm("log_publication_term");
    auto header = fulmar::wire::read_data_header(term.data());
    CHECK(header.frame_length == 64);
    CHECK(header.term_id == 1128471558);
    header = fulmar::wire::read_data_header(term.data() + 64);
    CHECK(header.frame_length == 132);
    CHECK(header.term_offset == 64);
    header = fulmar::wire::read_data_header(term.data() + 224);
    CHECK(header.flags == fulmar::wire::flag::kBegin);
}

#include "layout/cnc.h"

#include <algorithm>
#include <cstring>
#include <initializer_list>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "base/bytes.h"
#include "tests/unit/golden.h"

using namespace fulmar::layout;
using fulmar::ErrorCode;
using fulmar::base::store_le;

namespace {

constexpr CncLengths kSmall{
    .to_driver = 4096 + kRingTrailerLength,
    .to_clients = 2048 + kBroadcastTrailerLength,
    .counter_metadata = 512 * 16,
    .counter_values = 128 * 16,
    .error_log = 1024,
};

std::vector<std::byte> small_file() {
    std::vector<std::byte> bytes(static_cast<std::size_t>(cnc_file_length(kSmall, 4096).value()));
    auto file = CncFile::create(
        bytes, {.lengths = kSmall, .client_liveness_timeout_ns = 5, .start_timestamp_ms = 6, .pid = 7});
    REQUIRE(file.has_value());
    file->mark_ready();
    return bytes;
}

}  // namespace

TEST_CASE("cnc: the default file has the protocol's sections and a length of whole pages") {
    const CncLengths lengths;
    CHECK(lengths.to_driver == 1049344);
    CHECK(lengths.to_clients == 1048704);
    CHECK(lengths.counter_metadata == 33554432);
    CHECK(lengths.counter_values == 8388608);
    CHECK(lengths.error_log == 4194304);
    const auto length = cnc_file_length(lengths, 4096);
    REQUIRE(length.has_value());
    CHECK(*length == 48238592);
    CHECK(*length % 4096 == 0);
    CHECK(*length - 4096 < 128 + 1049344 + 1048704 + 33554432 + 8388608 + 4194304);
}

TEST_CASE("cnc: nobody gets in before the file is marked ready") {
    std::vector<std::byte> bytes(static_cast<std::size_t>(cnc_file_length(kSmall, 4096).value()));
    const auto file = CncFile::create(bytes, {.lengths = kSmall});
    REQUIRE(file.has_value());
    CHECK(cnc_version_acquire(bytes) == 0);
    const auto early = CncFile::open(bytes);
    REQUIRE_FALSE(early.has_value());
    CHECK(early.error().code == ErrorCode::kResourceTemporarilyUnavailable);
    file->mark_ready();
    CHECK(cnc_version_acquire(bytes) == 512);
    CHECK(CncFile::open(bytes).has_value());
}

TEST_CASE("cnc: what was created is what is opened, sections in order without gaps") {
    auto bytes = small_file();
    const auto file = CncFile::open(bytes);
    REQUIRE(file.has_value());
    CHECK(file->client_liveness_timeout_ns() == 5);
    CHECK(file->start_timestamp_ms() == 6);
    CHECK(file->pid() == 7);
    CHECK(file->file_page_size() == 4096);
    CHECK(file->to_driver().data() == bytes.data() + 128);
    CHECK(file->to_clients().data() == file->to_driver().data() + kSmall.to_driver);
    CHECK(file->counter_metadata().data() == file->to_clients().data() + kSmall.to_clients);
    CHECK(file->counter_values().data() == file->counter_metadata().data() + kSmall.counter_metadata);
    CHECK(file->error_log().data() == file->counter_values().data() + kSmall.counter_values);
    CHECK(file->error_log().size() == 1024);
    CHECK(file->error_log().data() + file->error_log().size() <= bytes.data() + bytes.size());
}

TEST_CASE("cnc: lengths moved after opening do not move the sections") {
    auto bytes = small_file();
    const auto file = CncFile::open(bytes);
    REQUIRE(file.has_value());
    const auto* before = file->error_log().data();
    store_le(bytes.data(), cnc_field::kToDriverLength, std::int32_t{1 << 30});
    CHECK(file->error_log().data() == before);
}

TEST_CASE("cnc: a header that cannot be is answered by its field's name") {
    struct Row {
        std::size_t field;
        std::int32_t value;
        const char* named;
    };
    for (const Row& row : std::initializer_list<Row>{
             {cnc_field::kVersion, 1 << 16, "version"},
             {cnc_field::kVersion, -1, "version"},
             {cnc_field::kToDriverLength, 0, "to-driver"},
             {cnc_field::kToDriverLength, -1, "to-driver"},
             {cnc_field::kToDriverLength, kRingTrailerLength, "to-driver"},
             {cnc_field::kToDriverLength, 4000 + kRingTrailerLength, "to-driver"},
             {cnc_field::kToDriverLength, 0x7FFFFFFF, "to-driver"},
             {cnc_field::kToDriverLength, (1 << 30) + kRingTrailerLength, "file length"},
             {cnc_field::kToClientsLength, 64, "to-clients"},
             {cnc_field::kToClientsLength, static_cast<std::int32_t>(0x80000000), "to-clients"},
             {cnc_field::kCounterMetadataLength, 0, "counter metadata"},
             {cnc_field::kCounterMetadataLength, 512 * 16 - 8, "counter metadata"},
             {cnc_field::kCounterMetadataLength, 512 * 16 + 4, "counter metadata"},
             {cnc_field::kCounterMetadataLength, 0x7FFFFFF8, "file length"},
             {cnc_field::kCounterValuesLength, -128, "counter values"},
             {cnc_field::kCounterValuesLength, 12, "counter values"},
             {cnc_field::kErrorLogLength, 0, "error log"},
             {cnc_field::kErrorLogLength, 1 << 20, "file length"},
         }) {
        CAPTURE(row.field);
        CAPTURE(row.value);
        auto bytes = small_file();
        store_le(bytes.data(), row.field, row.value);
        const auto file = CncFile::open(bytes);
        REQUIRE_FALSE(file.has_value());
        CHECK(file.error().message.find(row.named) != std::string::npos);
        CHECK(file.error().message.find('\n') == std::string::npos);
    }
}

TEST_CASE("cnc: another minor version is welcome") {
    auto bytes = small_file();
    store_le(bytes.data(), cnc_field::kVersion, std::int32_t{0 << 16 | 9 << 8 | 1});
    CHECK(CncFile::open(bytes).has_value());
}

TEST_CASE("cnc: a file cut anywhere is refused, and never read beyond its end") {
    const auto whole = small_file();
    const std::size_t needed = 128 + 4096 + 768 + 2048 + 128 + 512 * 16 + 128 * 16 + 1024;
    for (const std::size_t length :
        {std::size_t{0}, std::size_t{3}, std::size_t{127}, std::size_t{128}, needed - 1}) {
        CAPTURE(length);
        std::vector<std::byte> cut(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(length));
        CHECK_FALSE(CncFile::open(cut).has_value());
    }
    std::vector<std::byte> enough(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(needed));
    CHECK(CncFile::open(enough).has_value());
}

TEST_CASE("cnc: impossible parameters are refused before a file is made") {
    CHECK_FALSE(cnc_file_length(kSmall, 0).has_value());
    CHECK_FALSE(cnc_file_length(kSmall, 4097).has_value());
    CncLengths large = kSmall;
    large.to_driver = (1 << 30) + kRingTrailerLength;
    large.to_clients = (1 << 30) + kBroadcastTrailerLength;
    CHECK_FALSE(cnc_file_length(large, 4096).has_value());
    std::vector<std::byte> short_mapping(4096);
    CHECK_FALSE(CncFile::create(short_mapping, {.lengths = kSmall}).has_value());
}

TEST_CASE("cnc: the recorded header opens, and ours has the same bytes") {
    const auto header = fulmar::test::golden_shm("cnc_header");
    REQUIRE(header.size() == 128);
    std::vector<std::byte> recorded(static_cast<std::size_t>(cnc_file_length({}, 4096).value()));
    std::copy(header.begin(), header.end(), recorded.begin());
    const auto file = CncFile::open(recorded);
    REQUIRE(file.has_value());
    CHECK(file->client_liveness_timeout_ns() == 5'000'000'000);
    CHECK(file->start_timestamp_ms() == 1795297805921);
    CHECK(file->pid() == 15803);
    CHECK(file->counter_metadata().data() - recorded.data() == 2098176);
    CHECK(file->counter_values().data() - recorded.data() == 35652608);
    CHECK(file->error_log().data() - recorded.data() == 44041216);

    std::vector<std::byte> ours(recorded.size());
    const auto created = CncFile::create(ours,
        {.client_liveness_timeout_ns = 5'000'000'000, .start_timestamp_ms = 1795297805921, .pid = 15803});
    REQUIRE(created.has_value());
    created->mark_ready();
    CHECK(std::equal(header.begin(), header.end(), ours.begin()));
}

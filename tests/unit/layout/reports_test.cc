#include <algorithm>
#include <initializer_list>
#include <limits>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "base/bytes.h"
#include "layout/error_log.h"
#include "layout/loss_report.h"
#include "tests/unit/golden.h"

using namespace fulmar::layout;
using fulmar::base::align_up;
using fulmar::base::store_le;
using fulmar::test::golden_shm;

namespace {

constexpr std::int32_t kInt32Max = std::numeric_limits<std::int32_t>::max();
constexpr std::int32_t kInt32Min = std::numeric_limits<std::int32_t>::min();

/// Appends a hand-made error record of the given claimed length.
void append_error(std::vector<std::byte>& log, std::string_view text) {
    const std::size_t offset = log.size();
    log.resize(offset + align_up<std::size_t>(24 + text.size(), 8));
    store_le(log.data() + offset, 0, static_cast<std::int32_t>(24 + text.size()));
    store_le(log.data() + offset, 4, std::int32_t{3});
    store_le(log.data() + offset, 8, std::int64_t{200});
    store_le(log.data() + offset, 16, std::int64_t{100});
    std::copy(text.begin(), text.end(), reinterpret_cast<char*>(log.data()) + offset + 24);
}

std::vector<std::byte> loss_entry(std::string_view channel, std::string_view source) {
    std::vector<std::byte> entry(loss_entry_length(channel.size(), source.size()));
    store_le(entry.data(), 0, std::int64_t{1});
    store_le(entry.data(), 8, std::int64_t{64});
    store_le(entry.data(), 40, static_cast<std::int32_t>(channel.size()));
    std::copy(channel.begin(), channel.end(), reinterpret_cast<char*>(entry.data()) + 44);
    const std::size_t offset = 44 + align_up<std::size_t>(channel.size(), 4);
    store_le(entry.data(), offset, static_cast<std::int32_t>(source.size()));
    std::copy(source.begin(), source.end(), reinterpret_cast<char*>(entry.data()) + offset + 4);
    return entry;
}

template <class Cursor, class Record>
int count_all(Cursor& cursor, Record& last) {
    int count = 0;
    while (cursor.next(last)) {
        ++count;
    }
    CHECK_FALSE(cursor.next(last));  // the end stays the end
    return count;
}

}  // namespace

TEST_CASE("error_log: recorded records are read one after the other") {
    auto log = golden_shm("error_log_record_0");
    const auto second = golden_shm("error_log_record_1");
    log.insert(log.end(), second.begin(), second.end());
    ErrorLogCursor cursor(log);
    ErrorRecord record;
    REQUIRE(cursor.next(record));
    CHECK(record.observation_count == 1);
    CHECK(record.last_observation_ms == 1795297811557);
    CHECK(record.first_observation_ms == 1795297811557);
    CHECK(record.text.size() == 219 - 24);
    CHECK(record.text.substr(0, 35) == "onPublicationError: registrationId=");
    REQUIRE(cursor.next(record));
    CHECK(record.last_observation_ms == 1795297811873);
    CHECK(record.text.size() == 658 - 24);
    CHECK_FALSE(cursor.next(record));
    CHECK_FALSE(cursor.corrupt());
}

TEST_CASE("error_log: the walk ends at zero, at the end, or at a length that cannot be") {
    struct Row {
        const char* what;
        std::int32_t second_length;
        int count;
        bool corrupt;
    };
    for (const Row& row : std::initializer_list<Row>{
             {"as written", 24 + 6, 2, false},
             {"end of log", 0, 1, false},
             {"shorter than a header", 23, 1, true},
             {"one", 1, 1, true},
             {"negative", -32, 1, true},
             {"least", kInt32Min, 1, true},
             {"beyond the log", 33, 1, true},
             {"longest", kInt32Max, 1, true},
             {"just fits", 32, 2, false},
         }) {
        CAPTURE(row.what);
        std::vector<std::byte> log;
        append_error(log, "first");
        const std::size_t second = log.size();
        append_error(log, "second");
        store_le(log.data() + second, 0, row.second_length);
        ErrorLogCursor cursor(log);
        ErrorRecord record;
        CHECK(count_all(cursor, record) == row.count);
        CHECK(cursor.corrupt() == row.corrupt);
    }
}

TEST_CASE("error_log: a log of any length is walked to its end") {
    std::vector<std::byte> whole;
    for (int i = 0; i < 4; ++i) {
        append_error(whole, "some text");
    }
    for (std::size_t length = 0; length <= whole.size(); ++length) {
        const std::vector<std::byte> cut(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(length));
        ErrorLogCursor cursor(cut);
        ErrorRecord record;
        CHECK(count_all(cursor, record) <= 4);
    }
}

TEST_CASE("loss_report: the recorded entry is read") {
    const auto report = golden_shm("loss_report_record");
    LossReportCursor cursor(report);
    LossRecord record;
    REQUIRE(cursor.next(record));
    CHECK(record.observation_count == 1);
    CHECK(record.total_bytes_lost == 192);
    CHECK(record.first_observation_ms == 1795297755373);
    CHECK(record.last_observation_ms == 1795297755373);
    CHECK(record.session_id == 287454020);
    CHECK(record.stream_id == 1001);
    CHECK(record.channel == "aeron:udp?endpoint=127.0.0.1:24102");
    CHECK(record.source == "127.0.0.1:41239");
    CHECK(loss_entry_length(record.channel.size(), record.source.size()) == 128);
    CHECK_FALSE(cursor.next(record));
    CHECK_FALSE(cursor.corrupt());
}

TEST_CASE("loss_report: the walk ends at an entry that cannot be") {
    struct Row {
        const char* what;
        std::size_t field;  // in the second entry
        std::int32_t value;
        int count;
        bool corrupt;
    };
    for (const Row& row : std::initializer_list<Row>{
             {"no observation", 0, 0, 1, false},
             {"negative observation", 4, -1, 1, false},
             {"negative channel", 40, -1, 1, true},
             {"longest channel", 40, kInt32Max, 1, true},
             {"channel to the end, no room for the source", 40, 84, 1, true},
             {"negative source", 52, -4, 1, true},
             {"longest source", 52, kInt32Max, 1, true},
             {"source beyond the report", 52, 128 - 56 + 1, 1, true},
             {"source to the end", 52, 128 - 56, 2, false},
         }) {
        CAPTURE(row.what);
        auto report = loss_entry("channel", "source");
        auto second = loss_entry("channel8", "");
        second.resize(128);
        store_le(second.data(), row.field, row.value);
        report.insert(report.end(), second.begin(), second.end());
        LossReportCursor cursor(report);
        LossRecord record;
        CHECK(count_all(cursor, record) == row.count);
        CHECK(cursor.corrupt() == row.corrupt);
    }
}

TEST_CASE("loss_report: a report of any length is walked to its end") {
    auto whole = loss_entry("aeron:udp?endpoint=10.0.0.1:5000", "10.0.0.2:4000");
    const auto second = loss_entry("aeron:udp?endpoint=10.0.0.1:5001", "10.0.0.2:4001");
    whole.insert(whole.end(), second.begin(), second.end());
    for (std::size_t length = 0; length <= whole.size(); ++length) {
        const std::vector<std::byte> cut(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(length));
        LossReportCursor cursor(cut);
        LossRecord record;
        CHECK(count_all(cursor, record) <= 2);
    }
}

#include "observe/distinct_error_log.h"

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include <doctest/doctest.h>

#include "layout/error_log.h"

using namespace fulmar::observe;
using fulmar::layout::ErrorLogCursor;
using fulmar::layout::ErrorRecord;
using Outcome = DistinctErrorLog::Outcome;

namespace {

std::vector<ErrorRecord> read_all(const std::vector<std::byte>& log) {
    std::vector<ErrorRecord> records;
    ErrorLogCursor cursor(log);
    ErrorRecord record;
    while (cursor.next(record)) {
        records.push_back(record);
    }
    CHECK_FALSE(cursor.corrupt());
    return records;
}

}  // namespace

TEST_CASE("distinct_error_log: the same error is one record with its first and last time") {
    std::vector<std::byte> bytes(4096);
    DistinctErrorLog log(bytes);
    CHECK(log.record(1, "first", 100) == Outcome::kNew);
    CHECK(log.record(1, "second", 150) == Outcome::kNew);
    CHECK(log.record(1, "first", 200) == Outcome::kRepeated);
    CHECK(log.record(1, "first", 300) == Outcome::kRepeated);
    const auto records = read_all(bytes);
    REQUIRE(records.size() == 2);
    CHECK(records[0].text == "first");
    CHECK(records[0].observation_count == 3);
    CHECK(records[0].first_observation_ms == 100);
    CHECK(records[0].last_observation_ms == 300);
    CHECK(records[1].text == "second");
    CHECK(records[1].observation_count == 1);
    CHECK(log.dropped() == 0);
}

TEST_CASE("distinct_error_log: the code tells errors of the same text apart") {
    std::vector<std::byte> bytes(4096);
    DistinctErrorLog log(bytes);
    CHECK(log.record(1, "text", 0) == Outcome::kNew);
    CHECK(log.record(2, "text", 0) == Outcome::kNew);
    CHECK(log.record(-1, "", 0) == Outcome::kNew);
    CHECK(read_all(bytes).size() == 3);
}

TEST_CASE("distinct_error_log: what does not fit the log is counted, what is known still counts") {
    std::vector<std::byte> bytes(32 + 32 + 8);  // two records and no third
    DistinctErrorLog log(bytes);
    CHECK(log.record(1, "12345678", 0) == Outcome::kNew);
    CHECK(log.record(2, "12345678", 0) == Outcome::kNew);
    CHECK(log.record(3, "12345678", 0) == Outcome::kDropped);
    CHECK(log.record(3, "12345678", 0) == Outcome::kDropped);
    CHECK(log.record(1, "12345678", 0) == Outcome::kRepeated);
    CHECK(log.dropped() == 2);
    const auto records = read_all(bytes);
    REQUIRE(records.size() == 2);
    CHECK(records[0].observation_count == 2);
}

TEST_CASE("distinct_error_log: the table of known errors is bounded") {
    std::vector<std::byte> bytes(4096);
    DistinctErrorLog log(bytes, 4);
    for (int code = 0; code < 4; ++code) {
        CHECK(log.record(code, "e", 0) == Outcome::kNew);
    }
    CHECK(log.record(4, "e", 0) == Outcome::kDropped);
    CHECK(log.record(0, "e", 0) == Outcome::kRepeated);
    CHECK(read_all(bytes).size() == 4);
}

TEST_CASE("distinct_error_log: a long text is cut and still the same error") {
    std::vector<std::byte> bytes(8192);
    DistinctErrorLog log(bytes);
    const std::string text(5000, 'x');
    CHECK(log.record(1, text, 0) == Outcome::kNew);
    CHECK(log.record(1, text + "y", 0) == Outcome::kRepeated);
    CHECK(read_all(bytes)[0].text.size() == kErrorTextRecordedMax);
}

TEST_CASE("distinct_error_log: what strangers write into the log misleads nobody inside") {
    std::vector<std::byte> bytes(4096);
    DistinctErrorLog log(bytes);
    CHECK(log.record(1, "first", 0) == Outcome::kNew);
    std::fill(bytes.begin(), bytes.end(), std::byte{0xFF});
    CHECK(log.record(1, "first", 0) == Outcome::kRepeated);
    CHECK(log.record(2, "second", 0) == Outcome::kNew);
    ErrorLogCursor cursor(bytes);
    ErrorRecord record;
    CHECK_FALSE(cursor.next(record));
    CHECK(cursor.corrupt());
}

TEST_CASE("distinct_error_log: writers at once lose no observation and record no error twice") {
    constexpr int kWriters = 4;
    constexpr int kRounds = 2000;
    constexpr int kErrors = 16;
    std::vector<std::byte> bytes(4096);
    DistinctErrorLog log(bytes);
    std::vector<std::thread> writers;
    for (int writer = 0; writer < kWriters; ++writer) {
        writers.emplace_back([&] {
            for (int i = 0; i < kRounds; ++i) {
                const int code = i % kErrors;
                log.record(code, "error " + std::to_string(code), i);
            }
        });
    }
    for (auto& writer : writers) {
        writer.join();
    }
    const auto records = read_all(bytes);
    REQUIRE(records.size() == kErrors);
    int total = 0;
    for (const auto& record : records) {
        CHECK(record.observation_count == kWriters * kRounds / kErrors);
        total += record.observation_count;
    }
    CHECK(total == kWriters * kRounds);
    CHECK(log.dropped() == 0);
}

TEST_CASE("distinct_error_log: who meets an error while its record is being made is counted on it") {
    constexpr int kErrors = 4000;
    std::vector<std::byte> bytes(kErrors * 256);
    DistinctErrorLog log(bytes, kErrors);
    const std::string text(200, 'x');  // copying it keeps the moment open
    std::atomic<int> arrived{0};
    const auto meet_all = [&] {
        for (int code = 0; code < kErrors; ++code) {
            arrived.fetch_add(1);
            while (arrived.load() < 2 * (code + 1)) {
            }
            log.record(code, text, code);
        }
    };
    std::thread other(meet_all);
    meet_all();
    other.join();
    const auto records = read_all(bytes);
    REQUIRE(records.size() == kErrors);
    int wrong = 0;
    for (const auto& record : records) {
        wrong += record.observation_count == 2 ? 0 : 1;
    }
    CHECK(wrong == 0);
}

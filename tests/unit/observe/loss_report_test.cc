#include "observe/loss_report.h"

#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "base/bytes.h"
#include "layout/loss_report.h"

using namespace fulmar::observe;
namespace layout = fulmar::layout;
using fulmar::base::align_up;
using fulmar::base::load_le;

namespace {

std::vector<layout::LossRecord> read_all(const std::vector<std::byte>& report) {
    std::vector<layout::LossRecord> records;
    layout::LossReportCursor cursor(report);
    layout::LossRecord record;
    while (cursor.next(record)) {
        records.push_back(record);
    }
    CHECK_FALSE(cursor.corrupt());
    return records;
}

}  // namespace

TEST_CASE("loss_report: an entry is made at the first loss and added to from then on") {
    std::vector<std::byte> bytes(4096);
    LossReport report(bytes);
    CHECK(read_all(bytes).empty());
    const auto entry = report.create(
        {.session_id = -1, .stream_id = 2, .channel = "aeron:udp?endpoint=h:1", .source = "10.0.0.1:40"}, 64,
        100);
    REQUIRE(entry.valid());
    entry.record(32, 200);
    entry.record(96, 300);
    const auto records = read_all(bytes);
    REQUIRE(records.size() == 1);
    CHECK(records[0].observation_count == 3);
    CHECK(records[0].total_bytes_lost == 192);
    CHECK(records[0].first_observation_ms == 100);
    CHECK(records[0].last_observation_ms == 300);
    CHECK(records[0].session_id == -1);
    CHECK(records[0].stream_id == 2);
    CHECK(records[0].channel == "aeron:udp?endpoint=h:1");
    CHECK(records[0].source == "10.0.0.1:40");
}

TEST_CASE("loss_report: a full report is counted, and recording into nothing is harmless") {
    std::vector<std::byte> bytes(128);
    LossReport report(bytes);
    CHECK(report.create({.channel = "c", .source = "s"}, 1, 1).valid());
    CHECK(report.create({.channel = "c", .source = "s"}, 1, 1).valid());
    const auto third = report.create({.channel = "c", .source = "s"}, 1, 1);
    CHECK_FALSE(third.valid());
    third.record(1, 1);
    CHECK(report.dropped() == 1);
    CHECK(read_all(bytes).size() == 2);
    LossReport none;
    CHECK_FALSE(none.create({}, 1, 1).valid());
}

TEST_CASE("loss_report: our reader and a stock one step alike over every length") {
    for (std::size_t channel_length = 0; channel_length < 70; ++channel_length) {
        for (std::size_t source_length = 0; source_length < 70; ++source_length) {
            CAPTURE(channel_length);
            CAPTURE(source_length);
            const std::string channel(channel_length, 'c');
            const std::string source(source_length, 's');
            std::vector<std::byte> bytes(1024);
            LossReport report(bytes);
            REQUIRE(report.create({.channel = channel, .source = source}, 1, 1).valid());
            REQUIRE(report.create({.channel = "next", .source = "one"}, 2, 2).valid());
            const auto records = read_all(bytes);
            REQUIRE(records.size() == 2);
            CHECK(records[0].channel == channel);
            CHECK(records[0].source.substr(0, source_length) == source);
            CHECK(records[0].source.find_first_not_of(' ', source_length) == std::string::npos);
            // A stock reader steps by the channel as it is, not as it is padded.
            const std::size_t step =
                align_up<std::size_t>(48 + channel_length + records[0].source.size(), 64);
            CHECK(load_le<std::int64_t>(bytes.data(), step + 8) == 2);
        }
    }
}

#include "config/text.h"

#include <array>
#include <string>

#include <doctest/doctest.h>

#include "config/duration.h"
#include "config/protocol_limits.h"
#include "config/size.h"
#include "wire/frame.h"

using namespace fulmar;
using namespace fulmar::config;

TEST_CASE("config: durations read in every unit") {
    struct Row {
        const char* text;
        std::int64_t ns;
    };
    for (const Row& row : {Row{"0", 0}, Row{"7", 7}, Row{"100ns", 100}, Row{"10us", 10'000},
             Row{"100ms", 100'000'000}, Row{"5s", 5'000'000'000}, Row{"5S", 5'000'000'000},
             Row{"9223372036854775807", INT64_MAX}, Row{"9223372036s", 9'223'372'036'000'000'000}}) {
        CAPTURE(std::string(row.text));
        const auto value = parse_duration(row.text);
        REQUIRE(value.has_value());
        CHECK(value->ns == row.ns);
    }
}

TEST_CASE("config: lengths read in every unit") {
    struct Row {
        const char* text;
        std::int64_t bytes;
    };
    for (const Row& row :
        {Row{"0", 0}, Row{"1408", 1408}, Row{"64k", 65536}, Row{"64K", 65536}, Row{"16m", 16 * 1024 * 1024},
            Row{"1g", 1024 * 1024 * 1024}, Row{"8589934591g", 9223372035781033984}}) {
        CAPTURE(std::string(row.text));
        const auto value = parse_size(row.text);
        REQUIRE(value.has_value());
        CHECK(*value == row.bytes);
    }
}

TEST_CASE("config: what is no duration or length is refused in one line that quotes it") {
    for (const char* text : {"", "s", "k", "-1", "-5s", "+5s", "5 s", " 5s", "5s ", "1.5s", "5x", "5sec",
             "0x10", "1e3", "ns", "9223372036854775808", "9223372037s", "8589934592g", "18446744073709551617",
             "5k5", "5kk", "\n"}) {
        CAPTURE(std::string(text));
        CHECK_FALSE(parse_duration(text).has_value());
        CHECK_FALSE(parse_size(text).has_value());
        const auto error = parse_size(text);
        CHECK(error.error().message.find('\n') == std::string::npos);
        CHECK(error.error().message.find('\'') == 0);
    }
}

TEST_CASE("config: durations and lengths are shown in the largest exact unit and read back") {
    struct Row {
        std::int64_t value;
        const char* duration;
        const char* size;
    };
    for (const Row& row : {Row{0, "0ns", "0"}, Row{1, "1ns", "1"}, Row{1408, "1408ns", "1408"},
             Row{1'000, "1us", "1000"}, Row{65536, "65536ns", "64k"}, Row{5'000'000'000, "5s", "4882812k"},
             Row{1 << 20, "1048576ns", "1m"}, Row{1 << 30, "1073741824ns", "1g"},
             Row{1'500'000, "1500us", "1500000"}}) {
        CAPTURE(row.value);
        CHECK(format_duration(nanoseconds(row.value)) == row.duration);
        CHECK(parse_duration(row.duration)->ns == row.value);
        CHECK(*parse_size(format_size(row.value)) == row.value);
    }
    CHECK(format_size(65536) == "64k");
    CHECK(format_size(1 << 30) == "1g");
}

TEST_CASE("config: numbers take the whole text or nothing") {
    CHECK(parse_int64("-9223372036854775808") == INT64_MIN);
    CHECK(parse_int32("-2147483648") == INT32_MIN);
    CHECK(parse_int32("2147483647") == INT32_MAX);
    for (const char* text : {"", "-", "2147483648", "-2147483649", "1x", " 1", "1 ", "+1", "0x1"}) {
        CAPTURE(std::string(text));
        CHECK_FALSE(parse_int32(text).has_value());
    }
    CHECK(parse_bool("TRUE") == true);
    CHECK(parse_bool("false") == false);
    CHECK_FALSE(parse_bool("yes").has_value());
    CHECK_FALSE(parse_bool("truex").has_value());
}

TEST_CASE("config: quoted text fits one line of a log whatever a peer sent") {
    CHECK(quoted("abc") == "'abc'");
    CHECK(quoted("a\nb\x7f") == "'a?b?'");
    CHECK(quoted(std::string(5000, 'x')).size() < 100);
}

TEST_CASE("config: a slip of the hand finds the word that was meant") {
    constexpr std::array<std::string_view, 4> kKnown{"endpoint", "interface", "mtu", "term-length"};
    struct Row {
        const char* word;
        const char* meant;
    };
    for (const Row& row : {Row{"endpont", "endpoint"}, Row{"enpdoint", "endpoint"},
             Row{"ENDPOINT", "endpoint"}, Row{"intreface", "interface"}, Row{"mut", "mtu"},
             Row{"term-lenght", "term-length"}, Row{"x", ""}, Row{"", ""}, Row{"completely-different", ""}}) {
        CAPTURE(std::string(row.word));
        CHECK(nearest(row.word, kKnown) == row.meant);
    }
    CHECK(edit_distance("", "abc") == 3);
    CHECK(edit_distance("abc", "") == 3);
    CHECK(edit_distance("abcd", "acbd") == 1);
    CHECK(edit_distance("kitten", "sitting") == 3);
    CHECK(nearest(std::string(100'000, 'e'), kKnown).empty());
    CHECK(suggestion("mut", kKnown) == ", did you mean 'mtu'?");
    CHECK(suggestion("zzzzzz", kKnown).empty());
}

TEST_CASE("config: the limits are those of the wire") {
    CHECK(config::kTermLengthMin == wire::kTermLengthMin);
    CHECK(config::kTermLengthMax == wire::kTermLengthMax);
    CHECK(config::kMtuMin == wire::kMtuMin);
    CHECK(config::kMtuMax == wire::kMtuMax);
    CHECK(config::kFrameAlignment == wire::kFrameAlignment);
}

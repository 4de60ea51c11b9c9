#include "transport/gap_list.h"

#include <initializer_list>
#include <vector>

#include <doctest/doctest.h>

#include "base/prng.h"

using namespace fulmar;
using transport::GapList;
using Fit = GapList::Fit;

TEST_CASE("gap_list: packets in order leave no gap") {
    GapList gaps(64);
    CHECK(gaps.fit(64, 128) == Fit::kNew);
    CHECK(gaps.arrive(64, 128, Instant{}));
    CHECK(gaps.contiguous() == 128);
    CHECK(gaps.hwm() == 128);
    CHECK(gaps.size() == 0);
}

TEST_CASE("gap_list: a packet beyond the end opens a gap that its fill closes") {
    GapList gaps;
    CHECK(gaps.arrive(64, 96, Instant{5}));
    REQUIRE(gaps.size() == 1);
    CHECK(gaps[0].begin == 0);
    CHECK(gaps[0].end == 64);
    CHECK(gaps[0].next_nak == Instant{5});
    CHECK(gaps.contiguous() == 0);
    CHECK(gaps.fit(0, 64) == Fit::kNew);
    CHECK(gaps.arrive(0, 64, Instant{6}));
    CHECK(gaps.size() == 0);
    CHECK(gaps.contiguous() == 96);
}

TEST_CASE("gap_list: what is there already is a duplicate, what overlaps is partial") {
    GapList gaps;
    CHECK(gaps.arrive(0, 64, Instant{}));
    CHECK(gaps.arrive(128, 192, Instant{}));
    CHECK(gaps.fit(0, 64) == Fit::kDuplicate);
    CHECK(gaps.fit(128, 192) == Fit::kDuplicate);
    CHECK(gaps.fit(32, 96) == Fit::kPartial);
    CHECK(gaps.fit(96, 160) == Fit::kPartial);
    CHECK(gaps.fit(160, 256) == Fit::kPartial);
    CHECK(gaps.fit(64, 96) == Fit::kNew);
}

TEST_CASE("gap_list: a heartbeat opens or grows the gap at the end") {
    GapList gaps;
    CHECK(gaps.announce(64, Instant{}));
    CHECK(gaps.announce(96, Instant{}));
    REQUIRE(gaps.size() == 1);
    CHECK(gaps[0].begin == 0);
    CHECK(gaps[0].end == 96);
    CHECK(gaps.announce(32, Instant{}));
    CHECK(gaps.hwm() == 96);
}

TEST_CASE("gap_list: full refuses one more gap and changes nothing, in the middle and at the end") {
    GapList gaps;
    std::int64_t at = 0;
    for (std::size_t i = 0; i < GapList::kGapsMax; ++i, at += 192) {
        REQUIRE(gaps.arrive(at + 96, at + 192, Instant{}));
    }
    const std::int64_t hwm = gaps.hwm();
    CHECK_FALSE(gaps.arrive(hwm + 32, hwm + 64, Instant{}));
    CHECK_FALSE(gaps.arrive(32, 64, Instant{}));
    CHECK_FALSE(gaps.announce(hwm + 32, Instant{}));
    CHECK(gaps.size() == GapList::kGapsMax);
    CHECK(gaps.hwm() == hwm);
    CHECK(gaps.arrive(hwm, hwm + 32, Instant{}));
}

TEST_CASE("gap_list: agrees with a bitmap over random arrivals") {
    for (std::uint64_t seed = 1; seed <= 200; ++seed) {
        base::Prng prng(seed);
        GapList gaps;
        std::vector<bool> arrived(512, false);
        std::int64_t hwm = 0;
        for (int step = 0; step < 200; ++step) {
            const auto begin = prng.between(0, 500);
            const auto end = prng.between(begin + 1, 512);
            bool all_missing = true;
            bool none_missing = true;
            for (auto i = begin; i < end; ++i) {
                const bool missing = !arrived[static_cast<std::size_t>(i)];
                all_missing = all_missing && missing;
                none_missing = none_missing && !missing;
            }
            // A range across the end of what is known is partial even when all of it is missing.
            const bool straddles = begin < hwm && end > hwm;
            const Fit expected = none_missing                ? Fit::kDuplicate
                                 : all_missing && !straddles ? Fit::kNew
                                                             : Fit::kPartial;
            REQUIRE(gaps.fit(begin, end) == expected);
            if (!gaps.arrive(begin, end, Instant{})) {
                continue;
            }
            for (auto i = begin; i < end; ++i) {
                arrived[static_cast<std::size_t>(i)] = true;
            }
            hwm = std::max(hwm, end);
            std::int64_t contiguous = 0;
            while (contiguous < hwm && arrived[static_cast<std::size_t>(contiguous)]) {
                ++contiguous;
            }
            REQUIRE(gaps.hwm() == hwm);
            REQUIRE(gaps.contiguous() == contiguous);
            bool agrees = true;
            for (std::int64_t p = 0; p < 520; ++p) {
                const bool missing = p >= 512 || !arrived[static_cast<std::size_t>(p)];
                agrees = agrees && gaps.is_missing(p) == missing;
            }
            REQUIRE(agrees);
            std::int64_t last = -1;
            for (std::size_t i = 0; i < gaps.size(); ++i) {
                REQUIRE(gaps[i].begin > last);
                REQUIRE(gaps[i].end > gaps[i].begin);
                last = gaps[i].end;
                for (auto p = gaps[i].begin; p < gaps[i].end; ++p) {
                    REQUIRE_FALSE(arrived[static_cast<std::size_t>(p)]);
                }
            }
        }
    }
}

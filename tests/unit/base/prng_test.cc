#include "base/prng.h"

#include <doctest/doctest.h>

using fulmar::base::Prng;

TEST_CASE("prng: the same seed and stream repeat, another stream differs") {
    Prng a(7, 1);
    Prng b(7, 1);
    Prng c(7, 2);
    bool differs = false;
    for (int i = 0; i < 100; ++i) {
        const auto value = a.next();
        CHECK(value == b.next());
        differs = differs || value != c.next();
    }
    CHECK(differs);
}

TEST_CASE("prng: bounded draws stay inside and reach both ends") {
    Prng prng(1);
    bool low = false;
    bool high = false;
    for (int i = 0; i < 1000; ++i) {
        const auto value = prng.between(-3, 3);
        CHECK(value >= -3);
        CHECK(value <= 3);
        low = low || value == -3;
        high = high || value == 3;
    }
    CHECK(low);
    CHECK(high);
}

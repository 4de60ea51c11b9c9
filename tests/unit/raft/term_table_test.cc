#include "raft/term_table.h"

#include <doctest/doctest.h>

using namespace fulmar::raft;

TEST_CASE("term table: how far a log goes with one that has a term") {
    TermTable table;
    CHECK(table.last_term() == 0);
    CHECK(table.reach(7, 0).term == 0);
    table.add({2, 0});
    table.add({3, 320});
    table.add({7, 320 + 64});
    const auto reach = [&](Term term) {
        const TermTable::Reach found = table.reach(term, 1'000);
        return std::pair(found.term, found.end);
    };
    CHECK(reach(1) == std::pair<Term, std::int64_t>(0, 0));
    CHECK(reach(2) == std::pair<Term, std::int64_t>(2, 320));
    CHECK(reach(3) == std::pair<Term, std::int64_t>(3, 384));
    CHECK(reach(6) == std::pair<Term, std::int64_t>(3, 384));
    CHECK(reach(7) == std::pair<Term, std::int64_t>(7, 1'000));
    CHECK(reach(9) == std::pair<Term, std::int64_t>(7, 1'000));
}

TEST_CASE("term table: a term goes with its last byte") {
    TermTable table;
    table.add({2, 320});
    table.add({3, 640});
    table.truncate(672);
    CHECK(table.last_term() == 3);
    table.truncate(640);
    CHECK(table.last_term() == 2);
    table.truncate(320);
    CHECK(table.last_term() == 0);
    table.truncate(0);
    CHECK(table.entries().size() == 1);
}

TEST_CASE("term table: a log that begins later knows the term before it") {
    TermTable table({5, 4'096});
    CHECK(table.reach(5, 8'192).end == 8'192);
    CHECK(table.reach(3, 8'192).term == 5);
    table.add({6, 5'000});
    CHECK(table.reach(5, 8'192).end == 5'000);
}

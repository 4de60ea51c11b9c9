#include "raft/membership.h"

#include <doctest/doctest.h>

using namespace fulmar::raft;

namespace {

constexpr DiskId kDiskA{1, 1};
constexpr DiskId kDiskB{2, 2};
constexpr DiskId kDiskC{3, 3};
constexpr DiskId kDiskD{4, 4};

Membership three() {
    return {{{0, kDiskA, true}, {1, kDiskB, true}, {2, kDiskC, true}}};
}

}  // namespace

TEST_CASE("membership: a quorum is more than half of the voters") {
    Membership members = three();
    CHECK(members.quorum() == 2);
    members.members.push_back({3, kDiskD, false});
    CHECK(members.quorum() == 2);
    members.members.back().is_voter = true;
    CHECK(members.quorum() == 3);
    CHECK(Membership{{{0, kDiskA, true}}}.quorum() == 1);
}

TEST_CASE("membership: a member is its id and its disk") {
    const Membership members = three();
    CHECK(members.admits(1, kDiskB));
    CHECK_FALSE(members.admits(1, kDiskA));
    CHECK_FALSE(members.admits(3, kDiskD));
    const Membership unnamed{{{0, {}, true}}};
    CHECK(unnamed.is_voter(0, kDiskA));
    CHECK(unnamed.is_voter(0, kDiskB));
}

TEST_CASE("membership: voters change one at a time") {
    const Membership now = three();
    const auto with = [&](auto&& change) {
        Membership next = now;
        change(next.members);
        return now.may_become(next).has_value();
    };
    CHECK(with([](auto&) {}));
    CHECK(with([](auto& m) { m.pop_back(); }));
    CHECK(with([](auto& m) { m.push_back({3, kDiskD, true}); }));
    CHECK(with([](auto& m) { m[2].is_voter = false; }));
    CHECK(with([](auto& m) { m.insert(m.end(), {{3, kDiskD, false}, {4, {5, 5}, false}}); }));
    CHECK(with([](auto& m) { m[2] = {2, kDiskD, false}; }));
    CHECK_FALSE(with([](auto& m) { m[2] = {2, kDiskD, true}; }));
    CHECK_FALSE(with([](auto& m) { m[2] = {3, kDiskD, true}; }));
    CHECK_FALSE(with([](auto& m) { m.insert(m.end(), {{3, kDiskD, true}, {4, {5, 5}, true}}); }));
    CHECK_FALSE(with([](auto& m) { m.push_back({2, kDiskD, false}); }));
    CHECK_FALSE(with([](auto& m) { m.push_back({3, {}, false}); }));
    CHECK_FALSE(with([](auto& m) { m[0].disk = {}; }));
    CHECK_FALSE(with([](auto& m) { m.push_back({-1, kDiskD, false}); }));
    const Membership one{{{0, kDiskA, true}}};
    CHECK_FALSE(one.may_become({}));
}

TEST_CASE("membership: disks may be named at last, all at once") {
    Membership unnamed = three();
    for (Member& member : unnamed.members) {
        member.disk = {};
    }
    CHECK(unnamed.may_become(three()));
    Membership more = three();
    more.members.push_back({3, kDiskD, true});
    CHECK(unnamed.may_become(more));
    more.members.pop_back();
    more.members.pop_back();
    more.members.pop_back();
    CHECK_FALSE(unnamed.may_become(more));
}

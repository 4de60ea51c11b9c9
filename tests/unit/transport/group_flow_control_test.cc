#include "transport/group_flow_control.h"

#include <array>

#include <doctest/doctest.h>

#include "layout/counters.h"

using namespace fulmar;
using transport::GroupFlowControl;

namespace {

constexpr std::int32_t kWindow = 1000;

/// A group and the limit that its sender keeps.
struct Group {
    explicit Group(GroupFlowControl::Options options = {}) : flow(options) {}

    void hear(std::int64_t receiver, std::int64_t position, std::optional<std::int64_t> tag = {}) {
        wire::StatusMessage message;
        message.receiver_id = receiver;
        message.receiver_window = kWindow;
        message.has_group_tag = tag.has_value();
        message.group_tag = tag.value_or(0);
        limit = flow.on_status_message(now, message, position, limit);
    }
    void idle() { limit = flow.on_idle(now, limit); }

    Instant now{seconds(10).ns};
    GroupFlowControl flow;
    std::int64_t limit = 0;
};

}  // namespace

TEST_CASE("group flow control: the slowest decides, and who falls silent leaves") {
    Group group;
    group.hear(1, 0);
    group.hear(2, 0);
    CHECK(group.limit == kWindow);
    group.hear(1, 5000);
    CHECK(group.limit == kWindow);
    group.hear(2, 3000);
    CHECK(group.limit == 4000);
    group.hear(2, 2000);  // older, out of order
    CHECK(group.limit == 4000);
    group.now = group.now + seconds(4);
    group.hear(1, 6000);
    group.idle();
    CHECK(group.limit == 4000);
    group.now = group.now + seconds(2);
    group.idle();
    CHECK(group.flow.size() == 1);
    CHECK(group.limit == 7000);
}

TEST_CASE("group flow control: who comes too late gets data and is not waited for") {
    Group group;
    group.hear(1, 10'000);
    group.hear(2, 8'000);  // its window ends where the group's begins, a window below it
    CHECK(group.flow.size() == 1);
    group.hear(1, 10'500);
    CHECK(group.limit == 11'500);
    group.hear(2, 9'600);
    CHECK(group.flow.size() == 2);
    group.hear(1, 12'000);
    CHECK(group.limit == 11'500);  // held by the one at 9600, whose window ends below
}

TEST_CASE("group flow control: a tag chooses who is waited for") {
    GroupFlowControl::Options options;
    options.tag = 7;
    options.size_min = 1;
    Group group(options);
    group.hear(1, 500);
    group.hear(2, 500, 8);
    CHECK(group.limit == 0);  // nobody of the group yet
    CHECK_FALSE(group.flow.has_required_receivers());
    group.hear(3, 0, 7);
    CHECK(group.flow.has_required_receivers());
    CHECK(group.limit == kWindow);
    group.hear(1, 9000);
    CHECK(group.limit == kWindow);
    group.flow.remove(3);
    CHECK_FALSE(group.flow.has_required_receivers());
}

TEST_CASE("group flow control: without a least size, whoever listens pulls on until the group forms") {
    GroupFlowControl::Options options;
    options.tag = 7;
    Group group(options);
    group.hear(1, 500);
    CHECK(group.limit == 1500);
    group.hear(3, 600, 7);
    group.hear(1, 5000);
    CHECK(group.limit == 1600);
}

TEST_CASE("group flow control: who asks for a setup is not run away from") {
    Group group;
    group.hear(1, 0);
    group.flow.on_setup(group.now, group.limit);
    group.hear(1, 5000);
    CHECK(group.limit == kWindow);
    group.hear(2, 100);  // it joined
    CHECK(group.limit == 1100);
    group.flow.on_setup(group.now, group.limit);
    group.hear(1, 9000);
    group.hear(2, 9000);
    CHECK(group.limit == 1100);
    group.now = group.now + seconds(4);
    group.hear(1, 9000);
    group.hear(2, 9000);
    group.now = group.now + seconds(2);
    group.idle();  // nobody came
    CHECK(group.limit == 10'000);
}

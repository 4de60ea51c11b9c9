#include "fulmar/image.h"

#include <doctest/doctest.h>

#include "fake_driver.h"
#include "frames.h"

using namespace fulmar;
using namespace fulmar::client::test;

namespace {

/// A subscription with one image that begins at `join`.
struct WithImage {
    explicit WithImage(std::int64_t join = 0)
        : subscription(at.subscription()), made(at.image(*subscription, kSession, join)) {}
    Image& image() { return *subscription->images()[0]; }
    /// Polls everything, noting texts and header positions.
    int poll(int limit = 100) {
        return image().poll(
            [this](std::span<const std::byte> payload, const Header& header) {
                texts.push_back(text_of(payload));
                positions.push_back(header.position());
            },
            limit);
    }

    Connected at;
    std::unique_ptr<Subscription> subscription;
    FakeDriver::MadeImage made;
    std::vector<std::string> texts;
    std::vector<std::int64_t> positions;
};

using Payload = std::span<const std::byte>;

}  // namespace

TEST_CASE("image: polls from where it joined and publishes how far it came") {
    WithImage with(kTermLength + 128);
    CHECK(with.image().join_position() == kTermLength + 128);
    CHECK(with.image().position() == kTermLength + 128);
    put_message(with.made.log, kTermLength + 128, "x");
    CHECK(with.poll() == 1);
    CHECK(with.image().position() == kTermLength + 192);
    CHECK(with.made.position.get_acquire() == kTermLength + 192);
    CHECK(with.positions == std::vector<std::int64_t>{kTermLength + 192});
}

TEST_CASE("image: the header tells what the frame and the image know") {
    WithImage with;
    put_frame(with.made.log, {.flags = wire::flag::kBegin, .reserved_value = 42}, "abc");
    with.image().poll(
        [&](Payload payload, const Header& header) {
            CHECK(text_of(payload) == "abc");
            CHECK(header.flags() == wire::flag::kBegin);
            CHECK(header.is_begin());
            CHECK_FALSE(header.is_end());
            CHECK(header.reserved_value() == 42);
            CHECK(header.term_id() == kInitialTermId);
            CHECK(header.initial_term_id() == kInitialTermId);
            CHECK(header.term_offset() == 0);
            CHECK(header.frame_length() == 35);
            CHECK(header.stream_id() == kStream);
        },
        1);
}

TEST_CASE("image: padding is skipped and consumed, also at the end of a term") {
    WithImage with(kTermLength - 128);
    auto position = put_message(with.made.log, kTermLength - 128, "last");
    position = put_padding(with.made.log, position, 64);
    CHECK(with.poll() == 1);
    CHECK(with.image().position() == kTermLength);
    put_message(with.made.log, position, "first");
    CHECK(with.poll() == 1);
    CHECK(with.texts == std::vector<std::string>{"last", "first"});
}

TEST_CASE("image: lengths that cannot be end the poll instead of leaving the term") {
    WithImage with;
    const auto after = put_message(with.made.log, 0, "good");
    put_message(with.made.log, after, "bad");
    for (const std::int32_t length : {0, -64, kTermLength, INT32_MAX, INT32_MIN}) {
        wire::frame_length_release(with.made.log.at(after), length);
        (void)with.poll();
        CHECK(with.image().position() == after);
    }
    CHECK(with.texts == std::vector<std::string>{"good"});
}

TEST_CASE("image: a frame shorter than its header reaches no handler") {
    WithImage with;
    put_message(with.made.log, 0, "short");
    wire::frame_length_release(with.made.log.at(0), 8);
    (void)with.poll();
    CHECK(with.texts.empty());
}

TEST_CASE("image: what others write over the position counter does not lead it astray") {
    WithImage with;
    put_message(with.made.log, 0, "a");
    put_message(with.made.log, 64, "b");
    CHECK(with.poll(1) == 1);
    with.made.position.set_release(-1);
    CHECK(with.poll(1) == 1);
    CHECK(with.texts == std::vector<std::string>{"a", "b"});
    CHECK(with.made.position.get_acquire() == 128);
}

TEST_CASE("image: a bounded poll delivers whole frames up to the limit only") {
    WithImage with;
    put_message(with.made.log, 0, "a");
    put_message(with.made.log, 64, "b");
    const auto count = [](Payload, const Header&) {};
    CHECK(with.image().bounded_poll(count, 0, 10) == 0);
    CHECK(with.image().bounded_poll(count, 64, 10) == 1);
    CHECK(with.image().bounded_poll(count, 64, 10) == 0);
    CHECK(with.image().bounded_poll(count, 96, 10) == 0);
    CHECK(with.image().bounded_poll(count, 128, 10) == 1);
}

TEST_CASE("image: controlled polls abort, break, commit and continue") {
    WithImage with;
    for (std::int64_t i = 0; i < 4; ++i) {
        put_message(with.made.log, i * 64, std::to_string(i));
    }
    std::vector<std::string> texts;
    const auto poll = [&](std::vector<ControlledAction> actions) {
        std::size_t next = 0;
        return with.image().controlled_poll(
            [&](Payload payload, const Header&) {
                texts.push_back(text_of(payload));
                return actions[next++];
            },
            10);
    };
    using enum ControlledAction;
    CHECK(poll({kAbort}) == 0);
    CHECK(with.image().position() == 0);
    CHECK(poll({kContinue, kAbort}) == 1);
    CHECK(with.image().position() == 64);
    CHECK(poll({kBreak}) == 1);
    CHECK(with.image().position() == 128);
    std::int64_t committed = 0;
    const int count = with.image().controlled_poll(
        [&](Payload, const Header& header) {
            if (header.position() == 256) {
                committed = with.made.position.get_acquire();
            }
            return kCommit;
        },
        10);
    CHECK(count == 2);
    CHECK(committed == 192);
    CHECK(with.image().position() == 256);
    CHECK(texts == std::vector<std::string>{"0", "0", "1", "1"});
}

TEST_CASE("image: peeking consumes nothing and answers where the last whole message ended") {
    WithImage with;
    put_message(with.made.log, 0, "a");
    put_frame(with.made.log, {.position = 64, .flags = wire::flag::kBegin}, "b1");
    std::vector<std::string> texts;
    const auto peek = [&](std::int64_t from, ControlledAction action) {
        return with.image().controlled_peek(
            from,
            [&](Payload payload, const Header&) {
                texts.push_back(text_of(payload));
                return action;
            },
            INT64_MAX);
    };
    CHECK(peek(0, ControlledAction::kContinue) == 64);
    CHECK(texts == std::vector<std::string>{"a", "b1"});
    put_frame(with.made.log, {.position = 128, .flags = wire::flag::kEnd}, "b2");
    CHECK(peek(0, ControlledAction::kContinue) == 192);
    CHECK(peek(0, ControlledAction::kBreak) == 64);
    CHECK(peek(0, ControlledAction::kAbort) == 0);
    CHECK(peek(8, ControlledAction::kContinue) == 8);
    CHECK(peek(-64, ControlledAction::kContinue) == -64);
    CHECK(peek(1 << 30, ControlledAction::kContinue) == 1 << 30);
    CHECK(with.image().position() == 0);
}

TEST_CASE("image: peeking passes padding that stands alone") {
    WithImage with(kTermLength - 64);
    put_padding(with.made.log, kTermLength - 64, 64);
    const auto none = [](Payload, const Header&) { return ControlledAction::kContinue; };
    CHECK(with.image().controlled_peek(kTermLength - 64, none, INT64_MAX) == kTermLength);
}

TEST_CASE("image: blocks are whole frames, bounded, and padding comes alone") {
    WithImage with(kTermLength - 256);
    auto position = put_message(with.made.log, kTermLength - 256, "a");
    position = put_message(with.made.log, position, "b");
    put_padding(with.made.log, position, 128);
    struct Block {
        std::size_t length;
        std::int64_t position;
        bool padding;
    };
    std::vector<Block> blocks;
    const auto handler = [&](Payload block, const BlockInfo& info) {
        blocks.push_back({block.size(), info.position, wire::is_padding(block.data())});
        CHECK(info.session_id == kSession);
        CHECK(info.term_id == kInitialTermId);
    };
    CHECK(with.image().block_poll(handler, 32) == 0);
    CHECK(with.image().block_poll(handler, 100) == 64);
    CHECK(with.image().block_poll(handler, 4096) == 64);
    CHECK(with.image().block_poll(handler, 4096) == 128);
    CHECK(with.image().block_poll(handler, 4096) == 0);
    CHECK(with.image().block_poll(handler, -1) == 0);
    REQUIRE(blocks.size() == 3);
    CHECK(blocks[1].position == kTermLength - 192);
    CHECK_FALSE(blocks[1].padding);
    CHECK(blocks[2].padding);
    CHECK(with.image().position() == kTermLength);
}

TEST_CASE("image: the end of the stream is where the driver says, and stays known after closing") {
    WithImage with;
    put_message(with.made.log, 0, "a");
    with.made.log.set_active_transport_count(2);
    CHECK(with.image().active_transport_count() == 2);
    CHECK_FALSE(with.image().is_end_of_stream());
    with.made.log.set_end_of_stream_position(64);
    CHECK_FALSE(with.image().is_end_of_stream());
    (void)with.poll();
    CHECK(with.image().is_end_of_stream());
    Image& image = with.image();
    with.at.driver.end(with.made, with.subscription->registration_id());
    with.at.poll();
    CHECK(image.is_closed());
    CHECK(image.is_end_of_stream());
    CHECK(image.active_transport_count() == 0);
    CHECK_FALSE(image.set_position(64).has_value());
}

TEST_CASE("image: a position is set ahead in the term, frame aligned, and nowhere else") {
    WithImage with(128);
    CHECK(with.image().set_position(192).has_value());
    CHECK(with.made.position.get_acquire() == 192);
    CHECK_FALSE(with.image().set_position(128).has_value());
    CHECK_FALSE(with.image().set_position(200).has_value());
    CHECK_FALSE(with.image().set_position(kTermLength + 32).has_value());
    CHECK(with.image().set_position(kTermLength).has_value());
}

TEST_CASE("image: rejecting it sends the driver position and reason") {
    WithImage with(64);
    REQUIRE(with.image().reject("bad"));
    const auto command = with.at.driver.take_command();
    CHECK(command.type == layout::CommandType::kRejectImage);
    const auto reject = command.as<layout::RejectImage>();
    CHECK(reject.image_correlation_id == with.made.id);
    CHECK(reject.position == 64);
    CHECK(reject.reason.substr(0, 3) == "bad");
    CHECK_FALSE(with.image().is_publication_revoked());
    base::store_release<std::uint8_t>(with.made.log.metadata(), layout::log_field::kIsPublicationRevoked, 1);
    CHECK(with.image().is_publication_revoked());
}

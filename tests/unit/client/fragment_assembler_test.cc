#include "fulmar/fragment_assembler.h"

#include <doctest/doctest.h>

#include "fake_driver.h"
#include "frames.h"

using namespace fulmar;
using namespace fulmar::client::test;

namespace {

constexpr std::uint8_t kMiddle = 0;

struct Received {
    std::string text;
    std::int64_t position = 0;
    std::int64_t reserved_value = 0;
    std::int32_t frame_length = 0;
    bool whole = false;

    static Received of(std::span<const std::byte> message, const Header& header) {
        return {text_of(message), header.position(), header.reserved_value(), header.frame_length(),
            header.is_unfragmented()};
    }
};

struct Stream {
    Stream() : subscription(at.subscription()), made(at.image(*subscription)) {}
    void put(std::uint8_t flags, std::string_view payload) {
        end = put_frame(made.log, {.position = end, .flags = flags, .reserved_value = end}, payload);
    }
    Connected at;
    std::unique_ptr<Subscription> subscription;
    FakeDriver::MadeImage made;
    std::int64_t end = 0;
};

}  // namespace

TEST_CASE("fragment assembler: fragments come as one message with a header of its own") {
    Stream stream;
    std::vector<Received> received;
    FragmentAssembler assembler([&](std::span<const std::byte> message, const Header& header) {
        received.push_back(Received::of(message, header));
    });
    stream.put(wire::flag::kUnfragmented, "whole");
    stream.put(wire::flag::kBegin, "one ");
    stream.put(kMiddle, "two ");
    stream.put(wire::flag::kEnd, "three");
    CHECK(stream.subscription->poll(assembler, 10) == 4);
    REQUIRE(received.size() == 2);
    CHECK(received[0].text == "whole");
    CHECK(received[1].text == "one two three");
    CHECK(received[1].position == stream.end);
    CHECK(received[1].reserved_value == 64);  // of the first fragment
    CHECK(received[1].frame_length == 32 + 13);
    CHECK(received[1].whole);
}

TEST_CASE("fragment assembler: a message whose beginning was missed is dropped, the next is not") {
    Stream stream;
    std::vector<std::string> texts;
    FragmentAssembler assembler(
        [&](std::span<const std::byte> message, const Header&) { texts.push_back(text_of(message)); });
    stream.put(kMiddle, "lost");
    stream.put(wire::flag::kEnd, "lost");
    stream.put(wire::flag::kBegin, "kept ");
    stream.put(wire::flag::kEnd, "it");
    stream.put(wire::flag::kEnd, "no beginning");
    (void)stream.subscription->poll(assembler, 10);
    CHECK(texts == std::vector<std::string>{"kept it"});
}

TEST_CASE("fragment assembler: fragments that do not follow each other make no message") {
    Stream stream;
    int messages = 0;
    FragmentAssembler assembler([&](std::span<const std::byte>, const Header&) { ++messages; });
    stream.put(wire::flag::kBegin, "a");
    CHECK(stream.subscription->poll(assembler, 10) == 1);
    stream.put(kMiddle, "skipped");
    REQUIRE(stream.subscription->images()[0]->set_position(stream.end));
    stream.put(wire::flag::kEnd, "b");
    CHECK(stream.subscription->poll(assembler, 10) == 1);
    CHECK(messages == 0);
}

TEST_CASE("fragment assembler: a new beginning drops what was begun") {
    Stream stream;
    std::vector<std::string> texts;
    FragmentAssembler assembler(
        [&](std::span<const std::byte> message, const Header&) { texts.push_back(text_of(message)); });
    stream.put(wire::flag::kBegin, "given up ");
    stream.put(wire::flag::kBegin, "new ");
    stream.put(wire::flag::kEnd, "one");
    (void)stream.subscription->poll(assembler, 10);
    CHECK(texts == std::vector<std::string>{"new one"});
}

TEST_CASE("fragment assembler: sessions do not mix") {
    Connected at;
    const auto subscription = at.subscription();
    std::vector<std::string> texts;
    FragmentAssembler assembler([&](std::span<const std::byte> message, const Header& header) {
        texts.push_back(std::to_string(header.session_id()) + text_of(message));
    });
    std::vector<FakeDriver::MadeImage> images{at.image(*subscription, 1), at.image(*subscription, 2)};
    const auto put = [&](std::size_t i, std::int64_t position, std::uint8_t flags, std::string_view payload) {
        put_frame(images[i].log,
            {.position = position, .flags = flags, .session_id = static_cast<std::int32_t>(i) + 1}, payload);
        (void)subscription->poll(assembler, 10);
    };
    put(0, 0, wire::flag::kBegin, "a");
    put(1, 0, wire::flag::kBegin, "b");
    put(1, 64, wire::flag::kEnd, "B");
    put(0, 64, wire::flag::kEnd, "A");
    CHECK(texts == std::vector<std::string>{"2bB", "1aA"});
    put(0, 128, wire::flag::kBegin, "x");
    assembler.remove_session(1);
    put(0, 192, wire::flag::kEnd, "y");
    CHECK(texts.size() == 2);
}

TEST_CASE("fragment assembler: a bounded number of sessions, the longest idle one gives way") {
    client::MessageBuilders builders;
    std::array<std::byte, 32> frame{};
    for (std::int32_t session = 0; session < 2000; ++session) {
        const Header::Stream stream{session, 1, 0, 16};
        builders.find_or_add(Header(frame.data(), 32, 32, stream))
            .begin({}, Header(frame.data(), 32, 32, stream));
    }
    CHECK(builders.size() == client::MessageBuilders::kSessionsMax);
    const Header::Stream oldest{0, 1, 0, 16};
    const Header::Stream newest{1999, 1, 0, 16};
    CHECK(builders.find(Header(frame.data(), 32, 32, oldest)) == nullptr);
    CHECK(builders.find(Header(frame.data(), 32, 32, newest)) != nullptr);
}

TEST_CASE("controlled fragment assembler: an aborted message comes again whole") {
    Stream stream;
    std::vector<std::string> texts;
    ControlledFragmentAssembler assembler([&](std::span<const std::byte> message, const Header&) {
        texts.push_back(text_of(message));
        return texts.size() == 1 ? ControlledAction::kAbort : ControlledAction::kContinue;
    });
    stream.put(wire::flag::kBegin, "a");
    stream.put(kMiddle, "b");
    stream.put(wire::flag::kEnd, "c");
    stream.put(wire::flag::kUnfragmented, "next");
    CHECK(stream.subscription->controlled_poll(assembler, 10) == 2);
    CHECK(stream.subscription->images()[0]->position() == 128);
    CHECK(stream.subscription->controlled_poll(assembler, 10) == 2);
    CHECK(texts == std::vector<std::string>{"abc", "abc", "next"});
}

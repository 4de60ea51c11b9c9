#include <algorithm>

#include <doctest/doctest.h>

#include "stream_pair.h"

using namespace fulmar;
using test::Datagram;
using test::StreamPair;

namespace {

std::vector<std::byte> message(std::uint64_t sequence, std::size_t length) {
    std::vector<std::byte> bytes(length);
    for (std::size_t i = 0; i < length; ++i) {
        bytes[i] = static_cast<std::byte>((sequence * 31 + i) & 0xFF);
    }
    return bytes;
}

void connect(StreamPair& pair) {
    for (const auto& datagram : pair.receiver_out()) {
        pair.to_publication(datagram);
    }
    pair.publication->update_publisher_limit();
}

}  // namespace

TEST_CASE(
    "network_publication: setup goes out at once and again after its interval until the first status "
    "message") {
    StreamPair pair;
    REQUIRE(pair.sender_out().size() == 1);
    CHECK(wire::read_frame_header(pair.batch.packets()[0].bytes).type == wire::FrameType::kSetup);
    CHECK(pair.sender_out().empty());
    pair.now = pair.now + milliseconds(100);
    CHECK(pair.sender_out().size() == 1);
    connect(pair);
    CHECK(pair.publication->is_connected());
    pair.now = pair.now + milliseconds(50);
    for (const auto& datagram : pair.sender_out()) {
        CHECK(wire::read_frame_header(datagram.bytes.data()).type != wire::FrameType::kSetup);
    }
}

TEST_CASE("network_publication: a status message far from the sent position is rejected") {
    StreamPair pair;
    wire::StatusMessage message;
    message.session_id = StreamPair::kSession;
    message.stream_id = StreamPair::kStream;
    message.consumption_term_id = pair.publication->options().initial_term_id;
    message.consumption_term_offset = 0;
    message.receiver_window = 4096;
    message.consumption_term_id = base::wrapping_add(message.consumption_term_id, 1);
    pair.publication->on_status_message(pair.now, message, pair.sender_address);
    CHECK_FALSE(pair.publication->is_connected());
    message.consumption_term_id = base::wrapping_add(message.consumption_term_id, -1);
    message.receiver_window = StreamPair::kTermLength;
    pair.publication->on_status_message(pair.now, message, pair.sender_address);
    CHECK_FALSE(pair.publication->is_connected());
    message.receiver_window = 4096;
    message.consumption_term_offset = 17;
    pair.publication->on_status_message(pair.now, message, pair.sender_address);
    CHECK_FALSE(pair.publication->is_connected());
    message.consumption_term_offset = 0;
    pair.publication->on_status_message(pair.now, message, pair.sender_address);
    CHECK(pair.publication->is_connected());
}

TEST_CASE("network_publication: never sends beyond the receiver's window") {
    StreamPair pair(0, true, 4096);
    connect(pair);
    while (pair.offer(message(1, 500)) > 0) {
    }
    std::size_t bytes = 0;
    for (int i = 0; i < 20; ++i) {
        for (const auto& datagram : pair.sender_out()) {
            if (wire::read_frame_header(datagram.bytes.data()).frame_length > 0) {
                bytes += datagram.bytes.size();
            }
        }
    }
    CHECK(bytes > 0);
    CHECK(bytes <= 4096);
}

TEST_CASE(
    "network_publication: memory is clean as far as a producer that blocks of frames are taken from may "
    "write") {
    // A foreign archive offers whole blocks of frames that begin below the limit, up to the end of their
    // term.
    StreamPair pair(0, true, StreamPair::kTermLength / 2, true);
    connect(pair);
    std::uint64_t offered = 0;
    while (pair.appender.position() < std::int64_t{5} * StreamPair::kTermLength) {
        pair.now = pair.now + microseconds(10);
        pair.publication->update_publisher_limit();
        if (pair.offer(message(offered, 500)) > 0) {
            ++offered;
        }
        for (const auto& datagram : pair.sender_out()) {
            pair.to_image(datagram);
        }
        (void)pair.read();
        for (const auto& datagram : pair.receiver_out()) {
            pair.to_publication(datagram);
        }
        const std::int64_t limit = pair.publication->counters().publisher_limit.get_acquire();
        const std::int64_t last_begin = limit - wire::kFrameAlignment;
        const std::int64_t block_end =
            last_begin - last_begin % StreamPair::kTermLength + StreamPair::kTermLength;
        for (std::int64_t at = limit; at <= block_end; at += wire::kFrameAlignment) {
            REQUIRE(wire::frame_length_acquire(pair.log.at(at)) == 0);
        }
    }
    CHECK(offered > 500);
}

TEST_CASE("network_publication: what the port did not take is sent the next time") {
    StreamPair pair;
    connect(pair);
    REQUIRE(pair.offer(message(1, 100)) > 0);
    pair.batch.clear();
    pair.publication->poll_transmit(pair.now, pair.batch);
    REQUIRE(pair.batch.size() == 1);
    pair.publication->on_transmitted(pair.now, pair.batch, 0);
    CHECK(pair.publication->sender_position() == 0);
    const auto again = pair.sender_out();
    REQUIRE(again.size() == 1);
    CHECK(pair.publication->sender_position() == 160);
}

TEST_CASE("network_publication: a NAK that points into a frame is not answered") {
    StreamPair pair;
    connect(pair);
    // Payload that could be taken for the headers of short frames.
    std::vector<std::byte> body(1024);
    for (std::size_t at = 0; at < body.size(); at += 64) {
        base::store_le<std::int32_t>(body.data(), at, 64);
    }
    REQUIRE(pair.offer(body) > 0);
    (void)pair.sender_out();
    wire::Nak nak;
    nak.session_id = StreamPair::kSession;
    nak.stream_id = StreamPair::kStream;
    nak.term_id = pair.publication->options().initial_term_id;
    nak.term_offset = wire::kDataHeaderLength;
    nak.length = 64;
    pair.publication->on_nak(pair.now, nak);
    CHECK(pair.sender_out().empty());
    nak.term_offset = 0;
    pair.publication->on_nak(pair.now, nak);
    CHECK(pair.sender_out().size() == 1);
}

TEST_CASE("network_publication: a lost last packet is announced by an early heartbeat and repaired") {
    StreamPair pair;
    connect(pair);
    REQUIRE(pair.offer(message(1, 100)) > 0);
    (void)pair.sender_out();  // lost
    pair.now = pair.now + microseconds(500);
    for (const auto& datagram : pair.sender_out()) {
        pair.to_image(datagram);
    }
    pair.now = pair.now + microseconds(2);
    for (const auto& datagram : pair.receiver_out()) {
        pair.to_publication(datagram);
    }
    for (const auto& datagram : pair.sender_out()) {
        pair.to_image(datagram);
    }
    const auto read = pair.read();
    REQUIRE(read.size() == 1);
    CHECK(read[0] == message(1, 100));
}

TEST_CASE("stream: padding that begins in the window ends beyond it, and nobody is taken for lost") {
    // The longest padding there is: the longest message does not fit by one frame alignment. It begins where
    // the window has room for a header only.
    constexpr std::int32_t kTerm = StreamPair::kTermLength;
    constexpr std::int32_t kPadding = 8384 - 32;
    constexpr std::int64_t kConsumed = kTerm / 2 - kPadding + 32;
    StreamPair pair(0);
    std::vector<Datagram> sent;
    const auto exchange = [&](std::size_t lost) {
        sent = pair.sender_out();
        for (std::size_t i = lost; i < sent.size(); ++i) {
            pair.to_image(sent[i]);
        }
        for (const auto& datagram : pair.receiver_out()) {
            pair.to_publication(datagram);
        }
        pair.publication->update_publisher_limit();
    };
    std::int64_t position = 0;
    const auto fill_to = [&](std::int64_t target) {
        while (position < target) {
            const auto framed = std::min<std::int64_t>(1376, target - position);
            REQUIRE(pair.offer(message(1, static_cast<std::size_t>(framed - 32))) == position + framed);
            position += framed;
        }
    };
    connect(pair);
    fill_to(kConsumed);
    exchange(0);
    (void)pair.read();
    pair.now = pair.now + milliseconds(200);
    exchange(0);  // the receiver says that all is consumed
    fill_to(kTerm - kPadding);
    REQUIRE(pair.offer(message(2, kTerm / 8)) == term::kAdminAction);
    exchange(1);
    CHECK(pair.publication->sender_position() == kTerm);
    CHECK(pair.image->rebuild_position() == kConsumed);

    // The oldest packet of the window is missing, and the sender has come a long way since.
    pair.now = pair.now + milliseconds(1);
    exchange(0);
    exchange(0);
    REQUIRE(sent.size() == 1);
    CHECK(wire::read_data_header(sent[0].bytes.data()).term_offset == kConsumed);
    CHECK(pair.image->rebuild_position() == kTerm);

    // Nobody reads for longer than the time-outs of image and receiver.
    for (int i = 0; i < 120; ++i) {
        pair.now = pair.now + milliseconds(100);
        exchange(0);
    }
    CHECK(pair.image->state() == transport::Image::State::kActive);
    CHECK(pair.publication->is_connected());
    CHECK(pair.read().size() > 15);
}

TEST_CASE("image: a sender that has gone beyond the window is no sign of life") {
    StreamPair pair(0);
    connect(pair);
    const auto heartbeat = [&](std::int64_t position) {
        REQUIRE(pair.offer(message(1, 100)) > 0);
        Datagram datagram = pair.sender_out()[0];
        datagram.bytes.resize(wire::kDataHeaderLength);
        base::store_le<std::int32_t>(datagram.bytes.data(), wire::field::kFrameLength, 0);
        base::store_le<std::int32_t>(datagram.bytes.data(), wire::field::kTermOffset,
            static_cast<std::int32_t>(position % StreamPair::kTermLength));
        base::store_le<std::int32_t>(datagram.bytes.data(), wire::field::kTermId,
            static_cast<std::int32_t>(position / StreamPair::kTermLength));
        return datagram;
    };
    constexpr std::int64_t kWindowEnd = StreamPair::kTermLength / 2;
    SUBCASE("it stands at the window's end") {
        const Datagram datagram = heartbeat(kWindowEnd);
        for (int i = 0; i < 120; ++i) {
            pair.now = pair.now + milliseconds(100);
            pair.to_image(datagram);
            (void)pair.receiver_out();
        }
        CHECK(pair.image->state() == transport::Image::State::kActive);
    }
    SUBCASE("it stands beyond it, in the same term") {
        const Datagram datagram = heartbeat(kWindowEnd + 32);
        for (int i = 0; i < 120; ++i) {
            pair.now = pair.now + milliseconds(100);
            pair.to_image(datagram);
            (void)pair.receiver_out();
        }
        CHECK(pair.image->state() != transport::Image::State::kActive);
        CHECK(pair.image->rebuild_position() == 0);
    }
}

TEST_CASE("image: malformed packets change nothing") {
    StreamPair pair;
    connect(pair);
    REQUIRE(pair.offer(message(1, 100)) > 0);
    const Datagram good = pair.sender_out()[0];
    const auto corrupt = [&](std::size_t offset, std::int32_t value) {
        Datagram bad = good;
        base::store_le<std::int32_t>(bad.bytes.data(), offset, value);
        pair.to_image(bad);
        CHECK(pair.image->rebuild_position() == 0);
    };
    corrupt(wire::field::kFrameLength, 8);
    corrupt(wire::field::kFrameLength, StreamPair::kTermLength * 2);
    corrupt(wire::field::kFrameLength, 200);
    corrupt(wire::field::kTermOffset, 16);
    corrupt(wire::field::kTermOffset, -32);
    corrupt(wire::field::kTermOffset, StreamPair::kTermLength);
    corrupt(wire::field::kTermId, 5);
    pair.to_image(good);
    CHECK(pair.image->rebuild_position() == 160);
}

TEST_CASE("image: an unreliable stream goes on over a gap, without NAKs") {
    StreamPair pair(3, false);
    connect(pair);
    for (std::uint64_t i = 0; i < 3; ++i) {
        REQUIRE(pair.offer(message(i, 1376)) > 0);
    }
    const auto packets = pair.sender_out();
    REQUIRE(packets.size() == 3);
    pair.to_image(packets[0]);
    pair.to_image(packets[2]);
    pair.now = pair.now + microseconds(2);
    for (const auto& datagram : pair.receiver_out()) {
        CHECK(wire::read_frame_header(datagram.bytes.data()).type != wire::FrameType::kNak);
    }
    const auto read = pair.read();
    REQUIRE(read.size() == 2);
    CHECK(read[0] == message(0, 1376));
    CHECK(read[1] == message(2, 1376));
}

TEST_CASE("image: readers never meet what an earlier lap left, whatever order packets arrive in") {
    StreamPair pair;
    pair.dirty_image_log();
    connect(pair);
    pair.publication->update_publisher_limit();
    std::vector<Datagram> packets;
    for (std::uint64_t i = 0; i < 6; ++i) {
        REQUIRE(pair.offer(message(i, 1000)) > 0);
        auto sent = pair.sender_out();
        packets.insert(packets.end(), sent.begin(), sent.end());
    }
    REQUIRE(packets.size() == 6);
    CHECK(pair.read().empty());
    std::size_t readable = 0;
    // After each arrival: what is contiguous from the start, and nothing behind it.
    for (const auto& [arrives, contiguous] : {std::pair{3, 0}, {1, 0}, {0, 2}, {5, 2}, {2, 4}, {4, 6}}) {
        pair.to_image(packets[static_cast<std::size_t>(arrives)]);
        readable += pair.read().size();
        CHECK(readable == static_cast<std::size_t>(contiguous));
    }
}

TEST_CASE("image: an unreliable stream fills a gap over what an earlier lap left") {
    StreamPair pair(5, false);
    pair.dirty_image_log();
    connect(pair);
    pair.publication->update_publisher_limit();
    std::vector<Datagram> packets;
    for (std::uint64_t i = 0; i < 3; ++i) {
        REQUIRE(pair.offer(message(i, 1000)) > 0);
        auto sent = pair.sender_out();
        packets.insert(packets.end(), sent.begin(), sent.end());
    }
    pair.to_image(packets[0]);
    pair.to_image(packets[2]);
    CHECK(pair.read().size() == 1);
    pair.now = pair.now + milliseconds(10);
    (void)pair.receiver_out();
    CHECK(pair.read().size() == 1);
    CHECK(pair.read().empty());
}

TEST_CASE("image: a gap that nobody fills is asked for ever less often, but never given up") {
    StreamPair pair;
    connect(pair);
    for (std::uint64_t i = 0; i < 3; ++i) {
        REQUIRE(pair.offer(message(i, 1376)) > 0);
    }
    const auto packets = pair.sender_out();
    REQUIRE(packets.size() == 3);
    pair.to_image(packets[0]);
    pair.to_image(packets[2]);
    const auto naks_within = [&](Duration span) {
        int naks = 0;
        for (const Instant end = pair.now + span; pair.now < end; pair.now = pair.now + microseconds(10)) {
            for (const auto& datagram : pair.receiver_out()) {
                naks += wire::read_frame_header(datagram.bytes.data()).type == wire::FrameType::kNak ? 1 : 0;
            }
        }
        return naks;
    };
    CHECK(naks_within(microseconds(600)) == 3);    // at once, after 100 us, after 200 us more
    CHECK(naks_within(milliseconds(10)) < 15);     // a stock sender's linger
    CHECK(naks_within(milliseconds(800)) >= 900);  // the slowest pace is one in 800 us
}

TEST_CASE("image: a lost status message does not hold a sender at the end of its window") {
    StreamPair pair(3, true, 4096);
    connect(pair);
    std::uint64_t offered = 0;
    while (offered < 8 && pair.offer(message(offered, 1000)) > 0) {
        ++offered;
    }
    std::vector<Datagram> sent = pair.sender_out();
    REQUIRE(sent.size() < offered);  // the window ends here
    for (const auto& datagram : sent) {
        pair.to_image(datagram);
    }
    CHECK(pair.read().size() == sent.size());
    CHECK(pair.receiver_out().size() == 1);  // moves the window, and is lost
    CHECK(pair.receiver_out().empty());
    pair.now = pair.now + microseconds(500);
    const auto repeated = pair.receiver_out();
    REQUIRE(repeated.size() == 1);
    pair.to_publication(repeated.front());
    CHECK_FALSE(pair.sender_out().empty());
    int repeats = 0;
    for (int i = 0; i < 20'000; ++i) {
        pair.now = pair.now + microseconds(50);
        repeats += static_cast<int>(pair.receiver_out().size());
    }
    CHECK(repeats <= 15);  // in a second at rest, and at least one in each status message time-out
    CHECK(repeats >= 5);
}

TEST_CASE("image: a rejected image answers with ERR and takes no data") {
    StreamPair pair;
    connect(pair);
    pair.image->reject("wrong schema");
    REQUIRE(pair.offer(message(1, 100)) > 0);
    for (const auto& datagram : pair.sender_out()) {
        pair.to_image(datagram);
    }
    CHECK(pair.image->rebuild_position() == 0);
    pair.now = pair.now + milliseconds(200);
    const auto out = pair.receiver_out();
    REQUIRE(out.size() == 1);
    REQUIRE(wire::check_datagram(out[0].bytes) == wire::FrameFault::kNone);
    const auto error = wire::read_error(out[0].bytes.data());
    CHECK(error.text == "wrong schema");
    CHECK(error.error_code == 13);
}

TEST_CASE("image: end of stream drains and says so") {
    StreamPair pair;
    connect(pair);
    REQUIRE(pair.offer(message(1, 100)) > 0);
    pair.publication->close(pair.now);
    for (int i = 0; i < 50 && pair.image->state() != transport::Image::State::kLinger; ++i) {
        for (const auto& datagram : pair.sender_out()) {
            pair.to_image(datagram);
        }
        (void)pair.read();
        for (const auto& datagram : pair.receiver_out()) {
            pair.to_publication(datagram);
        }
        pair.publication->on_timer(pair.now);
        pair.now = pair.now + milliseconds(100);
    }
    CHECK(pair.image->is_end_of_stream());
    CHECK(pair.image->log().end_of_stream_position() == 160);
    CHECK(pair.image->state() == transport::Image::State::kLinger);
    CHECK(pair.publication->state() == transport::NetworkPublication::State::kDone);
}

TEST_CASE("stream: everything arrives once, in order and intact over loss, duplication and reordering") {
    std::uint64_t retransmitted_runs = 0;
    for (std::uint64_t seed = 1; seed <= 30; ++seed) {
        StreamPair pair(static_cast<std::int32_t>(0x7FFFFFF0 + seed % 16));
        base::Prng prng(seed);
        std::deque<Datagram> forward;
        std::uint64_t offered = 0;
        std::uint64_t received = 0;
        pair.dirty_image_log();
        connect(pair);
        constexpr std::uint64_t kMessages = 2000;
        int idle = 0;
        while (received < kMessages && idle < 100'000) {
            ++idle;
            pair.now = pair.now + microseconds(10);
            pair.publication->update_publisher_limit();
            while (offered < kMessages && pair.offer(message(offered, 32 + (offered * 7) % 1300)) > 0) {
                ++offered;
            }
            for (auto& datagram : pair.sender_out()) {
                if (prng.chance(0.05)) {
                    continue;
                }
                if (prng.chance(0.02)) {
                    forward.push_back(datagram);
                }
                if (prng.chance(0.05) && !forward.empty()) {
                    forward.insert(
                        forward.begin() + static_cast<std::ptrdiff_t>(prng.below(forward.size())), datagram);
                } else {
                    forward.push_back(datagram);
                }
            }
            for (std::size_t n = prng.below(forward.size() + 1); n > 0; --n) {
                pair.to_image(forward.front());
                forward.pop_front();
            }
            for (const auto& datagram : pair.receiver_out()) {
                if (!prng.chance(0.05)) {
                    pair.to_publication(datagram);
                }
            }
            for (const auto& payload : pair.read(static_cast<int>(prng.below(20)))) {
                REQUIRE(payload == message(received, 32 + (received * 7) % 1300));
                ++received;
                idle = 0;
            }
        }
        REQUIRE(received == kMessages);
        retransmitted_runs += pair.publication->counters().naks_received.get_relaxed() > 0 ? 1 : 0;
    }
    CHECK(retransmitted_runs == 30);
}

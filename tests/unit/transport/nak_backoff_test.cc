#include "transport/nak_backoff.h"

#include <vector>

#include <doctest/doctest.h>

#include "stream_pair.h"

using namespace fulmar;
using test::Datagram;
using test::StreamPair;
using transport::NakBackoff;

namespace {

constexpr Duration kLongest = milliseconds(10);

/// When an image of that group asks for a packet that did not come, counted from the packet behind it.
Duration first_nak(std::uint64_t seed) {
    StreamPair pair(0, true, StreamPair::kTermLength / 2, false, NakBackoff::Options{kLongest, 10, seed});
    pair.publication->update_publisher_limit();
    const auto step = [&pair] {
        for (const Datagram& datagram : pair.receiver_out()) {
            pair.to_publication(datagram);
        }
        pair.publication->update_publisher_limit();
    };
    step();
    const std::vector<std::byte> message(200);
    REQUIRE(pair.offer(message) > 0);
    (void)pair.sender_out();  // lost
    REQUIRE(pair.offer(message) > 0);
    for (const Datagram& datagram : pair.sender_out()) {
        pair.to_image(datagram);
    }
    const Instant seen = pair.now;
    for (; pair.now - seen <= kLongest; pair.now = pair.now + microseconds(10)) {
        for (const Datagram& datagram : pair.receiver_out()) {
            if (wire::read_frame_header(datagram.bytes.data()).type == wire::FrameType::kNak) {
                return pair.now - seen;
            }
        }
    }
    FAIL("nothing was asked for");
    return {};
}

}  // namespace

TEST_CASE("nak backoff: delays lie within the longest, few of them early, and the seed decides") {
    NakBackoff one({kLongest, 10, 1});
    NakBackoff same({kLongest, 10, 1});
    NakBackoff other({kLongest, 10, 2});
    constexpr int kDraws = 10'000;
    int early = 0;
    int equal = 0;
    double sum = 0;
    for (int i = 0; i < kDraws; ++i) {
        const Duration delay = one.next();
        REQUIRE(delay >= Duration{});
        REQUIRE(delay <= kLongest);
        CHECK(delay == same.next());
        equal += delay == other.next() ? 1 : 0;
        early += delay < kLongest / 2 ? 1 : 0;
        sum += static_cast<double>(delay.ns);
    }
    CHECK(equal < 10);
    // lambda = ln 10 + 1: a share of (e^(lambda/2) - 1) / (e^lambda - 1) = 0.161 in the first half, and a
    // mean of 1 / (1 - e^-lambda) - 1 / lambda = 0.735 of the longest.
    CHECK(early > kDraws * 0.145);
    CHECK(early < kDraws * 0.177);
    CHECK(sum / kDraws > 0.72 * static_cast<double>(kLongest.ns));
    CHECK(sum / kDraws < 0.75 * static_cast<double>(kLongest.ns));
}

TEST_CASE("nak backoff: receivers of a group ask at different times") {
    std::vector<Duration> delays;
    for (std::uint64_t seed = 1; seed <= 10; ++seed) {
        delays.push_back(first_nak(seed));
    }
    int late = 0;
    int different = 0;
    for (std::size_t i = 1; i < delays.size(); ++i) {
        late += delays[i] > milliseconds(1) ? 1 : 0;
        different += delays[i] == delays[i - 1] ? 0 : 1;
    }
    CHECK(late >= 6);
    CHECK(different == 9);
}

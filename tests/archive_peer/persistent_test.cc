// A subscription that misses nothing: replayed, live, replayed again.
#include "bench.h"
#include "fulmar/archive/persistent_subscription.h"

using namespace fulmar;
using namespace fulmar::archive_peer;

namespace {

/// Publishes while there is room, so that nobody waits for the reader.
void offer_some(Recorded& recorded, std::int64_t end) {
    for (int i = 0; i < 5 && recorded.numbers.published < end; ++i) {
        if (!recorded.publication->offer(Numbers::message(recorded.numbers.published)).is_ok()) {
            return;
        }
        ++recorded.numbers.published;
    }
}

struct Follower {
    Follower(Bench& bench, const Recorded& recorded, std::int64_t start, const std::string& replay_channel) {
        PersistentSubscriptionOptions options;
        options.recording_id = recorded.recording_id;
        options.start_position = start;
        options.live_channel = recorded.channel;
        options.live_stream_id = recorded.stream_id;
        options.replay_channel = replay_channel;
        options.replay_stream_id = next_stream_id();
        options.on_live_joined = [this] { ++joined; };
        options.on_live_left = [this] { ++left; };
        stream = value_of(PersistentSubscription::create(*bench.archive, std::move(options)));
        bench.on_late = [this, &recorded] {
            return " in " + std::string(to_string(stream->state())) + " at " +
                   std::to_string(stream->position()) + " of " +
                   std::to_string(recorded.publication ? recorded.publication->position() : -1);
        };
    }
    void poll(Numbers& numbers) {
        stream->poll(
            [&](std::span<const std::byte> message, const Header& header) { numbers(message, header); }, 10);
        REQUIRE_MESSAGE(!stream->has_failed(), (stream->has_failed() ? stream->error()->message : ""));
    }

    int joined = 0;
    int left = 0;
    std::unique_ptr<PersistentSubscription> stream;
};

}  // namespace

TEST_CASE("archive peer: a persistent subscription catches up, joins, loses the stream and finds it again") {
    for (const std::string& replay_channel :
        {std::string("aeron:ipc"), std::string("aeron:udp?endpoint=localhost:0")}) {
        CAPTURE(replay_channel);
        Bench bench;
        Recorded recorded = record(bench);
        recorded.publish(bench, 1000);
        Follower follower(bench, recorded, kFromStart, replay_channel);
        bench.await("the live stream", [&] {
            offer_some(recorded, 5000);
            follower.poll(recorded.numbers);
            return follower.stream->is_live() && recorded.numbers.read == 5000;
        });
        CHECK(follower.joined == 1);
        CHECK(follower.left == 0);
        CHECK(follower.stream->position() == recorded.publication->position());

        // The publisher goes; another one goes on where it ended, and some of it is recorded before we look.
        const std::int64_t end = recorded.publication->position();
        const std::int32_t initial = recorded.publication->initial_term_id();
        const std::int32_t length = recorded.publication->term_length();
        bench.await("all is recorded",
            [&] { return value_of(bench.archive->recording_position(recorded.recording_id)) == end; });
        recorded.stop(bench);
        recorded.publication.reset();
        bench.await("it is noticed", [&] {
            follower.poll(recorded.numbers);
            return follower.left == 1 &&
                   follower.stream->state() == PersistentSubscription::State::kAwaitLive;
        });
        (void)value_of(bench.archive->extend_recording(
            recorded.recording_id, "aeron:ipc", recorded.stream_id, SourceLocation::kLocal));
        bench.recorded.emplace_back(recorded.stream_id, "aeron:ipc");
        recorded.publication = value_of(bench.client->add_exclusive_publication(
            "aeron:ipc?term-length=" + std::to_string(length) + "|init-term-id=" + std::to_string(initial) +
                "|term-id=" + std::to_string(initial + static_cast<std::int32_t>(end / length)) +
                "|term-offset=" + std::to_string(end % length),
            recorded.stream_id));
        bench.await("the live stream again", [&] {
            offer_some(recorded, 8000);
            follower.poll(recorded.numbers);
            return follower.stream->is_live() && recorded.numbers.read == 8000;
        });
        CHECK(follower.joined >= 2);
        CHECK(bench.errors.empty());
    }
}

TEST_CASE("archive peer: a persistent subscription joins between the fragments of a message") {
    Bench bench;
    Recorded recorded = record(bench);
    std::int64_t published = 0;
    const auto offer = [&] {
        std::vector<std::byte> message(5000, static_cast<std::byte>(published));
        std::memcpy(message.data(), &published, sizeof published);
        published += recorded.publication->offer(message).is_ok() ? 1 : 0;
    };
    Follower follower(bench, recorded, kFromStart, "aeron:ipc");
    std::int64_t read = 0;
    bench.await("the live stream", [&] {
        if (published < 3000) {
            offer();
        }
        follower.stream->poll(
            [&](std::span<const std::byte> message, const Header&) {
                REQUIRE(message.size() == 5000);
                CHECK(std::memcmp(message.data(), &read, sizeof read) == 0);
                CHECK(message[4999] == static_cast<std::byte>(read));
                ++read;
            },
            3);
        return follower.stream->is_live() && read == 3000;
    });
}

TEST_CASE("archive peer: a persistent subscription may begin live, or anywhere in the recording") {
    Bench bench;
    Recorded recorded = record(bench);
    recorded.publish(bench, 100);
    const std::int64_t message = recorded.publication->position() / 100;
    Follower live(bench, recorded, kFromLive, "aeron:ipc");
    Numbers from_live;
    bench.await("the live stream", [&] {
        live.poll(from_live);
        return live.stream->is_live();
    });
    from_live.read = 100;
    recorded.publish(bench, 10);
    Follower middle(bench, recorded, 40 * message, "aeron:ipc");
    Numbers from_middle;
    from_middle.read = 40;
    bench.await("both have all", [&] {
        live.poll(from_live);
        middle.poll(from_middle);
        return from_live.read == 110 && from_middle.read == 110;
    });
}

TEST_CASE("archive peer: a persistent subscription that cannot be says why") {
    Bench bench;
    Recorded recorded = record(bench);
    recorded.publish(bench, 10);
    const std::int64_t end = recorded.stop(bench);
    const auto reason = [&](std::int64_t recording_id, std::int64_t start, std::int32_t stream_id) {
        PersistentSubscriptionOptions options;
        options.recording_id = recording_id;
        options.start_position = start;
        options.live_channel = "aeron:ipc";
        options.live_stream_id = stream_id;
        options.replay_stream_id = next_stream_id();
        auto stream = value_of(PersistentSubscription::create(*bench.archive, options));
        bench.await("the failure", [&] {
            stream->poll([](auto, const Header&) {}, 10);
            return stream->has_failed();
        });
        return stream->error()->archive_code;
    };
    CHECK(reason(1'000'000, kFromStart, recorded.stream_id) == ArchiveErrorCode::kUnknownRecording);
    CHECK(reason(recorded.recording_id, end + 32, recorded.stream_id) == ArchiveErrorCode::kInvalidPosition);
    CHECK(reason(recorded.recording_id, kFromStart, 1) == ArchiveErrorCode::kGeneric);
}

// Copies of recordings; the source is the same archive.
#include "server_rig.h"

using namespace fulmar;
using namespace fulmar::archive_server::test;

namespace {

constexpr std::int64_t kMessages = 40;

/// A stopped recording of id 0; answers its stop position.
std::int64_t record(Rig& at) {
    ArchiveClient& session = *at.session;
    auto publication = session.add_recorded_exclusive_publication("aeron:ipc?term-length=64k", kStream);
    REQUIRE(publication);
    std::int64_t sent = 0;
    REQUIRE(at.run_until([&] {
        const std::vector<std::byte> message(1000, static_cast<std::byte>(sent));
        sent += sent < kMessages && (*publication)->offer(message).is_ok() ? 1 : 0;
        return sent == kMessages && session.recording_position(0).value() == (*publication)->position();
    }));
    REQUIRE(session.stop_recording(**publication));
    const std::int64_t stopped = session.stop_position(0).value();
    REQUIRE(stopped == (*publication)->position());
    return stopped;
}

}  // namespace

TEST_CASE("archive replication: the replay comes by an endpoint or over a response channel") {
    for (const std::string channel :
        {"aeron:udp?endpoint=10.77.0.1:0", "aeron:udp?control-mode=response|control=10.77.0.1:10001"}) {
        CAPTURE(channel);
        Rig at;
        at.start();
        ArchiveClient& session = at.connected();
        const std::int64_t stopped = record(at);
        ReplicationParams params;
        params.replication_channel = channel;
        const auto id = session.replicate(0, kControlChannel, 10, params);
        REQUIRE_MESSAGE(id, (id ? "" : id.error().message));
        CHECK(at.run_until([&] { return at.has_signal(RecordingSignal::kReplicateEnd); }));
        CHECK(at.has_signal(RecordingSignal::kSync));
        REQUIRE(at.run_until([&] { return session.stop_position(1).value() == stopped; }));
        CHECK(at.errors.empty());

        auto replay = session.replay(1, "aeron:ipc", kStream + 1, {});
        REQUIRE(replay);
        std::int64_t read = 0;
        CHECK(at.run_until([&] {
            (*replay)->poll(
                [&](std::span<const std::byte> message, const Header&) {
                    CHECK(message[0] == static_cast<std::byte>(read));
                    ++read;
                },
                10);
            return read == kMessages;
        }));
    }
}

TEST_CASE("archive replication: a response channel takes neither tags nor a live destination") {
    Rig at;
    at.start();
    ArchiveClient& session = at.connected();
    (void)record(at);
    ReplicationParams params;
    params.replication_channel = "aeron:udp?control-mode=response|control=10.77.0.1:10001";
    SUBCASE("live") {
        params.live_destination = "aeron:udp?endpoint=10.77.0.1:5000";
    }
    SUBCASE("channel tag") {
        params.channel_tag_id = 1;
    }
    SUBCASE("subscription tag") {
        params.subscription_tag_id = 1;
    }
    const auto refused = session.replicate(0, kControlChannel, 10, params);
    REQUIRE_FALSE(refused);
    CHECK(refused.error().message.find("control-mode=response") != std::string::npos);
    CHECK(session.find_last_matching_recording(1, "", kStream, 0).value() == kNullRecordingId);
}

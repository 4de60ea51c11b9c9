// Each request as the archive receives it: right message, right fields.
#include <set>

#include "scripted_archive.h"

using namespace fulmar;
using namespace fulmar::archive_client::test;

namespace {

/// The request that an asynchronous call sends.
template <class M, class Ask>
sbe::Decoder<M> sent(Stage& at, Request& kept, Ask&& ask) {
    const auto id = ask(*at.session);
    REQUIRE_MESSAGE(id, (id ? "" : id.error().message));
    kept = at.next_request();
    const auto message = kept.as<M>();
    CHECK(message.template get<"controlSessionId">() == kControlSession);
    CHECK(message.template get<"correlationId">() == *id);
    return message;
}

/// Requests about one recording.
template <class M, class Ask>
void check_about(Stage& at, Ask&& ask) {
    Request kept;
    CHECK(sent<M>(at, kept, ask).template get<"recordingId">() == 17);
}

}  // namespace

TEST_CASE("archive client: requests that begin and end recordings") {
    Stage at;
    at.connected();
    Request kept;
    const auto start = sent<archive::StartRecordingRequest2>(at, kept, [](ArchiveClient& client) {
        return client.async_start_recording("aeron:ipc?alias=a", 3, SourceLocation::kRemote, true);
    });
    CHECK(start.get<"streamId">() == 3);
    CHECK(start.get<"sourceLocation">() == SourceLocation::kRemote);
    CHECK(start.get<"autoStop">() == archive::Boolean::kTrue);
    CHECK(start.data<"channel">() == "aeron:ipc?alias=a");

    const auto extend = sent<archive::ExtendRecordingRequest2>(at, kept, [](ArchiveClient& client) {
        return client.async_extend_recording(17, "aeron:ipc", 3, SourceLocation::kLocal);
    });
    CHECK(extend.get<"recordingId">() == 17);
    CHECK(extend.get<"streamId">() == 3);
    CHECK(extend.get<"sourceLocation">() == SourceLocation::kLocal);
    CHECK(extend.get<"autoStop">() == archive::Boolean::kFalse);
    CHECK(extend.data<"channel">() == "aeron:ipc");

    const auto stop = sent<archive::StopRecordingRequest>(
        at, kept, [](ArchiveClient& client) { return client.async_stop_recording("aeron:ipc", 3); });
    CHECK(stop.get<"streamId">() == 3);
    CHECK(stop.data<"channel">() == "aeron:ipc");
    CHECK(sent<archive::StopRecordingSubscriptionRequest>(at, kept, [](ArchiveClient& client) {
        return client.async_stop_recording(17);
    }).get<"subscriptionId">() == 17);
    check_about<archive::StopRecordingByIdentityRequest>(
        at, [](ArchiveClient& client) { return client.async_stop_recording_by_identity(17); });
}

TEST_CASE("archive client: requests for replays, bounded ones by a message of their own") {
    Stage at;
    at.connected();
    Request kept;
    const auto plain = sent<archive::ReplayRequest>(
        at, kept, [](ArchiveClient& client) { return client.async_start_replay(17, "aeron:ipc", 4, {}); });
    CHECK(plain.get<"recordingId">() == 17);
    CHECK(plain.get<"position">() == kNullPosition);
    CHECK(plain.get<"length">() == kReplayAllAndFollow);
    CHECK(plain.get<"replayStreamId">() == 4);
    CHECK(plain.get_raw<"fileIoMaxLength">() == -1);
    CHECK(plain.get_raw<"replayToken">() == -1);
    CHECK(plain.data<"replayChannel">() == "aeron:ipc");

    ReplayParams params;
    params.position = 64;
    params.length = 128;
    params.bounding_limit_counter_id = 9;
    params.file_io_max_length = 4096;
    const auto bounded = sent<archive::BoundedReplayRequest>(at, kept,
        [&](ArchiveClient& client) { return client.async_start_replay(17, "aeron:ipc", 4, params); });
    CHECK(bounded.get<"recordingId">() == 17);
    CHECK(bounded.get<"position">() == 64);
    CHECK(bounded.get<"length">() == 128);
    CHECK(bounded.get<"limitCounterId">() == 9);
    CHECK(bounded.get<"replayStreamId">() == 4);
    CHECK(bounded.get_raw<"fileIoMaxLength">() == 4096);
    CHECK(bounded.get_raw<"replayToken">() == -1);
    CHECK(bounded.data<"replayChannel">() == "aeron:ipc");

    CHECK(sent<archive::StopReplayRequest>(at, kept, [](ArchiveClient& client) {
        return client.async_stop_replay(17);
    }).get<"replaySessionId">() == 17);
    check_about<archive::StopAllReplaysRequest>(
        at, [](ArchiveClient& client) { return client.async_stop_all_replays(17); });
}

TEST_CASE("archive client: requests that ask") {
    Stage at;
    at.connected();
    Request kept;
    const auto list = sent<archive::ListRecordingsRequest>(
        at, kept, [](ArchiveClient& client) { return client.async_list_recordings(5, 6, {}); });
    CHECK(list.get<"fromRecordingId">() == 5);
    CHECK(list.get<"recordCount">() == 6);
    const auto for_uri = sent<archive::ListRecordingsForUriRequest>(at, kept,
        [](ArchiveClient& client) { return client.async_list_recordings_for_uri(5, 6, "part", 7, {}); });
    CHECK(for_uri.get<"fromRecordingId">() == 5);
    CHECK(for_uri.get<"recordCount">() == 6);
    CHECK(for_uri.get<"streamId">() == 7);
    CHECK(for_uri.data<"channel">() == "part");
    check_about<archive::ListRecordingRequest>(
        at, [](ArchiveClient& client) { return client.async_list_recording(17, {}); });
    for (const std::optional<std::int32_t> stream : {std::optional<std::int32_t>(), std::optional(8)}) {
        const auto subscriptions =
            sent<archive::ListRecordingSubscriptionsRequest>(at, kept, [&](ArchiveClient& client) {
                return client.async_list_recording_subscriptions(1, 2, "part", stream, {});
            });
        CHECK(subscriptions.get<"pseudoIndex">() == 1);
        CHECK(subscriptions.get<"subscriptionCount">() == 2);
        CHECK((subscriptions.get<"applyStreamId">() == archive::Boolean::kTrue) == stream.has_value());
        CHECK(subscriptions.get<"streamId">() == stream.value_or(0));
        CHECK(subscriptions.data<"channel">() == "part");
    }
    const auto last = sent<archive::FindLastMatchingRecordingRequest>(at, kept,
        [](ArchiveClient& client) { return client.async_find_last_matching_recording(5, "part", 7, -3); });
    CHECK(last.get<"minRecordingId">() == 5);
    CHECK(last.get<"streamId">() == 7);
    CHECK(last.get<"sessionId">() == -3);
    CHECK(last.data<"channel">() == "part");
    check_about<archive::StartPositionRequest>(
        at, [](ArchiveClient& client) { return client.async_start_position(17); });
    check_about<archive::RecordingPositionRequest>(
        at, [](ArchiveClient& client) { return client.async_recording_position(17); });
    check_about<archive::StopPositionRequest>(
        at, [](ArchiveClient& client) { return client.async_stop_position(17); });
    check_about<archive::MaxRecordedPositionRequest>(
        at, [](ArchiveClient& client) { return client.async_max_recorded_position(17); });
}

TEST_CASE("archive client: requests that change what is kept") {
    Stage at;
    at.connected();
    Request kept;
    const auto truncate = sent<archive::TruncateRecordingRequest>(
        at, kept, [](ArchiveClient& client) { return client.async_truncate_recording(17, 64); });
    CHECK(truncate.get<"recordingId">() == 17);
    CHECK(truncate.get<"position">() == 64);
    check_about<archive::PurgeRecordingRequest>(
        at, [](ArchiveClient& client) { return client.async_purge_recording(17); });
    const auto detach = sent<archive::DetachSegmentsRequest>(
        at, kept, [](ArchiveClient& client) { return client.async_detach_segments(17, 64); });
    CHECK(detach.get<"recordingId">() == 17);
    CHECK(detach.get<"newStartPosition">() == 64);
    check_about<archive::DeleteDetachedSegmentsRequest>(
        at, [](ArchiveClient& client) { return client.async_delete_detached_segments(17); });
    const auto purge = sent<archive::PurgeSegmentsRequest>(
        at, kept, [](ArchiveClient& client) { return client.async_purge_segments(17, 64); });
    CHECK(purge.get<"recordingId">() == 17);
    CHECK(purge.get<"newStartPosition">() == 64);
    check_about<archive::AttachSegmentsRequest>(
        at, [](ArchiveClient& client) { return client.async_attach_segments(17); });
    const auto migrate = sent<archive::MigrateSegmentsRequest>(
        at, kept, [](ArchiveClient& client) { return client.async_migrate_segments(17, 18); });
    CHECK(migrate.get<"srcRecordingId">() == 17);
    CHECK(migrate.get<"dstRecordingId">() == 18);
    const auto update = sent<archive::UpdateChannelRequest>(
        at, kept, [](ArchiveClient& client) { return client.async_update_channel(17, "aeron:ipc"); });
    CHECK(update.get<"recordingId">() == 17);
    CHECK(update.data<"channel">() == "aeron:ipc");
}

namespace {

/// A stream that comes to the client the way that its requests go, as far as the driver knows.
struct ResponseStream {
    static constexpr const char* kChannel = "aeron:udp?control-mode=response|control=10.77.0.1:10001";

    explicit ResponseStream(Stage& at) {
        const std::int64_t request = at.client->async_add_subscription(kChannel, 1001).value();
        REQUIRE(at.run_until([&] {
            subscription = at.client->find_subscription(request).value();
            return subscription != nullptr;
        }));
        params.subscription_registration_id = subscription->registration_id();
    }
    std::unique_ptr<Subscription> subscription;
    ReplayParams params;
};

}  // namespace

TEST_CASE("archive client: a replay over a response channel is asked for with a token, without waiting") {
    Stage at;
    ArchiveClient& session = at.connected();
    ResponseStream stream(at);
    stream.params.position = 64;
    const std::int64_t id = session.async_start_replay(17, stream.kChannel, 1001, stream.params).value();
    CHECK_FALSE(session.find_response(id).value());
    const Request token = at.next_request();
    CHECK(token.as<archive::ReplayTokenRequest>().get<"recordingId">() == 17);
    at.archive.respond_ok(token.correlation_id(), 99);
    const Request request = at.next_request();
    const auto replay = request.as<archive::ReplayRequest>();
    CHECK(request.correlation_id() == id);
    CHECK(replay.get<"controlSessionId">() == kControlSession);
    CHECK(replay.get<"recordingId">() == 17);
    CHECK(replay.get<"position">() == 64);
    CHECK(replay.get_raw<"replayToken">() == 99);
    CHECK(replay.data<"replayChannel">() == stream.kChannel);
    CHECK_FALSE(session.find_response(id).value());
    at.archive.respond_ok(id, 5);
    CHECK(at.await(id).value() == 5);
}

TEST_CASE("archive client: what a replay over a response channel waits for in vain is named") {
    Stage at;
    ArchiveClient& session = at.connected();
    SUBCASE("nobody says which subscription it is for") {
        CHECK_FALSE(session.async_start_replay(17, ResponseStream::kChannel, 1001, {}));
    }
    SUBCASE("no token comes") {
        ResponseStream stream(at);
        const auto refused = session.start_replay(17, stream.kChannel, 1001, stream.params);
        REQUIRE_FALSE(refused);
        CHECK(refused.error().archive_code == ArchiveErrorCode::kTimeout);
        CHECK(at.archive.count(archive::ReplayTokenRequest::kId) == 1);
        CHECK(at.archive.count(archive::ReplayRequest::kId) == 0);
    }
    SUBCASE("the token is refused") {
        ResponseStream stream(at);
        at.archive.script = [&](const Request& request) {
            at.archive.respond_error(request.correlation_id(), 5, "recording 17 is not here");
            return true;
        };
        const auto refused = session.start_replay(17, stream.kChannel, 1001, stream.params);
        REQUIRE_FALSE(refused);
        CHECK(refused.error().archive_code == ArchiveErrorCode::kUnknownRecording);
    }
    SUBCASE("nobody is interested any more") {
        ResponseStream stream(at);
        const std::int64_t id = session.async_start_replay(17, stream.kChannel, 1001, stream.params).value();
        const Request token = at.next_request();
        session.cancel(id);
        at.archive.respond_ok(token.correlation_id(), 99);
        at.run(milliseconds(500));
        CHECK(at.archive.count(archive::ReplayRequest::kId) == 0);
    }
}

TEST_CASE("archive client: requests to copy, with everything and with nothing said") {
    Stage at;
    at.connected();
    Request kept;
    const auto plain = sent<archive::ReplicateRequest2>(
        at, kept, [](ArchiveClient& client) { return client.async_replicate(17, "aeron:ipc", 10, {}); });
    CHECK(plain.get<"srcRecordingId">() == 17);
    CHECK(plain.get<"dstRecordingId">() == -1);
    CHECK(plain.get<"stopPosition">() == -1);
    CHECK(plain.get<"channelTagId">() == -1);
    CHECK(plain.get<"subscriptionTagId">() == -1);
    CHECK(plain.get<"srcControlStreamId">() == 10);
    CHECK(plain.get_raw<"fileIoMaxLength">() == -1);
    CHECK(plain.get_raw<"replicationSessionId">() == -1);
    CHECK(plain.data<"srcControlChannel">() == "aeron:ipc");
    CHECK(plain.data<"liveDestination">().empty());
    CHECK(plain.data<"srcResponseChannel">().empty());

    ReplicationParams params;
    params.stop_position = 1;
    params.dst_recording_id = 2;
    params.live_destination = "live";
    params.replication_channel = "replication";
    params.src_response_channel = "response";
    params.channel_tag_id = 3;
    params.subscription_tag_id = 4;
    params.file_io_max_length = 5;
    params.replication_session_id = 6;
    params.encoded_credentials = {std::byte{7}};
    const auto full = sent<archive::ReplicateRequest2>(
        at, kept, [&](ArchiveClient& client) { return client.async_replicate(17, "aeron:ipc", 10, params); });
    CHECK(full.get<"dstRecordingId">() == 2);
    CHECK(full.get<"stopPosition">() == 1);
    CHECK(full.get<"channelTagId">() == 3);
    CHECK(full.get<"subscriptionTagId">() == 4);
    CHECK(full.get_raw<"fileIoMaxLength">() == 5);
    CHECK(full.get_raw<"replicationSessionId">() == 6);
    CHECK(full.data<"liveDestination">() == "live");
    CHECK(full.data<"replicationChannel">() == "replication");
    CHECK(full.data<"srcResponseChannel">() == "response");
    REQUIRE(full.data<"encodedCredentials">().size() == 1);
    CHECK(full.data<"encodedCredentials">()[0] == std::byte{7});
    CHECK(sent<archive::StopReplicationRequest>(at, kept, [](ArchiveClient& client) {
        return client.async_stop_replication(17);
    }).get<"replicationId">() == 17);
}

TEST_CASE("archive client: a recorded publication records its own session") {
    Stage at;
    ArchiveClient& session = at.connected();
    std::string channel;
    at.archive.script = [&](const Request& request) {
        if (request.is<archive::StartRecordingRequest2>()) {
            channel = request.as<archive::StartRecordingRequest2>().data<"channel">();
        }
        at.archive.respond_ok(request.correlation_id(), 1);
        return true;
    };
    auto publication = session.add_recorded_publication("aeron:ipc", 1001);
    REQUIRE(publication);
    CHECK(channel == "aeron:ipc?session-id=" + std::to_string((*publication)->session_id()));
    // A second one would record the first one's session again.
    const auto second = session.add_recorded_publication("aeron:ipc", 1001);
    REQUIRE_FALSE(second);
    CHECK(second.error().message.find("already") != std::string::npos);
    auto exclusive = session.add_recorded_exclusive_publication("aeron:ipc", 1001);
    REQUIRE(exclusive);
    CHECK(channel == "aeron:ipc?session-id=" + std::to_string((*exclusive)->session_id()));
    // What the archive refuses leaves no publication behind.
    at.archive.script = [&](const Request& request) {
        at.archive.respond_error(request.correlation_id(), 8, "too many");
        return true;
    };
    CHECK(session.add_recorded_exclusive_publication("aeron:ipc", 1001).error().archive_code ==
          ArchiveErrorCode::kMaxRecordings);
}

TEST_CASE("archive client: a segment begins at a whole number of segments behind the first term") {
    CHECK(segment_file_base_position(0, 0, 65536, 131072) == 0);
    CHECK(segment_file_base_position(0, 131071, 65536, 131072) == 0);
    CHECK(segment_file_base_position(0, 131072, 65536, 131072) == 131072);
    // A recording that begins in the middle of its second term.
    CHECK(segment_file_base_position(65536 + 100, 65536 + 100, 65536, 131072) == 65536);
    CHECK(segment_file_base_position(65536 + 100, 65536 + 131072, 65536, 131072) == 65536 + 131072);
    CHECK(segment_file_base_position(65536 + 100, 65536 + 131071, 65536, 131072) == 65536);
}

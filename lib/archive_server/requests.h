/// Requests of clients: told apart, checked for who may ask, and handed to who does it.
///
/// A request counts only on the image that its session was opened by. What cannot be read, or names no
/// session, is an entry in the archive's error log and changes nothing.
/// threads: the conductor's.
#pragma once

#include <cstddef>
#include <span>

#include "archive/messages.h"
#include "archive_server/context.h"
#include "archive_server/control_sessions.h"
#include "archive_server/recordings.h"
#include "archive_server/replays.h"
#include "archive_server/replications.h"
#include "archive_server/segment_ops.h"
#include "fulmar/image.h"

namespace fulmar::archive {

class Requests {
  public:
    Requests(ServerContext& context, Recordings& recordings, Replays& replays, SegmentOps& segments,
        Replications& replications)
        : context_(context),
          recordings_(recordings),
          replays_(replays),
          segments_(segments),
          replications_(replications) {}

    /// One whole message of a control stream.
    void on_message(const Image& image, std::span<const std::byte> message);

  private:
    template <class M>
    void accept(const Image& image, const sbe::Decoder<M>& request);
    template <class M>
    void accept_replay(const Image& image, const sbe::Decoder<M>& request);
    /// Null: it is not to be served, and why not has been said.
    [[nodiscard]] ControlSession* session_of(const Image& image, std::int64_t id, std::uint16_t template_id);
    [[nodiscard]] bool is_authorised(ControlSession& session, std::uint16_t template_id, Asker asker);
    /// Whether the recording exists; tells the asker otherwise.
    [[nodiscard]] bool exists(Asker asker, std::int64_t recording_id);
    [[nodiscard]] bool may_list(ControlSession& session, Asker asker);

    // One for each request.
    void handle(ControlSession&, const sbe::Decoder<CloseSessionRequest>&);
    void handle(ControlSession&, const sbe::Decoder<KeepAliveRequest>&) {}
    void handle(ControlSession&, const sbe::Decoder<ArchiveIdRequest>&);
    void handle(ControlSession&, const sbe::Decoder<StartRecordingRequest>&);
    void handle(ControlSession&, const sbe::Decoder<StartRecordingRequest2>&);
    void handle(ControlSession&, const sbe::Decoder<ExtendRecordingRequest>&);
    void handle(ControlSession&, const sbe::Decoder<ExtendRecordingRequest2>&);
    void handle(ControlSession&, const sbe::Decoder<StopRecordingRequest>&);
    void handle(ControlSession&, const sbe::Decoder<StopRecordingSubscriptionRequest>&);
    void handle(ControlSession&, const sbe::Decoder<StopRecordingByIdentityRequest>&);
    void handle(ControlSession&, const sbe::Decoder<StopReplayRequest>&);
    void handle(ControlSession&, const sbe::Decoder<StopAllReplaysRequest>&);
    void handle(ControlSession&, const sbe::Decoder<ReplayTokenRequest>&);
    void handle(ControlSession&, const sbe::Decoder<ListRecordingsRequest>&);
    void handle(ControlSession&, const sbe::Decoder<ListRecordingsForUriRequest>&);
    void handle(ControlSession&, const sbe::Decoder<ListRecordingRequest>&);
    void handle(ControlSession&, const sbe::Decoder<ListRecordingSubscriptionsRequest>&);
    void handle(ControlSession&, const sbe::Decoder<FindLastMatchingRecordingRequest>&);
    void handle(ControlSession&, const sbe::Decoder<RecordingPositionRequest>&);
    void handle(ControlSession&, const sbe::Decoder<StopPositionRequest>&);
    void handle(ControlSession&, const sbe::Decoder<StartPositionRequest>&);
    void handle(ControlSession&, const sbe::Decoder<MaxRecordedPositionRequest>&);
    void handle(ControlSession&, const sbe::Decoder<TruncateRecordingRequest>&);
    void handle(ControlSession&, const sbe::Decoder<PurgeRecordingRequest>&);
    void handle(ControlSession&, const sbe::Decoder<DetachSegmentsRequest>&);
    void handle(ControlSession&, const sbe::Decoder<DeleteDetachedSegmentsRequest>&);
    void handle(ControlSession&, const sbe::Decoder<PurgeSegmentsRequest>&);
    void handle(ControlSession&, const sbe::Decoder<AttachSegmentsRequest>&);
    void handle(ControlSession&, const sbe::Decoder<MigrateSegmentsRequest>&);
    void handle(ControlSession&, const sbe::Decoder<UpdateChannelRequest>&);
    void handle(ControlSession&, const sbe::Decoder<ReplicateRequest>&);
    void handle(ControlSession&, const sbe::Decoder<TaggedReplicateRequest>&);
    void handle(ControlSession&, const sbe::Decoder<ReplicateRequest2>&);
    void handle(ControlSession&, const sbe::Decoder<StopReplicationRequest>&);
    /// Kinds that travel the other way.
    template <class M>
    void handle(ControlSession&, const sbe::Decoder<M>&) {}

    ServerContext& context_;
    Recordings& recordings_;
    Replays& replays_;
    SegmentOps& segments_;
    Replications& replications_;
};

}  // namespace fulmar::archive

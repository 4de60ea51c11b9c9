/// All messages of the archive's control schema, for those who export or dispatch on them.
#pragma once

#include "archive/catalog_messages.h"
#include "archive/query_messages.h"
#include "archive/recording_events.h"
#include "archive/recording_messages.h"
#include "archive/replay_messages.h"
#include "archive/replication_messages.h"
#include "archive/session_messages.h"
#include "archive/storage_messages.h"

namespace fulmar::archive {

/// In the order of their template ids.
using Messages =
    sbe::Messages<ControlResponse, CloseSessionRequest, StartRecordingRequest, StopRecordingRequest,
        ReplayRequest, StopReplayRequest, ListRecordingsRequest, ListRecordingsForUriRequest,
        ListRecordingRequest, ExtendRecordingRequest, RecordingPositionRequest, TruncateRecordingRequest,
        StopRecordingSubscriptionRequest, StopPositionRequest, FindLastMatchingRecordingRequest,
        ListRecordingSubscriptionsRequest, BoundedReplayRequest, StopAllReplaysRequest, CatalogHeader,
        RecordingDescriptorHeader, RecordingDescriptor, RecordingSubscriptionDescriptor, RecordingSignalEvent,
        ReplicateRequest, StopReplicationRequest, StartPositionRequest, DetachSegmentsRequest,
        DeleteDetachedSegmentsRequest, PurgeSegmentsRequest, AttachSegmentsRequest, MigrateSegmentsRequest,
        AuthConnectRequest, Challenge, ChallengeResponse, KeepAliveRequest, TaggedReplicateRequest,
        StartRecordingRequest2, ExtendRecordingRequest2, StopRecordingByIdentityRequest, ReplicateRequest2,
        MaxRecordedPositionRequest, ArchiveIdRequest, RecordingStarted, RecordingProgress, RecordingStopped,
        PurgeRecordingRequest, ReplayTokenRequest, Ping, UpdateChannelRequest>;

}  // namespace fulmar::archive

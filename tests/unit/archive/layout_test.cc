/// Template id, block length and offsets of every message of an archive, as listed in the protocol's
/// specification: transcribed from there, not from the descriptions.
#include "archive/mark_file.h"
#include "archive/messages.h"
#include "tests/unit/sbe_golden.h"

namespace fulmar::archive {

using test::laid;

static_assert(laid<ControlResponse>(1, 32,
    {{"controlSessionId", 0}, {"correlationId", 8}, {"relevantId", 16}, {"code", 24}, {"version", 28}}));
static_assert(laid<CloseSessionRequest>(3, 8, {{"controlSessionId", 0}}));
static_assert(laid<StartRecordingRequest>(
    4, 24, {{"controlSessionId", 0}, {"correlationId", 8}, {"streamId", 16}, {"sourceLocation", 20}}));
static_assert(
    laid<StopRecordingRequest>(5, 20, {{"controlSessionId", 0}, {"correlationId", 8}, {"streamId", 16}}));
static_assert(laid<ReplayRequest>(6, 56,
    {{"controlSessionId", 0}, {"correlationId", 8}, {"recordingId", 16}, {"position", 24}, {"length", 32},
        {"replayStreamId", 40}, {"fileIoMaxLength", 44}, {"replayToken", 48}}));
static_assert(
    laid<StopReplayRequest>(7, 24, {{"controlSessionId", 0}, {"correlationId", 8}, {"replaySessionId", 16}}));
static_assert(laid<ListRecordingsRequest>(
    8, 28, {{"controlSessionId", 0}, {"correlationId", 8}, {"fromRecordingId", 16}, {"recordCount", 24}}));
static_assert(laid<ListRecordingsForUriRequest>(9, 32,
    {{"controlSessionId", 0}, {"correlationId", 8}, {"fromRecordingId", 16}, {"recordCount", 24},
        {"streamId", 28}}));
static_assert(
    laid<ListRecordingRequest>(10, 24, {{"controlSessionId", 0}, {"correlationId", 8}, {"recordingId", 16}}));
static_assert(laid<ExtendRecordingRequest>(11, 32,
    {{"controlSessionId", 0}, {"correlationId", 8}, {"recordingId", 16}, {"streamId", 24},
        {"sourceLocation", 28}}));
static_assert(laid<RecordingPositionRequest>(
    12, 24, {{"controlSessionId", 0}, {"correlationId", 8}, {"recordingId", 16}}));
static_assert(laid<TruncateRecordingRequest>(
    13, 32, {{"controlSessionId", 0}, {"correlationId", 8}, {"recordingId", 16}, {"position", 24}}));
static_assert(laid<StopRecordingSubscriptionRequest>(
    14, 24, {{"controlSessionId", 0}, {"correlationId", 8}, {"subscriptionId", 16}}));
static_assert(
    laid<StopPositionRequest>(15, 24, {{"controlSessionId", 0}, {"correlationId", 8}, {"recordingId", 16}}));
static_assert(laid<FindLastMatchingRecordingRequest>(16, 32,
    {{"controlSessionId", 0}, {"correlationId", 8}, {"minRecordingId", 16}, {"sessionId", 24},
        {"streamId", 28}}));
static_assert(laid<ListRecordingSubscriptionsRequest>(17, 32,
    {{"controlSessionId", 0}, {"correlationId", 8}, {"pseudoIndex", 16}, {"subscriptionCount", 20},
        {"applyStreamId", 24}, {"streamId", 28}}));
static_assert(laid<BoundedReplayRequest>(18, 60,
    {{"controlSessionId", 0}, {"correlationId", 8}, {"recordingId", 16}, {"position", 24}, {"length", 32},
        {"limitCounterId", 40}, {"replayStreamId", 44}, {"fileIoMaxLength", 48}, {"replayToken", 52}}));
static_assert(laid<StopAllReplaysRequest>(
    19, 24, {{"controlSessionId", 0}, {"correlationId", 8}, {"recordingId", 16}}));
static_assert(laid<CatalogHeader>(
    20, 32, {{"version", 0}, {"length", 4}, {"nextRecordingId", 8}, {"alignment", 16}, {"reserved", 31}}));
static_assert(laid<RecordingDescriptorHeader>(
    21, 32, {{"length", 0}, {"state", 4}, {"checksum", 8}, {"reserved", 31}}));
static_assert(laid<RecordingDescriptor>(22, 80,
    {{"controlSessionId", 0}, {"correlationId", 8}, {"recordingId", 16}, {"startTimestamp", 24},
        {"stopTimestamp", 32}, {"startPosition", 40}, {"stopPosition", 48}, {"initialTermId", 56},
        {"segmentFileLength", 60}, {"termBufferLength", 64}, {"mtuLength", 68}, {"sessionId", 72},
        {"streamId", 76}}));
static_assert(laid<RecordingSubscriptionDescriptor>(
    23, 28, {{"controlSessionId", 0}, {"correlationId", 8}, {"subscriptionId", 16}, {"streamId", 24}}));
static_assert(laid<RecordingSignalEvent>(24, 44,
    {{"controlSessionId", 0}, {"correlationId", 8}, {"recordingId", 16}, {"subscriptionId", 24},
        {"position", 32}, {"signal", 40}}));
static_assert(laid<ReplicateRequest>(50, 36,
    {{"controlSessionId", 0}, {"correlationId", 8}, {"srcRecordingId", 16}, {"dstRecordingId", 24},
        {"srcControlStreamId", 32}}));
static_assert(laid<StopReplicationRequest>(
    51, 24, {{"controlSessionId", 0}, {"correlationId", 8}, {"replicationId", 16}}));
static_assert(
    laid<StartPositionRequest>(52, 24, {{"controlSessionId", 0}, {"correlationId", 8}, {"recordingId", 16}}));
static_assert(laid<DetachSegmentsRequest>(
    53, 32, {{"controlSessionId", 0}, {"correlationId", 8}, {"recordingId", 16}, {"newStartPosition", 24}}));
static_assert(laid<DeleteDetachedSegmentsRequest>(
    54, 24, {{"controlSessionId", 0}, {"correlationId", 8}, {"recordingId", 16}}));
static_assert(laid<PurgeSegmentsRequest>(
    55, 32, {{"controlSessionId", 0}, {"correlationId", 8}, {"recordingId", 16}, {"newStartPosition", 24}}));
static_assert(laid<AttachSegmentsRequest>(
    56, 24, {{"controlSessionId", 0}, {"correlationId", 8}, {"recordingId", 16}}));
static_assert(laid<MigrateSegmentsRequest>(
    57, 32, {{"controlSessionId", 0}, {"correlationId", 8}, {"srcRecordingId", 16}, {"dstRecordingId", 24}}));
static_assert(
    laid<AuthConnectRequest>(58, 16, {{"correlationId", 0}, {"responseStreamId", 8}, {"version", 12}}));
static_assert(laid<Challenge>(59, 20, {{"controlSessionId", 0}, {"correlationId", 8}, {"version", 16}}));
static_assert(laid<ChallengeResponse>(60, 16, {{"controlSessionId", 0}, {"correlationId", 8}}));
static_assert(laid<KeepAliveRequest>(61, 16, {{"controlSessionId", 0}, {"correlationId", 8}}));
static_assert(laid<TaggedReplicateRequest>(62, 52,
    {{"controlSessionId", 0}, {"correlationId", 8}, {"srcRecordingId", 16}, {"dstRecordingId", 24},
        {"channelTagId", 32}, {"subscriptionTagId", 40}, {"srcControlStreamId", 48}}));
static_assert(laid<StartRecordingRequest2>(63, 28,
    {{"controlSessionId", 0}, {"correlationId", 8}, {"streamId", 16}, {"sourceLocation", 20},
        {"autoStop", 24}}));
static_assert(laid<ExtendRecordingRequest2>(64, 36,
    {{"controlSessionId", 0}, {"correlationId", 8}, {"recordingId", 16}, {"streamId", 24},
        {"sourceLocation", 28}, {"autoStop", 32}}));
static_assert(laid<StopRecordingByIdentityRequest>(
    65, 24, {{"controlSessionId", 0}, {"correlationId", 8}, {"recordingId", 16}}));
static_assert(laid<ReplicateRequest2>(66, 68,
    {{"controlSessionId", 0}, {"correlationId", 8}, {"srcRecordingId", 16}, {"dstRecordingId", 24},
        {"stopPosition", 32}, {"channelTagId", 40}, {"subscriptionTagId", 48}, {"srcControlStreamId", 56},
        {"fileIoMaxLength", 60}, {"replicationSessionId", 64}}));
static_assert(laid<MaxRecordedPositionRequest>(
    67, 24, {{"controlSessionId", 0}, {"correlationId", 8}, {"recordingId", 16}}));
static_assert(laid<ArchiveIdRequest>(68, 16, {{"controlSessionId", 0}, {"correlationId", 8}}));
static_assert(laid<RecordingStarted>(
    101, 24, {{"recordingId", 0}, {"startPosition", 8}, {"sessionId", 16}, {"streamId", 20}}));
static_assert(laid<RecordingProgress>(102, 24, {{"recordingId", 0}, {"startPosition", 8}, {"position", 16}}));
static_assert(
    laid<RecordingStopped>(103, 24, {{"recordingId", 0}, {"startPosition", 8}, {"stopPosition", 16}}));
static_assert(laid<PurgeRecordingRequest>(
    104, 24, {{"controlSessionId", 0}, {"correlationId", 8}, {"recordingId", 16}}));
static_assert(
    laid<ReplayTokenRequest>(105, 24, {{"controlSessionId", 0}, {"correlationId", 8}, {"recordingId", 16}}));
static_assert(laid<Ping>(106, 8, {{"controlSessionId", 0}}));
static_assert(laid<UpdateChannelRequest>(
    107, 24, {{"controlSessionId", 0}, {"correlationId", 8}, {"recordingId", 16}}));
static_assert(laid<MarkFileHeader>(200, 128,
    {{"version", 0}, {"activityTimestamp", 8}, {"startTimestamp", 16}, {"pid", 24}, {"controlStreamId", 32},
        {"localControlStreamId", 36}, {"eventsStreamId", 40}, {"headerLength", 44}, {"errorBufferLength", 48},
        {"archiveId", 56}}));

}  // namespace fulmar::archive

/// Questions about recordings: listings, positions, and which recording a stream has.
/// source: Aeron 1.53, schema 101.
#pragma once

#include "archive/control_schema.h"

namespace fulmar::archive {

/// Client to archive: a RecordingDescriptor of each of at most recordCount recordings from this id on. Fewer
/// end with a ControlResponse RECORDING_UNKNOWN.
struct ListRecordingsRequest
    : sbe::Message<ControlSchema, "ListRecordingsRequest", 8, ControlSessionId, CorrelationId,
          sbe::Field<"fromRecordingId", 3, std::int64_t>, sbe::Field<"recordCount", 4, std::int32_t>> {};

/// The same of those with this stream whose original channel contains this text.
struct ListRecordingsForUriRequest
    : sbe::Message<ControlSchema, "ListRecordingsForUriRequest", 9, ControlSessionId, CorrelationId,
          sbe::Field<"fromRecordingId", 3, std::int64_t>, sbe::Field<"recordCount", 4, std::int32_t>,
          sbe::Field<"streamId", 5, std::int32_t>, sbe::Data<"channel", 6, sbe::VarAscii>> {};

/// The same of one recording.
struct ListRecordingRequest
    : sbe::Message<ControlSchema, "ListRecordingRequest", 10, ControlSessionId, CorrelationId, RecordingId> {
};

/// Client to archive: a RecordingSubscriptionDescriptor of each recording subscription that matches.
/// pseudoIndex: how many of them to skip. applyStreamId: whether streamId has to match; channel: a part of
/// theirs.
struct ListRecordingSubscriptionsRequest
    : sbe::Message<ControlSchema, "ListRecordingSubscriptionsRequest", 17, ControlSessionId, CorrelationId,
          sbe::Field<"pseudoIndex", 3, std::int32_t>, sbe::Field<"subscriptionCount", 4, std::int32_t>,
          sbe::Field<"applyStreamId", 5, BooleanType>, sbe::Field<"streamId", 6, std::int32_t>,
          sbe::Data<"channel", 7, sbe::VarAscii>> {};

/// Archive to client, one for each subscription listed.
struct RecordingSubscriptionDescriptor
    : sbe::Message<ControlSchema, "RecordingSubscriptionDescriptor", 23, ControlSessionId, CorrelationId,
          sbe::Field<"subscriptionId", 3, std::int64_t>, sbe::Field<"streamId", 4, std::int32_t>,
          sbe::Data<"strippedChannel", 5, sbe::VarAscii>> {};

/// Client to archive: the newest recording from minRecordingId on with this session and stream whose original
/// channel contains this text; -1 in the response for none.
struct FindLastMatchingRecordingRequest
    : sbe::Message<ControlSchema, "FindLastMatchingRecordingRequest", 16, ControlSessionId, CorrelationId,
          sbe::Field<"minRecordingId", 3, std::int64_t>, sbe::Field<"sessionId", 4, std::int32_t>,
          sbe::Field<"streamId", 5, std::int32_t>, sbe::Data<"channel", 6, sbe::VarAscii>> {};

/// Client to archive: how far an active recording is; -1 for one that is not active.
struct RecordingPositionRequest : sbe::Message<ControlSchema, "RecordingPositionRequest", 12,
                                      ControlSessionId, CorrelationId, RecordingId> {};

/// Client to archive: where a recording stopped; -1 for an active one.
struct StopPositionRequest
    : sbe::Message<ControlSchema, "StopPositionRequest", 15, ControlSessionId, CorrelationId, RecordingId> {};

/// Client to archive: the lowest position that a recording holds.
struct StartPositionRequest
    : sbe::Message<ControlSchema, "StartPositionRequest", 52, ControlSessionId, CorrelationId, RecordingId> {
};

/// Client to archive: how far a recording is or, where it is not active, was when it stopped.
struct MaxRecordedPositionRequest : sbe::Message<ControlSchema, "MaxRecordedPositionRequest", 67,
                                        ControlSessionId, CorrelationId, RecordingId, sbe::Since<9>> {};

}  // namespace fulmar::archive

/// Requests that begin, extend and end recordings, and the signals they cause.
/// source: Aeron 1.53, schema 101.
#pragma once

#include "archive/control_schema.h"

namespace fulmar::archive {

/// Client to archive: record each image of this channel and stream. The response carries the subscription's
/// id; nothing is recorded until an image comes.
struct StartRecordingRequest
    : sbe::Message<ControlSchema, "StartRecordingRequest", 4, ControlSessionId, CorrelationId,
          sbe::Field<"streamId", 3, std::int32_t>, sbe::Field<"sourceLocation", 4, SourceLocationType>,
          sbe::Data<"channel", 5, sbe::VarAscii>> {};

/// The same with autoStop: the subscription ends with the first recording that does.
struct StartRecordingRequest2
    : sbe::Message<ControlSchema, "StartRecordingRequest2", 63, ControlSessionId, CorrelationId,
          sbe::Field<"streamId", 3, std::int32_t>, sbe::Field<"sourceLocation", 4, SourceLocationType>,
          sbe::Field<"autoStop", 5, BooleanType>, sbe::Data<"channel", 6, sbe::VarAscii>> {};

/// Client to archive: go on with a stopped recording. The image has to join where the recording stopped.
struct ExtendRecordingRequest
    : sbe::Message<ControlSchema, "ExtendRecordingRequest", 11, ControlSessionId, CorrelationId, RecordingId,
          sbe::Field<"streamId", 4, std::int32_t>, sbe::Field<"sourceLocation", 5, SourceLocationType>,
          sbe::Data<"channel", 6, sbe::VarAscii>> {};

/// The same with autoStop.
struct ExtendRecordingRequest2
    : sbe::Message<ControlSchema, "ExtendRecordingRequest2", 64, ControlSessionId, CorrelationId, RecordingId,
          sbe::Field<"streamId", 4, std::int32_t>, sbe::Field<"sourceLocation", 5, SourceLocationType>,
          sbe::Field<"autoStop", 6, BooleanType>, sbe::Data<"channel", 7, sbe::VarAscii>> {};

/// Client to archive: stop what was started with this channel and stream.
struct StopRecordingRequest
    : sbe::Message<ControlSchema, "StopRecordingRequest", 5, ControlSessionId, CorrelationId,
          sbe::Field<"streamId", 3, std::int32_t>, sbe::Data<"channel", 4, sbe::VarAscii>> {};

/// Client to archive: stop by the subscription id of the start's response.
struct StopRecordingSubscriptionRequest
    : sbe::Message<ControlSchema, "StopRecordingSubscriptionRequest", 14, ControlSessionId, CorrelationId,
          sbe::Field<"subscriptionId", 3, std::int64_t>> {};

/// Client to archive: stop one recording. relevantId of the response is 1 if it was active, else 0.
struct StopRecordingByIdentityRequest : sbe::Message<ControlSchema, "StopRecordingByIdentityRequest", 65,
                                            ControlSessionId, CorrelationId, RecordingId> {};

/// Archive to the client whose request caused it: something happened to a recording.
/// correlationId: of the request, or the id of the replication. subscriptionId and position: -1 where they
/// say nothing.
struct RecordingSignalEvent
    : sbe::Message<ControlSchema, "RecordingSignalEvent", 24, ControlSessionId, CorrelationId, RecordingId,
          sbe::Field<"subscriptionId", 4, std::int64_t>, sbe::Field<"position", 5, std::int64_t>,
          sbe::Field<"signal", 6, RecordingSignalType>> {};

}  // namespace fulmar::archive

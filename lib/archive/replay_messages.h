/// Requests for replays. A response's relevantId is the replay session id, whose low 32 bits are the session
/// id of the replayed stream. source: Aeron 1.53, schema 101.
#pragma once

#include "archive/control_schema.h"

namespace fulmar::archive {

/// Client to archive: publish a recording again. position -1: from its start. length -1: all, following a
/// live recording; -2: up to what is there now. fileIoMaxLength: most bytes per read, -1 for the archive's
/// own. replayToken: -1, or the token that lets this request come over a second publication whose responses
/// are the replay.
struct ReplayRequest
    : sbe::Message<ControlSchema, "ReplayRequest", 6, ControlSessionId, CorrelationId, RecordingId,
          sbe::Field<"position", 4, std::int64_t>, sbe::Field<"length", 5, std::int64_t>,
          sbe::Field<"replayStreamId", 6, std::int32_t>,
          sbe::Field<"fileIoMaxLength", 8, std::int32_t, sbe::Since<7>>,
          sbe::Field<"replayToken", 9, std::int64_t, sbe::Since<10>>,
          sbe::Data<"replayChannel", 7, sbe::VarAscii>> {};

/// The same, never past the position that a counter of the archive's driver holds.
struct BoundedReplayRequest
    : sbe::Message<ControlSchema, "BoundedReplayRequest", 18, ControlSessionId, CorrelationId, RecordingId,
          sbe::Field<"position", 4, std::int64_t>, sbe::Field<"length", 5, std::int64_t>,
          sbe::Field<"limitCounterId", 6, std::int32_t>, sbe::Field<"replayStreamId", 7, std::int32_t>,
          sbe::Field<"fileIoMaxLength", 9, std::int32_t, sbe::Since<7>>,
          sbe::Field<"replayToken", 10, std::int64_t, sbe::Since<10>>,
          sbe::Data<"replayChannel", 8, sbe::VarAscii>> {};

/// Client to archive: end a replay. OK even where it has ended already.
struct StopReplayRequest : sbe::Message<ControlSchema, "StopReplayRequest", 7, ControlSessionId,
                               CorrelationId, sbe::Field<"replaySessionId", 3, std::int64_t>> {};

/// Client to archive: end all replays of a recording; recordingId -1: all of the archive.
struct StopAllReplaysRequest
    : sbe::Message<ControlSchema, "StopAllReplaysRequest", 19, ControlSessionId, CorrelationId, RecordingId> {
};

/// Client to archive: a token for ReplayRequest, good for a few seconds and this recording.
struct ReplayTokenRequest : sbe::Message<ControlSchema, "ReplayTokenRequest", 105, ControlSessionId,
                                CorrelationId, RecordingId, sbe::Since<10>> {};

}  // namespace fulmar::archive

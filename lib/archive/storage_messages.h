/// Requests that change what is kept: cutting, purging and moving segments, and a recording's channel.
/// A deletion runs on after its response and ends with a DELETE signal.
/// source: Aeron 1.53, schema 101.
#pragma once

#include "archive/control_schema.h"

namespace fulmar::archive {

/// Client to archive: cut a stopped recording back to this position.
struct TruncateRecordingRequest
    : sbe::Message<ControlSchema, "TruncateRecordingRequest", 13, ControlSessionId, CorrelationId,
          RecordingId, sbe::Field<"position", 4, std::int64_t>> {};

/// Client to archive: delete a stopped recording with all its segments.
struct PurgeRecordingRequest : sbe::Message<ControlSchema, "PurgeRecordingRequest", 104, ControlSessionId,
                                   CorrelationId, RecordingId, sbe::Since<5>> {};

/// Client to archive: let a recording begin at this segment boundary; the files before it stay.
struct DetachSegmentsRequest
    : sbe::Message<ControlSchema, "DetachSegmentsRequest", 53, ControlSessionId, CorrelationId, RecordingId,
          sbe::Field<"newStartPosition", 4, std::int64_t>> {};

/// Client to archive: delete the files before a recording's start.
struct DeleteDetachedSegmentsRequest : sbe::Message<ControlSchema, "DeleteDetachedSegmentsRequest", 54,
                                           ControlSessionId, CorrelationId, RecordingId> {};

/// Client to archive: detach and delete in one.
struct PurgeSegmentsRequest
    : sbe::Message<ControlSchema, "PurgeSegmentsRequest", 55, ControlSessionId, CorrelationId, RecordingId,
          sbe::Field<"newStartPosition", 4, std::int64_t>> {};

/// Client to archive: take the files before a recording's start back into it.
struct AttachSegmentsRequest
    : sbe::Message<ControlSchema, "AttachSegmentsRequest", 56, ControlSessionId, CorrelationId, RecordingId> {
};

/// Client to archive: move the segments of one recording to the end or the beginning of another that fits.
struct MigrateSegmentsRequest
    : sbe::Message<ControlSchema, "MigrateSegmentsRequest", 57, ControlSessionId, CorrelationId,
          sbe::Field<"srcRecordingId", 3, std::int64_t>, sbe::Field<"dstRecordingId", 4, std::int64_t>> {};

/// Client to archive: give a recording another channel in the catalog.
struct UpdateChannelRequest
    : sbe::Message<ControlSchema, "UpdateChannelRequest", 107, ControlSessionId, CorrelationId, RecordingId,
          sbe::Data<"channel", 4, sbe::VarAscii>, sbe::Since<13>> {};

}  // namespace fulmar::archive

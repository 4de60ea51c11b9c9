/// Requests to copy a recording from another archive. The response's relevantId is the replication id;
/// signals tell how it goes on. source: Aeron 1.53, schema 101.
#pragma once

#include "archive/control_schema.h"

namespace fulmar::archive {

/// Client to the archive that shall have the copy. dstRecordingId -1: make a new recording.
/// srcControlChannel and stream: where the source archive takes requests. liveDestination: where the live
/// stream can be joined once the copy has caught up; empty for none.
struct ReplicateRequest
    : sbe::Message<ControlSchema, "ReplicateRequest", 50, ControlSessionId, CorrelationId,
          sbe::Field<"srcRecordingId", 3, std::int64_t>, sbe::Field<"dstRecordingId", 4, std::int64_t>,
          sbe::Field<"srcControlStreamId", 5, std::int32_t>, sbe::Data<"srcControlChannel", 6, sbe::VarAscii>,
          sbe::Data<"liveDestination", 7, sbe::VarAscii>> {};

/// The same with tags for the subscription that records the copy, so that others can follow it.
struct TaggedReplicateRequest
    : sbe::Message<ControlSchema, "TaggedReplicateRequest", 62, ControlSessionId, CorrelationId,
          sbe::Field<"srcRecordingId", 3, std::int64_t>, sbe::Field<"dstRecordingId", 4, std::int64_t>,
          sbe::Field<"channelTagId", 5, std::int64_t>, sbe::Field<"subscriptionTagId", 6, std::int64_t>,
          sbe::Field<"srcControlStreamId", 7, std::int32_t>, sbe::Data<"srcControlChannel", 8, sbe::VarAscii>,
          sbe::Data<"liveDestination", 9, sbe::VarAscii>> {};

/// What clients send now. stopPosition -1: up to the source's stop, or follow it; tags, lengths and ids: -1
/// for none. replicationChannel: where the source's replay is received; empty for the archive's own.
/// encodedCredentials and srcResponseChannel: for the session with the source archive.
struct ReplicateRequest2
    : sbe::Message<ControlSchema, "ReplicateRequest2", 66, ControlSessionId, CorrelationId,
          sbe::Field<"srcRecordingId", 3, std::int64_t>, sbe::Field<"dstRecordingId", 4, std::int64_t>,
          sbe::Field<"stopPosition", 5, std::int64_t>, sbe::Field<"channelTagId", 6, std::int64_t>,
          sbe::Field<"subscriptionTagId", 7, std::int64_t>, sbe::Field<"srcControlStreamId", 8, std::int32_t>,
          sbe::Field<"fileIoMaxLength", 12, std::int32_t, sbe::Since<7>>,
          sbe::Field<"replicationSessionId", 13, std::int32_t, sbe::Since<8>>,
          sbe::Data<"srcControlChannel", 9, sbe::VarAscii>, sbe::Data<"liveDestination", 10, sbe::VarAscii>,
          sbe::Data<"replicationChannel", 11, sbe::VarAscii>,
          sbe::Data<"encodedCredentials", 14, sbe::VarBytes, sbe::Since<8>>,
          sbe::Data<"srcResponseChannel", 15, sbe::VarAscii, sbe::Since<10>>, sbe::Since<6>> {};

/// Client to archive: give a replication up.
struct StopReplicationRequest : sbe::Message<ControlSchema, "StopReplicationRequest", 51, ControlSessionId,
                                    CorrelationId, sbe::Field<"replicationId", 3, std::int64_t>> {};

}  // namespace fulmar::archive

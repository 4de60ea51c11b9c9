/// What an archive tells everybody who listens to its recording events stream, if it has one.
/// source: Aeron 1.53, schema 101.
#pragma once

#include "archive/control_schema.h"

namespace fulmar::archive {

/// A recording has begun or is extended.
struct RecordingStarted
    : sbe::Message<ControlSchema, "RecordingStarted", 101, sbe::Field<"recordingId", 1, std::int64_t>,
          sbe::Field<"startPosition", 2, std::int64_t>, sbe::Field<"sessionId", 3, std::int32_t>,
          sbe::Field<"streamId", 4, std::int32_t>, sbe::Data<"channel", 5, sbe::VarAscii>,
          sbe::Data<"sourceIdentity", 6, sbe::VarAscii>> {};

/// After a write; best effort, some may be left out.
struct RecordingProgress
    : sbe::Message<ControlSchema, "RecordingProgress", 102, sbe::Field<"recordingId", 1, std::int64_t>,
          sbe::Field<"startPosition", 2, std::int64_t>, sbe::Field<"position", 3, std::int64_t>> {};

/// A recording has stopped.
struct RecordingStopped
    : sbe::Message<ControlSchema, "RecordingStopped", 103, sbe::Field<"recordingId", 1, std::int64_t>,
          sbe::Field<"startPosition", 2, std::int64_t>, sbe::Field<"stopPosition", 3, std::int64_t>> {};

}  // namespace fulmar::archive

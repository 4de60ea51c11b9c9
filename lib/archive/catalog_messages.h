/// What the catalog file holds. CatalogHeader and RecordingDescriptorHeader are never sent: their blocks lie
/// in the file without a message header. So does RecordingDescriptor there; with one it also travels. source:
/// Aeron 1.53, schema 101; catalog version 3.1.0.
#pragma once

#include "archive/control_schema.h"

namespace fulmar::archive {

/// The first bytes of the catalog. length: of this header. alignment: of the entries, 0 in old files of 1024.
struct CatalogHeader
    : sbe::Message<ControlSchema, "CatalogHeader", 20, sbe::Field<"version", 1, std::int32_t>,
          sbe::Field<"length", 2, std::int32_t>, sbe::Field<"nextRecordingId", 3, std::int64_t>,
          sbe::Field<"alignment", 4, std::int32_t>, sbe::Field<"reserved", 5, std::int8_t, sbe::At<31>>> {};

/// Before each entry of the catalog. length: of the descriptor behind it, padding included. checksum: over
/// that, 0 where the archive keeps none.
struct RecordingDescriptorHeader
    : sbe::Message<ControlSchema, "RecordingDescriptorHeader", 21, sbe::Field<"length", 1, std::int32_t>,
          sbe::Field<"state", 2, RecordingStateType>, sbe::Field<"checksum", 4, std::int32_t>,
          sbe::Field<"reserved", 3, std::int8_t, sbe::At<31>>> {};

/// A recording: an entry of the catalog, and archive to client in a listing. What is listed is sent as it
/// lies in the file, so that padding may follow the last text. stopTimestamp and stopPosition: -1 while it is
/// active. strippedChannel: what the archive subscribes to; originalChannel: what the request said.
struct RecordingDescriptor
    : sbe::Message<ControlSchema, "RecordingDescriptor", 22, ControlSessionId, CorrelationId, RecordingId,
          sbe::Field<"startTimestamp", 4, EpochMillis>, sbe::Field<"stopTimestamp", 5, EpochMillis>,
          sbe::Field<"startPosition", 6, std::int64_t>, sbe::Field<"stopPosition", 7, std::int64_t>,
          sbe::Field<"initialTermId", 8, std::int32_t>, sbe::Field<"segmentFileLength", 9, std::int32_t>,
          sbe::Field<"termBufferLength", 10, std::int32_t>, sbe::Field<"mtuLength", 11, std::int32_t>,
          sbe::Field<"sessionId", 12, std::int32_t>, sbe::Field<"streamId", 13, std::int32_t>,
          sbe::Data<"strippedChannel", 14, sbe::VarAscii>, sbe::Data<"originalChannel", 15, sbe::VarAscii>,
          sbe::Data<"sourceIdentity", 16, sbe::VarAscii>> {};

}  // namespace fulmar::archive

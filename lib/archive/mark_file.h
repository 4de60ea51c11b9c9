/// The head of an archive's mark file, `archive-mark.dat`: who owns the directory and where to reach it.
/// source: Aeron 1.53, schema 100 version 2.
#pragma once

#include <cstdint>

#include "fulmar/sbe/description.h"

namespace fulmar::archive {

struct MarkFileSchema : sbe::Schema<"io.aeron.archive.codecs.mark", 100, 2, sbe::SemanticVersion<"5.2">,
                            sbe::Description<"Mark file of an archive.">> {};

/// Milliseconds since 1970.
struct MarkFileMillis : sbe::Type<"time_t", std::int64_t> {};
/// A length in bytes, 0 where the writer was too old to say.
struct MarkFileLength : sbe::Type<"length_t", std::int32_t, sbe::Optional, sbe::Null<0>> {};
struct MarkFileArchiveId : sbe::Type<"archiveId_t", std::int64_t, sbe::Optional, sbe::Null<-1>> {};

/// Written once by the archive at its start, behind a message header at the head of the file; then it
/// refreshes activityTimestamp each second, and sets it to -1 when it ends in order. Whoever finds a fresh
/// one must not touch the directory. version: a packed semantic version, 0 until all else is written.
/// headerLength: what lies before the error log, whose length is errorBufferLength.
struct MarkFileHeader
    : sbe::Message<MarkFileSchema, "MarkFileHeader", 200, sbe::BlockLength<128>,
          sbe::Field<"version", 1, std::int32_t>,
          sbe::Field<"activityTimestamp", 2, MarkFileMillis, sbe::At<8>>,
          sbe::Field<"startTimestamp", 3, MarkFileMillis>, sbe::Field<"pid", 4, std::int64_t>,
          sbe::Field<"controlStreamId", 5, std::int32_t>, sbe::Field<"localControlStreamId", 6, std::int32_t>,
          sbe::Field<"eventsStreamId", 7, std::int32_t>,
          sbe::Field<"headerLength", 8, MarkFileLength, sbe::Since<1>>,
          sbe::Field<"errorBufferLength", 9, MarkFileLength, sbe::Since<1>>,
          sbe::Field<"archiveId", 14, MarkFileArchiveId, sbe::At<56>, sbe::Since<2>>,
          sbe::Data<"controlChannel", 10, sbe::VarAscii>, sbe::Data<"localControlChannel", 11, sbe::VarAscii>,
          sbe::Data<"eventsChannel", 12, sbe::VarAscii>, sbe::Data<"aeronDirectory", 13, sbe::VarAscii>> {};

}  // namespace fulmar::archive

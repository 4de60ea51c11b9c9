/// The schema that clients and servers of an archive speak, its types, and the fields that most messages
/// begin with. source: Aeron 1.53, schema 101 version 14. Names are Aeron's, so that what other languages
/// generate from our export reads like what they generate from Aeron's own schema.
#pragma once

#include <cstdint>

#include "fulmar/archive/codes.h"
#include "fulmar/sbe/description.h"

namespace fulmar::archive {

/// Spoken over a control session, in the catalog and on the recording events stream.
struct ControlSchema
    : sbe::Schema<"io.aeron.archive.codecs", 101, 14, sbe::SemanticVersion<"5.2">,
          sbe::Description<"Control protocol, catalog and recording events of an archive.">> {};

/// Version of the control protocol in AuthConnectRequest and ControlResponse: a packed semantic version, of
/// which the major part has to agree.
inline constexpr std::int32_t kControlProtocolVersion = 1 << 16 | 12 << 8 | 0;

/// How a request went.
enum class ControlResponseCode : std::int32_t {
    kOk = 0,
    kError = 1,             ///< relevantId is an error code, errorMessage a text for people
    kRecordingUnknown = 2,  ///< relevantId is the recording id asked for; also ends a listing of recordings
    kSubscriptionUnknown = 3,  ///< ends a listing of subscriptions
};
struct ControlResponseCodeType
    : sbe::Enum<"ControlResponseCode", ControlResponseCode, sbe::Value<"OK", ControlResponseCode::kOk>,
          sbe::Value<"ERROR", ControlResponseCode::kError>,
          sbe::Value<"RECORDING_UNKNOWN", ControlResponseCode::kRecordingUnknown>,
          sbe::Value<"SUBSCRIPTION_UNKNOWN", ControlResponseCode::kSubscriptionUnknown>> {};

using fulmar::SourceLocation;
struct SourceLocationType
    : sbe::Enum<"SourceLocation", SourceLocation, sbe::Value<"LOCAL", SourceLocation::kLocal>,
          sbe::Value<"REMOTE", SourceLocation::kRemote>> {};

enum class Boolean : std::int32_t { kFalse = 0, kTrue = 1 };
struct BooleanType : sbe::Enum<"BooleanType", Boolean, sbe::Value<"FALSE", Boolean::kFalse>,
                         sbe::Value<"TRUE", Boolean::kTrue>> {};

using fulmar::RecordingSignal;
struct RecordingSignalType
    : sbe::Enum<"RecordingSignal", RecordingSignal, sbe::Value<"START", RecordingSignal::kStart>,
          sbe::Value<"STOP", RecordingSignal::kStop>, sbe::Value<"EXTEND", RecordingSignal::kExtend>,
          sbe::Value<"REPLICATE", RecordingSignal::kReplicate>, sbe::Value<"MERGE", RecordingSignal::kMerge>,
          sbe::Value<"SYNC", RecordingSignal::kSync>, sbe::Value<"DELETE", RecordingSignal::kDelete>,
          sbe::Value<"REPLICATE_END", RecordingSignal::kReplicateEnd>> {};

/// State of a catalog entry. Ids are not used again, so entries stay.
enum class RecordingState : std::int32_t { kInvalid = 0, kValid = 1, kDeleted = 2 };
struct RecordingStateType
    : sbe::Enum<"RecordingState", RecordingState, sbe::Value<"INVALID", RecordingState::kInvalid>,
          sbe::Value<"VALID", RecordingState::kValid>,
          sbe::Value<"DELETED", RecordingState::kDeleted, sbe::Since<10>>> {};

/// Milliseconds since 1970; -1 where there is none.
struct EpochMillis : sbe::Type<"time_t", std::int64_t> {};
/// A packed semantic version, 0 for none.
struct SemanticVersion : sbe::Type<"version_t", std::int32_t, sbe::Optional, sbe::Null<0>, sbe::MinValue<2>,
                             sbe::MaxValue<16777215>> {};

/// Which session of the archive a message belongs to: its response stream may carry several.
using ControlSessionId = sbe::Field<"controlSessionId", 1, std::int64_t>;
/// Chosen by the client for each request; the response repeats it.
using CorrelationId = sbe::Field<"correlationId", 2, std::int64_t>;
/// The recording that a request is about.
using RecordingId = sbe::Field<"recordingId", 3, std::int64_t>;

}  // namespace fulmar::archive

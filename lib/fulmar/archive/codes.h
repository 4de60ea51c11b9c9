/// The words of an archive's control protocol that programs decide by, and its errors as values.
/// threads: values, no sharing.  source: Aeron 1.53, schema 101; the numbers are Aeron's.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "fulmar/result.h"

namespace fulmar {

/// Where the stream to be recorded is published, seen from the archive's media driver.
enum class SourceLocation : std::int32_t {
    kLocal = 0,   ///< on the same driver: a UDP stream is recorded from the publication's log by a spy
    kRemote = 1,  ///< anywhere: an ordinary subscription
};

/// What happened to a recording.
enum class RecordingSignal : std::int32_t {
    kStart = 0,
    kStop = 1,
    kExtend = 2,
    kReplicate = 3,     ///< a replication made a catalog entry from the source's
    kMerge = 4,         ///< a replication joined the live stream
    kSync = 5,          ///< a replication has all that the source has
    kDelete = 6,        ///< files were deleted, or there were none to delete
    kReplicateEnd = 7,  ///< the last signal of a replication, however it ended
};

/// Why an archive refused. Negative: not the archive's words but why there are none.
enum class ArchiveErrorCode : std::int32_t {
    kClient = -4,        ///< of this client or its media driver; `Error::code` says more
    kBadResponse = -3,   ///< the archive broke the protocol
    kNotConnected = -2,  ///< there is no session with the archive (any more)
    kTimeout = -1,       ///< no answer in time; the archive may have done it all the same
    kGeneric = 0,
    kActiveListing = 1,
    kActiveRecording = 2,
    kActiveSubscription = 3,
    kUnknownSubscription = 4,
    kUnknownRecording = 5,
    kUnknownReplay = 6,
    kMaxReplays = 7,
    kMaxRecordings = 8,
    kInvalidExtension = 9,
    kAuthenticationRejected = 10,
    kStorageSpace = 11,
    kUnknownReplication = 12,
    kUnauthorisedAction = 13,
    kReplicationConnectionFailure = 14,
    kEmptyRecording = 15,
    kInvalidPosition = 16,
};

[[nodiscard]] std::string_view to_string(SourceLocation location);
[[nodiscard]] std::string_view to_string(RecordingSignal signal);
/// `UNKNOWN_RECORDING` and the like; `UNKNOWN` for numbers of later archives.
[[nodiscard]] std::string_view to_string(ArchiveErrorCode code);

/// An Error that also says what the archive's own code was. A function that returns plain Results may pass it
/// on, which drops that.
struct ArchiveError : Error {
    ArchiveErrorCode archive_code = ArchiveErrorCode::kClient;
    std::int64_t correlation_id = -1;  ///< of the request; -1 where there was none

    ArchiveError() = default;
    ArchiveError(Error error) : Error(std::move(error)) {}
    ArchiveError(ArchiveErrorCode archive_error, std::string text, std::int64_t correlation = -1)
        : Error{archive_error == ArchiveErrorCode::kStorageSpace ? ErrorCode::kStorageSpace
                                                                 : ErrorCode::kGeneric,
              std::move(text)},
          archive_code(archive_error),
          correlation_id(correlation) {}
};

template <class T>
using ArchiveResult = Result<T, ArchiveError>;
using ArchiveStatus = ArchiveResult<Done>;

[[nodiscard]] inline Unexpected<ArchiveError> fail(
    ArchiveErrorCode code, std::string message, std::int64_t correlation_id = -1) {
    return {ArchiveError(code, std::move(message), correlation_id)};
}

}  // namespace fulmar

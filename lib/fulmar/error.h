/// Error values that cross a public boundary: a code a program can act on and one line a person can.
/// threads: values, no sharing.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace fulmar {

/// Codes a media driver answers with; the numbers are Aeron's and travel in ON_ERROR events.
/// source: control protocol, error codes.
enum class ErrorCode : std::int32_t {
    kUnknown = -1,
    kNone = 0,
    kInvalidChannel = 1,
    kUnknownSubscription = 2,
    kUnknownPublication = 3,
    kChannelEndpoint = 4,
    kUnknownCounter = 5,
    kUnknownCommand = 6,
    kMalformedCommand = 7,
    kNotSupported = 8,
    kUnknownHost = 9,
    kResourceTemporarilyUnavailable = 10,
    kGeneric = 11,
    kStorageSpace = 12,
    kImageRejected = 13,
    kPublicationRevoked = 14,
};

/// What failed, as a code, and one line: what, why, how to mend it.
struct Error {
    ErrorCode code = ErrorCode::kGeneric;
    std::string message;
};

[[nodiscard]] constexpr std::string_view to_string(ErrorCode code) {
    switch (code) {
        case ErrorCode::kUnknown: return "UNKNOWN";
        case ErrorCode::kNone: return "NONE";
        case ErrorCode::kInvalidChannel: return "INVALID_CHANNEL";
        case ErrorCode::kUnknownSubscription: return "UNKNOWN_SUBSCRIPTION";
        case ErrorCode::kUnknownPublication: return "UNKNOWN_PUBLICATION";
        case ErrorCode::kChannelEndpoint: return "CHANNEL_ENDPOINT_ERROR";
        case ErrorCode::kUnknownCounter: return "UNKNOWN_COUNTER";
        case ErrorCode::kUnknownCommand: return "UNKNOWN_COMMAND_TYPE_ID";
        case ErrorCode::kMalformedCommand: return "MALFORMED_COMMAND";
        case ErrorCode::kNotSupported: return "NOT_SUPPORTED";
        case ErrorCode::kUnknownHost: return "UNKNOWN_HOST";
        case ErrorCode::kResourceTemporarilyUnavailable: return "RESOURCE_TEMPORARILY_UNAVAILABLE";
        case ErrorCode::kGeneric: return "GENERIC_ERROR";
        case ErrorCode::kStorageSpace: return "STORAGE_SPACE";
        case ErrorCode::kImageRejected: return "IMAGE_REJECTED";
        case ErrorCode::kPublicationRevoked: return "PUBLICATION_REVOKED";
    }
    return "UNKNOWN";
}

}  // namespace fulmar

#include "archive_client/texts.h"

#include <algorithm>

namespace fulmar {

std::string_view to_string(SourceLocation location) {
    switch (location) {
        case SourceLocation::kLocal: return "LOCAL";
        case SourceLocation::kRemote: return "REMOTE";
    }
    return "UNKNOWN";
}

std::string_view to_string(RecordingSignal signal) {
    switch (signal) {
        case RecordingSignal::kStart: return "START";
        case RecordingSignal::kStop: return "STOP";
        case RecordingSignal::kExtend: return "EXTEND";
        case RecordingSignal::kReplicate: return "REPLICATE";
        case RecordingSignal::kMerge: return "MERGE";
        case RecordingSignal::kSync: return "SYNC";
        case RecordingSignal::kDelete: return "DELETE";
        case RecordingSignal::kReplicateEnd: return "REPLICATE_END";
    }
    return "UNKNOWN";
}

std::string_view to_string(ArchiveErrorCode code) {
    switch (code) {
        case ArchiveErrorCode::kClient: return "CLIENT";
        case ArchiveErrorCode::kBadResponse: return "BAD_RESPONSE";
        case ArchiveErrorCode::kNotConnected: return "NOT_CONNECTED";
        case ArchiveErrorCode::kTimeout: return "TIMEOUT";
        case ArchiveErrorCode::kGeneric: return "GENERIC";
        case ArchiveErrorCode::kActiveListing: return "ACTIVE_LISTING";
        case ArchiveErrorCode::kActiveRecording: return "ACTIVE_RECORDING";
        case ArchiveErrorCode::kActiveSubscription: return "ACTIVE_SUBSCRIPTION";
        case ArchiveErrorCode::kUnknownSubscription: return "UNKNOWN_SUBSCRIPTION";
        case ArchiveErrorCode::kUnknownRecording: return "UNKNOWN_RECORDING";
        case ArchiveErrorCode::kUnknownReplay: return "UNKNOWN_REPLAY";
        case ArchiveErrorCode::kMaxReplays: return "MAX_REPLAYS";
        case ArchiveErrorCode::kMaxRecordings: return "MAX_RECORDINGS";
        case ArchiveErrorCode::kInvalidExtension: return "INVALID_EXTENSION";
        case ArchiveErrorCode::kAuthenticationRejected: return "AUTHENTICATION_REJECTED";
        case ArchiveErrorCode::kStorageSpace: return "STORAGE_SPACE";
        case ArchiveErrorCode::kUnknownReplication: return "UNKNOWN_REPLICATION";
        case ArchiveErrorCode::kUnauthorisedAction: return "UNAUTHORISED_ACTION";
        case ArchiveErrorCode::kReplicationConnectionFailure: return "REPLICATION_CONNECTION_FAILURE";
        case ArchiveErrorCode::kEmptyRecording: return "EMPTY_RECORDING";
        case ArchiveErrorCode::kInvalidPosition: return "INVALID_POSITION";
    }
    return "UNKNOWN";
}

}  // namespace fulmar

namespace fulmar::archive_client {

std::string text_of(const sbe::Error& error) {
    return std::string(error.member) + ": " + std::string(to_string(error.fault)) + " (" +
           std::to_string(error.have) + ", not " + std::to_string(error.need) + ", at byte " +
           std::to_string(error.offset) + ")";
}

namespace {

constexpr std::size_t kForeignTextMax = 512;

std::string one_line(std::string_view foreign) {
    std::string text(foreign.substr(0, kForeignTextMax));
    std::replace_if(
        text.begin(), text.end(), [](char c) { return c < ' ' || c == 0x7F; }, ' ');
    return text;
}

}  // namespace

ArchiveErrorCode error_code_of(std::int64_t relevant_id) {
    const bool is_code = relevant_id >= 0 && relevant_id <= INT32_MAX;
    return is_code ? static_cast<ArchiveErrorCode>(relevant_id) : ArchiveErrorCode::kGeneric;
}

ArchiveError error_of(
    std::string_view what, const sbe::Decoder<archive::ControlResponse>& response, ArchiveErrorCode code) {
    std::string text = std::string(what) + ": ";
    const std::string_view said = response.data<"errorMessage">();
    const std::string relevant = std::to_string(response.get<"relevantId">());
    if (code == ArchiveErrorCode::kBadResponse) {
        text += "the archive answered with a response code that this request does not have";
    } else if (!said.empty()) {
        text += one_line(said);
    } else if (code == ArchiveErrorCode::kUnknownRecording) {
        text += "recording " + relevant + " is unknown to the archive";
    } else if (code == ArchiveErrorCode::kUnknownSubscription) {
        text += "subscription " + relevant + " is unknown to the archive";
    } else {
        text += "the archive refused without a word";
    }
    return {code, text + " (" + std::string(to_string(code)) + ")", response.get<"correlationId">()};
}

std::string version_text(std::int32_t version) {
    return std::to_string(version >> 16 & 0xFF) + "." + std::to_string(version >> 8 & 0xFF) + "." +
           std::to_string(version & 0xFF);
}

}  // namespace fulmar::archive_client

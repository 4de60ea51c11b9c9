/// Messages of the archive's protocol as lines for people.
/// threads: pure functions.
#pragma once

#include <string>
#include <string_view>

#include "archive/session_messages.h"
#include "fulmar/archive/codes.h"
#include "fulmar/sbe/decoder.h"

namespace fulmar::archive_client {

/// Which member of a message is wrong, and why.
[[nodiscard]] std::string text_of(const sbe::Error& error);

/// What a relevant id that is an error code says. An archive cannot say what only this side can know.
[[nodiscard]] ArchiveErrorCode error_code_of(std::int64_t relevant_id);

/// The error that a response to the request `what` is. The archive's text is foreign: it is cut to a length
/// that fits a line and shows no control characters.
[[nodiscard]] ArchiveError error_of(
    std::string_view what, const sbe::Decoder<archive::ControlResponse>& response, ArchiveErrorCode code);

/// `1.12.0`
[[nodiscard]] std::string version_text(std::int32_t version);

}  // namespace fulmar::archive_client

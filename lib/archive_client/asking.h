/// Shorthand for requests of which most look alike.
/// threads: as Session.
#pragma once

#include "archive_client/session.h"

namespace fulmar::archive_client {

/// A request about one recording and nothing else.
template <class M>
ArchiveResult<std::int64_t> ask_about(Session& session, std::string_view what, std::int64_t recording_id) {
    return session.ask<M>(what, [&](auto& request) { request.template set<"recordingId">(recording_id); });
}

/// The field of a bool.
inline archive::Boolean to_wire(bool value) {
    return value ? archive::Boolean::kTrue : archive::Boolean::kFalse;
}

}  // namespace fulmar::archive_client

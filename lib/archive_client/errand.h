/// What goes on behind a request that takes more than one message before it can be sent.
/// threads: as Session.
#pragma once

#include <string_view>

#include "fulmar/archive/codes.h"

namespace fulmar::archive_client {

class Session;

/// Belongs to its request: it is gone when that has an outcome, or nobody wants one any more.
class Errand {
  public:
    Errand() = default;
    virtual ~Errand() = default;
    Errand(const Errand&) = delete;
    Errand& operator=(const Errand&) = delete;

    /// Does what can be done now. Returns work done.  errors: become the request's outcome.
    [[nodiscard]] virtual ArchiveResult<int> poll(Session& session) = 0;
    /// What it waits for, for people; empty: for the answer.
    [[nodiscard]] virtual std::string_view step() const = 0;
};

}  // namespace fulmar::archive_client

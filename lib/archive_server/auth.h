/// Who may connect to an archive, and what they may ask: the hooks. Both are called on the conductor's thread
/// and answer at once; what needs a database answers from a copy of its own.
/// threads: the conductor's.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "fulmar/time.h"

namespace fulmar::archive {

class Authenticator {
  public:
    struct Decision {
        enum class Kind : std::uint8_t { kAccept, kChallenge, kReject };
        Kind kind = Kind::kReject;
        std::vector<std::byte> bytes;  ///< who it is, of kAccept; what to answer, of kChallenge
    };

    virtual ~Authenticator() = default;
    /// A client showed its credentials.
    [[nodiscard]] virtual Decision on_connect(
        std::int64_t session_id, std::span<const std::byte> credentials, Instant now) = 0;
    /// It answered a challenge.
    [[nodiscard]] virtual Decision on_challenge_response(
        std::int64_t session_id, std::span<const std::byte> credentials, Instant now) = 0;
    /// The session has ended, accepted or not: what was kept of it can go.
    virtual void on_end(std::int64_t /*session_id*/) {}
};

class Authoriser {
  public:
    virtual ~Authoriser() = default;
    /// Whether who was accepted with this principal may send requests of this kind.
    [[nodiscard]] virtual bool may(std::int32_t template_id, std::span<const std::byte> principal) = 0;
};

}  // namespace fulmar::archive

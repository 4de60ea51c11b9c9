/// An Authenticator over a list of principals and their secrets, as text: one to a line, words apart by
/// blanks,
/// `#` begins a comment.
///
///     PRINCIPAL SECRET             accepts a client that shows PRINCIPAL:SECRET
///     PRINCIPAL SECRET RESPONSE    challenges it, and accepts it when it answers PRINCIPAL:RESPONSE
///
/// A principal may have several lines.
/// threads: the conductor's.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "archive_server/auth.h"
#include "fulmar/result.h"

namespace fulmar::archive {

class Credentials final : public Authenticator {
  public:
    /// errors: kGeneric, naming the line.
    [[nodiscard]] static Result<std::unique_ptr<Credentials>> parse(std::string_view text);

    [[nodiscard]] Decision on_connect(
        std::int64_t session_id, std::span<const std::byte> credentials, Instant now) override;
    [[nodiscard]] Decision on_challenge_response(
        std::int64_t session_id, std::span<const std::byte> credentials, Instant now) override;
    void on_end(std::int64_t session_id) override { challenged_.erase(session_id); }

    [[nodiscard]] std::size_t size() const { return entries_.size(); }
    /// Sessions that have not answered yet.
    [[nodiscard]] std::size_t challenged_count() const { return challenged_.size(); }

  private:
    struct Entry {
        std::string principal;
        std::string shown;     ///< PRINCIPAL:SECRET
        std::string answered;  ///< PRINCIPAL:RESPONSE; empty: it is not challenged
    };

    std::vector<Entry> entries_;
    std::unordered_map<std::int64_t, std::size_t> challenged_;  // sessions, by their entries
};

}  // namespace fulmar::archive

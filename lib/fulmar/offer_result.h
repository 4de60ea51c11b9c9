/// What offering a message answered: the new stream position, or why it was not taken.
/// threads: value.  source: Aeron publication return codes.
#pragma once

#include <cstdint>
#include <string_view>

namespace fulmar {

/// Everything but success is an expected outcome; only back pressure and an admin action are worth an
/// immediate retry.
class [[nodiscard]] OfferResult {
  public:
    constexpr explicit OfferResult(std::int64_t raw) : raw_(raw) {}

    /// The message is in the log; position() is the stream position after it.
    [[nodiscard]] constexpr bool is_ok() const { return raw_ >= 0; }
    constexpr explicit operator bool() const { return is_ok(); }
    [[nodiscard]] constexpr std::int64_t position() const { return raw_; }

    /// Nobody subscribes (yet), or receivers went away.
    [[nodiscard]] constexpr bool is_not_connected() const { return raw_ == kNotConnected; }
    /// Subscribers are behind by the whole window; poll something else and try again.
    [[nodiscard]] constexpr bool is_back_pressured() const { return raw_ == kBackPressured; }
    /// The log went on to its next term; try again at once.
    [[nodiscard]] constexpr bool is_admin_action() const { return raw_ == kAdminAction; }
    /// The publication or its client was closed, or the publication was revoked.
    [[nodiscard]] constexpr bool is_closed() const { return raw_ == kClosed; }
    /// The stream has used up its 2^31 terms; close it and add a new publication.
    [[nodiscard]] constexpr bool is_max_position_exceeded() const { return raw_ == kMaxPositionExceeded; }
    /// The message is longer than this publication takes, or its length is negative.
    [[nodiscard]] constexpr bool is_bad_length() const { return raw_ == kBadLength; }
    /// Back pressure or an admin action.
    [[nodiscard]] constexpr bool is_worth_retrying() const {
        return is_back_pressured() || is_admin_action();
    }

    [[nodiscard]] constexpr std::int64_t raw() const { return raw_; }
    [[nodiscard]] constexpr std::string_view to_string() const {
        switch (raw_) {
            case kNotConnected: return "not connected";
            case kBackPressured: return "back pressured";
            case kAdminAction: return "admin action";
            case kClosed: return "closed";
            case kMaxPositionExceeded: return "max position exceeded";
            case kBadLength: return "bad length";
            default: return is_ok() ? "ok" : "unknown";
        }
    }

    static constexpr std::int64_t kNotConnected = -1;
    static constexpr std::int64_t kBackPressured = -2;
    static constexpr std::int64_t kAdminAction = -3;
    static constexpr std::int64_t kClosed = -4;
    static constexpr std::int64_t kMaxPositionExceeded = -5;
    static constexpr std::int64_t kBadLength = -6;

  private:
    std::int64_t raw_;
};

}  // namespace fulmar

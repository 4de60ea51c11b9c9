/// What the frames of a log say about the log: where messages end, where leadership terms begin, and who the
/// members are. The consensus is told of bytes only by way of this.
///
/// The log ends behind its last whole message. What follows, the beginning of one or padding before the next,
/// belongs to nobody yet: a leader that takes over writes its own there. So a term begins where the last
/// message before it ended, and who stops appending cuts his files to end(). threads: one owner.  errors:
/// frames that no leader writes; nothing of their block is taken.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "fulmar/result.h"
#include "raft/membership.h"
#include "raft/term_table.h"

namespace fulmar::cluster {

class LogScan {
  public:
    /// From the end of a message on, which was written in `term`.
    explicit LogScan(std::int64_t position, raft::Term term = 0)
        : position_(position), end_(position), last_term_(term) {}

    /// Whole frames, behind those before.
    /// errors: kGeneric, one line that says where and why.
    [[nodiscard]] Status take(std::span<const std::byte> block);

    /// Behind the last frame.
    [[nodiscard]] std::int64_t position() const { return position_; }
    /// Behind the last whole message.
    [[nodiscard]] std::int64_t end() const { return end_; }
    [[nodiscard]] raft::Term last_term() const { return last_term_; }

    /// Found up to end(), since they were cleared.
    [[nodiscard]] const std::vector<raft::TermEntry>& terms() const { return terms_; }
    [[nodiscard]] const std::vector<raft::MembershipEntry>& memberships() const { return memberships_; }
    void clear() {
        terms_.clear();
        memberships_.clear();
    }

  private:
    [[nodiscard]] Status take_frame(std::span<const std::byte> frame, std::int64_t length);
    [[nodiscard]] Status take_message(std::span<const std::byte> message);

    std::int64_t position_;
    std::int64_t end_;
    raft::Term last_term_;
    bool is_within_ = false;  // a message of several frames
    std::vector<raft::TermEntry> terms_;
    std::vector<raft::MembershipEntry> memberships_;
};

}  // namespace fulmar::cluster

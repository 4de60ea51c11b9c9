/// Which leader wrote which bytes: where each term of a log begins. It is read out of the log itself, so that
/// it can say nothing that the log does not.
///
/// Two logs that have a term in common are equal up to the end of that term in the shorter of both: a term
/// has one leader, which takes part only behind what it found (Raft's log matching, over bytes). threads: one
/// owner.
#pragma once

#include <cstdint>
#include <vector>

#include "raft/types.h"

namespace fulmar::raft {

struct TermEntry {
    Term term = 0;
    std::int64_t base = 0;  ///< where its new-leadership-term event begins

    bool operator==(const TermEntry&) const = default;
};

class TermTable {
  public:
    /// `begin`: where the log begins and the term that wrote what lies before it; {0, 0} for a whole one.
    explicit TermTable(TermEntry begin = {}) : entries_{begin} {}

    /// A later term begins, at or behind the end of all before.
    void add(TermEntry entry);
    /// Bytes from `end` on are gone: a term of which none are left goes too.
    void truncate(std::int64_t end);

    [[nodiscard]] Term last_term() const { return entries_.back().term; }
    [[nodiscard]] const TermEntry& last() const { return entries_.back(); }
    [[nodiscard]] const TermEntry& first() const { return entries_.front(); }
    [[nodiscard]] const std::vector<TermEntry>& entries() const { return entries_; }

    /// How far this log, of `log_end` bytes, goes with others that have `term`.
    struct Reach {
        Term term = 0;         ///< the last one here that is not above the one asked for
        std::int64_t end = 0;  ///< where it ends here
    };
    [[nodiscard]] Reach reach(Term term, std::int64_t log_end) const;

  private:
    std::vector<TermEntry> entries_;  // by term, and so by base
};

}  // namespace fulmar::raft

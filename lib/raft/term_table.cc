#include "raft/term_table.h"

#include <algorithm>

#include "base/assert.h"

namespace fulmar::raft {

void TermTable::add(TermEntry entry) {
    FULMAR_ASSERT(entry.term > last_term() && entry.base >= last().base, "terms follow one another");
    entries_.push_back(entry);
}

void TermTable::truncate(std::int64_t end) {
    FULMAR_ASSERT(end >= entries_.front().base, "a log is not cut before where it begins");
    while (entries_.size() > 1 && entries_.back().base >= end) {
        entries_.pop_back();
    }
}

TermTable::Reach TermTable::reach(Term term, std::int64_t log_end) const {
    const auto above = std::upper_bound(entries_.begin() + 1, entries_.end(), term,
        [](Term wanted, const TermEntry& entry) { return wanted < entry.term; });
    const TermEntry& found = *(above - 1);
    return {found.term, above == entries_.end() ? log_end : above->base};
}

}  // namespace fulmar::raft

/// The made-up log of one member: messages without content, each with an id of its own.
/// threads: one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "raft/node.h"

namespace fulmar::sim {

struct RaftEntry {
    std::uint64_t id = 0;
    std::int64_t end = 0;
    raft::Term begins = 0;  ///< a new leadership term's; else 0
    std::optional<raft::Membership> membership{};
};

class RaftLog {
  public:
    [[nodiscard]] const std::vector<RaftEntry>& entries() const { return entries_; }
    [[nodiscard]] std::size_t size() const { return entries_.size(); }
    [[nodiscard]] std::int64_t end() const { return end_of(entries_.size()); }
    [[nodiscard]] std::int64_t durable_end() const { return end_of(durable_); }
    [[nodiscard]] std::size_t durable() const { return durable_; }
    /// The first that ends behind `position`.
    [[nodiscard]] std::size_t index_behind(std::int64_t position) const {
        std::size_t low = 0;
        std::size_t high = entries_.size();
        while (low < high) {
            const std::size_t middle = (low + high) / 2;
            (entries_[middle].end > position ? high : low) =
                entries_[middle].end > position ? middle : middle + 1;
        }
        return low;
    }
    [[nodiscard]] std::int64_t end_of(std::size_t count) const {
        return count == 0 ? 0 : entries_[count - 1].end;
    }

    void append(RaftEntry entry) { entries_.push_back(std::move(entry)); }
    void sync() { durable_ = entries_.size(); }
    void cut(std::size_t count) {
        entries_.resize(count);
        durable_ = durable_ < count ? durable_ : count;
    }

  private:
    std::vector<RaftEntry> entries_;
    std::size_t durable_ = 0;
};

}  // namespace fulmar::sim

/// Where those are who read a publication's log itself: subscribers of an IPC publication, spies on a network
/// publication. Their positions lie in shared memory and may hold anything: one neither falls back nor
/// overtakes the producer.
/// threads: the conductor.  Bound: kReadersMax.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "observe/counters.h"

namespace fulmar::transport {

class LogReaders {
  public:
    static constexpr std::size_t kReadersMax = 256;

    struct Span {
        std::int64_t min = 0;
        std::int64_t max = 0;
    };

    [[nodiscard]] bool empty() const { return readers_.empty(); }
    [[nodiscard]] std::size_t size() const { return readers_.size(); }

    /// False: kReadersMax reached. The counter must already hold `from`.
    [[nodiscard]] bool add(const observe::Counter& position, std::int64_t from) {
        if (readers_.size() == kReadersMax) {
            return false;
        }
        readers_.push_back({position, from});
        return true;
    }
    void remove(std::int32_t counter_id) {
        std::erase_if(readers_, [&](const Reader& reader) { return reader.position.id() == counter_id; });
    }

    /// `around`, widened to include where each reader is now.
    Span read(std::int64_t producer_position, Span around) {
        for (Reader& reader : readers_) {
            const std::int64_t claimed = reader.position.get_acquire();
            reader.last = std::clamp(claimed, reader.last, std::max(reader.last, producer_position));
            around.min = std::min(around.min, reader.last);
            around.max = std::max(around.max, reader.last);
        }
        return around;
    }

    // As of the last read().
    [[nodiscard]] std::int64_t slowest(std::int64_t at_most) const {
        for (const Reader& reader : readers_) {
            at_most = std::min(at_most, reader.last);
        }
        return at_most;
    }
    [[nodiscard]] bool all_reached(std::int64_t position) const { return slowest(position) >= position; }

  private:
    struct Reader {
        observe::Counter position;
        std::int64_t last = 0;
    };
    std::vector<Reader> readers_;
};

}  // namespace fulmar::transport

/// The last events of one agent, fixed size and binary, for tools to render: writing costs a few stores and
/// never waits; a slow reader loses the oldest and is told how many.
/// threads: one writer (the agent); any number of readers, each with its own Reader.
/// units: time in ns of the driver's monotonic clock; positions and lengths in bytes.
#pragma once

#include <array>
#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <memory>

#include "base/bytes.h"
#include "fulmar/time.h"

namespace fulmar::observe {

enum class EventKind : std::uint16_t {
    kNone = 0,
    kNakSent,
    kNakReceived,
    kRetransmit,
    kGapFilled,
    kSetupSent,
    kSetupReceived,
    kStatusMessageSent,
    kStatusMessageReceived,
    kImageAvailable,
    kImageUnavailable,
    kPublicationReady,
    kPublicationRemoved,
    kInvalidPacket,
    kOverRun,
    kUnderRun,
    kUnblocked,
};

struct Event {
    Instant time;
    std::int64_t position = 0;
    std::int32_t session_id = 0;
    std::int32_t stream_id = 0;
    std::int32_t length = 0;
    EventKind kind = EventKind::kNone;
    std::uint16_t detail = 0;  ///< by kind: a fault, a reason

    bool operator==(const Event&) const = default;
};
static_assert(sizeof(Event) == 32, "four words, no padding");

/// Atom: std::atomic, or one that a test steps through.
template <template <class> class Atom>
class BasicEventRing {
    static constexpr std::size_t kWords = sizeof(Event) / sizeof(std::uint64_t);
    using Words = std::array<std::uint64_t, kWords>;

    /// version is 2n + 1 while the n-th event is written, 2n + 2 once it stands.
    struct Slot {
        Atom<std::uint64_t> version{0};
        std::array<Atom<std::uint64_t>, kWords> words{};
    };

  public:
    /// capacity is rounded up to a power of two; the memory is taken here.
    explicit BasicEventRing(std::size_t capacity)
        : mask_(std::bit_ceil(capacity) - 1), slots_(std::make_unique<Slot[]>(mask_ + 1)) {}

    void push(const Event& event) {
        const auto words = std::bit_cast<Words>(event);
        const std::uint64_t index = next_;
        Slot& slot = slots_[index & mask_];
        // relaxed: ordered before each word below by that word's release.
        slot.version.store(2 * index + 1, std::memory_order_relaxed);
        for (std::size_t i = 0; i < kWords; ++i) {
            // SYNC(event_ring.word): release; who reads this word also sees the odd version above.
            slot.words[i].store(words[i], std::memory_order_release);
        }
        // SYNC(event_ring.version): release; publishes the words to Reader::next.
        slot.version.store(2 * index + 2, std::memory_order_release);
        next_ = index + 1;
        // SYNC(event_ring.count): release; pairs with Reader::next.
        count_.store(next_, std::memory_order_release);
    }

    [[nodiscard]] std::size_t capacity() const { return mask_ + 1; }

    /// Reads from the oldest event that is left when it first looks.
    class Reader {
      public:
        explicit Reader(const BasicEventRing& ring) : ring_(ring) {}

        /// The next event, or false when there is none yet.
        [[nodiscard]] bool next(Event& event) {
            for (;;) {
                // SYNC(event_ring.count): acquire; pairs with push.
                const std::uint64_t count = ring_.count_.load(std::memory_order_acquire);
                skip_overwritten(count);
                if (index_ == count) {
                    return false;
                }
                if (ring_.read(index_, event)) {
                    ++index_;
                    return true;
                }
                // Overwritten while we read: the writer is at least a capacity ahead by now.
                ++index_;
                ++lost_;
            }
        }

        [[nodiscard]] std::uint64_t lost() const { return lost_; }

      private:
        void skip_overwritten(std::uint64_t count) {
            const std::uint64_t oldest = count > ring_.capacity() ? count - ring_.capacity() : 0;
            if (index_ < oldest) {
                lost_ += oldest - index_;
                index_ = oldest;
            }
        }

        const BasicEventRing& ring_;
        std::uint64_t index_ = 0;
        std::uint64_t lost_ = 0;
    };

  private:
    [[nodiscard]] bool read(std::uint64_t index, Event& event) const {
        const Slot& slot = slots_[index & mask_];
        // SYNC(event_ring.version): acquire; pairs with push.
        if (slot.version.load(std::memory_order_acquire) != 2 * index + 2) {
            return false;
        }
        Words words;
        for (std::size_t i = 0; i < kWords; ++i) {
            // SYNC(event_ring.word): acquire; a word of a later event brings its odd version with it.
            words[i] = slot.words[i].load(std::memory_order_acquire);
        }
        // relaxed: kept behind the words by their acquires.
        if (slot.version.load(std::memory_order_relaxed) != 2 * index + 2) {
            return false;
        }
        event = std::bit_cast<Event>(words);
        return true;
    }

    std::uint64_t mask_;
    std::unique_ptr<Slot[]> slots_;
    // writer's line
    alignas(base::kCacheLineBytes) std::uint64_t next_ = 0;
    Atom<std::uint64_t> count_{0};
};

using EventRing = BasicEventRing<std::atomic>;

}  // namespace fulmar::observe

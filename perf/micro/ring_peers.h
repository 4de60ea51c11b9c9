/// The rings under comparison behind one shape: send() takes up to `count` messages of kBytes and publishes
/// them together, receive() hands over what there is. Each uses the best its interface offers: in place where
/// it can, bursts where it has them. All have kRingBytes of memory for their messages.
///
/// Ours carry a length and a type with each message. A peer's slots, which have one size for all, hold a
/// length and a type too, so that the same content crosses; the peers named "fixed" carry bodies alone.
/// threads: as the ring behind it.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <rte_ring.h>
#include <rte_ring_peek_zc.h>
#include <span>
#ifdef FULMAR_PEER_BOOST
#include <boost/lockfree/queue.hpp>
#include <boost/lockfree/spsc_queue.hpp>
#endif
#ifdef FULMAR_PEER_READERWRITERQUEUE
#include <readerwriterqueue/readerwriterqueue.h>
#endif
#ifdef FULMAR_PEER_CONCURRENTQUEUE
#include <concurrentqueue/concurrentqueue.h>
#endif

#include "ring/mpsc_byte_ring.h"
#include "ring/spsc_byte_ring.h"

namespace fulmar::bench {

inline constexpr std::size_t kRingBytes = 128 * 1024;
inline constexpr std::size_t kBurst = 32;

/// A peer's slot.
template <std::size_t kBytes>
struct Item {
    static constexpr std::size_t kBody = kBytes;
    std::uint32_t length = kBytes;
    std::int32_t type = 0;
    alignas(8) std::array<std::byte, kBytes> body;
};
template <std::size_t kBytes>
struct FixedItem {
    static constexpr std::size_t kBody = kBytes;
    alignas(8) std::array<std::byte, kBytes> body;
};

/// Fills and reads a slot in place.
template <class Slot, class Fill>
void fill_slot(Slot& slot, Fill& fill) {
    if constexpr (requires { slot.length; }) {
        slot.length = Slot::kBody;
        slot.type = 0;
    }
    fill(slot.body.data());
}
template <class Slot, class Take>
void take_slot(const Slot& slot, Take& take) {
    if constexpr (requires { slot.length; }) {
        if (slot.length != Slot::kBody || slot.type < 0) {
            return;
        }
    }
    take(slot.body.data());
}

template <std::size_t kBytes>
class FulmarSpsc {
  public:
    template <class Fill>
    std::size_t send(std::size_t count, Fill&& fill) {
        std::size_t sent = 0;
        for (; sent < count; ++sent) {
            std::byte* to = ring_.try_claim(kBytes);
            if (to == nullptr) {
                break;
            }
            fill(to);
            ring_.stage();
        }
        if (sent != 0) {
            ring_.publish();
        }
        return sent;
    }
    template <class Take>
    std::size_t receive(Take&& take) {
        return ring_.poll([&](std::int32_t, std::span<const std::byte> body) { take(body.data()); });
    }

  private:
    ring::SpscByteRing ring_{kRingBytes};
};

template <std::size_t kBytes>
class FulmarMpsc {
  public:
    template <class Fill>
    std::size_t send(std::size_t count, Fill&& fill) {
        std::size_t sent = 0;
        for (; sent < count; ++sent) {
            const auto claim = ring_.try_claim(kBytes);
            if (!claim.valid()) {
                break;
            }
            fill(claim.body().data());
            ring_.commit(claim);
        }
        return sent;
    }
    template <class Take>
    std::size_t receive(Take&& take) {
        return ring_.poll([&](std::int32_t, std::span<const std::byte> body) { take(body.data()); });
    }

  private:
    ring::MpscByteRing ring_{kRingBytes};
};

/// An rte_ring over memory of its own, so that no EAL is needed.
template <class Slot>
class RteMemory {
  public:
    explicit RteMemory(unsigned flags) {
        constexpr unsigned kCount = std::bit_floor(kRingBytes / sizeof(Slot));
        const auto bytes = static_cast<std::size_t>(rte_ring_get_memsize_elem(sizeof(Slot), kCount));
        memory_ = static_cast<rte_ring*>(std::aligned_alloc(128, (bytes + 127) / 128 * 128));
        rte_ring_init(memory_, "bench", kCount, flags);
    }
    ~RteMemory() { std::free(memory_); }
    RteMemory(const RteMemory&) = delete;
    RteMemory& operator=(const RteMemory&) = delete;
    [[nodiscard]] rte_ring* get() const { return memory_; }

  private:
    rte_ring* memory_;
};

template <class Slot, unsigned kFlags>
class RteCopy {
  public:
    template <class Fill>
    std::size_t send(std::size_t count, Fill&& fill) {
        std::array<Slot, kBurst> items;
        for (std::size_t i = 0; i < count; ++i) {
            fill_slot(items[i], fill);
        }
        return rte_ring_enqueue_bulk_elem(
            ring_.get(), items.data(), sizeof(Slot), static_cast<unsigned>(count), nullptr);
    }
    template <class Take>
    std::size_t receive(Take&& take) {
        std::array<Slot, kBurst> items;
        const unsigned count =
            rte_ring_dequeue_burst_elem(ring_.get(), items.data(), sizeof(Slot), kBurst, nullptr);
        for (unsigned i = 0; i < count; ++i) {
            take_slot(items[i], take);
        }
        return count;
    }

  private:
    RteMemory<Slot> ring_{kFlags};
};
template <std::size_t kBytes>
using RteSpsc = RteCopy<Item<kBytes>, RING_F_SP_ENQ | RING_F_SC_DEQ>;
template <std::size_t kBytes>
using RteMpsc = RteCopy<Item<kBytes>, RING_F_SC_DEQ>;

/// The peek interface: filled and read in place.
template <class Slot>
class RteZeroCopyOf {
  public:
    template <class Fill>
    std::size_t send(std::size_t count, Fill&& fill) {
        rte_ring_zc_data zc;
        const unsigned n = rte_ring_enqueue_zc_burst_elem_start(
            ring_.get(), sizeof(Slot), static_cast<unsigned>(count), &zc, nullptr);
        visit(zc, n, [&](Slot& slot) { fill_slot(slot, fill); });
        rte_ring_enqueue_zc_elem_finish(ring_.get(), n);
        return n;
    }
    template <class Take>
    std::size_t receive(Take&& take) {
        rte_ring_zc_data zc;
        const unsigned n =
            rte_ring_dequeue_zc_burst_elem_start(ring_.get(), sizeof(Slot), kBurst, &zc, nullptr);
        visit(zc, n, [&](const Slot& slot) { take_slot(slot, take); });
        rte_ring_dequeue_zc_elem_finish(ring_.get(), n);
        return n;
    }

  private:
    template <class Visit>
    static void visit(const rte_ring_zc_data& zc, unsigned count, Visit&& visit_one) {
        for (unsigned i = 0; i < count; ++i) {
            auto* part = static_cast<Slot*>(i < zc.n1 ? zc.ptr1 : zc.ptr2);
            visit_one(part[i < zc.n1 ? i : i - zc.n1]);
        }
    }
    RteMemory<Slot> ring_{RING_F_SP_ENQ | RING_F_SC_DEQ};
};

template <std::size_t kBytes>
using RteZeroCopy = RteZeroCopyOf<Item<kBytes>>;
template <std::size_t kBytes>
using RteZeroCopyFixed = RteZeroCopyOf<FixedItem<kBytes>>;

#ifdef FULMAR_PEER_BOOST
template <class Slot>
class BoostSpscOf {
  public:
    template <class Fill>
    std::size_t send(std::size_t count, Fill&& fill) {
        std::array<Slot, kBurst> items;
        if (ring_.write_available() < count) {
            return 0;
        }
        for (std::size_t i = 0; i < count; ++i) {
            fill_slot(items[i], fill);
        }
        return ring_.push(items.data(), count);
    }
    template <class Take>
    std::size_t receive(Take&& take) {
        return ring_.consume_all([&](const Slot& item) { take_slot(item, take); });
    }

  private:
    boost::lockfree::spsc_queue<Slot> ring_{kRingBytes / sizeof(Slot)};
};

template <std::size_t kBytes>
using BoostSpsc = BoostSpscOf<Item<kBytes>>;
template <std::size_t kBytes>
using BoostSpscFixed = BoostSpscOf<FixedItem<kBytes>>;

template <class Slot>
class BoostMpscOf {
  public:
    template <class Fill>
    std::size_t send(std::size_t, Fill&& fill) {
        Slot item;
        fill_slot(item, fill);
        return ring_.bounded_push(item) ? 1 : 0;
    }
    template <class Take>
    std::size_t receive(Take&& take) {
        return ring_.consume_all([&](const Slot& item) { take_slot(item, take); });
    }

  private:
    boost::lockfree::queue<Slot, boost::lockfree::fixed_sized<true>> ring_{
        std::min<std::size_t>(kRingBytes / sizeof(Slot), 65534)};
};

template <std::size_t kBytes>
using BoostMpsc = BoostMpscOf<Item<kBytes>>;
#endif

#ifdef FULMAR_PEER_READERWRITERQUEUE
template <class Slot>
class ReaderWriterSpscOf {
  public:
    template <class Fill>
    std::size_t send(std::size_t count, Fill&& fill) {
        std::size_t sent = 0;
        for (; sent < count; ++sent) {
            Slot item;
            fill_slot(item, fill);
            if (!ring_.try_enqueue(item)) {
                break;
            }
        }
        return sent;
    }
    template <class Take>
    std::size_t receive(Take&& take) {
        std::size_t count = 0;
        for (auto* item = ring_.peek(); item != nullptr && count < kBurst; item = ring_.peek()) {
            take_slot(*item, take);
            ring_.pop();
            ++count;
        }
        return count;
    }

  private:
    moodycamel::ReaderWriterQueue<Slot> ring_{kRingBytes / sizeof(Slot)};
};

template <std::size_t kBytes>
using ReaderWriterSpsc = ReaderWriterSpscOf<Item<kBytes>>;
#endif

#ifdef FULMAR_PEER_CONCURRENTQUEUE
/// Without order between producers, which its design gives up.
template <class Slot>
class ConcurrentMpscOf {
  public:
    template <class Fill>
    std::size_t send(std::size_t count, Fill&& fill) {
        std::array<Slot, kBurst> items;
        for (std::size_t i = 0; i < count; ++i) {
            fill_slot(items[i], fill);
        }
        return ring_.try_enqueue_bulk(items.data(), count) ? count : 0;
    }
    template <class Take>
    std::size_t receive(Take&& take) {
        std::array<Slot, kBurst> items;
        const std::size_t count = ring_.try_dequeue_bulk(consumer_, items.data(), kBurst);
        for (std::size_t i = 0; i < count; ++i) {
            take_slot(items[i], take);
        }
        return count;
    }

  private:
    moodycamel::ConcurrentQueue<Slot> ring_{kRingBytes / sizeof(Slot), 0, 2};
    moodycamel::ConsumerToken consumer_{ring_};
};

template <std::size_t kBytes>
using ConcurrentMpsc = ConcurrentMpscOf<Item<kBytes>>;
#endif

}  // namespace fulmar::bench

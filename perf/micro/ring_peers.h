/// The rings under comparison behind one shape: send() takes up to `count` messages of kBytes and publishes
/// them together, receive() hands over what there is. Each uses the best its interface offers: in place where
/// it can, bursts where it has them. All have the same memory for message bodies, kBodyBytes.
/// threads: as the ring behind it.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
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

inline constexpr std::size_t kBodyBytes = 128 * 1024;
inline constexpr std::size_t kBurst = 32;

template <std::size_t kBytes>
struct Item {
    alignas(8) std::array<std::byte, kBytes> body;
};

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
    ring::SpscByteRing ring_{kBodyBytes};
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
    ring::MpscByteRing ring_{kBodyBytes};
};

/// An rte_ring over memory of its own, so that no EAL is needed.
template <std::size_t kBytes>
class RteMemory {
  public:
    explicit RteMemory(unsigned flags) {
        constexpr unsigned kCount = kBodyBytes / kBytes;
        const auto bytes = static_cast<std::size_t>(rte_ring_get_memsize_elem(kBytes, kCount));
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

template <std::size_t kBytes, unsigned kFlags>
class RteCopy {
  public:
    template <class Fill>
    std::size_t send(std::size_t count, Fill&& fill) {
        std::array<Item<kBytes>, kBurst> items;
        for (std::size_t i = 0; i < count; ++i) {
            fill(items[i].body.data());
        }
        return rte_ring_enqueue_bulk_elem(
            ring_.get(), items.data(), kBytes, static_cast<unsigned>(count), nullptr);
    }
    template <class Take>
    std::size_t receive(Take&& take) {
        std::array<Item<kBytes>, kBurst> items;
        const unsigned count =
            rte_ring_dequeue_burst_elem(ring_.get(), items.data(), kBytes, kBurst, nullptr);
        for (unsigned i = 0; i < count; ++i) {
            take(items[i].body.data());
        }
        return count;
    }

  private:
    RteMemory<kBytes> ring_{kFlags};
};
template <std::size_t kBytes>
using RteSpsc = RteCopy<kBytes, RING_F_SP_ENQ | RING_F_SC_DEQ>;
template <std::size_t kBytes>
using RteMpsc = RteCopy<kBytes, RING_F_SC_DEQ>;

/// The peek interface: filled and read in place.
template <std::size_t kBytes>
class RteZeroCopy {
  public:
    template <class Fill>
    std::size_t send(std::size_t count, Fill&& fill) {
        rte_ring_zc_data zc;
        const unsigned n = rte_ring_enqueue_zc_burst_elem_start(
            ring_.get(), kBytes, static_cast<unsigned>(count), &zc, nullptr);
        visit(zc, n, fill);
        rte_ring_enqueue_zc_elem_finish(ring_.get(), n);
        return n;
    }
    template <class Take>
    std::size_t receive(Take&& take) {
        rte_ring_zc_data zc;
        const unsigned n = rte_ring_dequeue_zc_burst_elem_start(ring_.get(), kBytes, kBurst, &zc, nullptr);
        visit(zc, n, take);
        rte_ring_dequeue_zc_elem_finish(ring_.get(), n);
        return n;
    }

  private:
    template <class Visit>
    static void visit(const rte_ring_zc_data& zc, unsigned count, Visit&& visit_one) {
        for (unsigned i = 0; i < count; ++i) {
            auto* part = static_cast<std::byte*>(i < zc.n1 ? zc.ptr1 : zc.ptr2);
            visit_one(part + (i < zc.n1 ? i : i - zc.n1) * kBytes);
        }
    }
    RteMemory<kBytes> ring_{RING_F_SP_ENQ | RING_F_SC_DEQ};
};

#ifdef FULMAR_PEER_BOOST
template <std::size_t kBytes>
class BoostSpsc {
  public:
    template <class Fill>
    std::size_t send(std::size_t count, Fill&& fill) {
        std::array<Item<kBytes>, kBurst> items;
        if (ring_.write_available() < count) {
            return 0;
        }
        for (std::size_t i = 0; i < count; ++i) {
            fill(items[i].body.data());
        }
        return ring_.push(items.data(), count);
    }
    template <class Take>
    std::size_t receive(Take&& take) {
        return ring_.consume_all([&](const Item<kBytes>& item) { take(item.body.data()); });
    }

  private:
    boost::lockfree::spsc_queue<Item<kBytes>> ring_{kBodyBytes / kBytes};
};

template <std::size_t kBytes>
class BoostMpsc {
  public:
    template <class Fill>
    std::size_t send(std::size_t, Fill&& fill) {
        Item<kBytes> item;
        fill(item.body.data());
        return ring_.bounded_push(item) ? 1 : 0;
    }
    template <class Take>
    std::size_t receive(Take&& take) {
        return ring_.consume_all([&](const Item<kBytes>& item) { take(item.body.data()); });
    }

  private:
    boost::lockfree::queue<Item<kBytes>, boost::lockfree::fixed_sized<true>> ring_{
        std::min<std::size_t>(kBodyBytes / kBytes, 65534)};
};
#endif

#ifdef FULMAR_PEER_READERWRITERQUEUE
template <std::size_t kBytes>
class ReaderWriterSpsc {
  public:
    template <class Fill>
    std::size_t send(std::size_t count, Fill&& fill) {
        std::size_t sent = 0;
        for (; sent < count; ++sent) {
            Item<kBytes> item;
            fill(item.body.data());
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
            take(item->body.data());
            ring_.pop();
            ++count;
        }
        return count;
    }

  private:
    moodycamel::ReaderWriterQueue<Item<kBytes>> ring_{kBodyBytes / kBytes};
};
#endif

#ifdef FULMAR_PEER_CONCURRENTQUEUE
/// Without order between producers, which its design gives up.
template <std::size_t kBytes>
class ConcurrentMpsc {
  public:
    template <class Fill>
    std::size_t send(std::size_t count, Fill&& fill) {
        std::array<Item<kBytes>, kBurst> items;
        for (std::size_t i = 0; i < count; ++i) {
            fill(items[i].body.data());
        }
        return ring_.try_enqueue_bulk(items.data(), count) ? count : 0;
    }
    template <class Take>
    std::size_t receive(Take&& take) {
        std::array<Item<kBytes>, kBurst> items;
        const std::size_t count = ring_.try_dequeue_bulk(consumer_, items.data(), kBurst);
        for (std::size_t i = 0; i < count; ++i) {
            take(items[i].body.data());
        }
        return count;
    }

  private:
    moodycamel::ConcurrentQueue<Item<kBytes>> ring_{kBodyBytes / kBytes, 0, 2};
    moodycamel::ConsumerToken consumer_{ring_};
};
#endif

}  // namespace fulmar::bench

/// Taking and returning packet buffers in bursts, for buffers that are plain: one segment, one owner, from
/// the queue's own pool. Such a buffer keeps its reset fields while it lies in the pool, so neither way needs
/// to touch the second cache line of its descriptor. Includes the device library: for pmd_glue and
/// drivers/packet_dpdk only. threads: the queue's.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <rte_mbuf.h>
#include <rte_mempool.h>
#include <span>

namespace fulmar::pmd_glue {

/// Empty buffers with the usual headroom; the lengths are the caller's to set. All or none.
[[nodiscard]] inline bool take_buffers(rte_mempool* pool, std::span<rte_mbuf*> out) {
    void** const objects = reinterpret_cast<void**>(out.data());
    if (::rte_mempool_get_bulk(pool, objects, static_cast<unsigned>(out.size())) != 0) {
        return false;
    }
    for (auto* const buffer : out) {
        buffer->data_off = RTE_PKTMBUF_HEADROOM;
        buffer->ol_flags = 0;
    }
    return true;
}

inline void set_length(rte_mbuf& buffer, std::uint32_t length) {
    buffer.data_len = static_cast<std::uint16_t>(length);
    buffer.pkt_len = length;
}

/// Returns buffers to their pool; odd ones (chains, clones, other pools) the long way.
inline void give_back_buffers(rte_mempool* pool, std::span<rte_mbuf* const> buffers) {
    constexpr std::size_t kPart = 64;
    std::array<void*, kPart> plain;
    std::size_t count = 0;
    for (auto* const buffer : buffers) {
        const bool is_plain = buffer->nb_segs == 1 && ::rte_mbuf_refcnt_read(buffer) == 1 &&
                              RTE_MBUF_DIRECT(buffer) && buffer->pool == pool;
        if (!is_plain) [[unlikely]] {
            ::rte_pktmbuf_free(buffer);
            continue;
        }
        plain[count++] = buffer;
        if (count == kPart) {
            ::rte_mempool_put_bulk(pool, plain.data(), static_cast<unsigned>(count));
            count = 0;
        }
    }
    if (count != 0) {
        ::rte_mempool_put_bulk(pool, plain.data(), static_cast<unsigned>(count));
    }
}

}  // namespace fulmar::pmd_glue

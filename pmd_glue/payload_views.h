/// Sending bytes that lie elsewhere without copying them into a buffer first, on devices whose transmit burst
/// copies anyway: a second segment per packet that borrows the caller's bytes for the duration of the call.
/// The segments stay ours: each carries one reference of ours and one for the device to drop.
/// Includes the device library: for pmd_glue and drivers/packet_dpdk only. threads: the queue's.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <rte_mbuf.h>
#include <span>

#include "port/packet_port.h"

namespace fulmar::pmd_glue {

class PayloadViews {
  public:
    class View {
      public:
        explicit View(rte_mbuf* segment) : segment_(segment) {}
        [[nodiscard]] bool usable() const { return segment_ != nullptr; }

        /// Makes `head`, which holds the headers, a packet of two segments.
        void chain_behind(rte_mbuf& head, std::span<const std::byte> payload) const {
            segment_->buf_addr = const_cast<std::byte*>(payload.data());
            segment_->data_off = 0;
            segment_->data_len = static_cast<std::uint16_t>(payload.size());
            ::rte_mbuf_refcnt_set(segment_, kOursAndTheDevices);
            head.next = segment_;
            head.nb_segs = 2;
            head.pkt_len = head.data_len + static_cast<std::uint32_t>(payload.size());
        }

      private:
        rte_mbuf* segment_;
    };

    PayloadViews() = default;
    ~PayloadViews() {
        for (std::size_t i = 0; i < count_; ++i) {
            segments_[i]->buf_addr = ::rte_mbuf_to_baddr(segments_[i]);
            ::rte_mbuf_refcnt_set(segments_[i], 1);
            ::rte_pktmbuf_free(segments_[i]);
        }
    }
    PayloadViews(const PayloadViews&) = delete;
    PayloadViews& operator=(const PayloadViews&) = delete;

    /// Keeps segments of `pool` for good; as many as there are, so that none also works.
    void take_from(rte_mempool* pool) {
        while (count_ < segments_.size()) {
            rte_mbuf* const segment = ::rte_pktmbuf_alloc(pool);
            if (segment == nullptr) {
                return;
            }
            segments_[count_++] = segment;
        }
    }

    /// Of the index-th packet of a burst.
    [[nodiscard]] View at(std::size_t index) const {
        return View(index < count_ ? segments_[index] : nullptr);
    }

    /// Copies a borrowed payload behind the headers, for a packet that the device did not take.
    static void copy_in(rte_mbuf& head) {
        if (head.nb_segs == 1) {
            return;
        }
        const rte_mbuf& payload = *head.next;
        std::memcpy(rte_pktmbuf_mtod_offset(&head, std::byte*, head.data_len),
            rte_pktmbuf_mtod(&payload, const std::byte*), payload.data_len);
        head.data_len = static_cast<std::uint16_t>(head.pkt_len);
        head.next = nullptr;
        head.nb_segs = 1;
    }

  private:
    static constexpr std::uint16_t kOursAndTheDevices = 2;

    std::size_t count_ = 0;
    std::array<rte_mbuf*, port::kBurstMax> segments_{};
};

}  // namespace fulmar::pmd_glue

#include <algorithm>
#include <cstring>
#include <rte_ethdev.h>
#include <rte_mbuf.h>

#include "base/statistic.h"
#include "drivers/packet_dpdk/dpdk_queue.h"
#include "pmd_glue/mbuf_burst.h"

namespace fulmar::drivers {
namespace {

using base::count;

/// Below this a copy costs less than a second segment.
constexpr std::uint32_t kBorrowBytesMin = 256;

std::span<const std::byte> payload_of(const port::TxPacket& packet) {
    return {packet.bytes, packet.length};
}

}  // namespace

std::size_t DpdkQueue::send(Instant now, std::span<const port::TxPacket> packets) {
    if (packets.empty()) {
        return 0;
    }
    if (waiting_count_ != 0) [[unlikely]] {
        flush_waiting();
    }
    std::array<rte_mbuf*, kBurst> buffers;
    const auto wanted = std::min(kBurst, packets.size());
    if (waiting_count_ != 0 || !link_up_ ||
        !pmd_glue::take_buffers(pool_, std::span(buffers).first(wanted))) {
        count(stats_.tx_rejected, packets.size());
        return 0;
    }
    std::size_t ready = 0;
    std::uint64_t bytes = 0;
    for (std::size_t i = 0; i < wanted; ++i) {
        // A buffer that got no packet serves for the next one.
        if (place(now, packets[i], *buffers[ready], views_.at(ready))) {
            ++ready;
        }
        bytes += packets[i].length;
    }
    if (ready != wanted) {
        pmd_glue::give_back_buffers(pool_, std::span(buffers).subspan(ready, wanted - ready));
        mirror_drops();
        run_stack(now);
    }
    count(stats_.tx_packets, wanted);
    count(stats_.tx_bytes, bytes);
    if (ready != 0) {
        transmit(std::span(buffers).first(ready));
    }
    return wanted;
}

/// Writes one packet into a buffer; false if it goes another way or nowhere.
bool DpdkQueue::place(
    Instant now, const port::TxPacket& packet, rte_mbuf& buffer, pmd_glue::PayloadViews::View view) {
    auto* const frame = rte_pktmbuf_mtod(&buffer, std::byte*);
    const auto source_port = static_cast<const DpdkBinding*>(packet.binding)->udp_port();
    const auto outcome =
        stack_.build_headers(now, source_port, packet.destination, payload_of(packet), frame);
    if (outcome == net::TxOutcome::kReady) [[likely]] {
        if (view.usable() && packet.length >= kBorrowBytesMin) {
            pmd_glue::set_length(buffer, static_cast<std::uint32_t>(net::kHeadersLength));
            view.chain_behind(buffer, payload_of(packet));
        } else {
            std::memcpy(frame + net::kHeadersLength, packet.bytes, packet.length);
            pmd_glue::set_length(buffer, static_cast<std::uint32_t>(net::kHeadersLength) + packet.length);
        }
        if (tx_flags_ != 0) {
            buffer.ol_flags = tx_flags_;
            buffer.tx_offload = tx_lengths_;
        }
        return true;
    }
    if (outcome == net::TxOutcome::kUnresolved) {
        stack_.park(now, source_port, packet.destination, payload_of(packet));
    } else if (outcome == net::TxOutcome::kLocal) {
        deliver_locally(packet);
    }
    return false;
}

/// Hands buffers to the device; what it does not take waits here, already built.
void DpdkQueue::transmit(std::span<rte_mbuf*> buffers) {
    std::uint16_t taken = 0;
    if (waiting_count_ == 0) {
        const pmd_glue::BurstScope scope(guard_);
        taken = ::rte_eth_tx_burst(
            port_id_, queue_index_, buffers.data(), static_cast<std::uint16_t>(buffers.size()));
    }
    if (taken == buffers.size()) [[likely]] {
        return;
    }
    const auto rest = buffers.subspan(taken);
    for (auto* const buffer : rest) {
        // What was borrowed goes back to its owner when we return.
        pmd_glue::PayloadViews::copy_in(*buffer);
    }
    if (waiting_count_ == 0) {
        waiting_first_ = 0;
    }
    const auto room = kBurst - waiting_first_ - waiting_count_;
    const auto kept = std::min(room, rest.size());
    std::copy_n(
        rest.begin(), kept, waiting_.begin() + static_cast<std::ptrdiff_t>(waiting_first_ + waiting_count_));
    waiting_count_ += kept;
    if (kept != rest.size()) {
        pmd_glue::give_back_buffers(pool_, rest.subspan(kept));
    }
}

void DpdkQueue::flush_waiting() {
    const pmd_glue::BurstScope scope(guard_);
    const auto taken = ::rte_eth_tx_burst(
        port_id_, queue_index_, waiting_.data() + waiting_first_, static_cast<std::uint16_t>(waiting_count_));
    waiting_first_ += taken;
    waiting_count_ -= taken;
}

void DpdkQueue::drop_waiting() {
    if (waiting_count_ != 0) {
        pmd_glue::give_back_buffers(pool_, std::span(waiting_).subspan(waiting_first_, waiting_count_));
        count(stats_.tx_rejected, waiting_count_);
        waiting_count_ = 0;
    }
}

bool DpdkQueue::resolve(Instant now, port::Endpoint remote) {
    const auto outcome = stack_.resolve(now, remote);
    return outcome == net::TxOutcome::kReady || outcome == net::TxOutcome::kLocal;
}

}  // namespace fulmar::drivers

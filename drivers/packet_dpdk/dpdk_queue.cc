#include "drivers/packet_dpdk/dpdk_queue.h"

#include <algorithm>
#include <cstring>
#include <rte_ethdev.h>
#include <rte_mbuf.h>
#include <rte_prefetch.h>

#include "base/assert.h"
#include "base/statistic.h"
#include "pmd_glue/eal.h"
#include "pmd_glue/mbuf_burst.h"

namespace fulmar::drivers {
namespace {

using base::count;

}  // namespace

DpdkQueue::DpdkQueue(pmd_glue::Device& device, std::uint16_t queue_index, const net::IpStackOptions& stack)
    : device_(device),
      guard_(device.guard(queue_index)),
      pool_(device.pool(queue_index)),
      port_id_(device.port_id()),
      queue_index_(queue_index),
      rx_checked_by_device_(device.info().rx_checksum_offload && stack.rx_verify),
      own_{port::IpAddress::from_v4(stack.ip), 0},
      stack_(stack),
      bindings_(kBindingsMax, nullptr) {
    if (stack.tx_checksum == net::TxChecksum::kPartial) {
        rte_mbuf lengths{};
        lengths.l2_len = wire::kEthernetHeaderLength;
        lengths.l3_len = wire::kIpv4HeaderLength;
        tx_lengths_ = lengths.tx_offload;
        tx_flags_ = RTE_MBUF_F_TX_IPV4 | RTE_MBUF_F_TX_UDP_CKSUM;
    }
}

DpdkQueue::~DpdkQueue() {
    drop_waiting();
    for (; local_count_ != 0; --local_count_) {
        ::rte_pktmbuf_free(local_[local_head_].buffer);
        local_head_ = (local_head_ + 1) % kLocalMax;
    }
}

void DpdkQueue::add(port::Binding& binding) {
    auto& ours = static_cast<DpdkBinding&>(binding);
    const auto free = std::find(bindings_.begin(), bindings_.end(), nullptr);
    FULMAR_ASSERT(free != bindings_.end(), "DpdkPort::open bounds the bindings");
    FULMAR_ASSERT(ours.index == DpdkBinding::kNoIndex, "a binding is added once");
    *free = &binding;
    ours.index = static_cast<std::uint16_t>(free - bindings_.begin());
    stack_.bind(ours.udp_port(), ours.index);
}

void DpdkQueue::remove(port::Binding& binding) {
    auto& ours = static_cast<DpdkBinding&>(binding);
    if (ours.index == DpdkBinding::kNoIndex) {
        return;
    }
    stack_.unbind(ours.udp_port());
    bindings_[ours.index] = nullptr;
    ours.index = DpdkBinding::kNoIndex;
    for (auto& local : local_) {
        local.binding = local.binding == &binding ? nullptr : local.binding;
    }
}

/// Buffer caches belong to threads the device library knows.
void DpdkQueue::attach_thread() {
    pmd_glue::adopt_data_thread();
    if (device_.info().copies_on_transmit) {
        views_.take_from(pool_);
    }
    thread_attached_ = true;
}

void DpdkQueue::check_link(Instant now) {
    link_check_at_ = now + kLinkCheck;
    const bool up = device_.retry(now);
    pollable_ = device_.started();
    if (up && !link_up_) {
        stack_.announce();
    }
    if (!up) {
        drop_waiting();
    }
    link_up_ = up;
}

std::size_t DpdkQueue::receive(Instant now, std::span<port::RxPacket> out) {
    if (now >= link_check_at_) [[unlikely]] {
        if (!thread_attached_) {
            attach_thread();
        }
        check_link(now);
    }
    if (!pollable_) [[unlikely]] {
        return local_count_ != 0 ? take_local(out) : 0;
    }
    if (waiting_count_ != 0) [[unlikely]] {
        flush_waiting();
    }
    std::size_t delivered = 0;
    if (local_count_ != 0) [[unlikely]] {
        delivered = take_local(out);
        out = out.subspan(delivered);
    }
    std::array<rte_mbuf*, kBurst> buffers;
    std::uint16_t received;
    {
        const pmd_glue::BurstScope scope(guard_);
        received = ::rte_eth_rx_burst(
            port_id_, queue_index_, buffers.data(), static_cast<std::uint16_t>(std::min(kBurst, out.size())));
    }
    if (received != 0) {
        delivered += take_burst(now, std::span(buffers).first(received), out.data());
    }
    run_stack(now);
    return delivered;
}

std::size_t DpdkQueue::take_burst(Instant now, std::span<rte_mbuf*> buffers, port::RxPacket* out) {
    std::size_t delivered = 0;
    std::size_t finished = 0;
    std::uint64_t bytes = 0;
    ::rte_prefetch0(rte_pktmbuf_mtod(buffers[0], const void*));
    for (std::size_t i = 0; i < buffers.size(); ++i) {
        auto* const buffer = buffers[i];
        if (i + 1 < buffers.size()) {
            ::rte_prefetch0(rte_pktmbuf_mtod(buffers[i + 1], const void*));
        }
        auto* const frame = rte_pktmbuf_mtod(buffer, std::byte*);
        net::Datagram datagram;
        // A chain is longer than any frame we agreed to; its first segment fails the length checks.
        const auto verdict = stack_.classify(now, {frame, buffer->data_len}, hints_of(*buffer), datagram);
        if (verdict != net::Verdict::kDatagram) {
            buffers[finished++] = buffer;
            continue;
        }
        auto& packet = out[delivered++];
        packet.bytes = frame + datagram.offset;
        packet.length = datagram.length;
        packet.source = datagram.source;
        packet.binding = bindings_[datagram.binding];
        packet.handle = buffer;
        bytes += datagram.length;
    }
    count(stats_.rx_packets, delivered);
    count(stats_.rx_bytes, bytes);
    if (finished != 0) {
        pmd_glue::give_back_buffers(pool_, std::span(buffers).first(finished));
        mirror_drops();
    }
    return delivered;
}

net::RxHints DpdkQueue::hints_of(const rte_mbuf& buffer) const {
    using Check = net::RxHints::Check;
    net::RxHints hints;
    if (!rx_checked_by_device_) {
        return hints;
    }
    const auto ip = buffer.ol_flags & RTE_MBUF_F_RX_IP_CKSUM_MASK;
    const auto udp = buffer.ol_flags & RTE_MBUF_F_RX_L4_CKSUM_MASK;
    hints.ip = ip == RTE_MBUF_F_RX_IP_CKSUM_GOOD  ? Check::kGood
               : ip == RTE_MBUF_F_RX_IP_CKSUM_BAD ? Check::kBad
                                                  : Check::kUnknown;
    hints.udp = udp == RTE_MBUF_F_RX_L4_CKSUM_GOOD  ? Check::kGood
                : udp == RTE_MBUF_F_RX_L4_CKSUM_BAD ? Check::kBad
                                                    : Check::kUnknown;
    return hints;
}

void DpdkQueue::mirror_drops() {
    const auto mirror = [](std::uint64_t& to, std::uint64_t value) { count(to, value - to); };
    const auto& net = stack_.stats();
    mirror(stats_.rx_malformed, net.malformed());
    mirror(stats_.rx_checksum_bad, net.checksum_bad());
    mirror(stats_.rx_no_binding, net.rx_no_binding);
    mirror(stats_.neighbour_misses, net.neighbour_misses);
}

/// Sends what the stack has to say: ARP, echo replies, datagrams that waited for a neighbour.
void DpdkQueue::run_stack(Instant now) {
    const auto frames = stack_.pending(now);
    if (frames.empty() || waiting_count_ != 0 || !link_up_) [[likely]] {
        return;
    }
    std::array<rte_mbuf*, kBurst> buffers;
    const auto wanted = std::min(frames.size(), kBurst);
    if (!pmd_glue::take_buffers(pool_, std::span(buffers).first(wanted))) {
        return;
    }
    for (std::size_t i = 0; i < wanted; ++i) {
        std::memcpy(rte_pktmbuf_mtod(buffers[i], std::byte*), frames[i].bytes, frames[i].length);
        pmd_glue::set_length(*buffers[i], frames[i].length);
    }
    stack_.consume(wanted);
    transmit(std::span(buffers).first(wanted));
}

void DpdkQueue::release(std::span<const port::RxPacket> packets) {
    std::array<rte_mbuf*, kBurst> buffers;
    while (!packets.empty()) {
        const auto part = std::min(kBurst, packets.size());
        for (std::size_t i = 0; i < part; ++i) {
            buffers[i] = static_cast<rte_mbuf*>(packets[i].handle);
        }
        pmd_glue::give_back_buffers(pool_, std::span(buffers).first(part));
        packets = packets.subspan(part);
    }
}

port::Binding* DpdkQueue::find_binding(std::uint16_t udp_port) const {
    for (auto* const binding : bindings_) {
        if (binding != nullptr && static_cast<DpdkBinding*>(binding)->udp_port() == udp_port) {
            return binding;
        }
    }
    return nullptr;
}

void DpdkQueue::deliver_locally(const port::TxPacket& packet) {
    auto* const binding = find_binding(packet.destination.port);
    if (packet.length > stack_.payload_max()) {
        return;
    }
    if (binding == nullptr || local_count_ == kLocalMax) {
        count(stats_.rx_no_binding, binding == nullptr ? 1 : 0);
        return;
    }
    auto* const buffer = ::rte_pktmbuf_alloc(pool_);
    if (buffer == nullptr) {
        return;
    }
    std::memcpy(rte_pktmbuf_mtod(buffer, std::byte*), packet.bytes, packet.length);
    pmd_glue::set_length(*buffer, packet.length);
    const auto source_port = static_cast<const DpdkBinding*>(packet.binding)->udp_port();
    local_[(local_head_ + local_count_++) % kLocalMax] = {buffer, {own_.ip, source_port}, binding};
}

std::size_t DpdkQueue::take_local(std::span<port::RxPacket> out) {
    std::size_t delivered = 0;
    while (local_count_ != 0 && delivered < out.size()) {
        const auto local = local_[local_head_];
        local_head_ = (local_head_ + 1) % kLocalMax;
        --local_count_;
        if (local.binding == nullptr) {
            ::rte_pktmbuf_free(local.buffer);
            continue;
        }
        auto& packet = out[delivered++];
        packet.bytes = rte_pktmbuf_mtod(local.buffer, std::byte*);
        packet.length = local.buffer->data_len;
        packet.source = local.source;
        packet.binding = local.binding;
        packet.handle = local.buffer;
        count(stats_.rx_packets);
        count(stats_.rx_bytes, packet.length);
    }
    return delivered;
}

}  // namespace fulmar::drivers

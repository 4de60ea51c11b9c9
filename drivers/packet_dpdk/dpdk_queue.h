/// One queue pair of a poll-mode device under the packet seam: bursts of datagrams straight from and into
/// device buffers, with the IP host part done by net::IpStack on the way.
///
/// threads: all calls from the owning agent's thread; stats from any.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "drivers/packet_dpdk/dpdk_binding.h"
#include "drivers/packet_dpdk/udp_ports.h"
#include "net/ip_stack.h"
#include "pmd_glue/device.h"
#include "pmd_glue/payload_views.h"
#include "port/packet_port.h"

struct rte_mbuf;
struct rte_mempool;

namespace fulmar::drivers {

class DpdkQueue final : public port::PacketQueue {
  public:
    static constexpr std::size_t kBindingsMax = UdpPorts::kOpenMax;

    DpdkQueue(pmd_glue::Device& device, std::uint16_t queue_index, const net::IpStackOptions& stack);
    ~DpdkQueue() override;

    void add(port::Binding& binding) override;
    void remove(port::Binding& binding) override;
    [[nodiscard]] std::size_t receive(Instant now, std::span<port::RxPacket> out) override;
    void release(std::span<const port::RxPacket> packets) override;
    std::size_t send(Instant now, std::span<const port::TxPacket> packets) override;
    [[nodiscard]] bool resolve(Instant now, port::Endpoint remote) override;
    [[nodiscard]] const port::QueueStats& stats() const override { return stats_; }

    [[nodiscard]] const net::NetStats& net_stats() const { return stack_.stats(); }
    /// As of the last look, at most kLinkCheck old. threads: owner.
    [[nodiscard]] bool link_up() const { return link_up_; }

  private:
    static constexpr std::size_t kBurst = port::kBurstMax;
    static constexpr std::size_t kLocalMax = 256;
    static constexpr Duration kLinkCheck = milliseconds(10);

    /// A datagram from one of our bindings to another, which no wire brings back.
    struct Local {
        rte_mbuf* buffer = nullptr;
        port::Endpoint source;
        port::Binding* binding = nullptr;
    };

    void attach_thread();
    void check_link(Instant now);
    [[nodiscard]] std::size_t take_burst(Instant now, std::span<rte_mbuf*> buffers, port::RxPacket* out);
    [[nodiscard]] net::RxHints hints_of(const rte_mbuf& buffer) const;
    void mirror_drops();
    void run_stack(Instant now);
    void flush_waiting();
    void drop_waiting();
    void transmit(std::span<rte_mbuf*> buffers);
    [[nodiscard]] bool place(
        Instant now, const port::TxPacket& packet, rte_mbuf& buffer, pmd_glue::PayloadViews::View view);
    void deliver_locally(const port::TxPacket& packet);
    [[nodiscard]] std::size_t take_local(std::span<port::RxPacket> out);
    [[nodiscard]] port::Binding* find_binding(std::uint16_t udp_port) const;

    pmd_glue::Device& device_;
    pmd_glue::RegionGuard* guard_;
    rte_mempool* pool_;
    std::uint16_t port_id_;
    std::uint16_t queue_index_;
    bool thread_attached_ = false;
    bool pollable_ = false;  ///< the device is started
    bool link_up_ = false;
    bool rx_checked_by_device_;
    std::uint64_t tx_flags_ = 0;  ///< offload request on each packet
    std::uint64_t tx_lengths_ = 0;
    Instant link_check_at_{0};
    port::Endpoint own_;
    net::IpStack stack_;
    port::QueueStats stats_;
    std::vector<port::Binding*> bindings_;

    pmd_glue::PayloadViews views_;  ///< empty unless the device copies on transmit

    // Built, taken from the caller and not yet taken by the device; goes out before anything else.
    std::array<rte_mbuf*, kBurst> waiting_{};
    std::size_t waiting_first_ = 0;
    std::size_t waiting_count_ = 0;

    std::array<Local, kLocalMax> local_{};
    std::size_t local_head_ = 0;
    std::size_t local_count_ = 0;
};

}  // namespace fulmar::drivers

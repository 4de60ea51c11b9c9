#include "pmd_glue/device.h"

#include <algorithm>
#include <bit>
#include <fmt/core.h>
#include <rte_cycles.h>
#include <rte_dev.h>
#include <rte_errno.h>
#include <rte_ethdev.h>
#include <rte_mbuf.h>
#include <rte_mempool.h>

#include "pmd_glue/device_args.h"
#include "pmd_glue/eal.h"
#include "pmd_glue/interrupt_thread.h"
#include "pmd_glue/log_capture.h"
#include "pmd_glue/signal_scope.h"

namespace fulmar::pmd_glue {
namespace {

using Kind = DeviceSpec::Kind;

constexpr std::int32_t kDefaultMtu = 1500;
constexpr std::int32_t kEthernetHeaderBytes = 14;
constexpr std::int32_t kVlanAndFcsBytes = 8;
constexpr std::uint16_t kRingDefault = 1024;
constexpr std::uint32_t kPoolCacheBuffers = 256;
constexpr std::uint32_t kBuffersInHand = 512;  ///< bursts received and not released, sent and not taken
// A memif server aborts when a client hangs up before it was greeted, so an attempt under way is left alone
// for long; a connection that was up and is lost only needs its cleaning up done; an absent server costs a
// look.
constexpr Duration kConnectTime = seconds(2);
constexpr Duration kCleanUpTime = milliseconds(100);
constexpr Duration kSearchTime = milliseconds(20);
constexpr int kGreetingPolls = 200;
constexpr unsigned kGreetingPoll_us = 1000;
constexpr std::uint64_t kRxChecksums = RTE_ETH_RX_OFFLOAD_IPV4_CKSUM | RTE_ETH_RX_OFFLOAD_UDP_CKSUM;
constexpr std::uint64_t kTxChecksums = RTE_ETH_TX_OFFLOAD_IPV4_CKSUM | RTE_ETH_TX_OFFLOAD_UDP_CKSUM;

Unexpected<Error> device_failure(const std::string& device, const std::string& what, int error) {
    auto reason = last_log_line();
    if (reason.empty()) {
        reason = ::rte_strerror(error < 0 ? -error : error);
    }
    return fail(ErrorCode::kGeneric, fmt::format("{}: cannot {}: {}", device, what, reason));
}

int numa_node_of(std::uint16_t port) {
    const int node = ::rte_eth_dev_socket_id(port);
    return node < 0 ? SOCKET_ID_ANY : node;
}

}  // namespace

std::string to_string(const DeviceSpec& spec) {
    switch (spec.kind) {
        case Kind::kPci: return "pci:" + spec.target;
        case Kind::kAfPacket: return "af_packet:" + spec.target;
        case Kind::kAfXdp: return "af_xdp:" + spec.target;
        case Kind::kMemifServer: return "memif:server:" + spec.target;
        case Kind::kMemifClient: return "memif:client:" + spec.target;
        case Kind::kTap: return "tap:" + spec.target;
        case Kind::kRing: return "ring:";
        case Kind::kNull: return "null:";
        case Kind::kVdev: return "vdev:" + spec.target;
    }
    return "?";
}

Result<std::unique_ptr<Device>> Device::open(const DeviceSpec& spec, const DeviceOptions& options) {
    if (!eal_started()) {
        return fail(ErrorCode::kGeneric, to_string(spec) + ": the device library is not started");
    }
    std::unique_ptr<Device> device(new Device);
    FULMAR_TRY_VOID(device->create(spec, options));
    FULMAR_TRY_VOID(device->configure(options));
    FULMAR_TRY_VOID(device->make_pools(options.buffers));
    FULMAR_TRY_VOID(device->setup_queues());
    FULMAR_TRY_VOID(device->start());
    return device;
}

Status Device::create(const DeviceSpec& spec, const DeviceOptions& options) {
    kind_ = spec.kind;
    info_.name = to_string(spec);
    info_.hugepages = eal_mode().hugepages;
    info_.queue_pairs = std::max<std::uint16_t>(1, options.queue_pairs);
    info_.mtu = options.mtu != 0 ? options.mtu : kDefaultMtu;
    clear_log_lines();
    if (spec.kind == Kind::kPci) {
        return find_port(spec);
    }
    FULMAR_TRY(vdev, vdev_args(spec, options));
    if (vdev.mtu != 0) {
        if (options.mtu > vdev.mtu) {
            return fail(
                ErrorCode::kGeneric, fmt::format("{}: mtu={} is above the {} of the interface: "
                                                 "ip link set {} mtu {}",
                                         info_.name, options.mtu, vdev.mtu, spec.target, options.mtu));
        }
        info_.mtu = options.mtu != 0 ? options.mtu : (is_memif() ? kDefaultMtu : vdev.mtu);
    }
    info_.zero_copy = vdev.zero_copy;
    buffer_bytes_ = vdev.buffer_bytes;
    if (!vdev.carrier_interface.empty()) {
        carrier_.open(vdev.carrier_interface);
        info_.kernel_senders = true;
    }
    info_.carries_checksums = !is_memif() && spec.kind != Kind::kRing && spec.kind != Kind::kNull;
    info_.kernel_senders = info_.kernel_senders || spec.kind == Kind::kTap;
    vdev_name_ = vdev.name;
    const int probed = ::rte_eal_hotplug_add("vdev", vdev.name.c_str(), vdev.arguments.c_str());
    if (probed != 0) {
        vdev_name_.clear();
        return device_failure(info_.name, "create it", probed);
    }
    return find_port(spec);
}

Status Device::find_port(const DeviceSpec& spec) {
    const auto& name = vdev_name_.empty() ? spec.target : vdev_name_;
    if (::rte_eth_dev_get_port_by_name(name.c_str(), &port_id_) != 0) {
        port_id_ = RTE_MAX_ETHPORTS;
        return fail(ErrorCode::kGeneric,
            fmt::format("{}: no such device, or not bound to a user-space driver: dpdk-devbind.py --status",
                info_.name));
    }
    return Done{};
}

Status Device::configure(const DeviceOptions& options) {
    rte_eth_dev_info capabilities{};
    int result = ::rte_eth_dev_info_get(port_id_, &capabilities);
    if (result != 0) {
        return device_failure(info_.name, "ask for its capabilities", result);
    }
    if (info_.queue_pairs > capabilities.max_rx_queues || info_.queue_pairs > capabilities.max_tx_queues) {
        return fail(ErrorCode::kGeneric,
            fmt::format("{}: queues={} but the device has {}", info_.name, info_.queue_pairs,
                std::min(capabilities.max_rx_queues, capabilities.max_tx_queues)));
    }
    if (options.checksum_offload) {
        info_.rx_checksum_offload = (capabilities.rx_offload_capa & kRxChecksums) == kRxChecksums;
        info_.tx_checksum_offload = (capabilities.tx_offload_capa & kTxChecksums) == kTxChecksums;
    }
    info_.fast_free = (capabilities.tx_offload_capa & RTE_ETH_TX_OFFLOAD_MBUF_FAST_FREE) != 0;
    rx_offloads_ = info_.rx_checksum_offload ? kRxChecksums : 0;
    tx_offloads_ = (info_.tx_checksum_offload ? kTxChecksums : 0) |
                   (info_.fast_free ? RTE_ETH_TX_OFFLOAD_MBUF_FAST_FREE : 0);

    rte_eth_conf configuration{};
    configuration.rxmode.offloads = rx_offloads_;
    configuration.txmode.offloads = tx_offloads_;
    if (kind_ == Kind::kPci) {
        configuration.rxmode.mtu = static_cast<std::uint32_t>(info_.mtu);
    }
    result = ::rte_eth_dev_configure(port_id_, info_.queue_pairs, info_.queue_pairs, &configuration);
    if (result != 0) {
        return device_failure(info_.name, "configure it", result);
    }
    configured_ = true;

    info_.rx_ring = options.rx_ring != 0 ? options.rx_ring : kRingDefault;
    info_.tx_ring = options.tx_ring != 0 ? options.tx_ring : kRingDefault;
    ::rte_eth_dev_adjust_nb_rx_tx_desc(port_id_, &info_.rx_ring, &info_.tx_ring);
    info_.driver = capabilities.driver_name;
    info_.copies_on_transmit =
        (info_.driver == "net_memif" && !info_.zero_copy) || info_.driver == "net_af_packet";
    info_.numa_node = ::rte_eth_dev_socket_id(port_id_);
    info_.frame_max = info_.mtu + kEthernetHeaderBytes;
    rte_ether_addr mac{};
    ::rte_eth_macaddr_get(port_id_, &mac);
    std::copy_n(mac.addr_bytes, info_.mac.size(), info_.mac.begin());
    return Done{};
}

Status Device::make_pools(std::uint32_t buffers_wanted) {
    const auto room = std::max(buffer_bytes_, info_.frame_max + kVlanAndFcsBytes);
    const auto room_total = static_cast<std::uint16_t>(std::max<std::int32_t>(
        RTE_PKTMBUF_HEADROOM + room, buffer_bytes_ != 0 ? 0 : RTE_MBUF_DEFAULT_BUF_SIZE));
    const std::uint32_t needed = info_.rx_ring + info_.tx_ring + kBuffersInHand + 2 * kPoolCacheBuffers;
    const std::uint32_t count = std::bit_ceil(std::max(needed, buffers_wanted)) - 1;
    for (std::uint16_t queue = 0; queue < info_.queue_pairs; ++queue) {
        const auto name = fmt::format("fulmar_{}_{}", port_id_, queue);
        auto* pool = ::rte_pktmbuf_pool_create(
            name.c_str(), count, kPoolCacheBuffers, 0, room_total, numa_node_of(port_id_));
        if (pool == nullptr) {
            return fail(ErrorCode::kGeneric,
                fmt::format("{}: no memory for {} packet buffers of {} bytes ({}): {}", info_.name, count,
                    room_total, ::rte_strerror(rte_errno),
                    eal_mode().hugepages ? "raise vm.nr_hugepages" : "raise the plain memory limit"));
        }
        pools_.push_back(pool);
        guards_.push_back(is_memif() ? std::make_unique<RegionGuard>() : nullptr);
    }
    return Done{};
}

Status Device::setup_queues() {
    rte_eth_dev_info capabilities{};
    if (const int result = ::rte_eth_dev_info_get(port_id_, &capabilities); result != 0) {
        return device_failure(info_.name, "ask for its capabilities", result);
    }
    const auto node = static_cast<unsigned>(numa_node_of(port_id_));
    for (std::uint16_t queue = 0; queue < info_.queue_pairs; ++queue) {
        auto rx = capabilities.default_rxconf;
        rx.offloads = rx_offloads_;
        int result = ::rte_eth_rx_queue_setup(port_id_, queue, info_.rx_ring, node, &rx, pools_[queue]);
        if (result != 0) {
            return device_failure(info_.name, fmt::format("set up receive queue {}", queue), result);
        }
        auto tx = capabilities.default_txconf;
        tx.offloads = tx_offloads_;
        result = ::rte_eth_tx_queue_setup(port_id_, queue, info_.tx_ring, node, &tx);
        if (result != 0) {
            return device_failure(info_.name, fmt::format("set up transmit queue {}", queue), result);
        }
    }
    return Done{};
}

Status Device::start() {
    if (kind_ == Kind::kPci) {
        // Not every driver takes the length from the configuration.
        ::rte_eth_dev_set_mtu(port_id_, static_cast<std::uint16_t>(info_.mtu));
    }
    int result = 0;
    control([&] { result = ::rte_eth_dev_start(port_id_); });
    started_ = result == 0;
    if (!started_ && kind_ != Kind::kMemifClient) {
        return device_failure(info_.name, "start it", result);
    }
    if (kind_ == Kind::kPci) {
        // Drivers without a switch for it answer "not supported", which is as good as done.
        ::rte_eth_promiscuous_disable(port_id_);
        ::rte_eth_allmulticast_enable(port_id_);
    }
    return Done{};
}

/// A memif is started, stopped and closed where its peer's messages are handled.
void Device::control(const std::function<void()>& call) {
    if (is_memif()) {
        run_on_interrupt_thread(call);
    } else {
        call();
    }
}

bool Device::link_up() const {
    if (!started_) {
        return false;
    }
    if (carrier_.active()) {
        return carrier_.up();
    }
    rte_eth_link link{};
    return ::rte_eth_link_get_nowait(port_id_, &link) == 0 && link.link_status == RTE_ETH_LINK_UP;
}

bool Device::retry(Instant now) {
    if (kind_ != Kind::kMemifClient) {
        return link_up();
    }
    if (link_up()) {
        was_up_ = true;
        link_waits_since_ = Instant::never();
        return true;
    }
    if (link_waits_since_ == Instant::never()) {
        link_waits_since_ = now;
    }
    // Connecting, and cleaning up after a lost peer, happen on the library's own thread: leave it the time.
    const auto patience = !started_ ? kSearchTime : was_up_ ? kCleanUpTime : kConnectTime;
    if (now - link_waits_since_ < patience) {
        return false;
    }
    link_waits_since_ = now;
    was_up_ = false;
    const SigpipeBlocked quiet;
    control([this] {
        if (started_) {
            ::rte_eth_dev_stop(port_id_);
        }
        started_ = ::rte_eth_dev_start(port_id_) == 0;
    });
    return link_up();
}

DeviceStats Device::stats() const {
    rte_eth_stats raw{};
    DeviceStats stats;
    if (::rte_eth_stats_get(port_id_, &raw) == 0) {
        stats.rx_packets = raw.ipackets;
        stats.rx_bytes = raw.ibytes;
        stats.tx_packets = raw.opackets;
        stats.tx_bytes = raw.obytes;
        stats.rx_missed = raw.imissed;
        stats.rx_errors = raw.ierrors;
        stats.tx_errors = raw.oerrors;
        stats.rx_no_buffer = raw.rx_nombuf;
    }
    return stats;
}

Device::~Device() {
    const SigpipeBlocked quiet;
    if (kind_ == Kind::kMemifClient && started_ && !was_up_) {
        for (int poll = 0; poll < kGreetingPolls && !link_up(); ++poll) {
            ::rte_delay_us_sleep(kGreetingPoll_us);
        }
    }
    if (port_id_ < RTE_MAX_ETHPORTS) {
        control([this] {
            if (started_) {
                ::rte_eth_dev_stop(port_id_);
            }
            if (configured_) {
                ::rte_eth_dev_close(port_id_);
            }
        });
    }
    if (!vdev_name_.empty()) {
        ::rte_eal_hotplug_remove("vdev", vdev_name_.c_str());
    }
    for (auto* pool : pools_) {
        ::rte_mempool_free(pool);
    }
}

}  // namespace fulmar::pmd_glue

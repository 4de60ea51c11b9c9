/// A poll-mode device: created from a typed description, started, watched and closed. Queues are polled by
/// drivers/packet_dpdk and the raw engine directly through the device library's burst calls.
/// threads: control calls from one thread; each queue pair from one thread; stats and link state from any.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "fulmar/result.h"
#include "fulmar/time.h"
#include "pmd_glue/interface_check.h"
#include "pmd_glue/region_guard.h"

struct rte_mempool;

namespace fulmar::pmd_glue {

/// Which device, as a user names it.
struct DeviceSpec {
    enum class Kind : std::uint8_t {
        kPci,          ///< target: bus address, 0000:3b:00.0
        kAfPacket,     ///< target: interface
        kAfXdp,        ///< target: interface
        kMemifServer,  ///< target: socket path
        kMemifClient,  ///< target: socket path
        kTap,          ///< target: name of the interface to make
        kRing,         ///< a loop: what is sent comes back
        kNull,         ///< swallows what is sent, never receives
        kVdev,         ///< target: the library's own string, name,arg=value
    };
    Kind kind = Kind::kNull;
    std::string target;
};

struct DeviceOptions {
    std::uint16_t queue_pairs = 1;
    std::int32_t mtu = 0;       ///< 0: what the device has, at most 1500 unless it says more.  units: bytes
    std::uint16_t rx_ring = 0;  ///< 0: chosen by device.  units: descriptors
    std::uint16_t tx_ring = 0;
    std::uint32_t buffers = 0;  ///< per queue pair, 0: from ring lengths and burst
    /// memif client on hugepages: share our buffers with the peer instead of copying into its ring. For
    /// measurements of one connection only: the driver hands out and then closes the library's own memory
    /// files, so that a second connection, or growing memory, goes wrong.
    bool zero_copy = false;
    bool checksum_offload = true;  ///< where the device offers it
};

using MacBytes = std::array<std::uint8_t, 6>;

/// What became of the options.
struct DeviceInfo {
    std::string name;    ///< as the user typed it, for messages: memif:client:/path
    std::string driver;  ///< the library's driver name
    MacBytes mac{};
    std::int32_t mtu = 0;        ///< largest IP packet.  units: bytes
    std::int32_t frame_max = 0;  ///< largest frame with Ethernet header, without FCS.  units: bytes
    std::uint16_t queue_pairs = 1;
    std::uint16_t rx_ring = 0;
    std::uint16_t tx_ring = 0;
    int numa_node = -1;
    bool hugepages = false;
    bool zero_copy = false;
    bool rx_checksum_offload = false;  ///< IPv4 and UDP verified by the device
    bool tx_checksum_offload = false;
    bool fast_free = false;
    bool carries_checksums = true;  ///< false on memif, ring and null: memory does not flip bits
    /// Its transmit burst copies the bytes of what it takes before it returns, chains included: payloads may
    /// be borrowed for the call.
    bool copies_on_transmit = false;
    bool kernel_senders = false;  ///< frames may carry a pseudo-header sum only (packet taps)
};

/// As counted by the device.
struct DeviceStats {
    std::uint64_t rx_packets = 0;
    std::uint64_t rx_bytes = 0;
    std::uint64_t tx_packets = 0;
    std::uint64_t tx_bytes = 0;
    std::uint64_t rx_missed = 0;  ///< no descriptor or buffer in time
    std::uint64_t rx_errors = 0;
    std::uint64_t tx_errors = 0;
    std::uint64_t rx_no_buffer = 0;  ///< buffer pool was empty
};

class Device {
  public:
    /// Creates, configures and starts. A memif client whose server is not there yet is no error: its link
    /// is down until retry() finds it.
    /// errors: kGeneric, one line: what, why, how to mend it. Needs start_eal().
    [[nodiscard]] static Result<std::unique_ptr<Device>> open(
        const DeviceSpec& spec, const DeviceOptions& options);
    ~Device();
    Device(const Device&) = delete;
    Device& operator=(const Device&) = delete;

    [[nodiscard]] const DeviceInfo& info() const { return info_; }
    [[nodiscard]] std::uint16_t port_id() const { return port_id_; }
    [[nodiscard]] rte_mempool* pool(std::uint16_t queue) const { return pools_[queue]; }
    /// Brackets bursts on devices whose memory can vanish under a poll; null elsewhere.
    [[nodiscard]] RegionGuard* guard(std::uint16_t queue) const { return guards_[queue].get(); }

    /// A stopped device must not be polled.
    [[nodiscard]] bool started() const { return started_; }
    /// One look, no waiting. Some devices ask the kernel: call at a modest rate.
    [[nodiscard]] bool link_up() const;
    /// Starts again what needs its peer to start (a memif client), once the last attempt had time to come
    /// up. threads: the one that polls, while it polls nothing. Returns link_up().
    bool retry(Instant now);

    [[nodiscard]] DeviceStats stats() const;

  private:
    Device() = default;

    Status create(const DeviceSpec& spec, const DeviceOptions& options);
    Status find_port(const DeviceSpec& spec);
    Status configure(const DeviceOptions& options);
    Status make_pools(std::uint32_t buffers_wanted);
    Status setup_queues();
    Status start();
    void control(const std::function<void()>& call);
    bool is_memif() const {
        return kind_ == DeviceSpec::Kind::kMemifServer || kind_ == DeviceSpec::Kind::kMemifClient;
    }

    DeviceSpec::Kind kind_ = DeviceSpec::Kind::kNull;
    DeviceInfo info_;
    std::string vdev_name_;  ///< empty for PCI
    std::uint16_t port_id_ = 0xFFFF;
    bool configured_ = false;
    bool started_ = false;
    bool was_up_ = false;  ///< since the last start
    Instant link_waits_since_ = Instant::never();
    std::int32_t buffer_bytes_ = 0;  ///< data room the driver asked for, 0: none in particular
    std::uint64_t rx_offloads_ = 0;
    std::uint64_t tx_offloads_ = 0;
    std::vector<rte_mempool*> pools_;
    std::vector<std::unique_ptr<RegionGuard>> guards_;
    CarrierProbe carrier_;
};

/// `af_packet:veth0`: how a user writes it.
[[nodiscard]] std::string to_string(const DeviceSpec& spec);

}  // namespace fulmar::pmd_glue

/// The seam between protocol and wire: datagrams in bursts. One virtual call per burst, never per
/// packet; above it nobody sees an mbuf, a socket or a MAC address.
///
/// A PacketPort opens Bindings (local UDP endpoints). A Binding belongs to one PacketQueue, and a queue to
/// one agent thread. Ports with a kernel below them (UDP sockets) can have a queue per agent; a DPDK port
/// with a single queue pair has one queue, so sender and receiver then share a thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "fulmar/result.h"
#include "fulmar/time.h"
#include "port/endpoint.h"

namespace fulmar::port {

inline constexpr std::size_t kBurstMax = 64;

/// A local UDP endpoint opened on a port. The cookie comes back with each packet received on it.
/// owner: whoever opened it; close by destroying after PacketQueue::remove.
class Binding {
  public:
    virtual ~Binding() = default;
    Binding() = default;
    Binding(const Binding&) = delete;
    Binding& operator=(const Binding&) = delete;

    /// The bound endpoint with wildcards resolved.
    [[nodiscard]] virtual Endpoint local() const = 0;
    /// Socket buffer lengths in force, 0 where the port has none.  units: bytes
    [[nodiscard]] virtual std::int32_t rcvbuf_length() const { return 0; }
    [[nodiscard]] virtual std::int32_t sndbuf_length() const { return 0; }
    /// What the system gives a socket that asks for nothing, likewise.
    [[nodiscard]] virtual std::int32_t rcvbuf_length_default() const { return 0; }
    [[nodiscard]] virtual std::int32_t sndbuf_length_default() const { return 0; }

    void* cookie = nullptr;
};

struct BindRequest {
    Endpoint local;                  ///< port 0: ephemeral; any-address: the port's own; a group: joins it
    Endpoint remote;                 ///< valid: the only peer, a port may connect() to it
    IpAddress interface;             ///< of a group: the host's address where it is joined and sent to
    std::int32_t sndbuf_length = 0;  ///< 0: leave the default
    std::int32_t rcvbuf_length = 0;
    std::int32_t ttl = 0;
};

/// A datagram received. bytes stay valid until PacketQueue::release.
struct RxPacket {
    std::byte* bytes = nullptr;
    std::uint32_t length = 0;
    Endpoint source;
    Binding* binding = nullptr;
    void* handle = nullptr;  ///< the port's own
};

/// A datagram to send. bytes must stay valid until send() returns, unless the queue says it sends
/// without copying.
struct TxPacket {
    const std::byte* bytes = nullptr;
    std::uint32_t length = 0;
    Binding* binding = nullptr;
    Endpoint destination;
};

/// Totals since start; written by the queue's thread, read by any (relaxed).
struct QueueStats {
    std::uint64_t rx_packets = 0;
    std::uint64_t rx_bytes = 0;
    std::uint64_t tx_packets = 0;
    std::uint64_t tx_bytes = 0;
    std::uint64_t tx_rejected = 0;   ///< offered while the device had no room
    std::uint64_t rx_malformed = 0;  ///< bad lengths, IP fragments, wrong protocol
    std::uint64_t rx_checksum_bad = 0;
    std::uint64_t rx_no_binding = 0;     ///< for a port nobody opened
    std::uint64_t neighbour_misses = 0;  ///< packets that met an unresolved neighbour
};

/// One receive/transmit queue pair. threads: all calls from the owning agent's thread.
class PacketQueue {
  public:
    virtual ~PacketQueue() = default;

    /// Starts and stops delivery to a binding of the same port.
    virtual void add(Binding& binding) = 0;
    virtual void remove(Binding& binding) = 0;

    /// Fills up to out.size() packets; never blocks. Also where a port without a kernel below runs ARP
    /// and ICMP. Each non-empty result must be handed back by release() before the next receive().
    [[nodiscard]] virtual std::size_t receive(Instant now, std::span<RxPacket> out) = 0;
    virtual void release(std::span<const RxPacket> packets) = 0;

    /// Sends from the front; returns how many were taken. The rest stays with the caller, who may try again.
    /// A packet taken may still be lost, as on any wire.
    virtual std::size_t send(Instant now, std::span<const TxPacket> packets) = 0;

    /// True once a packet to `remote` would not wait for address resolution; asks if it is unknown.
    [[nodiscard]] virtual bool resolve(Instant now, Endpoint remote) {
        (void)now;
        (void)remote;
        return true;
    }

    [[nodiscard]] virtual const QueueStats& stats() const = 0;
};

/// A named total of a port, for counters and tools.
struct PortStatistic {
    std::int32_t counter_type = 0;  ///< layout/port_counters.h
    std::string_view name;          ///< static text
    std::uint64_t value = 0;
};
inline constexpr std::size_t kPortStatisticsMax = 16;

/// Collects statistics into a caller's array.
class StatisticsList {
  public:
    explicit StatisticsList(std::span<PortStatistic, kPortStatisticsMax> out) : out_(out) {}
    void add(std::int32_t counter_type, std::string_view name, std::uint64_t value) {
        if (count_ < out_.size()) {
            out_[count_++] = {counter_type, name, value};
        }
    }
    [[nodiscard]] std::size_t size() const { return count_; }

  private:
    std::span<PortStatistic, kPortStatisticsMax> out_;
    std::size_t count_ = 0;
};

/// A network device or kernel stack. threads: control calls from one thread (conductor or resource agent);
/// Binding open/close may race with queue polls, add/remove may not.
class PacketPort {
  public:
    virtual ~PacketPort() = default;

    [[nodiscard]] virtual std::string_view name() const = 0;
    /// Largest UDP payload one packet can carry.  units: bytes
    [[nodiscard]] virtual std::int32_t payload_max() const = 0;
    /// Address used for wildcard binds and route selection; any-address on kernel ports.
    [[nodiscard]] virtual Endpoint address() const = 0;
    /// Prefix length of the port's own network, for longest-prefix routes; 0 takes everything.
    [[nodiscard]] virtual int prefix_length() const = 0;
    /// True when sender and receiver may poll different queues from different threads.
    [[nodiscard]] virtual bool has_separate_queues() const = 0;

    /// The queue of one role; the same object for every role where there is only one.
    enum class Role : std::uint8_t { kSender, kReceiver };
    [[nodiscard]] virtual PacketQueue& queue(Role role) = 0;

    /// Totals since start, always the same ones in the same order. threads: any.
    virtual void statistics(StatisticsList& out) const { (void)out; }

    /// What goes wrong on purpose, in force from the queues' next bursts on; text as in net/fault_spec.h.
    /// errors: kNotSupported, the port was opened without faults; kGeneric naming the part that is wrong.
    /// threads: the control thread.
    [[nodiscard]] virtual Status set_fault(std::string_view spec) {
        (void)spec;
        return fail(ErrorCode::kNotSupported, "port " + std::string(name()) +
                                                  " injects no faults; start the driver with --port " +
                                                  std::string(name()) + ",fault=none");
    }
    /// Canonical text of the faults in force, `none` for none yet; empty: this port never injects any.
    [[nodiscard]] virtual std::string fault() const { return {}; }

    /// A multicast group can be open more than once; each binding gets what comes for it.
    /// errors: kInvalidChannel (address not ours), kNotSupported (multicast where the port has none),
    /// kGeneric (port in use, no permission), one clear line.
    [[nodiscard]] virtual Result<std::unique_ptr<Binding>> open(const BindRequest& request) = 0;
};

}  // namespace fulmar::port

/// The part of an IPv4 host that a port without a kernel below it needs: takes frames apart, answers ARP
/// and ICMP echo, resolves neighbours, and puts headers before datagrams.
///
/// It reads no clock and does no input or output: received frames go in through classify(), frames of its
/// own come out of pending(), and build_headers() fills in what precedes a payload.
/// Nothing is allocated after construction. Everything that does not reach a binding is counted.
///
/// threads: one owner; stats may be read by any.
/// source: RFC 791, 768, 826, 792, 1122. Not done here: fragments (dropped, never made), options (skipped),
/// multicast, broadcast.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "fulmar/time.h"
#include "net/neighbour_table.h"
#include "net/net_stats.h"
#include "net/output_list.h"
#include "port/endpoint.h"
#include "wire/arp.h"
#include "wire/ethernet.h"
#include "wire/ipv4.h"
#include "wire/udp.h"

namespace fulmar::net {

/// Ethernet, IPv4 without options and UDP: what build_headers writes.
inline constexpr std::size_t kHeadersLength =
    wire::kEthernetHeaderLength + wire::kIpv4HeaderLength + wire::kUdpHeaderLength;

enum class Verdict : std::uint8_t {
    kDatagram,  ///< for a binding
    kConsumed,  ///< ARP or ICMP, dealt with; pending() may have an answer
    kDropped,   ///< counted with its reason
};

/// What the device says about a received frame.
struct RxHints {
    enum class Check : std::uint8_t { kUnknown, kGood, kBad };
    Check ip = Check::kUnknown;
    Check udp = Check::kUnknown;
};

/// Where the payload lies in a classified frame, who sent it and for which binding.
struct Datagram {
    std::uint32_t offset = 0;
    std::uint32_t length = 0;
    std::uint16_t binding = 0;
    port::Endpoint source;
};

enum class TxOutcome : std::uint8_t {
    kReady,       ///< headers are written
    kUnresolved,  ///< the neighbour is being asked for; park() or try again
    kLocal,       ///< the destination is this host: the wire will not bring it back
    kUnroutable,  ///< no network or gateway for it, multicast or broadcast
    kTooLong,     ///< longer than payload_max
};

/// How UDP checksums are sent. The IPv4 header's is always written.
enum class TxChecksum : std::uint8_t {
    kNone,     ///< 0, "not computed": point-to-point shared memory
    kFull,     ///< computed here
    kPartial,  ///< the pseudo-header's sum, for a device that completes it
};

struct IpStackOptions {
    wire::MacAddress mac;
    std::uint32_t ip = 0;  ///< host byte order
    int prefix_length = 24;
    std::uint32_t gateway = 0;  ///< 0: none
    std::uint32_t mtu = 1500;   ///< IP packet.  units: bytes
    std::uint8_t ttl = wire::kIpv4TtlDefault;
    TxChecksum tx_checksum = TxChecksum::kFull;
    bool rx_verify = true;           ///< false: trust the wire (memif)
    bool rx_accept_partial = false;  ///< af_packet, af_xdp: local senders leave the sum to a device
    NeighbourTable::Options neighbours;
    std::size_t output_max = 32;  ///< frames waiting in pending()
    std::size_t parked_max = 32;  ///< payloads waiting for neighbours
    std::size_t parked_per_neighbour_max = 4;
};

class IpStack {
  public:
    explicit IpStack(const IpStackOptions& options);

    /// Makes datagrams to a UDP port come out with `binding`, any number but 0xFFFF.
    void bind(std::uint16_t udp_port, std::uint16_t binding);
    void unbind(std::uint16_t udp_port);

    /// Takes a received frame apart, padding and all. `out` is set for kDatagram only.
    [[nodiscard]] Verdict classify(
        Instant now, std::span<const std::byte> frame, RxHints hints, Datagram& out);

    /// Writes kHeadersLength bytes before a payload; reads the payload only for TxChecksum::kFull.
    [[nodiscard]] TxOutcome build_headers(Instant now, std::uint16_t source_port,
        const port::Endpoint& destination, std::span<const std::byte> payload, std::byte* out);
    /// Whether a datagram would go out at once; starts asking if not.
    [[nodiscard]] TxOutcome resolve(Instant now, const port::Endpoint& destination);
    /// Keeps a copy of an unresolved datagram, which pending() yields once the neighbour answers. The oldest
    /// of the same neighbour makes room.
    void park(Instant now, std::uint16_t source_port, const port::Endpoint& destination,
        std::span<const std::byte> payload);

    /// Frames the stack wants to send, from the front; also runs its timers. Call once per poll.
    /// They need no offload. Valid until consume().
    [[nodiscard]] std::span<const OutputFrame> pending(Instant now);
    void consume(std::size_t count) { output_.consume(count); }
    /// Tells the network where we are: at start, and when the link comes up.
    void announce();

    [[nodiscard]] std::uint32_t payload_max() const {
        return options_.mtu - static_cast<std::uint32_t>(wire::kIpv4HeaderLength + wire::kUdpHeaderLength);
    }
    [[nodiscard]] const IpStackOptions& options() const { return options_; }
    [[nodiscard]] const NetStats& stats() const { return stats_; }
    [[nodiscard]] const NeighbourTable& neighbours() const { return neighbours_; }

  private:
    static constexpr std::size_t kTemplates = 64;

    /// Headers for one flow, with the sums of what does not change from packet to packet.
    struct alignas(64) Template {
        std::uint64_t key = 0;
        std::uint64_t version = 0;  // of the neighbour table; 0 is never current
        std::uint32_t neighbour = 0;
        wire::ChecksumSum ip_sum;
        wire::ChecksumSum pseudo_sum;
        wire::ChecksumSum ports_sum;
        std::array<std::byte, kHeadersLength> bytes{};
    };
    struct Parked {
        bool used = false;
        std::uint32_t next_hop = 0;
        std::uint16_t source_port = 0;
        port::Endpoint destination;
        std::uint32_t length = 0;
        std::uint64_t order = 0;
    };

    [[nodiscard]] Verdict drop(std::uint64_t& reason);
    [[nodiscard]] Verdict on_ipv4(
        Instant now, std::span<const std::byte> frame, RxHints hints, Datagram& out);
    [[nodiscard]] Verdict on_udp(
        std::span<const std::byte> segment, const wire::Ipv4Header& ip, RxHints hints, Datagram& out);
    [[nodiscard]] bool udp_checksum_accepted(std::span<const std::byte> segment, const wire::Ipv4Header& ip,
        const wire::UdpHeader& udp, RxHints hints);
    [[nodiscard]] Verdict on_icmp(
        std::span<const std::byte> message, const wire::Ipv4Header& ip, const wire::MacAddress& from);
    [[nodiscard]] Verdict on_arp(Instant now, std::span<const std::byte> frame);
    void hear(Instant now, std::uint32_t ip, const wire::MacAddress& mac);
    void send_arp(const wire::ArpPacket& packet, const wire::MacAddress& destination, std::uint64_t& counter);
    [[nodiscard]] bool ask(const NeighbourQuestion& question);

    [[nodiscard]] bool is_on_link(std::uint32_t ip) const { return (ip & mask_) == (options_.ip & mask_); }
    [[nodiscard]] bool is_broadcast(std::uint32_t ip) const;
    [[nodiscard]] bool may_be_source(std::uint32_t ip) const;
    struct Route {
        TxOutcome outcome = TxOutcome::kUnroutable;
        std::uint32_t next_hop = 0;
    };
    [[nodiscard]] Route route(const port::Endpoint& destination) const;
    [[nodiscard]] TxOutcome resolve_route(Instant now, const Route& route, std::uint32_t& neighbour);
    [[nodiscard]] TxOutcome fill_template(Instant now, std::uint16_t source_port,
        const port::Endpoint& destination, std::uint64_t key, Template& t);
    void write_headers(
        const Template& t, std::span<const std::byte> payload, TxChecksum checksum, std::byte* out);
    [[nodiscard]] Template& template_for(std::uint64_t key);

    [[nodiscard]] Parked& pick_parking(std::uint32_t next_hop);
    [[nodiscard]] std::span<std::byte> parked_bytes(const Parked& parked);
    void release_parked(Instant now);
    void drop_parked(std::uint32_t next_hop);

    IpStackOptions options_;
    std::uint32_t mask_;
    NetStats stats_;
    NeighbourTable neighbours_;
    OutputList output_;
    std::vector<std::uint16_t> bindings_;  // by UDP port: binding + 1, 0 for none
    std::vector<Template> templates_;

    std::vector<Parked> parked_;
    std::unique_ptr<std::byte[]> parked_memory_;
    std::size_t parked_count_ = 0;
    std::uint64_t parked_order_ = 0;
    std::uint64_t parked_version_ = 0;

    std::uint32_t heard_ip_ = 0;  // the last neighbour confirmed by a datagram, and when
    wire::MacAddress heard_mac_;
    Instant heard_at_;
};

}  // namespace fulmar::net

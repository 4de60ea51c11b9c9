/// What the IP stack counts.
/// threads: written by the stack's owner, read by any through base::read_count.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/statistic.h"

namespace fulmar::net {

struct NetStats {
    // received
    std::uint64_t rx_udp = 0;
    std::uint64_t rx_arp = 0;
    std::uint64_t rx_icmp = 0;
    std::uint64_t rx_checksum_partial = 0;  ///< accepted with the bare pseudo-header sum
    std::uint64_t rx_checksum_absent = 0;   ///< accepted without a UDP checksum
    // received and dropped
    std::uint64_t rx_truncated = 0;       ///< lengths that contradict each other
    std::uint64_t rx_other_protocol = 0;  ///< neither ARP nor IPv4, neither UDP nor ICMP
    std::uint64_t rx_fragments = 0;
    std::uint64_t rx_not_ours = 0;  ///< to another MAC or IP address
    std::uint64_t rx_bad_source = 0;
    std::uint64_t rx_ip_checksum_bad = 0;
    std::uint64_t rx_udp_checksum_bad = 0;
    std::uint64_t rx_no_binding = 0;
    std::uint64_t rx_arp_malformed = 0;
    std::uint64_t rx_icmp_malformed = 0;
    std::uint64_t rx_icmp_other = 0;  ///< ICMP that is no echo request
    // sent by the stack itself
    std::uint64_t tx_arp_requests = 0;
    std::uint64_t tx_arp_replies = 0;
    std::uint64_t tx_echo_replies = 0;
    std::uint64_t tx_output_full = 0;  ///< replies and requests without room in the output list
    // neighbours
    std::uint64_t neighbour_misses = 0;  ///< packets that met an unresolved neighbour
    std::uint64_t neighbour_table_full = 0;
    std::uint64_t neighbour_failures = 0;  ///< gave up asking
    std::uint64_t neighbour_moves = 0;     ///< a known address turned up at another MAC
    std::uint64_t address_conflicts = 0;   ///< somebody else claims our address
    std::uint64_t parked = 0;
    std::uint64_t parked_dropped = 0;

    [[nodiscard]] std::uint64_t malformed() const {
        return rx_truncated + rx_other_protocol + rx_fragments + rx_not_ours + rx_bad_source +
               rx_arp_malformed + rx_icmp_malformed;
    }
    [[nodiscard]] std::uint64_t checksum_bad() const { return rx_ip_checksum_bad + rx_udp_checksum_bad; }
};

/// Calls visit(name, value) for each statistic, in a fixed order.
template <class Visitor>
void visit_stats(const NetStats& s, Visitor&& visit) {
    const auto show = [&visit](std::string_view name, const std::uint64_t& value) {
        visit(name, base::read_count(value));
    };
    show("rx-udp", s.rx_udp);
    show("rx-arp", s.rx_arp);
    show("rx-icmp", s.rx_icmp);
    show("rx-checksum-partial", s.rx_checksum_partial);
    show("rx-checksum-absent", s.rx_checksum_absent);
    show("rx-truncated", s.rx_truncated);
    show("rx-other-protocol", s.rx_other_protocol);
    show("rx-fragments", s.rx_fragments);
    show("rx-not-ours", s.rx_not_ours);
    show("rx-bad-source", s.rx_bad_source);
    show("rx-ip-checksum-bad", s.rx_ip_checksum_bad);
    show("rx-udp-checksum-bad", s.rx_udp_checksum_bad);
    show("rx-no-binding", s.rx_no_binding);
    show("rx-arp-malformed", s.rx_arp_malformed);
    show("rx-icmp-malformed", s.rx_icmp_malformed);
    show("rx-icmp-other", s.rx_icmp_other);
    show("tx-arp-requests", s.tx_arp_requests);
    show("tx-arp-replies", s.tx_arp_replies);
    show("tx-echo-replies", s.tx_echo_replies);
    show("tx-output-full", s.tx_output_full);
    show("neighbour-misses", s.neighbour_misses);
    show("neighbour-table-full", s.neighbour_table_full);
    show("neighbour-failures", s.neighbour_failures);
    show("neighbour-moves", s.neighbour_moves);
    show("address-conflicts", s.address_conflicts);
    show("parked", s.parked);
    show("parked-dropped", s.parked_dropped);
}

}  // namespace fulmar::net

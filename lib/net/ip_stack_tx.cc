// What goes out: headers before datagrams, parked datagrams, ARP requests.
#include <algorithm>
#include <cstring>

#include "base/assert.h"
#include "net/ip_stack.h"

namespace fulmar::net {

namespace {

constexpr std::size_t kIpOffset = wire::kEthernetHeaderLength;
constexpr std::size_t kUdpOffset = kIpOffset + wire::kIpv4HeaderLength;

std::uint64_t key_of(std::uint16_t source_port, const port::Endpoint& destination) {
    return std::uint64_t{destination.ip.to_v4()} << 32 | std::uint64_t{destination.port} << 16 | source_port;
}

}  // namespace

IpStack::Route IpStack::route(const port::Endpoint& destination) const {
    if (!destination.ip.is_v4()) {
        return {};
    }
    const auto ip = destination.ip.to_v4();
    if (ip == options_.ip) {
        return {TxOutcome::kLocal, 0};
    }
    if (!may_be_source(ip)) {
        return {};  // no unicast address
    }
    if (is_on_link(ip)) {
        return {TxOutcome::kReady, ip};
    }
    if (options_.gateway != 0) {
        return {TxOutcome::kReady, options_.gateway};
    }
    return {};
}

TxOutcome IpStack::resolve_route(Instant now, const Route& route, std::uint32_t& neighbour) {
    if (route.outcome != TxOutcome::kReady) {
        return route.outcome;
    }
    neighbour = neighbours_.need(now, route.next_hop);
    if (neighbour == NeighbourTable::kNone || !neighbours_.usable(neighbour)) {
        heard_ip_ = 0;  // the next datagram from there may be the answer
        return TxOutcome::kUnresolved;
    }
    neighbours_.mark_used(neighbour);
    return TxOutcome::kReady;
}

TxOutcome IpStack::resolve(Instant now, const port::Endpoint& destination) {
    std::uint32_t neighbour = NeighbourTable::kNone;
    return resolve_route(now, route(destination), neighbour);
}

IpStack::Template& IpStack::template_for(std::uint64_t key) {
    const auto mixed = key * 0x9E3779B97F4A7C15ULL;
    return templates_[(mixed >> 48) & (kTemplates - 1)];
}

TxOutcome IpStack::fill_template(Instant now, std::uint16_t source_port, const port::Endpoint& destination,
    std::uint64_t key, Template& t) {
    std::uint32_t neighbour = NeighbourTable::kNone;
    const auto outcome = resolve_route(now, route(destination), neighbour);
    if (outcome != TxOutcome::kReady) {
        return outcome;
    }
    auto* bytes = t.bytes.data();
    wire::write_ethernet({neighbours_.mac(neighbour), options_.mac, wire::kEtherTypeIpv4}, bytes);
    // Never fragmented, so the identification may stay 0 (RFC 6864) and only lengths vary.
    wire::Ipv4Header ip;
    ip.ttl = options_.ttl;
    ip.source = options_.ip;
    ip.destination = destination.ip.to_v4();
    wire::write_ipv4(ip, bytes + kIpOffset);
    wire::store_be16(bytes + kIpOffset + wire::kIpv4ChecksumOffset, 0);
    wire::write_udp({source_port, destination.port, 0, 0}, bytes + kUdpOffset);
    t.ip_sum = wire::sum_of({bytes + kIpOffset, wire::kIpv4HeaderLength});
    t.pseudo_sum = wire::pseudo_header_sum(ip.source, ip.destination, wire::kProtocolUdp, 0);
    t.ports_sum = wire::sum_of_be16(source_port) + wire::sum_of_be16(destination.port);
    t.neighbour = neighbour;
    t.key = key;
    t.version = neighbours_.version();
    return TxOutcome::kReady;
}

TxOutcome IpStack::build_headers(Instant now, std::uint16_t source_port, const port::Endpoint& destination,
    std::span<const std::byte> payload, std::byte* out) {
    if (payload.size() > payload_max()) {
        return TxOutcome::kTooLong;
    }
    const auto key = key_of(source_port, destination);
    auto& t = template_for(key);
    if (t.key != key || t.version != neighbours_.version()) [[unlikely]] {
        const auto outcome = fill_template(now, source_port, destination, key, t);
        if (outcome != TxOutcome::kReady) {
            base::count(stats_.neighbour_misses, outcome == TxOutcome::kUnresolved ? 1 : 0);
            return outcome;
        }
    }
    neighbours_.mark_used(t.neighbour);
    write_headers(t, payload, options_.tx_checksum, out);
    return TxOutcome::kReady;
}

void IpStack::write_headers(
    const Template& t, std::span<const std::byte> payload, TxChecksum checksum, std::byte* out) {
    std::memcpy(out, t.bytes.data(), kHeadersLength);
    const auto udp_length = static_cast<std::uint16_t>(wire::kUdpHeaderLength + payload.size());
    const auto total_length = static_cast<std::uint16_t>(wire::kIpv4HeaderLength + udp_length);
    auto* ip = out + kIpOffset;
    wire::store_be16(ip + wire::kIpv4TotalLengthOffset, total_length);
    wire::store_be16(
        ip + wire::kIpv4ChecksumOffset, wire::finish_checksum(t.ip_sum + wire::sum_of_be16(total_length)));
    auto* udp = out + kUdpOffset;
    wire::store_be16(udp + wire::kUdpLengthOffset, udp_length);
    const auto pseudo = t.pseudo_sum + wire::sum_of_be16(udp_length);
    switch (checksum) {
        case TxChecksum::kNone: return;  // the template has 0
        case TxChecksum::kPartial:
            wire::store_be16(udp + wire::kUdpChecksumOffset, wire::fold(pseudo));
            return;
        case TxChecksum::kFull:
            wire::store_be16(udp + wire::kUdpChecksumOffset,
                wire::finish_udp_checksum(
                    pseudo + t.ports_sum + wire::sum_of_be16(udp_length) + wire::sum_of(payload)));
            return;
    }
}

void IpStack::park(Instant now, std::uint16_t source_port, const port::Endpoint& destination,
    std::span<const std::byte> payload) {
    const auto to = route(destination);
    std::uint32_t neighbour = NeighbourTable::kNone;
    if (payload.size() > payload_max() || resolve_route(now, to, neighbour) > TxOutcome::kUnresolved) {
        return;  // not a matter of waiting
    }
    if (neighbour == NeighbourTable::kNone || neighbours_.state(neighbour) == NeighbourState::kFailed) {
        base::count(stats_.parked_dropped);
        return;
    }
    auto& parked = pick_parking(to.next_hop);
    if (parked.used) {
        base::count(stats_.parked_dropped);
    } else {
        ++parked_count_;
    }
    parked.used = true;
    parked.next_hop = to.next_hop;
    parked.source_port = source_port;
    parked.destination = destination;
    parked.length = static_cast<std::uint32_t>(payload.size());
    parked.order = ++parked_order_;
    std::copy(payload.begin(), payload.end(), parked_bytes(parked).begin());
    parked_version_ = 0;  // look at it even if the answer came meanwhile
    base::count(stats_.parked);
}

std::span<std::byte> IpStack::parked_bytes(const Parked& parked) {
    const auto index = static_cast<std::size_t>(&parked - parked_.data());
    return {parked_memory_.get() + index * options_.mtu, parked.length};
}

/// A free place, or the oldest of this neighbour if it has its share, or the oldest of all.
IpStack::Parked& IpStack::pick_parking(std::uint32_t next_hop) {
    Parked* free = nullptr;
    Parked* oldest = nullptr;
    Parked* oldest_here = nullptr;
    std::size_t here = 0;
    for (auto& parked : parked_) {
        if (!parked.used) {
            free = &parked;
            continue;
        }
        if (oldest == nullptr || parked.order < oldest->order) {
            oldest = &parked;
        }
        if (parked.next_hop == next_hop) {
            ++here;
            if (oldest_here == nullptr || parked.order < oldest_here->order) {
                oldest_here = &parked;
            }
        }
    }
    if (here >= options_.parked_per_neighbour_max) {
        return *oldest_here;
    }
    return free != nullptr ? *free : *oldest;
}

/// Turns parked datagrams whose neighbour has answered into frames, oldest first, as far as there is room.
void IpStack::release_parked(Instant now) {
    if (parked_count_ == 0 || parked_version_ == neighbours_.version()) {
        return;
    }
    for (;;) {
        Parked* next = nullptr;
        for (auto& parked : parked_) {
            const auto neighbour = parked.used ? neighbours_.find(parked.next_hop) : NeighbourTable::kNone;
            if (neighbour != NeighbourTable::kNone && neighbours_.usable(neighbour) &&
                (next == nullptr || parked.order < next->order)) {
                next = &parked;
            }
        }
        if (next == nullptr) {
            parked_version_ = neighbours_.version();
            return;
        }
        auto* frame = output_.push(kHeadersLength + next->length);
        if (frame == nullptr) {
            return;  // again at the next poll
        }
        Template t;
        const auto key = key_of(next->source_port, next->destination);
        const auto outcome = fill_template(now, next->source_port, next->destination, key, t);
        FULMAR_ASSERT(outcome == TxOutcome::kReady, "the neighbour was usable");
        const auto payload = parked_bytes(*next);
        const auto checksum =
            options_.tx_checksum == TxChecksum::kNone ? TxChecksum::kNone : TxChecksum::kFull;
        write_headers(t, payload, checksum, frame);
        std::memcpy(frame + kHeadersLength, payload.data(), payload.size());
        next->used = false;
        --parked_count_;
    }
}

void IpStack::drop_parked(std::uint32_t next_hop) {
    for (auto& parked : parked_) {
        if (parked.used && parked.next_hop == next_hop) {
            parked.used = false;
            --parked_count_;
            base::count(stats_.parked_dropped);
        }
    }
}

bool IpStack::ask(const NeighbourQuestion& question) {
    if (output_.room() == 0) {
        base::count(stats_.tx_output_full);
        return false;
    }
    // The target's MAC is what we ask for; unicast questions carry it, as RFC 1122 has it.
    const auto target = question.destination.is_group() ? wire::MacAddress{} : question.destination;
    send_arp({wire::ArpOperation::kRequest, options_.mac, options_.ip, target, question.ip},
        question.destination, stats_.tx_arp_requests);
    return true;
}

void IpStack::announce() {
    // Sender and target are both us: a request, which more hosts heed than a reply (RFC 5227, 3).
    send_arp({wire::ArpOperation::kRequest, options_.mac, options_.ip, {}, options_.ip},
        wire::MacAddress::broadcast(), stats_.tx_arp_requests);
}

std::span<const OutputFrame> IpStack::pending(Instant now) {
    neighbours_.poll(
        now, [this](const NeighbourQuestion& question) { return ask(question); },
        [this](std::uint32_t ip) { drop_parked(ip); });
    release_parked(now);
    return output_.front();
}

}  // namespace fulmar::net

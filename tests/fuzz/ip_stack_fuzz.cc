/// net::IpStack under a sequence of foreign frames, packets to send and time going by. Whatever comes: a
/// datagram lies inside its frame, every frame is counted once, and what goes out is well-formed.
///
/// Input: one byte of options, then records {operation, length (2 bytes, little-endian), content}.
#include <algorithm>
#include <array>
#include <cstring>
#include <memory>

#include "fuzz.h"
#include "net/ip_stack.h"

namespace {

using namespace fulmar;
using namespace fulmar::net;

constexpr wire::MacAddress kMac{{0x02, 0, 0, 0, 0, 1}};
constexpr std::uint32_t kIp = 0x0A4D0001;  // 10.77.0.1
constexpr std::uint32_t kGateway = 0x0A4D00FE;
constexpr std::uint16_t kPort = 40123;
constexpr std::uint16_t kBinding = 5;
constexpr std::size_t kIpOffset = wire::kEthernetHeaderLength;

IpStackOptions options_from(std::uint8_t bits) {
    IpStackOptions options;
    options.mac = kMac;
    options.ip = kIp;
    options.gateway = (bits & 1) != 0 ? kGateway : 0;
    options.rx_verify = (bits & 2) == 0;
    options.rx_accept_partial = (bits & 4) != 0;
    options.tx_checksum = static_cast<TxChecksum>((bits >> 3) % 3);
    options.neighbours.capacity = 8;
    options.output_max = 4;
    options.parked_max = 4;
    options.parked_per_neighbour_max = 2;
    return options;
}

/// Makes the checksums of a frame right, since no fuzzer guesses them.
void mend_checksums(std::vector<std::byte>& frame) {
    if (frame.size() < kIpOffset) {
        return;
    }
    const std::span<std::byte> packet(frame.data() + kIpOffset, frame.size() - kIpOffset);
    const auto ip = wire::parse_ipv4(packet);
    if (!ip) {
        return;
    }
    wire::store_be16(packet.data() + wire::kIpv4ChecksumOffset, 0);
    wire::store_be16(packet.data() + wire::kIpv4ChecksumOffset,
        wire::finish_checksum(wire::sum_of(packet.first(ip->header_length))));
    auto segment = packet.subspan(ip->header_length, ip->payload_length());
    if (ip->protocol == wire::kProtocolIcmp && segment.size() >= 4) {
        wire::store_be16(segment.data() + 2, 0);
        wire::store_be16(segment.data() + 2, wire::finish_checksum(wire::sum_of(segment)));
    }
    const auto udp = wire::parse_udp(segment);
    if (ip->protocol == wire::kProtocolUdp && udp) {
        segment = segment.first(udp->length);
        wire::store_be16(segment.data() + wire::kUdpChecksumOffset, 0);
        const auto pseudo =
            wire::pseudo_header_sum(ip->source, ip->destination, wire::kProtocolUdp, udp->length);
        wire::store_be16(segment.data() + wire::kUdpChecksumOffset,
            wire::finish_udp_checksum(pseudo + wire::sum_of(segment)));
    }
}

std::uint64_t verdicts_counted(const NetStats& s) {
    return s.rx_udp + s.rx_arp + s.rx_icmp + s.rx_truncated + s.rx_other_protocol + s.rx_fragments +
           s.rx_not_ours + s.rx_bad_source + s.rx_ip_checksum_bad + s.rx_udp_checksum_bad + s.rx_no_binding +
           s.rx_arp_malformed + s.rx_icmp_malformed + s.rx_icmp_other;
}

class Run {
  public:
    explicit Run(std::uint8_t bits) : stack_(options_from(bits)) { stack_.bind(kPort, kBinding); }

    void receive(std::span<const std::byte> content, bool mend) {
        std::vector<std::byte> frame(content.begin(), content.end());
        if (mend) {
            mend_checksums(frame);
        }
        const auto before = verdicts_counted(stack_.stats());
        Datagram d;
        const auto verdict = stack_.classify(now_, frame, {}, d);
        FUZZ_CHECK(verdicts_counted(stack_.stats()) == before + 1);
        if (verdict != Verdict::kDatagram) {
            return;
        }
        FUZZ_CHECK(d.binding == kBinding);
        FUZZ_CHECK(d.offset >= kHeadersLength);
        FUZZ_CHECK(std::size_t{d.offset} + d.length <= frame.size());
        FUZZ_CHECK(d.source.ip.is_v4());
        FUZZ_CHECK(!d.source.ip.is_multicast());
        fuzz::touch(std::span(frame).subspan(d.offset, d.length));
    }

    void send(std::span<const std::byte> content) {
        if (content.size() < 6) {
            return;
        }
        const port::Endpoint to{
            port::IpAddress::from_v4(wire::load_be32(content.data())), wire::load_be16(content.data() + 4)};
        const auto payload = content.subspan(6);
        std::vector<std::byte> frame(kHeadersLength);
        switch (stack_.build_headers(now_, kPort, to, payload, frame.data())) {
            case TxOutcome::kReady:
                frame.insert(frame.end(), payload.begin(), payload.end());
                check_ip_frame(frame);
                break;
            case TxOutcome::kUnresolved: stack_.park(now_, kPort, to, payload); break;
            case TxOutcome::kTooLong: FUZZ_CHECK(payload.size() > stack_.payload_max()); break;
            case TxOutcome::kLocal: FUZZ_CHECK(to.ip.to_v4() == kIp); break;
            case TxOutcome::kUnroutable: break;
        }
    }

    void pass_time(std::span<const std::byte> content) {
        for (const std::byte b : content) {
            now_ = now_ + milliseconds(10) * std::to_integer<int>(b);
            take_output();
        }
    }

    void take_output() {
        std::size_t total = 0;
        for (auto frames = stack_.pending(now_); !frames.empty(); frames = stack_.pending(now_)) {
            for (const auto& frame : frames) {
                check_frame({frame.bytes, frame.length});
            }
            total += frames.size();
            FUZZ_CHECK(total < 100);
            stack_.consume(frames.size());
        }
        FUZZ_CHECK(stack_.neighbours().size() <= 8);
    }

  private:
    void check_frame(std::span<const std::byte> frame) {
        const auto ethernet = wire::parse_ethernet(frame);
        FUZZ_CHECK(ethernet.has_value());
        FUZZ_CHECK(ethernet->source == kMac);
        if (ethernet->ether_type == wire::kEtherTypeArp) {
            const auto arp = wire::parse_arp(frame.subspan(kIpOffset));
            FUZZ_CHECK(arp.has_value());
            FUZZ_CHECK(arp->sender_ip == kIp);
            return;
        }
        check_ip_frame(frame);
    }
    void check_ip_frame(std::span<const std::byte> frame) {
        const auto packet = frame.subspan(kIpOffset);
        const auto ip = wire::parse_ipv4(packet);
        FUZZ_CHECK(ip.has_value());
        FUZZ_CHECK(ip->total_length == packet.size());
        FUZZ_CHECK(packet.size() <= stack_.options().mtu);
        FUZZ_CHECK(ip->source == kIp);
        FUZZ_CHECK(wire::ipv4_checksum_ok(packet.first(ip->header_length)));
        const auto segment = packet.subspan(ip->header_length);
        if (ip->protocol == wire::kProtocolUdp && stack_.options().tx_checksum == TxChecksum::kFull) {
            FUZZ_CHECK(wire::udp_checksum_ok(ip->source, ip->destination, segment));
        }
    }

    IpStack stack_;
    Instant now_{1'000'000'000};
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto copy = fuzz::copy_of(data, size);
    std::span<const std::byte> left(copy);
    if (left.empty()) {
        return 0;
    }
    Run run(std::to_integer<std::uint8_t>(left[0]));
    left = left.subspan(1);
    while (left.size() >= 3) {
        const auto operation = std::to_integer<int>(left[0]);
        const auto wanted = std::size_t{base::load_le<std::uint16_t>(left.data(), 1)};
        left = left.subspan(3);
        const auto content = left.first(std::min(wanted, left.size()));
        left = left.subspan(content.size());
        switch (operation % 4) {
            case 0: run.receive(content, false); break;
            case 1: run.receive(content, true); break;
            case 2: run.send(content); break;
            default: run.pass_time(content); break;
        }
    }
    run.take_output();
    return 0;
}

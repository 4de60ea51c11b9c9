/// What every PacketPort must do, whatever is below it. A program per implementation includes this and
/// defines open_ports(); two ports may be the same object, which then reaches itself.
/// threads: one.
#pragma once

#include <array>
#include <chrono>
#include <cstring>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "fulmar/time.h"
#include "port/packet_port.h"

namespace fulmar::test {

/// Two ports that reach each other, and whatever keeps them alive.
struct PortRig {
    std::shared_ptr<void> owner;
    port::PacketPort* a = nullptr;
    port::PacketPort* b = nullptr;
    port::IpAddress a_ip;
    port::IpAddress b_ip;
    /// Lets a packet on its way arrive; empty: it needs no help but time.
    std::function<void()> pass_time;
    /// A receiver without room may lose what the sender's port took, as a kernel does.
    bool may_lose_when_full = false;
};

[[nodiscard]] PortRig open_ports();

inline Instant port_now() {
    return Instant{std::chrono::duration_cast<std::chrono::nanoseconds>(
        std::chrono::steady_clock::now().time_since_epoch())
                       .count()};
}

/// A binding, open and polled, and its queue.
class Open {
  public:
    Open(port::PacketPort& port, port::IpAddress ip, port::PacketPort::Role role, std::uint16_t udp_port = 0)
        : Open(port, {.local = {ip, udp_port}}, role) {}
    Open(port::PacketPort& port, const port::BindRequest& request, port::PacketPort::Role role)
        : queue_(port.queue(role)) {
        auto opened = port.open(request);
        REQUIRE_MESSAGE(opened.has_value(), (opened ? "" : opened.error().message));
        binding_ = std::move(*opened);
        binding_->cookie = this;
        queue_.add(*binding_);
        // Agents poll all the time, and a device looks at its link there.
        std::array<port::RxPacket, 1> none;
        REQUIRE(queue_.receive(port_now(), none) == 0);
    }
    ~Open() { queue_.remove(*binding_); }
    Open(const Open&) = delete;
    Open& operator=(const Open&) = delete;

    [[nodiscard]] port::Binding& binding() { return *binding_; }
    [[nodiscard]] port::PacketQueue& queue() { return queue_; }
    [[nodiscard]] port::Endpoint local() const { return binding_->local(); }

  private:
    port::PacketQueue& queue_;
    std::unique_ptr<port::Binding> binding_;
};

struct Received {
    std::vector<std::byte> bytes;
    port::Endpoint source;
    void* cookie = nullptr;
};

/// Polls until `count` packets came, or for long enough that no more will.
inline std::vector<Received> receive_all(PortRig& rig, port::PacketQueue& queue, std::size_t count) {
    constexpr Duration kPatience = seconds(10);
    constexpr Duration kQuiet = milliseconds(30);
    std::vector<Received> all;
    const Instant start = port_now();
    Instant last = start;
    while (port_now() - start < kPatience) {
        if (rig.pass_time) {
            rig.pass_time();
        }
        std::array<port::RxPacket, 16> packets;
        const std::size_t got = queue.receive(port_now(), packets);
        for (std::size_t i = 0; i < got; ++i) {
            all.push_back({{packets[i].bytes, packets[i].bytes + packets[i].length}, packets[i].source,
                packets[i].binding->cookie});
        }
        if (got > 0) {
            queue.release({packets.data(), got});
            last = port_now();
        }
        const bool complete = all.size() >= count && count > 0;
        if (complete || (port_now() - last > kQuiet && (count == 0 || rig.may_lose_when_full))) {
            break;
        }
    }
    return all;
}

inline std::vector<std::byte> pattern(std::size_t length, unsigned seed) {
    std::vector<std::byte> bytes(length);
    for (std::size_t i = 0; i < length; ++i) {
        bytes[i] = static_cast<std::byte>(i * 31 + seed * 7 + 1);
    }
    return bytes;
}

inline std::size_t send_one(Open& from, port::Endpoint to, const std::vector<std::byte>& bytes) {
    const port::TxPacket packet{bytes.data(), static_cast<std::uint32_t>(bytes.size()), &from.binding(), to};
    return from.queue().send(port_now(), {&packet, 1});
}

using Role = port::PacketPort::Role;

TEST_CASE("packet port: says who it is and what it carries") {
    PortRig rig = open_ports();
    CHECK_FALSE(rig.a->name().empty());
    CHECK(rig.a->payload_max() >= 544);
    CHECK(rig.a->prefix_length() >= 0);
    CHECK((&rig.a->queue(Role::kSender) != &rig.a->queue(Role::kReceiver)) == rig.a->has_separate_queues());
}

TEST_CASE("packet port: a wildcard port becomes a real one, each time another") {
    PortRig rig = open_ports();
    const Open first(*rig.a, rig.a_ip, Role::kSender);
    const Open second(*rig.a, rig.a_ip, Role::kSender);
    CHECK(first.local().port != 0);
    CHECK(second.local().port != 0);
    CHECK(first.local().port != second.local().port);
    CHECK(first.local().ip == rig.a_ip);
}

TEST_CASE("packet port: a port is taken once, refused in one line, and free again when closed") {
    PortRig rig = open_ports();
    std::uint16_t taken = 0;
    {
        const Open first(*rig.a, rig.a_ip, Role::kReceiver);
        taken = first.local().port;
        port::BindRequest again;
        again.local = first.local();
        const auto second = rig.a->open(again);
        REQUIRE_FALSE(second);
        CHECK_FALSE(second.error().message.empty());
        CHECK(second.error().message.find('\n') == std::string::npos);
    }
    const Open third(*rig.a, rig.a_ip, Role::kReceiver, taken);
    CHECK(third.local().port == taken);
}

TEST_CASE("packet port: an address of somebody else is refused in one line") {
    PortRig rig = open_ports();
    port::BindRequest request;
    request.local = {port::IpAddress::v4(198, 51, 100, 7), 0};
    const auto opened = rig.a->open(request);
    REQUIRE_FALSE(opened);
    CHECK_FALSE(opened.error().message.empty());
    CHECK(opened.error().message.find('\n') == std::string::npos);
}

TEST_CASE("packet port: datagrams of every length arrive whole, with source and binding") {
    PortRig rig = open_ports();
    Open sender(*rig.a, rig.a_ip, Role::kSender);
    Open receiver(*rig.b, rig.b_ip, Role::kReceiver);
    const auto longest = static_cast<std::size_t>(rig.a->payload_max());
    for (const std::size_t length : {std::size_t{1}, std::size_t{8}, std::size_t{31}, std::size_t{32},
             std::size_t{63}, std::size_t{64}, std::size_t{500}, longest - 1, longest}) {
        CAPTURE(length);
        const auto bytes = pattern(length, static_cast<unsigned>(length));
        REQUIRE(send_one(sender, receiver.local(), bytes) == 1);
        const auto got = receive_all(rig, receiver.queue(), 1);
        REQUIRE(got.size() == 1);
        CHECK(got[0].bytes == bytes);
        CHECK(got[0].source == sender.local());
        CHECK(got[0].cookie == &receiver);
    }
}

TEST_CASE("packet port: an answer finds its way back") {
    PortRig rig = open_ports();
    Open sender(*rig.a, rig.a_ip, Role::kSender);
    Open receiver(*rig.b, rig.b_ip, Role::kReceiver);
    REQUIRE(send_one(sender, receiver.local(), pattern(40, 1)) == 1);
    const auto got = receive_all(rig, receiver.queue(), 1);
    REQUIRE(got.size() == 1);
    REQUIRE(send_one(receiver, got[0].source, pattern(36, 2)) == 1);
    const auto answer = receive_all(rig, sender.queue(), 1);
    REQUIRE(answer.size() == 1);
    CHECK(answer[0].bytes == pattern(36, 2));
    CHECK(answer[0].source == receiver.local());
    CHECK(answer[0].cookie == &sender);
}

TEST_CASE("packet port: bindings on one queue get their own packets") {
    PortRig rig = open_ports();
    Open sender(*rig.a, rig.a_ip, Role::kSender);
    Open first(*rig.b, rig.b_ip, Role::kReceiver);
    Open second(*rig.b, rig.b_ip, Role::kReceiver);
    REQUIRE(send_one(sender, second.local(), pattern(32, 2)) == 1);
    REQUIRE(send_one(sender, first.local(), pattern(32, 1)) == 1);
    const auto got = receive_all(rig, first.queue(), 2);
    REQUIRE(got.size() == 2);
    for (const Received& packet : got) {
        CHECK(packet.bytes == pattern(32, packet.cookie == &first ? 1 : 2));
    }
    CHECK(got[0].cookie != got[1].cookie);
}

TEST_CASE("packet port: a burst arrives in order, and what is received stays until it is released") {
    PortRig rig = open_ports();
    Open sender(*rig.a, rig.a_ip, Role::kSender);
    Open receiver(*rig.b, rig.b_ip, Role::kReceiver);
    constexpr std::size_t kCount = port::kBurstMax;
    std::vector<std::vector<std::byte>> bytes;
    std::vector<port::TxPacket> packets;
    for (unsigned i = 0; i < kCount; ++i) {
        bytes.push_back(pattern(64, i));
    }
    for (const auto& one : bytes) {
        packets.push_back({one.data(), 64, &sender.binding(), receiver.local()});
    }
    std::size_t taken = 0;
    std::size_t held = 0;
    std::array<port::RxPacket, kCount> received;
    const Instant start = port_now();
    std::vector<std::vector<std::byte>> got;
    while (got.size() < kCount && port_now() - start < seconds(10)) {
        taken += sender.queue().send(port_now(), std::span(packets).subspan(taken));
        if (rig.pass_time) {
            rig.pass_time();
        }
        held = receiver.queue().receive(port_now(), received);
        // Compared after another send, which must not reuse what we hold.
        taken += sender.queue().send(port_now(), std::span(packets).subspan(taken));
        for (std::size_t i = 0; i < held; ++i) {
            got.emplace_back(received[i].bytes, received[i].bytes + received[i].length);
        }
        if (held > 0) {
            receiver.queue().release({received.data(), held});
        }
    }
    REQUIRE(got.size() == kCount);
    for (std::size_t i = 0; i < kCount; ++i) {
        CHECK(got[i] == bytes[i]);
    }
}

TEST_CASE("packet port: what a full receiver did not leave with the sender arrives once and in order") {
    PortRig rig = open_ports();
    Open sender(*rig.a, rig.a_ip, Role::kSender);
    Open receiver(*rig.b, rig.b_ip, Role::kReceiver);
    constexpr std::uint32_t kOffered = 4096;
    constexpr std::size_t kLength = 512;
    std::uint32_t taken = 0;
    bool pushed_back = false;
    for (std::uint32_t i = 0; i < kOffered && !pushed_back; i += 32) {
        std::array<std::array<std::byte, kLength>, 32> bytes{};
        std::array<port::TxPacket, 32> packets;
        for (std::uint32_t n = 0; n < packets.size(); ++n) {
            const std::uint32_t number = i + n;
            std::memcpy(bytes[n].data(), &number, sizeof number);
            packets[n] = {bytes[n].data(), kLength, &sender.binding(), receiver.local()};
        }
        const std::size_t sent = sender.queue().send(port_now(), packets);
        REQUIRE(sent <= packets.size());
        taken += static_cast<std::uint32_t>(sent);
        pushed_back = sent < packets.size();
    }
    CHECK(taken > 0);
    const auto got = receive_all(rig, receiver.queue(), taken);
    CHECK(got.size() <= taken);
    if (!rig.may_lose_when_full) {
        CHECK(got.size() == taken);
    }
    std::int64_t last = -1;
    for (const Received& packet : got) {
        std::uint32_t number = 0;
        REQUIRE(packet.bytes.size() == kLength);
        std::memcpy(&number, packet.bytes.data(), sizeof number);
        REQUIRE(static_cast<std::int64_t>(number) > last);
        last = number;
    }
    // The queue has room again.
    REQUIRE(send_one(sender, receiver.local(), pattern(32, 9)) == 1);
    const auto after = receive_all(rig, receiver.queue(), 1);
    REQUIRE(after.size() == 1);
    CHECK(after[0].bytes == pattern(32, 9));
}

TEST_CASE("packet port: a datagram for a port nobody opened disturbs nobody") {
    PortRig rig = open_ports();
    Open sender(*rig.a, rig.a_ip, Role::kSender);
    Open receiver(*rig.b, rig.b_ip, Role::kReceiver);
    std::uint16_t closed = 0;
    {
        const Open other(*rig.b, rig.b_ip, Role::kReceiver);
        closed = other.local().port;
    }
    CHECK(send_one(sender, {rig.b_ip, closed}, pattern(32, 1)) == 1);
    CHECK(receive_all(rig, receiver.queue(), 0).empty());
    // A kernel tells the sender by ICMP; that must not cost the next datagram.
    (void)receive_all(rig, sender.queue(), 0);
    std::size_t sent = 0;
    for (int attempt = 0; attempt < 3 && sent == 0; ++attempt) {
        sent = send_one(sender, receiver.local(), pattern(32, 2));
    }
    REQUIRE(sent == 1);
    const auto got = receive_all(rig, receiver.queue(), 1);
    REQUIRE(got.size() == 1);
    CHECK(got[0].bytes == pattern(32, 2));
}

TEST_CASE("packet port: a removed binding gets nothing, one added again does") {
    PortRig rig = open_ports();
    Open sender(*rig.a, rig.a_ip, Role::kSender);
    Open receiver(*rig.b, rig.b_ip, Role::kReceiver);
    receiver.queue().remove(receiver.binding());
    CHECK(send_one(sender, receiver.local(), pattern(32, 1)) == 1);
    CHECK(receive_all(rig, receiver.queue(), 0).empty());
    receiver.queue().add(receiver.binding());
    // What a kernel kept meanwhile may still come first.
    REQUIRE(send_one(sender, receiver.local(), pattern(32, 2)) == 1);
    std::vector<Received> got = receive_all(rig, receiver.queue(), 1);
    if (got.size() == 1 && got[0].bytes == pattern(32, 1)) {
        got = receive_all(rig, receiver.queue(), 1);
    }
    REQUIRE_FALSE(got.empty());
    CHECK(got.back().bytes == pattern(32, 2));
}

TEST_CASE("packet port: counts what it moved") {
    PortRig rig = open_ports();
    Open sender(*rig.a, rig.a_ip, Role::kSender);
    Open receiver(*rig.b, rig.b_ip, Role::kReceiver);
    const auto sent_before = sender.queue().stats().tx_packets;
    const auto received_before = receiver.queue().stats().rx_packets;
    const auto bytes_before = receiver.queue().stats().rx_bytes;
    for (unsigned i = 0; i < 5; ++i) {
        REQUIRE(send_one(sender, receiver.local(), pattern(100, i)) == 1);
    }
    REQUIRE(receive_all(rig, receiver.queue(), 5).size() == 5);
    CHECK(sender.queue().stats().tx_packets - sent_before == 5);
    CHECK(receiver.queue().stats().rx_packets - received_before == 5);
    CHECK(receiver.queue().stats().rx_bytes - bytes_before == 500);
}

TEST_CASE("packet port: a group's packets reach each member, unless the port says that it has no groups") {
    PortRig rig = open_ports();
    const port::Endpoint group{port::IpAddress::v4(224, 20, 30, 39), 40789};
    const port::Endpoint answers{port::control_group_of(group.ip), group.port};
    if (const auto opened = rig.b->open({.local = group, .interface = rig.b_ip}); !opened) {
        CHECK(opened.error().code == ErrorCode::kNotSupported);
        CHECK(opened.error().message.find("multicast") != std::string::npos);
        CHECK(opened.error().message.find('\n') == std::string::npos);
        return;
    }
    Open sender(*rig.a, {.local = answers, .interface = rig.a_ip}, Role::kSender);
    Open first(*rig.b, {.local = group, .interface = rig.b_ip}, Role::kReceiver);
    Open second(*rig.b, {.local = group, .interface = rig.b_ip}, Role::kReceiver);
    CHECK(first.local() == group);
    REQUIRE(send_one(sender, group, pattern(64, 1)) == 1);
    const auto got = receive_all(rig, first.queue(), 2);
    REQUIRE(got.size() == 2);
    CHECK(got[0].cookie != got[1].cookie);
    for (const Received& each : got) {
        CHECK(each.bytes == pattern(64, 1));
        CHECK(each.source == port::Endpoint{rig.a_ip, answers.port});
    }
    // What members say goes to the sender alone.
    REQUIRE(send_one(first, answers, pattern(32, 2)) == 1);
    const auto answer = receive_all(rig, sender.queue(), 1);
    REQUIRE(answer.size() == 1);
    CHECK(answer[0].cookie == &sender);
    CHECK(answer[0].bytes == pattern(32, 2));
    CHECK(answer[0].source == port::Endpoint{rig.b_ip, group.port});
    rig.may_lose_when_full = true;  // for the wait below: nothing is to come
    CHECK(receive_all(rig, second.queue(), 0).empty());
}

}  // namespace fulmar::test

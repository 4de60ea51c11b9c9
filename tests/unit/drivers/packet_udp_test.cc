#include <array>
#include <memory>
#include <net/if.h>
#include <poll.h>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "drivers/packet_udp/interfaces.h"
#include "drivers/packet_udp/udp_binding.h"
#include "drivers/packet_udp/udp_port.h"

using namespace fulmar::port;
using fulmar::ErrorCode;
using fulmar::drivers::UdpBinding;
using fulmar::drivers::UdpPort;

namespace {

const auto kLoopback = IpAddress::v4(127, 0, 0, 1);

std::unique_ptr<Binding> open(UdpPort& port, const BindRequest& request) {
    auto opened = port.open(request);
    if (!opened) {
        FAIL(opened.error().message);
    }
    return std::move(*opened);
}
std::unique_ptr<Binding> open_loopback(UdpPort& port) {
    return open(port, {.local = {kLoopback, 0}});
}

/// Loopback delivers within the send call, but only waiting makes that the kernel's promise.
void await_readable(Binding& binding) {
    pollfd poll_fd{static_cast<UdpBinding&>(binding).fd(), POLLIN, 0};
    REQUIRE(::poll(&poll_fd, 1, 5'000) == 1);
}

TxPacket packet_of(const std::string& text, Binding& from, const Endpoint& to) {
    return {
        reinterpret_cast<const std::byte*>(text.data()), static_cast<std::uint32_t>(text.size()), &from, to};
}

std::vector<std::string> receive_once(PacketQueue& queue, std::size_t max = kBurstMax) {
    std::array<RxPacket, kBurstMax> burst;
    const auto n = queue.receive({}, {burst.data(), max});
    std::vector<std::string> texts;
    for (std::size_t i = 0; i < n; ++i) {
        texts.emplace_back(reinterpret_cast<const char*>(burst[i].bytes), burst[i].length);
    }
    queue.release({burst.data(), n});
    return texts;
}

struct Pair {
    UdpPort port;
    PacketQueue& sender = port.queue(PacketPort::Role::kSender);
    PacketQueue& receiver = port.queue(PacketPort::Role::kReceiver);
    std::unique_ptr<Binding> from = open_loopback(port);
    std::unique_ptr<Binding> to = open_loopback(port);
    Pair() {
        sender.add(*from);
        receiver.add(*to);
    }
    ~Pair() {
        sender.remove(*from);
        receiver.remove(*to);
    }
};

}  // namespace

TEST_CASE("packet_udp: a burst arrives in order with source and binding") {
    Pair pair;
    const std::array<std::string, 3> texts{"one", "", "three"};
    std::array<TxPacket, 3> packets;
    for (std::size_t i = 0; i < texts.size(); ++i) {
        packets[i] = packet_of(texts[i], *pair.from, pair.to->local());
    }
    REQUIRE(pair.sender.send({}, packets) == 3);
    await_readable(*pair.to);
    std::array<RxPacket, kBurstMax> burst;
    REQUIRE(pair.receiver.receive({}, burst) == 3);
    CHECK(burst[0].source == pair.from->local());
    CHECK(burst[0].binding == pair.to.get());
    CHECK(burst[1].length == 0);
    CHECK(std::string(reinterpret_cast<const char*>(burst[2].bytes), burst[2].length) == "three");
    pair.receiver.release({burst.data(), 3});
    CHECK(pair.sender.stats().tx_packets == 3);
    CHECK(pair.sender.stats().tx_bytes == 8);
    CHECK(pair.receiver.stats().rx_packets == 3);
    CHECK(pair.receiver.stats().rx_bytes == 8);
    CHECK(receive_once(pair.receiver).empty());
}

TEST_CASE("packet_udp: one burst may mix bindings and destinations") {
    Pair pair;
    auto other = open_loopback(pair.port);
    const std::string a = "a";
    const std::string b = "b";
    const std::array packets{packet_of(a, *pair.from, pair.to->local()),
        packet_of(b, *other, pair.to->local()), packet_of(a, *pair.from, other->local())};
    REQUIRE(pair.sender.send({}, packets) == 3);
    await_readable(*pair.to);
    CHECK(receive_once(pair.receiver) == std::vector<std::string>{"a", "b"});
    pair.receiver.add(*other);
    await_readable(*other);
    CHECK(receive_once(pair.receiver) == std::vector<std::string>{"a"});
    pair.receiver.remove(*other);
}

TEST_CASE("packet_udp: the longest payload passes") {
    Pair pair;
    const std::string text(UdpPort::kPayloadMax, 'x');
    const auto packet = packet_of(text, *pair.from, pair.to->local());
    REQUIRE(pair.sender.send({}, {&packet, 1}) == 1);
    await_readable(*pair.to);
    CHECK(receive_once(pair.receiver) == std::vector<std::string>{text});
}

TEST_CASE("packet_udp: a datagram longer than the port's payload is dropped and counted") {
    Pair pair;
    UdpPort small({.payload_max = 64});
    auto& receiver = small.queue(PacketPort::Role::kReceiver);
    auto to = open_loopback(small);
    receiver.add(*to);
    const std::string fits(64, 'x');
    const std::string exceeds(65, 'y');
    const std::array packets{packet_of(fits, *pair.from, to->local()),
        packet_of(exceeds, *pair.from, to->local()), packet_of(fits, *pair.from, to->local())};
    REQUIRE(pair.sender.send({}, packets) == 3);
    await_readable(*to);
    CHECK(receive_once(receiver) == std::vector<std::string>{fits, fits});
    CHECK(receiver.stats().rx_malformed == 1);
    receiver.remove(*to);
}

TEST_CASE("packet_udp: a short burst leaves the rest for the next one") {
    Pair pair;
    const std::string text = "x";
    std::vector<TxPacket> packets(10, packet_of(text, *pair.from, pair.to->local()));
    REQUIRE(pair.sender.send({}, packets) == 10);
    await_readable(*pair.to);
    CHECK(receive_once(pair.receiver, 4).size() == 4);
    CHECK(receive_once(pair.receiver, 4).size() == 4);
    CHECK(receive_once(pair.receiver, 4).size() == 2);
}

TEST_CASE("packet_udp: many bindings are all heard, and a busy one does not starve the others") {
    UdpPort port;
    auto& queue = port.queue(PacketPort::Role::kReceiver);
    auto from = open_loopback(port);
    std::vector<std::unique_ptr<Binding>> bindings;
    for (int i = 0; i < 40; ++i) {
        bindings.push_back(open_loopback(port));
        queue.add(*bindings.back());
    }
    const std::string busy = "busy";
    std::vector<TxPacket> flood(64, packet_of(busy, *from, bindings[0]->local()));
    REQUIRE(queue.send({}, flood) == flood.size());
    for (auto& binding : bindings) {
        const std::string text = "hello";
        const auto packet = packet_of(text, *from, binding->local());
        REQUIRE(queue.send({}, {&packet, 1}) == 1);
        await_readable(*binding);
    }
    std::size_t greetings = 0;
    std::size_t polls = 0;
    while (greetings < bindings.size() && polls++ < 200) {
        for (const auto& text : receive_once(queue, 8)) {
            greetings += text == "hello" ? 1 : 0;
        }
    }
    CHECK(greetings == bindings.size());
    for (auto& binding : bindings) {
        queue.remove(*binding);
    }
}

TEST_CASE("packet_udp: a connected binding hears its peer alone") {
    UdpPort port;
    auto& queue = port.queue(PacketPort::Role::kSender);
    auto peer = open_loopback(port);
    auto stranger = open_loopback(port);
    auto connected = open(port, {.local = {kLoopback, 0}, .remote = peer->local()});
    queue.add(*connected);
    const std::string yes = "yes";
    const std::string no = "no";
    const std::array packets{packet_of(no, *stranger, connected->local()),
        packet_of(yes, *peer, connected->local()), packet_of(yes, *connected, peer->local())};
    REQUIRE(queue.send({}, packets) == 3);
    await_readable(*connected);
    CHECK(receive_once(queue) == std::vector<std::string>{"yes"});
    await_readable(*peer);
    queue.remove(*connected);
}

TEST_CASE("packet_udp: an unreachable peer disturbs neither sending nor receiving") {
    UdpPort port;
    auto& queue = port.queue(PacketPort::Role::kSender);
    auto peer = open_loopback(port);
    const auto remote = peer->local();
    peer.reset();
    auto connected = open(port, {.local = {kLoopback, 0}, .remote = remote});
    queue.add(*connected);
    const std::string text = "x";
    const auto packet = packet_of(text, *connected, remote);
    for (int i = 0; i < 10; ++i) {
        CHECK(queue.send({}, {&packet, 1}) == 1);
        CHECK(receive_once(queue).empty());
    }
    peer = open(port, {.local = remote});
    CHECK(queue.send({}, {&packet, 1}) == 1);
    await_readable(*peer);
    const auto answer = packet_of(text, *peer, connected->local());
    CHECK(queue.send({}, {&answer, 1}) == 1);
    await_readable(*connected);
    CHECK(receive_once(queue) == std::vector<std::string>{"x"});
    queue.remove(*connected);
}

TEST_CASE("packet_udp: what the kernel refuses for good is taken and counted as an error") {
    UdpPort port;
    auto& queue = static_cast<fulmar::drivers::UdpQueue&>(port.queue(PacketPort::Role::kSender));
    auto from = open_loopback(port);
    auto to = open_loopback(port);
    const std::string text = "x";
    // From loopback there is no way to another machine.
    const std::array packets{
        packet_of(text, *from, {IpAddress::v4(255, 255, 255, 255), 9}), packet_of(text, *from, to->local())};
    CHECK(queue.send({}, packets) == 2);
    CHECK(queue.tx_errors() == 1);
    CHECK(queue.stats().tx_packets == 1);
}

TEST_CASE("packet_udp: errors say what, why and how to mend it in one line") {
    UdpPort port;
    auto taken = open_loopback(port);
    const auto again = port.open({.local = taken->local()});
    REQUIRE_FALSE(again);
    CHECK(again.error().code == ErrorCode::kGeneric);
    CHECK(again.error().message.find("address in use") != std::string::npos);
    CHECK(again.error().message.find(std::to_string(taken->local().port)) != std::string::npos);

    const auto foreign = port.open({.local = {IpAddress::v4(192, 0, 2, 1), 0}});
    REQUIRE_FALSE(foreign);
    CHECK(foreign.error().code == ErrorCode::kInvalidChannel);
    CHECK(foreign.error().message.find("192.0.2.1") != std::string::npos);
    CHECK(foreign.error().message.find('\n') == std::string::npos);

    const auto multicast =
        port.open({.local = {IpAddress::v4(224, 0, 1, 1), 40456}, .interface = IpAddress::v4(192, 0, 2, 1)});
    REQUIRE_FALSE(multicast);
    CHECK(multicast.error().code == ErrorCode::kInvalidChannel);
    CHECK(multicast.error().message.find("192.0.2.1") != std::string::npos);

    const auto mixed = port.open({.local = {kLoopback, 0}, .remote = {*parse_ip("::1"), 1}});
    REQUIRE_FALSE(mixed);
    CHECK(mixed.error().code == ErrorCode::kInvalidChannel);
}

TEST_CASE("packet_udp: socket buffer lengths are asked for and read back") {
    UdpPort port;
    auto small = open(port, {.local = {kLoopback, 0}, .sndbuf_length = 16384, .rcvbuf_length = 16384});
    CHECK(small->rcvbuf_length() >= 16384);
    CHECK(small->rcvbuf_length() < 65536);
    CHECK(small->sndbuf_length() >= 16384);
    auto usual = open_loopback(port);
    CHECK(usual->rcvbuf_length() > small->rcvbuf_length());
}

TEST_CASE("packet_udp: wildcard binds go to the port's own address, if it has one") {
    UdpPort port({.address = kLoopback, .prefix_length = 8});
    auto binding = open(port, {});
    CHECK(binding->local().ip == kLoopback);
    CHECK(binding->local().port != 0);
    UdpPort any;
    auto everywhere = open(any, {});
    CHECK(everywhere->local().ip.is_any());
}

TEST_CASE("packet_udp: IPv6 loopback works where the machine has it") {
    UdpPort port;
    auto& queue = port.queue(PacketPort::Role::kReceiver);
    const BindRequest request{.local = {*parse_ip("::1"), 0}};
    auto first = port.open(request);
    if (!first) {
        MESSAGE("no IPv6 loopback here: ", first.error().message);
        return;
    }
    auto from = std::move(*first);
    auto to = open(port, request);
    queue.add(*to);
    const std::string text = "six";
    const auto packet = packet_of(text, *from, to->local());
    REQUIRE(queue.send({}, {&packet, 1}) == 1);
    await_readable(*to);
    std::array<RxPacket, 1> burst;
    REQUIRE(queue.receive({}, burst) == 1);
    CHECK(burst[0].source == from->local());
    queue.release(burst);
    queue.remove(*to);
}

TEST_CASE("packet_udp: an interface is found by its name or its network") {
    using fulmar::drivers::find_interface;
    const auto v6 = *parse_ip("::1");
    CHECK(find_interface({.name = "lo", .network = kLoopback}).value() == kLoopback);
    CHECK(find_interface({.network = IpAddress::v4(127, 9, 9, 9), .prefix_length = 8}).value() == kLoopback);
    CHECK(find_interface({.network = kLoopback, .prefix_length = 32, .for_multicast = true}).value() ==
          kLoopback);
    CHECK(find_interface({.network = IpAddress::v4(0, 0, 0, 0), .for_multicast = true}));
    CHECK(fulmar::drivers::interface_index(kLoopback) == ::if_nametoindex("lo"));
    CHECK(fulmar::drivers::interface_index(IpAddress::v4(203, 0, 113, 7)) == 0);
    if (const auto found = find_interface({.name = "lo", .network = v6})) {  // not everywhere
        CHECK(*found == v6);
    }
    for (const InterfaceQuery& query : {InterfaceQuery{.name = "none7", .network = kLoopback},
             InterfaceQuery{.network = IpAddress::v4(203, 0, 113, 0), .prefix_length = 24}}) {
        const auto none = find_interface(query);
        REQUIRE_FALSE(none);
        CHECK(none.error().code == ErrorCode::kInvalidChannel);
        CHECK(none.error().message.find(query.name.empty() ? "203.0.113.0/24" : "{none7}") !=
              std::string::npos);
        CHECK(none.error().message.find('\n') == std::string::npos);
    }
}

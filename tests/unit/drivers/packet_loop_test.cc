#include <array>
#include <cstring>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <doctest/doctest.h>

#include "drivers/packet_loop/loop_network.h"

using namespace fulmar::port;
using fulmar::ErrorCode;
using fulmar::Instant;
using fulmar::drivers::LoopNetwork;

namespace {

struct Host {
    PacketPort* port = nullptr;
    std::unique_ptr<Binding> binding;

    Host(LoopNetwork& network, int index, std::uint16_t udp_port) : port(&network.port(index)) {
        auto opened = port->open({.local = {{}, udp_port}});
        REQUIRE(opened);
        binding = std::move(*opened);
        queue().add(*binding);
    }
    ~Host() { queue().remove(*binding); }
    PacketQueue& queue() { return port->queue(PacketPort::Role::kSender); }

    std::size_t send(const Endpoint& to, const std::string& text) {
        const TxPacket packet{reinterpret_cast<const std::byte*>(text.data()),
            static_cast<std::uint32_t>(text.size()), binding.get(), to};
        return queue().send({}, {&packet, 1});
    }
    std::vector<std::string> receive_all() {
        std::vector<std::string> texts;
        std::array<RxPacket, kBurstMax> burst;
        while (const auto n = queue().receive({}, burst)) {
            for (std::size_t i = 0; i < n; ++i) {
                texts.emplace_back(reinterpret_cast<const char*>(burst[i].bytes), burst[i].length);
                CHECK(burst[i].binding == binding.get());
            }
            queue().release({burst.data(), n});
        }
        return texts;
    }
};

}  // namespace

TEST_CASE("packet_loop: a datagram arrives whole, with its source and binding") {
    LoopNetwork network;
    Host a(network, 0, 1000);
    Host b(network, 1, 2000);
    int cookie = 0;
    b.binding->cookie = &cookie;
    CHECK(a.send(b.binding->local(), "hello") == 1);

    std::array<RxPacket, 4> burst;
    REQUIRE(b.queue().receive({}, burst) == 1);
    CHECK(std::string(reinterpret_cast<const char*>(burst[0].bytes), burst[0].length) == "hello");
    CHECK(burst[0].source == a.binding->local());
    CHECK(burst[0].binding->cookie == &cookie);
    b.queue().release({burst.data(), 1});
    CHECK(b.queue().receive({}, burst) == 0);
    CHECK(b.queue().stats().rx_packets == 1);
    CHECK(b.queue().stats().rx_bytes == 5);
    CHECK(a.queue().stats().tx_packets == 1);
}

TEST_CASE("packet_loop: order is kept and a port can send to itself") {
    LoopNetwork network;
    Host a(network, 0, 1000);
    for (const char* text : {"1", "2", "3"}) {
        CHECK(a.send(a.binding->local(), text) == 1);
    }
    CHECK(a.receive_all() == std::vector<std::string>{"1", "2", "3"});
}

TEST_CASE("packet_loop: a full queue pushes back until packets are released") {
    LoopNetwork network({.queue_capacity = 2});
    Host a(network, 0, 1000);
    Host b(network, 1, 2000);
    const auto to = b.binding->local();
    const TxPacket packet{nullptr, 0, a.binding.get(), to};
    const std::array<TxPacket, 3> three{packet, packet, packet};
    CHECK(a.queue().send({}, three) == 2);
    CHECK(a.queue().stats().tx_rejected == 1);

    std::array<RxPacket, 1> burst;
    REQUIRE(b.queue().receive({}, burst) == 1);
    CHECK(a.send(to, "") == 0);  // received, but still lent out
    b.queue().release(burst);
    CHECK(a.send(to, "") == 1);
}

TEST_CASE("packet_loop: a full queue loses packets by option, and counts them") {
    LoopNetwork network({.queue_capacity = 1, .drop_when_full = true});
    Host a(network, 0, 1000);
    Host b(network, 1, 2000);
    CHECK(a.send(b.binding->local(), "x") == 1);
    CHECK(a.send(b.binding->local(), "y") == 1);
    CHECK(network.dropped() == 1);
    CHECK(b.receive_all() == std::vector<std::string>{"x"});
}

TEST_CASE("packet_loop: what nobody opened or added is lost and counted") {
    LoopNetwork network;
    Host a(network, 0, 1000);
    CHECK(a.send({network.port(1).address().ip, 9}, "x") == 1);
    auto opened = network.port(1).open({.local = {{}, 9}});
    REQUIRE(opened);
    CHECK(a.send({network.port(1).address().ip, 9}, "x") == 1);
    CHECK(network.port(1).queue(PacketPort::Role::kReceiver).stats().rx_no_binding == 2);
    CHECK(a.send({IpAddress::v4(1, 2, 3, 4), 9}, "x") == 1);
}

TEST_CASE("packet_loop: a removed binding takes its waiting packets along, not those of others") {
    LoopNetwork network;
    Host a(network, 0, 1000);
    Host b(network, 1, 2000);
    {
        Host c(network, 1, 3000);
        a.send(c.binding->local(), "gone");
        a.send(b.binding->local(), "stays");
        a.send(c.binding->local(), "gone");
    }
    CHECK(b.receive_all() == std::vector<std::string>{"stays"});
}

TEST_CASE("packet_loop: a binding with a remote hears nobody else") {
    LoopNetwork network({.port_count = 3});
    Host a(network, 0, 1000);
    Host stranger(network, 2, 1000);
    auto& port = network.port(1);
    auto opened = port.open({.local = {{}, 2000}, .remote = a.binding->local()});
    REQUIRE(opened);
    auto& queue = port.queue(PacketPort::Role::kSender);
    queue.add(**opened);
    a.send((*opened)->local(), "x");
    stranger.send((*opened)->local(), "y");
    std::array<RxPacket, 4> burst;
    REQUIRE(queue.receive({}, burst) == 1);
    CHECK(burst[0].source == a.binding->local());
    queue.release({burst.data(), 1});
    queue.remove(**opened);
}

TEST_CASE("packet_loop: binding a taken port or a foreign address fails in one line") {
    LoopNetwork network;
    Host a(network, 0, 1000);
    const auto taken = network.port(0).open({.local = {{}, 1000}});
    REQUIRE_FALSE(taken);
    CHECK(taken.error().code == ErrorCode::kGeneric);
    CHECK(taken.error().message.find("1000") != std::string::npos);
    const auto foreign = network.port(0).open({.local = {IpAddress::v4(9, 9, 9, 9), 0}});
    REQUIRE_FALSE(foreign);
    CHECK(foreign.error().code == ErrorCode::kInvalidChannel);
    const auto first = network.port(0).open({});
    const auto second = network.port(0).open({});
    REQUIRE(first);
    REQUIRE(second);
    CHECK((*first)->local() != (*second)->local());
}

TEST_CASE("packet_loop: separate queues deliver to the one a binding was added to") {
    LoopNetwork network({.separate_queues = true});
    Host a(network, 0, 1000);
    auto& port = network.port(1);
    auto& sender = port.queue(PacketPort::Role::kSender);
    auto& receiver = port.queue(PacketPort::Role::kReceiver);
    REQUIRE(&sender != &receiver);
    auto opened = port.open({.local = {{}, 2000}});
    REQUIRE(opened);
    receiver.add(**opened);
    a.send((*opened)->local(), "x");
    std::array<RxPacket, 4> burst;
    CHECK(sender.receive({}, burst) == 0);
    REQUIRE(receiver.receive({}, burst) == 1);
    receiver.release({burst.data(), 1});
    receiver.remove(**opened);
}

TEST_CASE("packet_loop: two threads exchange every packet in order") {
    constexpr std::uint32_t kCount = 20'000;
    LoopNetwork network({.queue_capacity = 8});
    Host a(network, 0, 1000);
    Host b(network, 1, 2000);
    std::thread sender([&] {
        for (std::uint32_t i = 0; i < kCount;) {
            const TxPacket packet{
                reinterpret_cast<const std::byte*>(&i), sizeof i, a.binding.get(), b.binding->local()};
            const auto sent = a.queue().send({}, {&packet, 1});
            i += static_cast<std::uint32_t>(sent);
            if (sent == 0) {
                std::this_thread::yield();
            }
        }
    });
    std::uint32_t expected = 0;
    bool in_order = true;
    std::array<RxPacket, 4> burst;
    while (expected < kCount) {
        const auto n = b.queue().receive({}, burst);
        for (std::size_t i = 0; i < n; ++i) {
            std::uint32_t value = 0;
            std::memcpy(&value, burst[i].bytes, sizeof value);
            in_order = in_order && value == expected++;
        }
        b.queue().release({burst.data(), n});
        if (n == 0) {
            std::this_thread::yield();
        }
    }
    sender.join();
    CHECK(in_order);
}

#include <algorithm>
#include <array>
#include <cstring>
#include <memory>
#include <numeric>
#include <set>
#include <thread>
#include <vector>

#include <doctest/doctest.h>

#include "drivers/packet_fault/fault_port.h"
#include "drivers/packet_loop/loop_network.h"

using namespace fulmar;
using namespace fulmar::port;
using drivers::FaultPort;
using drivers::LoopNetwork;
using net::FaultDirection;

namespace {

/// Hands a port of somebody else's network to a decorator, which wants to own it.
class Borrowed final : public PacketPort {
  public:
    explicit Borrowed(PacketPort& port) : port_(port) {}
    [[nodiscard]] std::string_view name() const override { return port_.name(); }
    [[nodiscard]] std::int32_t payload_max() const override { return port_.payload_max(); }
    [[nodiscard]] Endpoint address() const override { return port_.address(); }
    [[nodiscard]] int prefix_length() const override { return port_.prefix_length(); }
    [[nodiscard]] bool has_separate_queues() const override { return port_.has_separate_queues(); }
    [[nodiscard]] PacketQueue& queue(Role role) override { return port_.queue(role); }
    [[nodiscard]] Result<std::unique_ptr<Binding>> open(const BindRequest& request) override {
        return port_.open(request);
    }

  private:
    PacketPort& port_;
};

net::FaultSpec spec_of(std::string_view text) {
    auto spec = net::parse_fault_spec(text);
    REQUIRE(spec);
    return *spec;
}

/// A sender without faults, and a receiver (or the other way round) with them.
struct Fixture {
    LoopNetwork network;
    FaultPort port;
    PacketPort& plain;
    std::unique_ptr<Binding> faulty_end;
    std::unique_ptr<Binding> plain_end;
    Instant now{0};

    explicit Fixture(
        std::string_view spec, const LoopNetwork::Options& options = {}, std::size_t held_max = 256)
        : network(options),
          port(std::make_unique<Borrowed>(network.port(0)), spec_of(spec), held_max),
          plain(network.port(1)) {
        auto a = port.open({.local = {{}, 1000}});
        auto b = plain.open({.local = {{}, 2000}});
        REQUIRE(a);
        REQUIRE(b);
        faulty_end = std::move(*a);
        plain_end = std::move(*b);
        faulty().add(*faulty_end);
        receiver().add(*plain_end);
    }
    ~Fixture() {
        faulty().remove(*faulty_end);
        receiver().remove(*plain_end);
    }
    PacketQueue& faulty() { return port.queue(PacketPort::Role::kReceiver); }
    PacketQueue& receiver() { return plain.queue(PacketPort::Role::kReceiver); }

    static std::size_t send(PacketQueue& queue, Instant now, Binding& from, const Binding& to,
        std::uint32_t first, std::uint32_t count) {
        std::vector<std::uint32_t> values(count);
        std::iota(values.begin(), values.end(), first);
        std::vector<TxPacket> packets;
        for (const auto& value : values) {
            packets.push_back({reinterpret_cast<const std::byte*>(&value), sizeof value, &from, to.local()});
        }
        return queue.send(now, packets);
    }
    std::size_t send_to_faulty(std::uint32_t first, std::uint32_t count) {
        return send(receiver(), now, *plain_end, *faulty_end, first, count);
    }
    std::size_t send_from_faulty(std::uint32_t first, std::uint32_t count) {
        return send(faulty(), now, *faulty_end, *plain_end, first, count);
    }
    std::vector<std::uint32_t> receive(PacketQueue& queue, std::size_t room = kBurstMax) {
        std::vector<std::uint32_t> values;
        std::array<RxPacket, kBurstMax> burst;
        while (const auto n = queue.receive(now, {burst.data(), room})) {
            for (std::size_t i = 0; i < n; ++i) {
                std::uint32_t value = 0;
                REQUIRE(burst[i].length == sizeof value);
                std::memcpy(&value, burst[i].bytes, sizeof value);
                values.push_back(value);
            }
            queue.release({burst.data(), n});
        }
        return values;
    }
};

std::vector<std::uint32_t> range(std::uint32_t first, std::uint32_t count) {
    std::vector<std::uint32_t> values(count);
    std::iota(values.begin(), values.end(), first);
    return values;
}

}  // namespace

TEST_CASE("packet_fault: without faults it is the port below") {
    Fixture f("none");
    CHECK(f.send_to_faulty(0, 100) == 100);
    CHECK(f.receive(f.faulty()) == range(0, 100));
    CHECK(f.send_from_faulty(0, 100) == 100);
    CHECK(f.receive(f.receiver()) == range(0, 100));
    CHECK(f.port.name() == f.network.port(0).name());
    CHECK(f.port.counts(FaultDirection::kBoth).drawn.packets == 0);
    CHECK(f.faulty().stats().rx_packets == 100);
}

TEST_CASE("packet_fault: received packets are lost as drawn, the others arrive in order") {
    Fixture f("loss:0.2+dir:rx");
    std::vector<std::uint32_t> arrived;
    for (std::uint32_t i = 0; i < 100; ++i) {
        CHECK(f.send_to_faulty(i * 10, 10) == 10);
        const auto values = f.receive(f.faulty());
        arrived.insert(arrived.end(), values.begin(), values.end());
    }
    const auto counts = f.port.counts(FaultDirection::kRx);
    CHECK(counts.drawn.packets == 1'000);
    CHECK(counts.drawn.lost > 150);
    CHECK(arrived.size() == 1'000 - counts.drawn.lost);
    CHECK(std::is_sorted(arrived.begin(), arrived.end()));
    CHECK(f.port.counts(FaultDirection::kTx).drawn.packets == 0);
}

TEST_CASE("packet_fault: a burst lost whole gives its packets back") {
    Fixture f("loss:1+dir:rx", {.queue_capacity = 4});
    for (int i = 0; i < 10; ++i) {
        CHECK(f.send_to_faulty(0, 4) == 4);
        CHECK(f.receive(f.faulty()).empty());
    }
}

TEST_CASE("packet_fault: sent packets are lost as drawn and count as taken") {
    Fixture f("loss:0.5+dir:tx");
    CHECK(f.send_from_faulty(0, 200) == 200);
    const auto arrived = f.receive(f.receiver());
    const auto counts = f.port.counts(FaultDirection::kTx);
    CHECK(counts.drawn.packets == 200);
    CHECK(arrived.size() == 200 - counts.drawn.lost);
    CHECK(counts.drawn.lost > 60);
    CHECK(std::is_sorted(arrived.begin(), arrived.end()));
}

TEST_CASE("packet_fault: corruption drops, as a checksum would, and is counted apart") {
    Fixture f("corrupt:1");
    CHECK(f.send_to_faulty(0, 5) == 5);
    CHECK(f.receive(f.faulty()).empty());
    CHECK(f.send_from_faulty(0, 5) == 5);
    CHECK(f.receive(f.receiver()).empty());
    const auto counts = f.port.counts(FaultDirection::kBoth);
    CHECK(counts.drawn.corrupted == 10);
    CHECK(counts.drawn.lost == 0);
}

TEST_CASE("packet_fault: every packet doubled arrives twice, both ways") {
    Fixture f("dup:1");
    CHECK(f.send_to_faulty(0, 20) == 20);
    auto arrived = f.receive(f.faulty());
    CHECK(arrived.size() == 40);
    std::sort(arrived.begin(), arrived.end());
    for (std::uint32_t i = 0; i < 20; ++i) {
        CHECK(arrived[2 * i] == i);
        CHECK(arrived[2 * i + 1] == i);
    }
    CHECK(f.send_from_faulty(0, 20) == 20);
    CHECK(f.receive(f.receiver()).size() == 40);
    CHECK(f.port.counts(FaultDirection::kBoth).drawn.duplicated == 40);
}

TEST_CASE("packet_fault: delayed packets arrive in order when their time has come, not before") {
    for (const bool receiving : {true, false}) {
        CAPTURE(receiving);
        Fixture f("delay:50us");
        auto& at = receiving ? f.faulty() : f.receiver();
        const auto send = [&](std::uint32_t first) {
            REQUIRE((receiving ? f.send_to_faulty(first, 3) : f.send_from_faulty(first, 3)) == 3);
        };
        const auto poll = [&] {
            std::array<RxPacket, 1> none;
            (void)f.faulty().receive(f.now, {none.data(), 0});  // a polled sender moves what it holds
            return f.receive(at);
        };
        send(0);
        CHECK(poll().empty());
        f.now = f.now + microseconds(20);
        send(3);
        CHECK(poll().empty());
        f.now = Instant{} + microseconds(50) - nanoseconds(1);
        CHECK(poll().empty());
        f.now = Instant{} + microseconds(50);
        CHECK(poll() == range(0, 3));
        f.now = Instant{} + microseconds(70);
        CHECK(poll() == range(3, 3));
    }
}

TEST_CASE("packet_fault: reordered packets are overtaken by a few, and nothing is lost") {
    for (const bool receiving : {true, false}) {
        CAPTURE(receiving);
        Fixture f("reorder:0.2");
        std::vector<std::uint32_t> arrived;
        const auto take = [&] {
            const auto values = f.receive(receiving ? f.faulty() : f.receiver());
            arrived.insert(arrived.end(), values.begin(), values.end());
        };
        for (std::uint32_t i = 0; i < 50; ++i) {
            REQUIRE((receiving ? f.send_to_faulty(i * 20, 20) : f.send_from_faulty(i * 20, 20)) == 20);
            take();
        }
        f.now = f.now + net::kReorderHoldMax;
        std::array<RxPacket, 1> none;
        (void)f.faulty().receive(f.now, {none.data(), 0});
        take();
        REQUIRE(arrived.size() == 1'000);
        CHECK_FALSE(std::is_sorted(arrived.begin(), arrived.end()));
        for (std::size_t i = 0; i < arrived.size(); ++i) {
            // A packet overtaken by 4 that all are themselves overtaken may fall a little further back.
            CHECK(arrived[i] + 30 >= i);
            CHECK(arrived[i] <= i + 30);
        }
        CHECK(std::set<std::uint32_t>(arrived.begin(), arrived.end()).size() == 1'000);
        CHECK(f.port.counts(FaultDirection::kBoth).drawn.reordered > 150);
    }
}

TEST_CASE("packet_fault: a packet with nothing behind it is not held for ever") {
    Fixture f("reorder:1+dir:rx");
    CHECK(f.send_to_faulty(7, 1) == 1);
    CHECK(f.receive(f.faulty()).empty());
    f.now = f.now + net::kReorderHoldMax;
    CHECK(f.receive(f.faulty()) == range(7, 1));
}

TEST_CASE("packet_fault: what exceeds the held memory is lost and counted") {
    Fixture f("delay:1ms+dir:rx", {}, 8);
    CHECK(f.send_to_faulty(0, 20) == 20);
    CHECK(f.receive(f.faulty()).empty());
    f.now = f.now + milliseconds(1);
    CHECK(f.receive(f.faulty()) == range(0, 8));
    CHECK(f.port.counts(FaultDirection::kRx).overflowed == 12);
    CHECK(f.send_to_faulty(20, 8) == 8);  // all of it is free again
    CHECK(f.receive(f.faulty()).empty());
    f.now = f.now + milliseconds(1);
    CHECK(f.receive(f.faulty()) == range(20, 8));
}

TEST_CASE("packet_fault: a short burst leaves the rest for the next one") {
    Fixture f("dup:1+dir:rx");
    CHECK(f.send_to_faulty(0, 10) == 10);
    CHECK(f.receive(f.faulty(), 3).size() == 20);
}

TEST_CASE("packet_fault: a port without room pushes back, and no packet is drawn for twice") {
    Fixture f("loss:0.3+dup:0.3+reorder:0.3+dir:tx", {.queue_capacity = 3});
    Fixture roomy("loss:0.3+dup:0.3+reorder:0.3+dir:tx", {.queue_capacity = 1024});
    std::vector<std::uint32_t> arrived;
    std::uint32_t next = 0;
    for (int i = 0; i < 10'000 && next < 300; ++i) {
        next += static_cast<std::uint32_t>(f.send_from_faulty(next, std::min<std::uint32_t>(16, 300 - next)));
        const auto values = f.receive(f.receiver());
        arrived.insert(arrived.end(), values.begin(), values.end());
    }
    REQUIRE(next == 300);
    for (int i = 0; i < 300; ++i) {
        f.now = f.now + net::kReorderHoldMax;
        std::array<RxPacket, 1> none;
        (void)f.faulty().receive(f.now, {none.data(), 0});
        const auto values = f.receive(f.receiver());
        arrived.insert(arrived.end(), values.begin(), values.end());
    }
    REQUIRE(roomy.send_from_faulty(0, 300) == 300);
    roomy.now = roomy.now + net::kReorderHoldMax;
    std::array<RxPacket, 1> none;
    (void)roomy.faulty().receive(roomy.now, {none.data(), 0});
    auto expected = roomy.receive(roomy.receiver());
    std::sort(arrived.begin(), arrived.end());
    std::sort(expected.begin(), expected.end());
    CHECK(arrived == expected);
    // What was drawn for the last refused packets may be ahead by less than a burst, never behind.
    CHECK(f.port.counts(FaultDirection::kTx).drawn.packets == 300);
}

TEST_CASE("packet_fault: the spec changes at run time, and held packets still arrive") {
    Fixture f("delay:1ms+dir:rx");
    CHECK(f.send_to_faulty(0, 2) == 2);
    CHECK(f.receive(f.faulty()).empty());
    f.port.set_spec(spec_of("none"));
    CHECK(f.port.spec() == net::FaultSpec{});
    CHECK(f.send_to_faulty(2, 2) == 2);
    CHECK(f.receive(f.faulty()) == range(2, 2));
    f.now = f.now + milliseconds(1);
    CHECK(f.receive(f.faulty()) == range(0, 2));
    f.port.set_spec(spec_of("loss:1"));
    CHECK(f.send_to_faulty(4, 2) == 2);
    CHECK(f.receive(f.faulty()).empty());
}

TEST_CASE("packet_fault: a binding that goes away takes its held packets along") {
    Fixture f("delay:1ms");
    auto opened = f.port.open({.local = {{}, 3000}});
    REQUIRE(opened);
    f.faulty().add(**opened);
    CHECK(Fixture::send(f.receiver(), f.now, *f.plain_end, **opened, 100, 3) == 3);
    CHECK(f.send_to_faulty(0, 3) == 3);
    CHECK(Fixture::send(f.faulty(), f.now, **opened, *f.plain_end, 200, 3) == 3);
    CHECK(f.receive(f.faulty()).empty());
    f.faulty().remove(**opened);
    (*opened).reset();
    f.now = f.now + milliseconds(1);
    CHECK(f.receive(f.faulty()) == range(0, 3));
    CHECK(f.receive(f.receiver()).empty());
}

TEST_CASE("packet_fault: the same seed gives the same arrivals") {
    const auto run = [] {
        Fixture f("loss:0.1+dup:0.1+reorder:0.1+delay:3us+seed:99");
        std::vector<std::uint32_t> arrived;
        for (std::uint32_t i = 0; i < 50; ++i) {
            REQUIRE(f.send_to_faulty(i * 10, 10) == 10);
            f.now = f.now + microseconds(1);
            const auto values = f.receive(f.faulty());
            arrived.insert(arrived.end(), values.begin(), values.end());
        }
        return arrived;
    };
    const auto first = run();
    CHECK(first.size() > 300);
    CHECK(first == run());
}

TEST_CASE("packet_fault: separate queues below stay separate, and share one spec") {
    Fixture f("loss:1+dir:rx", {.separate_queues = true});
    auto& sender = f.port.queue(PacketPort::Role::kSender);
    CHECK(&sender != &f.faulty());
    CHECK(f.port.has_separate_queues());
    CHECK(f.send_to_faulty(0, 3) == 3);
    CHECK(f.receive(f.faulty()).empty());
    CHECK(Fixture::send(sender, f.now, *f.faulty_end, *f.plain_end, 0, 3) == 3);
    CHECK(f.receive(f.receiver()) == range(0, 3));
    CHECK(f.port.counts(FaultDirection::kRx).drawn.lost == 3);
}

TEST_CASE("packet_fault: a control thread may change and read while the queue runs") {
    Fixture f("loss:0.1");
    std::thread control([&f] {
        for (int i = 0; i < 2'000; ++i) {
            f.port.set_spec(spec_of(i % 2 == 0 ? "loss:0.5+seed:3" : "delay:1us"));
            (void)f.port.counts(FaultDirection::kBoth);
            (void)f.port.spec();
        }
        f.port.set_spec(spec_of("none"));
    });
    std::size_t arrived = 0;
    for (std::uint32_t i = 0; i < 2'000; ++i) {
        arrived += f.send_to_faulty(i, 1);
        f.now = f.now + microseconds(1);
        (void)f.receive(f.faulty());
    }
    control.join();
    CHECK(arrived == 2'000);
    CHECK(f.send_to_faulty(7, 1) == 1);
    f.now = f.now + milliseconds(2);
    const auto last = f.receive(f.faulty());
    REQUIRE_FALSE(last.empty());
    CHECK(std::find(last.begin(), last.end(), 7U) != last.end());
}

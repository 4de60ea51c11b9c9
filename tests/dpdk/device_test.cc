#include <array>
#include <cstring>
#include <fmt/core.h>
#include <unistd.h>

#include <doctest/doctest.h>

#include "drivers/packet_dpdk/dpdk_port.h"
#include "pmd_glue/eal.h"
#include "pmd_glue/frame_queue.h"
#include "pmd_glue/hugepages.h"
#include "tests/dpdk/echo.h"
#include "tests/dpdk/spec.h"

using namespace fulmar;
using drivers::DpdkPort;
using drivers::DpdkPortOptions;
using pmd_glue::Device;
using pmd_glue::DeviceSpec;
using pmd_glue::Frame;

namespace {

constexpr auto kOurIp = port::IpAddress::v4(10, 77, 0, 9);

void need_eal() {
    const auto mode = pmd_glue::start_eal(test::test_eal_options());
    REQUIRE_MESSAGE(mode.has_value(), (mode ? "" : mode.error().message));
}

std::unique_ptr<DpdkPort> open_port(DeviceSpec spec) {
    need_eal();
    DpdkPortOptions options;
    options.device = std::move(spec);
    options.ip = kOurIp;
    auto port = DpdkPort::open(options);
    REQUIRE_MESSAGE(port.has_value(), (port ? "" : port.error().message));
    return std::move(port).value();
}

std::string open_error(DpdkPortOptions options) {
    need_eal();
    const auto port = DpdkPort::open(options);
    return port ? std::string("opened") : port.error().message;
}

bool is_one_line(const std::string& text) {
    return !text.empty() && text.find('\n') == std::string::npos;
}

}  // namespace

TEST_CASE("dpdk ring: frames come back whole and in order") {
    need_eal();
    auto device = Device::open({DeviceSpec::Kind::kRing, ""}, {});
    REQUIRE(device);
    pmd_glue::FrameQueue queue(**device);
    std::array<Frame, 32> sent;
    REQUIRE(queue.allocate(sent, 100));
    for (std::size_t i = 0; i < sent.size(); ++i) {
        std::memset(sent[i].bytes, static_cast<int>(i), 100);
    }
    REQUIRE(queue.send(sent) == sent.size());
    std::array<Frame, 64> received;
    REQUIRE(queue.receive(received) == sent.size());
    for (std::size_t i = 0; i < sent.size(); ++i) {
        CHECK(received[i].length == 100);
        CHECK(received[i].bytes[99] == static_cast<std::byte>(i));
    }
    queue.release(std::span(received).first(sent.size()));
    const auto stats = (*device)->stats();
    CHECK(stats.rx_packets == sent.size());
    CHECK(stats.tx_packets == sent.size());
}

TEST_CASE("dpdk ring: a full device leaves the rest with the sender") {
    need_eal();
    auto device = Device::open({DeviceSpec::Kind::kRing, ""}, {});
    REQUIRE(device);
    pmd_glue::FrameQueue queue(**device);
    std::size_t taken_total = 0;
    bool filled = false;
    for (int burst = 0; burst < 100 && !filled; ++burst) {
        std::array<Frame, 32> frames;
        if (!queue.allocate(frames, 64)) {
            break;
        }
        const auto taken = queue.send(frames);
        taken_total += taken;
        queue.release(std::span<const Frame>(frames).subspan(taken));
        filled = taken < frames.size();
    }
    CHECK(filled);
    std::array<Frame, 64> received;
    std::size_t received_total = 0;
    for (std::size_t count = 0; (count = queue.receive(received)) != 0; received_total += count) {
        queue.release(std::span(received).first(count));
    }
    CHECK(received_total == taken_total);
}

TEST_CASE("dpdk null: takes everything and never delivers") {
    need_eal();
    auto device = Device::open({DeviceSpec::Kind::kNull, ""}, {});
    REQUIRE(device);
    pmd_glue::FrameQueue queue(**device);
    for (int burst = 0; burst < 1000; ++burst) {
        std::array<Frame, 64> frames;
        REQUIRE(queue.allocate(frames, 1000));
        REQUIRE(queue.send(frames) == frames.size());
    }
    std::array<Frame, 64> received;
    CHECK(queue.receive(received) == 0);
    CHECK((*device)->stats().tx_packets == 64'000);
}

TEST_CASE("dpdk null: a datagram to an unknown neighbour is taken, asked for, and pushes nothing back") {
    auto port = open_port({DeviceSpec::Kind::kNull, ""});
    auto& queue = port->queue(port::PacketPort::Role::kSender);
    auto binding = port->open(port::BindRequest{});
    REQUIRE(binding);
    queue.add(**binding);
    const auto now = test::monotonic_now();
    std::array<port::RxPacket, 8> received;
    CHECK(queue.receive(now, received) == 0);
    const std::array<std::byte, 32> payload{};
    const port::TxPacket packet{
        payload.data(), payload.size(), binding->get(), {port::IpAddress::v4(10, 77, 0, 1), 4000}};
    CHECK(queue.send(now, {&packet, 1}) == 1);
    CHECK_FALSE(queue.resolve(now, packet.destination));
    CHECK(queue.receive(now, received) == 0);
    CHECK(port->net_stats().tx_arp_requests >= 1);
    CHECK(queue.stats().neighbour_misses >= 1);
    queue.remove(**binding);
}

TEST_CASE("dpdk ring: bindings of one port reach each other without the wire") {
    auto port = open_port({DeviceSpec::Kind::kRing, ""});
    test::EchoServer server(*port);
    auto binding = port->open(port::BindRequest{});
    REQUIRE(binding);
    auto& queue = port->queue(port::PacketPort::Role::kSender);
    queue.add(**binding);
    const auto now = test::monotonic_now();
    server.poll(now);
    const char text[] = "to myself";
    const port::TxPacket packet{
        reinterpret_cast<const std::byte*>(text), sizeof text, binding->get(), {kOurIp, test::kEchoPort}};
    REQUIRE(queue.send(now, {&packet, 1}) == 1);
    REQUIRE(server.poll(now) == 1);
    std::array<port::RxPacket, 8> received;
    REQUIRE(queue.receive(now, received) == 1);
    CHECK(received[0].binding == binding->get());
    CHECK(received[0].source == port::Endpoint{kOurIp, test::kEchoPort});
    CHECK(std::memcmp(received[0].bytes, text, sizeof text) == 0);
    queue.release(std::span(received).first(1));
    queue.remove(**binding);
}

TEST_CASE("dpdk port: UDP ports are taken once and given back") {
    auto port = open_port({DeviceSpec::Kind::kNull, ""});
    auto first = port->open({.local = {{}, 5000}});
    REQUIRE(first);
    CHECK((*first)->local() == port::Endpoint{kOurIp, 5000});
    const auto second = port->open({.local = {kOurIp, 5000}});
    REQUIRE_FALSE(second);
    CHECK(second.error().message.find("5000") != std::string::npos);
    std::move(first).value().reset();
    CHECK(port->open({.local = {kOurIp, 5000}}).has_value());
    const auto other = port->open({.local = {port::IpAddress::v4(10, 1, 1, 1), 5001}});
    REQUIRE_FALSE(other);
    CHECK(other.error().code == ErrorCode::kInvalidChannel);
}

TEST_CASE("dpdk port: a binding may outlive its port") {
    Result<std::unique_ptr<port::Binding>> binding = fail(ErrorCode::kGeneric, "not yet");
    {
        auto port = open_port({DeviceSpec::Kind::kNull, ""});
        binding = port->open(port::BindRequest{});
    }
    REQUIRE(binding);
    CHECK((*binding)->local().port >= 49152);
}

TEST_CASE("dpdk port: payload_max leaves room for the headers") {
    auto port = open_port({DeviceSpec::Kind::kNull, ""});
    CHECK(port->payload_max() == 1472);
    CHECK(port->address().ip == kOurIp);
    CHECK_FALSE(port->has_separate_queues());
}

TEST_CASE("dpdk port: what cannot be opened says why in one line") {
    struct Case {
        DeviceSpec spec;
        const char* expected;
    };
    const auto long_path = "/tmp/" + std::string(200, 'x');
    const Case cases[] = {
        {{DeviceSpec::Kind::kAfPacket, "nosuchif0"}, "no interface 'nosuchif0'"},
        {{DeviceSpec::Kind::kAfPacket, "lo"}, "ip addr flush dev lo"},
        {{DeviceSpec::Kind::kAfXdp, ""}, "interface name"},
        {{DeviceSpec::Kind::kMemifServer, "relative.sock"}, "must be absolute"},
        {{DeviceSpec::Kind::kMemifClient, long_path}, "shorter than"},
        {{DeviceSpec::Kind::kMemifServer, "/nosuchdir/x.sock"}, "mkdir -p /nosuchdir"},
        {{DeviceSpec::Kind::kMemifServer, "/etc/hostname"}, "is no socket"},
        {{DeviceSpec::Kind::kPci, "0000:ff:1f.7"}, "no such device"},
        {{DeviceSpec::Kind::kVdev, ""}, "device string"},
        {{DeviceSpec::Kind::kVdev, "net_nosuchdriver0"}, "cannot create it"},
        {{DeviceSpec::Kind::kTap, "a-name-that-is-too-long"}, "1 to 15 characters"},
    };
    for (const auto& one : cases) {
        DpdkPortOptions options;
        options.device = one.spec;
        options.ip = kOurIp;
        const auto error = open_error(options);
        CAPTURE(error);
        CHECK(error.find(one.expected) != std::string::npos);
        CHECK(is_one_line(error));
    }
}

TEST_CASE("dpdk port: an address is required and must be a host's") {
    DpdkPortOptions options;
    options.device = {DeviceSpec::Kind::kNull, ""};
    CHECK(open_error(options).find("ip=") != std::string::npos);
    options.ip = port::IpAddress::v4(224, 0, 0, 1);
    CHECK(open_error(options).find("host address") != std::string::npos);
    options.ip = kOurIp;
    options.prefix_length = 33;
    CHECK(open_error(options).find("prefix length") != std::string::npos);
}

TEST_CASE("dpdk memif: a second server on a socket is refused, an abandoned socket is taken over") {
    need_eal();
    const auto path = fmt::format("/tmp/fulmar-test-{}-taken.sock", ::getpid());
    {
        auto first = Device::open({DeviceSpec::Kind::kMemifServer, path}, {});
        REQUIRE(first);
        CHECK_FALSE((*first)->link_up());
        const auto second = Device::open({DeviceSpec::Kind::kMemifServer, path}, {});
        REQUIRE_FALSE(second);
        CHECK(second.error().message.find("already has a server") != std::string::npos);
    }
    CHECK(::access(path.c_str(), F_OK) != 0);
}

TEST_CASE("dpdk memif: both ends of one process close while the other's farewell is handled") {
    need_eal();
    for (int round = 0; round < 40; ++round) {
        CAPTURE(round);
        const auto path = fmt::format("/tmp/fulmar-test-{}-both-{}.sock", ::getpid(), round);
        auto server = Device::open({DeviceSpec::Kind::kMemifServer, path}, {});
        REQUIRE_MESSAGE(server.has_value(), (server ? "" : server.error().message));
        auto client = Device::open({DeviceSpec::Kind::kMemifClient, path}, {});
        REQUIRE_MESSAGE(client.has_value(), (client ? "" : client.error().message));
        const auto deadline = test::monotonic_now() + seconds(20);
        while (!(*client)->retry(test::monotonic_now()) || !(*server)->link_up()) {
            REQUIRE(test::monotonic_now() < deadline);
            ::sched_yield();
        }
        if (round % 2 == 0) {
            client.value().reset();
        }
        server.value().reset();
    }
}

TEST_CASE("dpdk eal: starts once, keeps the thread's processors, and tells its mode") {
    need_eal();
    const auto again = pmd_glue::start_eal({});
    REQUIRE(again);
    CHECK_FALSE(again->hugepages);
    CHECK(again->file_prefix == fmt::format("fulmar-{}", ::getpid()));
    CHECK(is_one_line(again->description));
    CHECK(is_one_line(pmd_glue::hugepage_status().reason));
}

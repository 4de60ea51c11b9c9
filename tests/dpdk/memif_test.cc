#include <fmt/core.h>
#include <unistd.h>

#include <doctest/doctest.h>

#include "drivers/packet_dpdk/dpdk_port.h"
#include "pmd_glue/eal.h"
#include "pmd_glue/hugepages.h"
#include "tests/dpdk/child.h"
#include "tests/dpdk/echo.h"
#include "tests/dpdk/spec.h"

using namespace fulmar;
using drivers::DpdkPort;
using drivers::DpdkPortOptions;
using pmd_glue::DeviceSpec;
using test::Child;
using test::EchoClient;

namespace {

constexpr auto kServerIp = port::IpAddress::v4(10, 77, 0, 2);
constexpr const char* kServerIpText = "10.77.0.2";
constexpr const char* kClientIpText = "10.77.0.1";

/// Both processes need their pages at once.
[[maybe_unused]] const bool kMayRun = [] {
    const auto pages = pmd_glue::hugepage_status(std::int64_t{160} << 20);
    if (std::getenv("FULMAR_TEST_HUGEPAGES") != nullptr && !pages.usable) {
        fmt::print("skipped: {}\n", pages.reason);
        std::fflush(stdout);
        std::_Exit(77);
    }
    return true;
}();

std::string socket_path(const char* name) {
    return fmt::format("/tmp/fulmar-test-{}-{}.sock", ::getpid(), name);
}

std::unique_ptr<DpdkPort> open_memif(DeviceSpec::Kind kind, const std::string& path) {
    const auto mode = pmd_glue::start_eal(test::test_eal_options());
    REQUIRE_MESSAGE(mode.has_value(), (mode ? "" : mode.error().message));
    DpdkPortOptions options;
    options.device = {kind, path};
    auto port = DpdkPort::open(options);
    REQUIRE_MESSAGE(port.has_value(), (port ? "" : port.error().message));
    return std::move(port).value();
}

std::vector<std::string> echo_peer(const std::string& path) {
    return {"echo", "memif:server:" + path, kServerIpText};
}

std::vector<std::string> ping_peer(const std::string& path, const char* count) {
    return {"ping", "memif:client:" + path, kClientIpText, kServerIpText, count, "200"};
}

}  // namespace

TEST_CASE("dpdk memif: datagrams of every length return unharmed from another process") {
    const auto path = socket_path("lengths");
    const Child peer(echo_peer(path));
    REQUIRE(peer.started());
    auto port = open_memif(DeviceSpec::Kind::kMemifClient, path);
    for (const std::size_t length : {8U, 9U, 17U, 18U, 63U, 64U, 1000U, 1471U, 1472U}) {
        CAPTURE(length);
        EchoClient client(*port, kServerIp, length);
        for (int i = 0; i < 20; ++i) {
            REQUIRE(client.ping(seconds(20)) > 0);
        }
        CHECK(client.damaged() == 0);
    }
    CHECK(port->device_stats().rx_packets >= 180);
    CHECK(port->device_stats().tx_packets >= 180);
}

TEST_CASE("dpdk memif: a port copies, since zero copy does not survive a new connection") {
    const auto path = socket_path("copies");
    auto port = open_memif(DeviceSpec::Kind::kMemifClient, path);
    CHECK_FALSE(port->device().info().zero_copy);
    CHECK(port->device().info().hugepages == pmd_glue::eal_mode().hugepages);
}

TEST_CASE("dpdk memif: a client started before its server rejects packets, then finds it") {
    const auto path = socket_path("late");
    auto port = open_memif(DeviceSpec::Kind::kMemifClient, path);
    EchoClient client(*port, kServerIp, 64);
    CHECK(client.ping(milliseconds(50)) == -1);
    CHECK(client.queue().stats().tx_rejected > 0);
    CHECK(client.queue().stats().tx_packets == 0);
    const Child peer(echo_peer(path));
    CHECK(client.ping(seconds(20)) > 0);
}

TEST_CASE("dpdk memif: a client survives the death of its server and finds the next") {
    const auto path = socket_path("server-dies");
    auto port = open_memif(DeviceSpec::Kind::kMemifClient, path);
    EchoClient client(*port, kServerIp, 300);
    for (int life = 0; life < 3; ++life) {
        Child peer(echo_peer(path));
        REQUIRE(peer.started());
        for (int i = 0; i < 30; ++i) {
            REQUIRE(client.ping(seconds(20)) > 0);
        }
        peer.stop(SIGKILL);
        CHECK(client.ping(milliseconds(20)) == -1);
    }
    CHECK(client.damaged() == 0);
}

TEST_CASE("dpdk memif: a server survives clients killed in mid-traffic and serves the next") {
    const auto path = socket_path("client-dies");
    auto port = open_memif(DeviceSpec::Kind::kMemifServer, path);
    test::EchoServer server(*port);
    for (int life = 0; life < 4; ++life) {
        Child peer(ping_peer(path, "100000000"));
        REQUIRE(peer.started());
        const auto deadline = test::monotonic_now() + seconds(100);
        std::size_t answered = 0;
        while (answered < 200 && test::monotonic_now() < deadline) {
            answered += server.poll(test::monotonic_now());
        }
        REQUIRE(answered >= 200);
        peer.stop(SIGKILL);
    }
    Child last(ping_peer(path, "200"));
    const auto deadline = test::monotonic_now() + seconds(40);
    while (!last.ended() && test::monotonic_now() < deadline) {
        server.poll(test::monotonic_now());
    }
    REQUIRE(last.ended());
    CHECK(last.exit_status() == 0);
}

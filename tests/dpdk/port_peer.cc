// One end of an echo over a DPDK port, for tests that need a second process and for a look at latency by
// hand:
//   port_peer echo memif:server:/tmp/x.sock 10.77.0.2
//   port_peer ping memif:client:/tmp/x.sock 10.77.0.1 10.77.0.2 COUNT PAYLOAD_BYTES
#include <algorithm>
#include <atomic>
#include <csignal>
#include <cstdlib>
#include <fmt/core.h>

#include "pmd_glue/eal.h"
#include "tests/dpdk/echo.h"
#include "tests/dpdk/spec.h"

namespace {

using fulmar::drivers::DpdkPort;

std::atomic<bool> g_stop{false};

int echo(DpdkPort& port) {
    fulmar::test::EchoServer server(port);
    fmt::print("ready {}\n", port.describe());
    std::fflush(stdout);
    fulmar::Instant now = fulmar::test::monotonic_now();
    for (unsigned polls = 0; !g_stop.load(std::memory_order_relaxed); ++polls) {
        if (polls % 64 == 0) {
            now = fulmar::test::monotonic_now();
        }
        server.poll(now);
    }
    const auto stats = port.device_stats();
    fmt::print("echo rx={} tx={}\n", stats.rx_packets, stats.tx_packets);
    return 0;
}

int ping(DpdkPort& port, fulmar::port::IpAddress server, std::size_t count, std::size_t bytes) {
    fulmar::test::EchoClient client(port, server, bytes);
    if (client.ping(fulmar::seconds(20)) < 0) {
        fmt::print(stderr, "{}: no answer from {} in 20 s\n", port.name(), fulmar::port::to_string(server));
        return 1;
    }
    std::vector<std::int64_t> samples;
    samples.reserve(count);
    std::size_t lost = 0;
    for (std::size_t i = 0; i < count; ++i) {
        const auto rtt_ns = client.ping(fulmar::seconds(5));
        if (rtt_ns < 0) {
            ++lost;
        } else {
            samples.push_back(rtt_ns);
        }
    }
    std::sort(samples.begin(), samples.end());
    const auto at = [&](std::size_t percent) {
        return samples.empty() ? 0 : samples[std::min(samples.size() - 1, samples.size() * percent / 100)];
    };
    const auto stats = port.device_stats();
    fmt::print("ping count={} lost={} damaged={} rtt_ns min={} p50={} p90={} p99={} max={} rx={} tx={}\n",
        count, lost, client.damaged(), at(0), at(50), at(90), at(99), at(100), stats.rx_packets,
        stats.tx_packets);
    return lost == 0 && client.damaged() == 0 ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
    if (argc < 4) {
        fmt::print(stderr, "usage: port_peer echo|ping DEVICE IP [SERVER_IP COUNT PAYLOAD_BYTES]\n");
        return 2;
    }
    std::signal(SIGTERM, [](int) { g_stop.store(true); });
    const auto spec = fulmar::test::parse_device(argv[2]);
    const auto ip = fulmar::port::parse_ip(argv[3]);
    if (!spec || !ip) {
        fmt::print(stderr, "port_peer: bad device {} or address {}\n", argv[2], argv[3]);
        return 2;
    }
    if (const auto started = fulmar::pmd_glue::start_eal(fulmar::test::test_eal_options()); !started) {
        fmt::print(stderr, "{}\n", started.error().message);
        return 1;
    }
    int status = 1;
    {
        fulmar::drivers::DpdkPortOptions options;
        options.device = *spec;
        options.ip = *ip;
        auto port = DpdkPort::open(options);
        if (!port) {
            fmt::print(stderr, "{}\n", port.error().message);
        } else if (std::string_view(argv[1]) == "echo") {
            status = echo(**port);
        } else {
            const auto server = argc > 4 ? fulmar::port::parse_ip(argv[4]) : std::nullopt;
            status = server ? ping(**port, *server, argc > 5 ? std::strtoul(argv[5], nullptr, 10) : 1000,
                                  argc > 6 ? std::strtoul(argv[6], nullptr, 10) : 64)
                            : 2;
        }
    }
    fulmar::pmd_glue::stop_eal();
    return status;
}

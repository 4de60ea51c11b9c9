// The suite over poll-mode ports, without hardware: two ends of a memif in one process, where each datagram
// is a frame that a driver moved; or, with REACH_ITSELF, a ring device whose bindings reach each other.
#include <fmt/core.h>
#include <unistd.h>

#include "drivers/packet_dpdk/dpdk_port.h"
#include "pmd_glue/eal.h"
#include "tests/conformance/packet_port_suite.h"

namespace fulmar::test {
namespace {

using drivers::DpdkPort;
using Kind = pmd_glue::DeviceSpec::Kind;

void need_eal() {
    pmd_glue::EalOptions eal;
    eal.hugepages = pmd_glue::EalOptions::Hugepages::kOff;
    const auto mode = pmd_glue::start_eal(eal);
    REQUIRE_MESSAGE(mode.has_value(), (mode ? "" : mode.error().message));
}

std::unique_ptr<DpdkPort> open_port(pmd_glue::DeviceSpec device, port::IpAddress ip) {
    drivers::DpdkPortOptions options;
    options.device = std::move(device);
    options.ip = ip;
    auto opened = DpdkPort::open(options);
    REQUIRE_MESSAGE(opened.has_value(), (opened ? "" : opened.error().message));
    return std::move(opened).value();
}

[[maybe_unused]] PortRig open_ring() {
    const auto ip = port::IpAddress::v4(10, 77, 0, 9);
    const std::shared_ptr<DpdkPort> port = open_port({Kind::kRing, ""}, ip);
    PortRig rig;
    rig.a = rig.b = port.get();
    rig.a_ip = rig.b_ip = ip;
    rig.may_lose_when_full = true;  // as a host does with what it sends to itself
    rig.owner = port;
    return rig;
}

struct Ends {
    std::unique_ptr<DpdkPort> server;
    std::unique_ptr<DpdkPort> client;
};

/// Polls both ends until the link is up and each knows the other's address, as agents would.
void await_neighbours(Ends& ends) {
    const Instant end = port_now() + seconds(20);
    bool known = false;
    while (!known) {
        REQUIRE_MESSAGE(port_now() < end, "the ends of the memif did not find each other");
        std::array<port::RxPacket, 1> none;
        for (DpdkPort* port : {ends.server.get(), ends.client.get()}) {
            REQUIRE(port->queue(Role::kReceiver).receive(port_now(), none) == 0);
        }
        const bool there =
            ends.client->queue(Role::kSender).resolve(port_now(), {ends.server->address().ip, 1});
        const bool back =
            ends.server->queue(Role::kSender).resolve(port_now(), {ends.client->address().ip, 1});
        known = there && back;
    }
}

[[maybe_unused]] PortRig open_memif() {
    static int count = 0;
    const auto path = fmt::format("/tmp/fulmar-conformance-{}-{}.sock", ::getpid(), count++);
    auto ends = std::make_shared<Ends>();
    ends->server = open_port({Kind::kMemifServer, path}, port::IpAddress::v4(10, 77, 0, 2));
    ends->client = open_port({Kind::kMemifClient, path}, port::IpAddress::v4(10, 77, 0, 1));
    await_neighbours(*ends);
    PortRig rig;
    rig.a = ends->client.get();
    rig.b = ends->server.get();
    rig.a_ip = rig.a->address().ip;
    rig.b_ip = rig.b->address().ip;
    // What a full device did not take waits in the port for the next poll; one without room takes nothing in.
    rig.pass_time = [ends = ends.get()] {
        for (DpdkPort* port : {ends->server.get(), ends->client.get()}) {
            (void)port->queue(Role::kReceiver).receive(port_now(), {});
        }
    };
    rig.owner = ends;
    return rig;
}

}  // namespace

PortRig open_ports() {
    need_eal();
#ifdef REACH_ITSELF
    return open_ring();
#else
    return open_memif();
#endif
}

}  // namespace fulmar::test

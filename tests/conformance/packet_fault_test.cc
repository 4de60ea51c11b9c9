// The suite over a fault port that has nothing to do: it must not be noticed.
#include "drivers/packet_fault/fault_port.h"
#include "drivers/packet_udp/udp_port.h"
#include "tests/conformance/packet_port_suite.h"

namespace fulmar::test {

PortRig open_ports() {
    auto port = std::make_shared<drivers::FaultPort>(std::make_unique<drivers::UdpPort>(), net::FaultSpec{});
    PortRig rig;
    rig.a = rig.b = port.get();
    rig.a_ip = rig.b_ip = port::IpAddress::v4(127, 0, 0, 1);
    rig.may_lose_when_full = true;
    rig.owner = port;
    return rig;
}

}  // namespace fulmar::test

// The suite over the kernel's UDP sockets on the loopback interface.
#include "drivers/packet_udp/udp_port.h"
#include "tests/conformance/packet_port_suite.h"

namespace fulmar::test {

PortRig open_ports() {
    auto port = std::make_shared<drivers::UdpPort>();
    PortRig rig;
    rig.a = rig.b = port.get();
    rig.a_ip = rig.b_ip = port::IpAddress::v4(127, 0, 0, 1);
    rig.may_lose_when_full = true;
    rig.owner = port;
    return rig;
}

}  // namespace fulmar::test

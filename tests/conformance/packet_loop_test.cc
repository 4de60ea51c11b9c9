// The suite over ports inside one process: one queue per port, then one per role.
#include "drivers/packet_loop/loop_network.h"
#include "tests/conformance/packet_port_suite.h"

namespace fulmar::test {

PortRig open_ports() {
    drivers::LoopNetwork::Options options;
#ifdef SEPARATE_QUEUES
    options.separate_queues = true;
#endif
    auto network = std::make_shared<drivers::LoopNetwork>(options);
    PortRig rig;
    rig.a = &network->port(0);
    rig.b = &network->port(1);
    rig.a_ip = rig.a->address().ip;
    rig.b_ip = rig.b->address().ip;
    rig.owner = network;
    return rig;
}

}  // namespace fulmar::test

// The suite over a poll-mode port whose bindings reach each other: a ring device, so that no hardware is
// needed.
#include "drivers/packet_dpdk/dpdk_port.h"
#include "pmd_glue/eal.h"
#include "tests/conformance/packet_port_suite.h"

namespace fulmar::test {

PortRig open_ports() {
    pmd_glue::EalOptions eal;
    eal.hugepages = pmd_glue::EalOptions::Hugepages::kOff;
    const auto mode = pmd_glue::start_eal(eal);
    REQUIRE_MESSAGE(mode.has_value(), (mode ? "" : mode.error().message));
    drivers::DpdkPortOptions options;
    options.device = {pmd_glue::DeviceSpec::Kind::kRing, ""};
    options.ip = port::IpAddress::v4(10, 77, 0, 9);
    auto opened = drivers::DpdkPort::open(options);
    REQUIRE_MESSAGE(opened.has_value(), (opened ? "" : opened.error().message));
    std::shared_ptr<drivers::DpdkPort> port = std::move(opened).value();
    PortRig rig;
    rig.a = rig.b = port.get();
    rig.a_ip = rig.b_ip = options.ip;
    rig.may_lose_when_full = true;
    rig.owner = port;
    return rig;
}

}  // namespace fulmar::test

// The suite over the simulator's own ports: what is found on them is worth something only if they behave like
// the others.
#include "tests/conformance/packet_port_suite.h"
#include "tests/sim/sim_port.h"

namespace fulmar::test {

namespace {
struct World {
    sim::WorldTime time;
    sim::Trace trace;
    sim::Counts counts;
    sim::SimNet net{sim::SimNet::Options{}, 1, time, trace, counts};
    sim::SimPort a{net, 0};
    sim::SimPort b{net, 1};
};
}  // namespace

PortRig open_ports() {
    auto world = std::make_shared<World>();
    world->net.bring_up(0, world->a);
    world->net.bring_up(1, world->b);
    PortRig rig;
    rig.a = &world->a;
    rig.b = &world->b;
    rig.a_ip = rig.a->address().ip;
    rig.b_ip = rig.b->address().ip;
    rig.may_lose_when_full = true;
    rig.pass_time = [world = world.get()] {
        world->time.now = world->time.now + microseconds(50);
        world->net.run();
    };
    rig.owner = world;
    return rig;
}

}  // namespace fulmar::test

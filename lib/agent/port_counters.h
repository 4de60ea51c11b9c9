/// Shows what each port counts in the driver's counters, where every tool looks.
/// threads: the conductor's; the ports' statistics may be read by any.
#pragma once

#include <cstdint>
#include <vector>

#include "fulmar/time.h"
#include "observe/counters.h"
#include "port/packet_port.h"

namespace fulmar::agent {

class PortCounters {
  public:
    PortCounters() = default;
    PortCounters(const std::vector<port::PacketPort*>& ports, observe::CountersManager& counters,
        std::int64_t now_ms, Duration interval);

    void poll(Instant now) {
        if (now >= next_update_) {
            update();
            next_update_ = now + interval_;
        }
    }
    void update();

  private:
    struct Port {
        port::PacketPort* port = nullptr;
        std::vector<observe::Counter> counters;  ///< in the order of its statistics
    };

    std::vector<Port> ports_;
    Duration interval_;
    Instant next_update_;
};

}  // namespace fulmar::agent

/// Shows what each port counts in the driver's counters, where every tool looks.
/// threads: the conductor's; the ports' statistics may be read by any.
#pragma once

#include <cstdint>
#include <string>
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
        std::vector<std::uint64_t> last;         ///< what the port said
        observe::Counter fault;                  ///< if it injects faults
        std::string fault_text;                  ///< as its label has it
    };
    void show_fault(Port& entry);

    std::vector<Port> ports_;
    observe::CountersManager* manager_ = nullptr;
    Duration interval_;
    Instant next_update_;
};

}  // namespace fulmar::agent

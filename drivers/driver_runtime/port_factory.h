/// Opens the ports that configuration names: kernel sockets, poll-mode devices, and the fault decorator
/// over either.
/// threads: start-up.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "config/port_spec.h"
#include "fulmar/result.h"
#include "pmd_glue/device.h"
#include "port/packet_port.h"

namespace fulmar::drivers {

struct OpenPorts {
    std::vector<std::unique_ptr<port::PacketPort>> owned;
    std::vector<port::PacketPort*> ports;  ///< what the driver sees, in the order given
    std::vector<std::string> description;  ///< a line per port and one for the device library
    bool has_devices = false;              ///< poll-mode devices are among them
    int numa_node = -1;                    ///< of the first device

    OpenPorts() = default;
    OpenPorts(OpenPorts&&) = default;
    OpenPorts& operator=(OpenPorts&&) = default;
    ~OpenPorts() { close(); }
    void close();
};

/// The poll-mode device that a spec names; not for `udp`.
[[nodiscard]] pmd_glue::DeviceSpec device_spec_of(const config::PortSpec& spec);

/// eal: raw arguments for the device library, separated by blanks.
/// errors: one line naming the port and what mends it.
[[nodiscard]] Result<OpenPorts> open_ports(const std::vector<std::string>& specs, const std::string& eal);

}  // namespace fulmar::drivers

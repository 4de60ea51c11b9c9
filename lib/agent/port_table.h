/// The driver's ports and which of them carries an address: the longest prefix wins, as in any routing
/// table, and a port without an own network takes what is left.
/// threads: immutable after construction.
#pragma once

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "fulmar/result.h"
#include "port/endpoint.h"
#include "port/packet_port.h"
#include "port/resolver.h"

namespace fulmar::agent {

class PortTable {
  public:
    static constexpr std::size_t kPortsMax = 16;

    PortTable() = default;
    explicit PortTable(std::vector<port::PacketPort*> ports) : ports_(std::move(ports)) {}

    /// The port for a peer's address, or for a local one.
    /// errors: kInvalidChannel naming the address and the ports there are.
    [[nodiscard]] Result<port::PacketPort*> route(const port::IpAddress& address) const;

    /// The address of a port's own network that is asked for; invalid: none, so it is the system that knows.
    [[nodiscard]] port::IpAddress own_address(const port::InterfaceQuery& query) const;

    [[nodiscard]] const std::vector<port::PacketPort*>& ports() const { return ports_; }
    /// True when a port has one queue for both directions, so that sender and receiver share a thread.
    [[nodiscard]] bool needs_one_network_thread() const;

  private:
    std::vector<port::PacketPort*> ports_;
};

}  // namespace fulmar::agent

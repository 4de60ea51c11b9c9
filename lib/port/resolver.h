/// Turning a host name into an address, and the name or the network of an interface into the host's own.
#pragma once

#include <string>

#include "fulmar/result.h"
#include "port/endpoint.h"

namespace fulmar::port {

/// Which of the host's interfaces is meant.
struct InterfaceQuery {
    std::string name;       ///< empty: by its network
    IpAddress network;      ///< its family is the one wanted, by name too
    int prefix_length = 0;  ///< bits of `network` that count; 0: whichever the system would choose
    bool for_multicast = false;
};

/// threads: one, the resource agent.
class Resolver {
  public:
    virtual ~Resolver() = default;
    /// May block. Literal addresses are answered as well.
    /// errors: kUnknownHost with the name and the reason.
    [[nodiscard]] virtual Result<IpAddress> resolve(const std::string& host) = 0;
    /// The host's address on the interface.
    /// errors: kInvalidChannel naming what was looked for.
    [[nodiscard]] virtual Result<IpAddress> find_interface(const InterfaceQuery& query) = 0;
};

}  // namespace fulmar::port

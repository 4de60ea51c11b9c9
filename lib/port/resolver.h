/// Turning a host name into an address.
#pragma once

#include <string>

#include "fulmar/result.h"
#include "port/endpoint.h"

namespace fulmar::port {

/// threads: one, the resource agent.
class Resolver {
  public:
    virtual ~Resolver() = default;
    /// May block. Literal addresses are answered as well.
    /// errors: kUnknownHost with the name and the reason.
    [[nodiscard]] virtual Result<IpAddress> resolve(const std::string& host) = 0;
};

}  // namespace fulmar::port

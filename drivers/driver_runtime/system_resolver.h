/// Names by the system's resolver.
#pragma once

#include "port/resolver.h"

namespace fulmar::drivers {

/// threads: any.
class SystemResolver final : public port::Resolver {
  public:
    /// The first IPv4 address, else the first IPv6 one.
    [[nodiscard]] Result<port::IpAddress> resolve(const std::string& host) override;
    [[nodiscard]] Result<port::IpAddress> find_interface(const port::InterfaceQuery& query) override;
};

}  // namespace fulmar::drivers

/// The host's network interfaces, by address.
/// threads: any.
#pragma once

#include "fulmar/result.h"
#include "port/resolver.h"

namespace fulmar::drivers {

/// The address of the interface that is up and fits best: of several, one that carries multicast and has
/// the longest prefix; the loopback interface where no other fits.
/// errors: kInvalidChannel naming what was looked for.
[[nodiscard]] Result<port::IpAddress> find_interface(const port::InterfaceQuery& query);
/// The kernel's number of the interface that has the address; 0: none has.
[[nodiscard]] unsigned interface_index(const port::IpAddress& address);

}  // namespace fulmar::drivers

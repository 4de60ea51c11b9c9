/// What makes a kernel socket one of a multicast group. threads: any.
#pragma once

#include "drivers/packet_udp/socket_address.h"
#include "port/packet_port.h"

namespace fulmar::drivers {

/// For bind(): an IPv6 group whose scope is the link means another one on each link.
/// False leaves errno.
[[nodiscard]] bool set_scope(const port::BindRequest& request, SocketAddress& group);
/// Before bind(): others on this host may open the same group, and none gets what comes for another one.
/// False leaves errno.
[[nodiscard]] bool share_group(int fd, const port::IpAddress& group);
/// After bind(): joins `request.local` on the request's interface, and sends to groups from there, with its
/// time to live, so that members on this host hear it too. False leaves errno.
[[nodiscard]] bool join_group(int fd, const port::BindRequest& request);

}  // namespace fulmar::drivers

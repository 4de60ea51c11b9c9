#include "drivers/packet_udp/udp_queue.h"

#include <algorithm>
#include <cerrno>
#include <sys/epoll.h>
#include <unistd.h>

#include "base/assert.h"
#include "base/bytes.h"
#include "base/statistic.h"

namespace fulmar::drivers {

namespace {

constexpr std::size_t kBindingsExpected = 64;
constexpr int kEventsMax = 16;

/// Buffers an exact power of two apart would fall into the same cache sets; an odd number of lines
/// between them spreads the front of each, where small datagrams live.
constexpr std::size_t stride_for(std::size_t payload_max) {
    constexpr std::size_t kSkewBytes = 23 * base::kCacheLineBytes;
    return base::align_up(payload_max, base::kCacheLineBytes) + kSkewBytes;
}

bool is_full(int error) {
    return error == EAGAIN || error == EWOULDBLOCK || error == ENOBUFS || error == ENOMEM;
}

}  // namespace

UdpQueue::UdpQueue(std::int32_t payload_max)
    : payload_max_(static_cast<std::size_t>(payload_max)),
      stride_(stride_for(payload_max_)),
      // Not zeroed: pages of a long buffer that no datagram ever reaches are never touched.
      rx_memory_(std::make_unique_for_overwrite<std::byte[]>(stride_ * port::kBurstMax)),
      epoll_fd_(::epoll_create1(EPOLL_CLOEXEC)) {
    bindings_.reserve(kBindingsExpected);
    for (std::size_t i = 0; i < port::kBurstMax; ++i) {
        rx_vectors_[i] = {rx_memory_.get() + i * stride_, payload_max_};
        rx_headers_[i].msg_hdr.msg_iov = &rx_vectors_[i];
        rx_headers_[i].msg_hdr.msg_iovlen = 1;
        rx_headers_[i].msg_hdr.msg_name = &rx_addresses_[i];
        tx_headers_[i].msg_hdr.msg_iov = &tx_vectors_[i];
        tx_headers_[i].msg_hdr.msg_iovlen = 1;
    }
}

UdpQueue::~UdpQueue() {
    if (epoll_fd_ >= 0) {
        (void)::close(epoll_fd_);
    }
}

void UdpQueue::add(port::Binding& binding) {
    auto* udp = static_cast<UdpBinding*>(&binding);
    bindings_.push_back(udp);
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.ptr = udp;
    if (epoll_fd_ >= 0 && ::epoll_ctl(epoll_fd_, EPOLL_CTL_ADD, udp->fd(), &event) != 0) {
        // Out of watches or memory: asking every socket in turn is slower and still right.
        (void)::close(epoll_fd_);
        epoll_fd_ = -1;
    }
}

void UdpQueue::remove(port::Binding& binding) {
    auto* udp = static_cast<UdpBinding*>(&binding);
    std::erase(bindings_, udp);
    if (epoll_fd_ >= 0) {
        (void)::epoll_ctl(epoll_fd_, EPOLL_CTL_DEL, udp->fd(), nullptr);
    }
}

std::size_t UdpQueue::receive(Instant /*now*/, std::span<port::RxPacket> out) {
    FULMAR_ASSERT(lent_ == 0, "receive before the last burst was released");
    Filling filling;
    filling.out = out.first(std::min(out.size(), port::kBurstMax));
    if (bindings_.size() <= kPolledDirectlyMax || epoll_fd_ < 0) {
        receive_in_turn(filling);
    } else {
        receive_from_ready(filling);
    }
    lent_ = filling.filled;
    return filling.filled;
}

void UdpQueue::release(std::span<const port::RxPacket> packets) {
    FULMAR_ASSERT(packets.size() <= lent_, "packets released twice");
    lent_ -= packets.size();
}

/// Each poll begins with the next socket, so that a busy one cannot starve the others.
void UdpQueue::receive_in_turn(Filling& filling) {
    const auto total = bindings_.size();
    if (total == 0) {
        return;
    }
    turn_ = (turn_ + 1) % total;
    for (std::size_t i = 0; i < total && filling.buffers_used < filling.out.size(); ++i) {
        receive_from(*bindings_[(turn_ + i) % total], filling);
    }
}

/// Level-triggered: a socket we did not empty is reported again, behind the others.
void UdpQueue::receive_from_ready(Filling& filling) {
    std::array<epoll_event, kEventsMax> events;
    const int ready = ::epoll_wait(epoll_fd_, events.data(), kEventsMax, 0);
    for (int i = 0; i < ready && filling.buffers_used < filling.out.size(); ++i) {
        receive_from(*static_cast<UdpBinding*>(events[static_cast<std::size_t>(i)].data.ptr), filling);
    }
}

void UdpQueue::receive_from(UdpBinding& binding, Filling& filling) {
    const auto first = filling.buffers_used;
    const auto room = filling.out.size() - first;
    for (std::size_t i = first; i < first + room; ++i) {
        rx_headers_[i].msg_hdr.msg_namelen = sizeof(SocketAddress);
    }
    const int received =
        ::recvmmsg(binding.fd(), &rx_headers_[first], static_cast<unsigned>(room), MSG_DONTWAIT, nullptr);
    if (received <= 0) {
        // Empty, or an ICMP answer to something we sent (ECONNREFUSED and its kin), which reading clears:
        // a peer that is not there yet is no error of this socket.
        return;
    }
    std::uint64_t total_bytes = 0;
    std::uint64_t truncated = 0;
    for (auto i = first; i < first + static_cast<std::size_t>(received); ++i) {
        if ((rx_headers_[i].msg_hdr.msg_flags & MSG_TRUNC) != 0) {
            ++truncated;
            continue;
        }
        auto& packet = filling.out[filling.filled++];
        packet.bytes = static_cast<std::byte*>(rx_vectors_[i].iov_base);
        packet.length = rx_headers_[i].msg_len;
        packet.source = from_socket_address(rx_addresses_[i]);
        packet.binding = &binding;
        packet.handle = nullptr;
        total_bytes += packet.length;
    }
    filling.buffers_used += static_cast<std::size_t>(received);
    base::count(stats_.rx_packets, static_cast<std::uint64_t>(received) - truncated);
    base::count(stats_.rx_bytes, total_bytes);
    base::count(stats_.rx_malformed, truncated);
}

std::size_t UdpQueue::send(Instant /*now*/, std::span<const port::TxPacket> packets) {
    std::size_t taken = 0;
    while (taken < packets.size()) {
        const auto run_length = prepare_run(packets.subspan(taken));
        const int fd = static_cast<UdpBinding*>(packets[taken].binding)->fd();
        const auto sent = send_run(fd, run_length);
        taken += sent;
        if (sent < run_length) {
            base::count(stats_.tx_rejected, packets.size() - taken);
            break;
        }
    }
    return taken;
}

/// Consecutive packets of one socket, as one system call.
std::size_t UdpQueue::prepare_run(std::span<const port::TxPacket> packets) {
    const auto* binding = static_cast<UdpBinding*>(packets.front().binding);
    std::size_t length = 0;
    const auto limit = std::min(packets.size(), port::kBurstMax);
    while (length < limit && packets[length].binding == binding) {
        FULMAR_ASSERT(packets[length].length <= payload_max_, "datagram longer than payload_max");
        prepare_header(length, packets[length], *binding);
        ++length;
    }
    return length;
}

void UdpQueue::prepare_header(std::size_t index, const port::TxPacket& packet, const UdpBinding& binding) {
    tx_vectors_[index] = {const_cast<std::byte*>(packet.bytes), packet.length};
    auto& header = tx_headers_[index].msg_hdr;
    if (packet.destination == binding.remote()) {
        header.msg_name = nullptr;  // connected: the kernel keeps the route
        header.msg_namelen = 0;
        return;
    }
    header.msg_name = &tx_addresses_[index];
    header.msg_namelen = to_socket_address(packet.destination, tx_addresses_[index]);
}

/// Returns how many were taken: sent, or refused for good.
std::size_t UdpQueue::send_run(int fd, std::size_t run_length) {
    std::size_t taken = 0;
    bool retried = false;
    while (taken < run_length) {
        const int sent =
            ::sendmmsg(fd, &tx_headers_[taken], static_cast<unsigned>(run_length - taken), MSG_DONTWAIT);
        if (sent > 0) {
            std::uint64_t total_bytes = 0;
            for (auto i = taken; i < taken + static_cast<std::size_t>(sent); ++i) {
                total_bytes += tx_vectors_[i].iov_len;
            }
            taken += static_cast<std::size_t>(sent);
            base::count(stats_.tx_packets, static_cast<std::uint64_t>(sent));
            base::count(stats_.tx_bytes, total_bytes);
            retried = false;
            continue;
        }
        if (is_full(errno)) {
            break;
        }
        if (errno == EINTR || (errno == ECONNREFUSED && !retried)) {
            // An earlier packet was answered by "port unreachable"; the report stands in for this one's
            // turn and is gone now.
            retried = errno == ECONNREFUSED;
            continue;
        }
        ++taken;
        retried = false;
        base::count(tx_errors_);
    }
    return taken;
}

}  // namespace fulmar::drivers

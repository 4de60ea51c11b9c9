/// Sends and receives on kernel UDP sockets in batches, one system call per burst and socket.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <sys/socket.h>
#include <vector>

#include "drivers/packet_udp/socket_address.h"
#include "drivers/packet_udp/udp_binding.h"
#include "port/packet_port.h"

namespace fulmar::drivers {

/// threads: one owner; stats and tx_errors may be read by any.
class UdpQueue final : public port::PacketQueue {
  public:
    /// Up to this many sockets are asked one by one; beyond, epoll says which have something.
    static constexpr std::size_t kPolledDirectlyMax = 2;

    explicit UdpQueue(std::int32_t payload_max);
    ~UdpQueue() override;
    UdpQueue(const UdpQueue&) = delete;
    UdpQueue& operator=(const UdpQueue&) = delete;

    void add(port::Binding& binding) override;
    void remove(port::Binding& binding) override;
    [[nodiscard]] std::size_t receive(Instant now, std::span<port::RxPacket> out) override;
    void release(std::span<const port::RxPacket> packets) override;
    std::size_t send(Instant now, std::span<const port::TxPacket> packets) override;
    [[nodiscard]] const port::QueueStats& stats() const override { return stats_; }

    /// Packets the kernel refused for good (no route, too long for the path, filtered): taken and lost.
    [[nodiscard]] const std::uint64_t& tx_errors() const { return tx_errors_; }

  private:
    struct Filling {
        std::span<port::RxPacket> out;
        std::size_t filled = 0;
        std::size_t buffers_used = 0;
    };
    void receive_from(UdpBinding& binding, Filling& filling);
    void receive_from_ready(Filling& filling);
    void receive_in_turn(Filling& filling);

    [[nodiscard]] std::size_t prepare_run(std::span<const port::TxPacket> packets);
    void prepare_header(std::size_t index, const port::TxPacket& packet, const UdpBinding& binding);
    [[nodiscard]] std::size_t send_run(int fd, std::size_t run_length);

    std::size_t payload_max_;
    std::size_t stride_;
    std::unique_ptr<std::byte[]> rx_memory_;
    std::array<mmsghdr, port::kBurstMax> rx_headers_{};
    std::array<iovec, port::kBurstMax> rx_vectors_{};
    std::array<SocketAddress, port::kBurstMax> rx_addresses_{};
    std::size_t lent_ = 0;

    std::array<mmsghdr, port::kBurstMax> tx_headers_{};
    std::array<iovec, port::kBurstMax> tx_vectors_{};
    std::array<SocketAddress, port::kBurstMax> tx_addresses_{};

    std::vector<UdpBinding*> bindings_;
    std::size_t turn_ = 0;
    int epoll_fd_;
    port::QueueStats stats_;
    std::uint64_t tx_errors_ = 0;
};

}  // namespace fulmar::drivers

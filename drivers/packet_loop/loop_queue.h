/// One receiving side of a LoopPort: a bounded pool of packets, a line of those waiting, the lent ones.
/// threads: deliver() by any sender, the rest by the owning agent; all under the port's lock.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

#include "drivers/packet_loop/loop_network.h"

namespace fulmar::drivers {

class LoopQueue;

class LoopBinding final : public port::Binding {
  public:
    LoopBinding(LoopPort& port, const port::BindRequest& request, port::Endpoint local)
        : port_(port), local_(local), remote_(request.remote) {}
    ~LoopBinding() override;
    [[nodiscard]] port::Endpoint local() const override { return local_; }
    /// What a receiver sees: a group is nobody's address.
    [[nodiscard]] port::Endpoint source() const;
    [[nodiscard]] bool accepts(const port::Endpoint& source) const {
        return !remote_.valid() || remote_ == source;
    }

    LoopQueue* queue = nullptr;  ///< where it was added; under the port's lock

  private:
    LoopPort& port_;
    port::Endpoint local_;
    port::Endpoint remote_;
};

class LoopQueue final : public port::PacketQueue {
  public:
    explicit LoopQueue(LoopPort& port);

    void add(port::Binding& binding) override;
    void remove(port::Binding& binding) override;
    [[nodiscard]] std::size_t receive(Instant now, std::span<port::RxPacket> out) override;
    void release(std::span<const port::RxPacket> packets) override;
    std::size_t send(Instant now, std::span<const port::TxPacket> packets) override;
    [[nodiscard]] const port::QueueStats& stats() const override { return stats_; }

    /// Under the port's lock. False when there is no room.
    [[nodiscard]] bool deliver(
        LoopBinding& binding, const port::Endpoint& source, const port::TxPacket& packet);
    void count_no_binding();
    void forget(const LoopBinding& binding);

  private:
    struct Slot {
        port::Endpoint source;
        LoopBinding* binding = nullptr;
        std::uint32_t length = 0;
    };
    enum class Outcome : std::uint8_t { kTaken, kFull };
    void route_to_group(const port::TxPacket& packet);
    [[nodiscard]] Outcome route(const port::TxPacket& packet, LoopPort* target);
    [[nodiscard]] std::byte* bytes_of(std::uint32_t index) { return memory_.get() + index * stride_; }

    LoopPort& port_;
    std::size_t stride_;
    std::unique_ptr<std::byte[]> memory_;
    std::vector<Slot> slots_;
    std::vector<std::uint32_t> free_;     // a stack
    std::vector<std::uint32_t> waiting_;  // a circle of slots_.size()
    std::size_t waiting_head_ = 0;
    std::size_t waiting_count_ = 0;
    port::QueueStats stats_;
};

}  // namespace fulmar::drivers

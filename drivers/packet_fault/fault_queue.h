/// A queue that loses, doubles, delays and reorders what passes through it.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <mutex>

#include "drivers/packet_fault/held_packets.h"
#include "net/fault_model.h"
#include "port/packet_port.h"

namespace fulmar::drivers {

/// The spec in force, changed by a control thread and noticed by queues at their next burst.
class SharedFaultSpec {
  public:
    explicit SharedFaultSpec(const net::FaultSpec& spec) : spec_(spec) {}

    void set(const net::FaultSpec& spec) {
        const std::lock_guard lock(mutex_);
        spec_ = spec;
        // relaxed: the mutex orders the spec, the version only says that looking is worth while.
        version_.fetch_add(1, std::memory_order_relaxed);
    }
    [[nodiscard]] net::FaultSpec get() const {
        const std::lock_guard lock(mutex_);
        return spec_;
    }
    /// True and the new spec if it changed since `version`; never waits for a writer.
    [[nodiscard]] bool changed(std::uint32_t& version, net::FaultSpec& out) const {
        if (version_.load(std::memory_order_relaxed) == version || !mutex_.try_lock()) {
            return false;
        }
        const std::lock_guard lock(mutex_, std::adopt_lock);
        version = version_.load(std::memory_order_relaxed);
        out = spec_;
        return true;
    }

  private:
    mutable std::mutex mutex_;
    net::FaultSpec spec_;
    std::atomic<std::uint32_t> version_{1};
};

/// What was drawn in one direction of one queue, and what the bounded memory could not hold.
struct FaultQueueCounts {
    net::FaultCounts drawn;
    std::uint64_t overflowed = 0;  ///< to be held, but lost for want of room

    FaultQueueCounts& operator+=(const FaultQueueCounts& other);
};

/// threads: one owner, as every queue; counts may be read by any.
class FaultQueue final : public port::PacketQueue {
  public:
    FaultQueue(port::PacketQueue& inner, const SharedFaultSpec& shared, std::size_t held_max,
        std::size_t payload_max);

    void add(port::Binding& binding) override { inner_.add(binding); }
    void remove(port::Binding& binding) override;
    [[nodiscard]] std::size_t receive(Instant now, std::span<port::RxPacket> out) override;
    void release(std::span<const port::RxPacket> packets) override;
    std::size_t send(Instant now, std::span<const port::TxPacket> packets) override;
    [[nodiscard]] bool resolve(Instant now, port::Endpoint remote) override {
        return inner_.resolve(now, remote);
    }
    /// Of the port below: what it received and sent.
    [[nodiscard]] const port::QueueStats& stats() const override { return inner_.stats(); }

    [[nodiscard]] FaultQueueCounts rx_counts() const { return counts_of(rx_); }
    [[nodiscard]] FaultQueueCounts tx_counts() const { return counts_of(tx_); }

  private:
    struct Direction {
        net::FaultModel model;
        HeldPackets held;
        std::uint64_t overflowed = 0;
    };
    [[nodiscard]] static FaultQueueCounts counts_of(const Direction& direction);
    /// Keeps a copy of what does not pass at once.
    void hold(Direction& direction, Instant now, const net::FaultDecision& decision, const HeldPacket& packet,
        std::span<const std::byte> bytes);

    void refresh_spec();
    [[nodiscard]] std::size_t deliver_due(Instant now, std::span<port::RxPacket> out);
    [[nodiscard]] std::size_t deliver_new(Instant now, std::span<port::RxPacket> out);
    void send_due(Instant now);
    [[nodiscard]] std::size_t send_burst(Instant now, std::span<const port::TxPacket> packets);
    [[nodiscard]] std::size_t send_run(Instant now, std::span<const port::TxPacket> run);

    port::PacketQueue& inner_;
    const SharedFaultSpec& shared_;
    std::uint32_t spec_version_ = 0;
    Direction rx_;
    Direction tx_;

    std::array<port::RxPacket, port::kBurstMax> batch_;  // of the port below, given back as one
    std::size_t batch_size_ = 0;
    std::size_t lent_ = 0;
    bool passing_ = false;  // the lent packets are the port's own

    std::array<net::FaultDecision, port::kBurstMax> decided_;  // for packets the port had no room for
    std::size_t decided_count_ = 0;
};

}  // namespace fulmar::drivers

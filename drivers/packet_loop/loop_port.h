/// One port of a LoopNetwork.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include "drivers/packet_loop/loop_network.h"
#include "drivers/packet_loop/loop_queue.h"

namespace fulmar::drivers {

class LoopPort final : public port::PacketPort {
  public:
    LoopPort(LoopNetwork& network, int index);

    [[nodiscard]] std::string_view name() const override { return name_; }
    [[nodiscard]] std::int32_t payload_max() const override { return options_.payload_max; }
    [[nodiscard]] port::Endpoint address() const override { return {ip_, 0}; }
    [[nodiscard]] int prefix_length() const override { return options_.prefix_length; }
    [[nodiscard]] bool has_separate_queues() const override { return options_.separate_queues; }
    [[nodiscard]] port::PacketQueue& queue(Role role) override;
    [[nodiscard]] Result<std::unique_ptr<port::Binding>> open(const port::BindRequest& request) override;

    [[nodiscard]] LoopNetwork& network() { return network_; }
    [[nodiscard]] const LoopNetwork::Options& options() const { return options_; }
    [[nodiscard]] std::mutex& lock() { return lock_; }
    void close(LoopBinding& binding);

    /// Under the lock: the binding of a UDP port that a queue polls, or null.
    [[nodiscard]] LoopBinding* find(std::uint16_t udp_port);
    /// Under the lock: a copy to each member of a group that is polled.
    void deliver_to_group(const port::Endpoint& source, const port::TxPacket& packet);
    [[nodiscard]] LoopQueue& receiver_queue() { return *queues_[options_.separate_queues ? 1 : 0]; }

    void count_drop() { dropped_.fetch_add(1, std::memory_order_relaxed); }  // relaxed: a statistic
    [[nodiscard]] std::uint64_t dropped() const { return dropped_.load(std::memory_order_relaxed); }

  private:
    [[nodiscard]] std::uint16_t pick_ephemeral();

    LoopNetwork& network_;
    LoopNetwork::Options options_;
    port::IpAddress ip_;
    std::string name_;
    std::mutex lock_;  // guards bindings_, members_ and what waits in queues_
    std::unordered_map<std::uint16_t, LoopBinding*> bindings_;
    std::vector<LoopBinding*> members_;  // bindings of groups
    std::unique_ptr<LoopQueue> queues_[2];
    std::uint16_t next_ephemeral_;
    std::atomic<std::uint64_t> dropped_{0};
};

}  // namespace fulmar::drivers

/// A host's port on the virtual network, its queues and bindings.
/// threads: one.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "port/packet_port.h"
#include "tests/sim/sim_net.h"

namespace fulmar::sim {

class SimQueue;

class SimBinding final : public port::Binding {
  public:
    SimBinding(SimPort& port, const port::BindRequest& request, port::Endpoint local)
        : port_(port), local_(local), remote_(request.remote) {}
    ~SimBinding() override;
    [[nodiscard]] port::Endpoint local() const override { return local_; }
    [[nodiscard]] bool accepts(const port::Endpoint& source) const {
        return !remote_.valid() || remote_ == source;
    }

    SimQueue* queue = nullptr;

  private:
    SimPort& port_;
    port::Endpoint local_;
    port::Endpoint remote_;
};

class SimQueue final : public port::PacketQueue {
  public:
    explicit SimQueue(SimPort& port) : port_(port) {}
    ~SimQueue() override;

    void add(port::Binding& binding) override;
    void remove(port::Binding& binding) override;
    [[nodiscard]] std::size_t receive(Instant now, std::span<port::RxPacket> out) override;
    void release(std::span<const port::RxPacket> packets) override;
    std::size_t send(Instant now, std::span<const port::TxPacket> packets) override;
    [[nodiscard]] const port::QueueStats& stats() const override { return stats_; }

    /// Takes the buffer over; false when there is no room.
    [[nodiscard]] bool deliver(
        SimBinding& binding, const port::Endpoint& source, std::uint32_t buffer, std::uint32_t length);
    void forget(const SimBinding& binding);
    void count_no_binding() { ++stats_.rx_no_binding; }

  private:
    struct Waiting {
        SimBinding* binding;
        port::Endpoint source;
        std::uint32_t buffer;
        std::uint32_t length;
    };

    SimPort& port_;
    std::deque<Waiting> waiting_;
    std::vector<std::uint32_t> lent_;
    port::QueueStats stats_;
};

class SimPort final : public port::PacketPort {
  public:
    SimPort(SimNet& net, int host);

    [[nodiscard]] std::string_view name() const override { return name_; }
    [[nodiscard]] std::int32_t payload_max() const override { return net_.options().payload_max; }
    [[nodiscard]] port::Endpoint address() const override { return {SimNet::address_of(host_), 0}; }
    [[nodiscard]] int prefix_length() const override { return 24; }
    [[nodiscard]] bool has_separate_queues() const override { return net_.options().separate_queues; }
    [[nodiscard]] port::PacketQueue& queue(Role role) override;
    [[nodiscard]] Result<std::unique_ptr<port::Binding>> open(const port::BindRequest& request) override;

    [[nodiscard]] SimNet& net() { return net_; }
    [[nodiscard]] int host() const { return host_; }
    [[nodiscard]] SimBinding* find(std::uint16_t udp_port) const;
    void close(SimBinding& binding);
    /// Its process died, or the cable was pulled for good.
    void disconnect() { connected_ = false; }
    [[nodiscard]] bool is_connected() const { return connected_; }

  private:
    SimNet& net_;
    int host_;
    bool connected_ = true;
    std::string name_;
    std::map<std::uint16_t, SimBinding*> bindings_;
    std::array<std::unique_ptr<SimQueue>, 2> queues_;
    std::uint16_t next_ephemeral_ = 49152;
};

}  // namespace fulmar::sim

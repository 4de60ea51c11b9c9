/// A PacketPort around another that makes its network a bad one: `fault=loss:0.01+delay:50us`.
///
/// A corrupted frame fails its UDP checksum and never reaches the protocol, whose frames carry no checksum
/// of their own: so `corrupt` drops and counts, and never hands damaged bytes to a user.
#pragma once

#include <cstddef>
#include <memory>
#include <string>

#include "drivers/packet_fault/fault_queue.h"
#include "net/fault_spec.h"
#include "port/packet_port.h"

namespace fulmar::drivers {

/// threads: set_spec, set_fault, spec, fault and counts from any; the rest as for every port.
/// Held packets move on when their queue is polled, sent or received on.
class FaultPort final : public port::PacketPort {
  public:
    static constexpr std::size_t kHeldMaxDefault = 2048;  ///< packets, per queue and direction

    FaultPort(std::unique_ptr<port::PacketPort> inner, const net::FaultSpec& spec,
        std::size_t held_max = kHeldMaxDefault);

    [[nodiscard]] std::string_view name() const override { return inner_->name(); }
    [[nodiscard]] std::int32_t payload_max() const override { return inner_->payload_max(); }
    [[nodiscard]] port::Endpoint address() const override { return inner_->address(); }
    [[nodiscard]] int prefix_length() const override { return inner_->prefix_length(); }
    [[nodiscard]] bool has_separate_queues() const override { return inner_->has_separate_queues(); }
    [[nodiscard]] port::PacketQueue& queue(Role role) override;
    [[nodiscard]] Result<std::unique_ptr<port::Binding>> open(const port::BindRequest& request) override {
        return inner_->open(request);
    }

    void statistics(port::StatisticsList& out) const override;

    [[nodiscard]] Status set_fault(std::string_view spec) override;
    [[nodiscard]] std::string fault() const override { return net::to_string(spec()); }

    /// In force from each queue's next burst on. What is held already keeps its time.
    void set_spec(const net::FaultSpec& spec) { shared_.set(spec); }
    [[nodiscard]] net::FaultSpec spec() const { return shared_.get(); }
    /// Of all queues together.
    [[nodiscard]] FaultQueueCounts counts(net::FaultDirection direction) const;
    [[nodiscard]] port::PacketPort& inner() { return *inner_; }

  private:
    std::unique_ptr<port::PacketPort> inner_;
    SharedFaultSpec shared_;
    std::unique_ptr<FaultQueue> sender_;
    std::unique_ptr<FaultQueue> receiver_;  // null when the port below has one queue
};

}  // namespace fulmar::drivers

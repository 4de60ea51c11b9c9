/// PacketPort over the kernel's UDP sockets: `udp`.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "drivers/packet_udp/udp_queue.h"
#include "port/packet_port.h"

namespace fulmar::drivers {

/// threads: open() from the control thread, each queue from its own agent; a queue per role.
class UdpPort final : public port::PacketPort {
  public:
    /// Largest UDP payload over IPv4 rounded down to a frame alignment of 32 bytes.
    static constexpr std::int32_t kPayloadMax = 65504;

    struct Options {
        std::string name = "udp";
        /// Where wildcard binds go; without one, to the any-address.
        port::IpAddress address = port::IpAddress::v4(0, 0, 0, 0);
        int prefix_length = 0;
        /// Longer datagrams are dropped and counted. units: bytes, at most kPayloadMax
        std::int32_t payload_max = kPayloadMax;
    };

    UdpPort();
    explicit UdpPort(const Options& options);

    [[nodiscard]] std::string_view name() const override { return options_.name; }
    [[nodiscard]] std::int32_t payload_max() const override { return options_.payload_max; }
    [[nodiscard]] port::Endpoint address() const override { return {options_.address, 0}; }
    [[nodiscard]] int prefix_length() const override { return options_.prefix_length; }
    [[nodiscard]] bool has_separate_queues() const override { return true; }
    [[nodiscard]] port::PacketQueue& queue(Role role) override;
    void statistics(port::StatisticsList& out) const override;
    [[nodiscard]] Result<std::unique_ptr<port::Binding>> open(const port::BindRequest& request) override;

  private:
    Options options_;
    UdpQueue sender_;
    UdpQueue receiver_;
};

}  // namespace fulmar::drivers

/// A UDP endpoint on a DPDK port.
#pragma once

#include <cstdint>
#include <memory>
#include <utility>

#include "drivers/packet_dpdk/udp_ports.h"
#include "port/packet_port.h"

namespace fulmar::drivers {

class DpdkBinding final : public port::Binding {
  public:
    static constexpr std::uint16_t kNoIndex = 0xFFFF;

    DpdkBinding(port::Endpoint local, std::shared_ptr<UdpPorts> ports)
        : local_(local), ports_(std::move(ports)) {}
    ~DpdkBinding() override { ports_->give_back(local_.port); }

    [[nodiscard]] port::Endpoint local() const override { return local_; }
    [[nodiscard]] std::uint16_t udp_port() const { return local_.port; }

    std::uint16_t index = kNoIndex;  ///< in its queue while delivery is on; the queue's thread only

  private:
    port::Endpoint local_;
    std::shared_ptr<UdpPorts> ports_;
};

}  // namespace fulmar::drivers

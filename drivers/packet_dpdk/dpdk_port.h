/// A PacketPort over one poll-mode device with its own IP address and no kernel below it.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "drivers/packet_dpdk/dpdk_queue.h"
#include "drivers/packet_dpdk/udp_ports.h"
#include "fulmar/result.h"
#include "pmd_glue/device.h"
#include "port/packet_port.h"

namespace fulmar::drivers {

struct DpdkPortOptions {
    enum class Checksums : std::uint8_t {
        kAuto,      ///< device where offered, else software; none over shared memory
        kSoftware,  ///< computed and verified by us
        kNone,      ///< UDP checksum 0, nothing verified
    };

    pmd_glue::DeviceSpec device;
    pmd_glue::DeviceOptions device_options;
    port::IpAddress ip;  ///< none: on memif client 10.77.0.1, server 10.77.0.2; elsewhere required
    int prefix_length = 24;
    port::IpAddress gateway;
    Checksums checksums = Checksums::kAuto;
};

/// threads: open() any; queue() as the seam says; one queue pair serves both roles.
/// owner: outlives use of its queue; bindings may outlive it. pmd_glue::start_eal() comes first.
class DpdkPort final : public port::PacketPort {
  public:
    /// errors: kInvalidChannel for the address; kGeneric for the device, one line with the mending command.
    [[nodiscard]] static Result<std::unique_ptr<DpdkPort>> open(const DpdkPortOptions& options);

    [[nodiscard]] std::string_view name() const override { return device_->info().name; }
    [[nodiscard]] std::int32_t payload_max() const override;
    [[nodiscard]] port::Endpoint address() const override { return {ip_, 0}; }
    [[nodiscard]] int prefix_length() const override { return prefix_length_; }
    [[nodiscard]] bool has_separate_queues() const override { return false; }
    [[nodiscard]] port::PacketQueue& queue(Role) override { return *queue_; }
    [[nodiscard]] Result<std::unique_ptr<port::Binding>> open(const port::BindRequest& request) override;

    void statistics(port::StatisticsList& out) const override;

    [[nodiscard]] const pmd_glue::Device& device() const { return *device_; }
    /// As counted by the device. threads: any.
    [[nodiscard]] pmd_glue::DeviceStats device_stats() const { return device_->stats(); }
    [[nodiscard]] const net::NetStats& net_stats() const { return queue_->net_stats(); }
    /// One line for start-up output: device, driver, address, queues, memory, checksums.
    [[nodiscard]] std::string describe() const;

  private:
    DpdkPort(const DpdkPortOptions& options, port::IpAddress ip, std::unique_ptr<pmd_glue::Device> device);

    port::IpAddress ip_;
    int prefix_length_;
    std::unique_ptr<pmd_glue::Device> device_;
    std::unique_ptr<DpdkQueue> queue_;
    std::shared_ptr<UdpPorts> udp_ports_ = std::make_shared<UdpPorts>();
};

}  // namespace fulmar::drivers

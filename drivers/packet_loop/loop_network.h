/// A switch inside one process: ports that hand datagrams to each other by address, for tests and demos.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "port/packet_port.h"

namespace fulmar::drivers {

class LoopPort;

/// Port i has the address `first_address + i`. Delivery is immediate, in order and without loss while the
/// receiving queue has room; a full one pushes back on the sender (send() returns short), or loses the
/// packet as a switch would, by option. What goes to a multicast group reaches its members on every port, and
/// a full queue loses it always: one member does not hold up the others.
///
/// threads: each queue by its own agent, ports from any threads (a lock per receiving queue).
/// owner: outlives its ports' bindings. Allocates at construction and in open(), not on the data path.
class LoopNetwork {
  public:
    static constexpr std::size_t kBindingsMax = 4096;  ///< open at once, per port

    struct Options {
        int port_count = 2;
        std::uint32_t first_address = 0x0A4D0001;  ///< host order; 10.77.0.1
        int prefix_length = 24;
        std::int32_t payload_max = 1472;    ///< units: bytes
        std::size_t queue_capacity = 1024;  ///< packets waiting or lent out, per queue
        bool separate_queues = false;       ///< a queue per role, as a kernel has, or one for both
        bool drop_when_full = false;
    };

    LoopNetwork();
    explicit LoopNetwork(const Options& options);
    ~LoopNetwork();
    LoopNetwork(const LoopNetwork&) = delete;
    LoopNetwork& operator=(const LoopNetwork&) = delete;

    [[nodiscard]] int port_count() const { return static_cast<int>(ports_.size()); }
    [[nodiscard]] port::PacketPort& port(int index);
    [[nodiscard]] const Options& options() const { return options_; }
    /// Packets lost to full queues; 0 of those to one receiver unless `drop_when_full`. threads: any.
    [[nodiscard]] std::uint64_t dropped() const;

  private:
    friend class LoopPort;
    friend class LoopQueue;
    [[nodiscard]] LoopPort* find(const port::IpAddress& ip);
    template <class Visit>
    void for_each_port(Visit&& visit) {
        for (const auto& port : ports_) {
            visit(*port);
        }
    }

    Options options_;
    std::vector<std::unique_ptr<LoopPort>> ports_;
};

}  // namespace fulmar::drivers

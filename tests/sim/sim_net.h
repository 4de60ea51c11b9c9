/// The virtual network: hosts joined by directed links that lose, duplicate, reorder, corrupt, delay, hold
/// and cut, and ports whose queues are bounded and whose devices sometimes take only part of a burst.
/// threads: one; the scheduler moves packets by run(). Bytes are copied at send, as into a device.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "base/prng.h"
#include "fulmar/time.h"
#include "net/fault_model.h"
#include "port/packet_port.h"
#include "tests/sim/counts.h"
#include "tests/sim/sim_clock.h"
#include "tests/sim/trace.h"

namespace fulmar::sim {

class SimPort;

/// Sees every packet: at the sender before the network decides its fate, and where it arrived.
class PacketObserver {
  public:
    virtual ~PacketObserver() = default;
    virtual void on_sent(int host, const port::Endpoint& source, const port::Endpoint& to,
        std::span<const std::byte> bytes) = 0;
    /// In the receiving queue; `queue` says which agent polls it.
    virtual void on_arrived(int host, port::PacketQueue& queue, std::span<const std::byte> bytes) = 0;
};

/// What a link does wrong at the moment.
struct LinkFaults {
    double loss = 0;
    double duplicate = 0;
    double reorder = 0;
    double corrupt = 0;
    double spike = 0;  ///< probability of an extra delay of up to spike_max
    Duration spike_max{};
};

class SimNet {
  public:
    struct Options {
        int hosts = 2;
        std::int32_t payload_max = 1472;    ///< units: bytes
        std::size_t queue_capacity = 1024;  ///< packets waiting or lent out, per queue
        bool separate_queues = true;
        double short_send = 0;  ///< probability that a burst is taken only in part
        Duration delay = microseconds(20);
        Duration jitter = microseconds(5);
    };

    SimNet(const Options& options, std::uint64_t seed, const WorldTime& time, Trace& trace, Counts& counts);
    ~SimNet();
    SimNet(const SimNet&) = delete;
    SimNet& operator=(const SimNet&) = delete;

    void set_observer(PacketObserver* observer) { observer_ = observer; }
    [[nodiscard]] const Options& options() const { return options_; }
    [[nodiscard]] static port::IpAddress address_of(int host) {
        return port::IpAddress::v4(10, 0, 0, static_cast<std::uint8_t>(host + 1));
    }

    /// A host comes up with this port, which outlives it there, or goes down: what is on its way to it finds
    /// nobody, and what its port still sends goes nowhere.
    void bring_up(int host, SimPort& port);
    void bring_down(int host);

    // Faults, changeable at any time.
    void set_faults(int from, int to, const LinkFaults& faults);
    void set_short_send(double probability) { options_.short_send = probability; }
    /// One way: packets are lost until then.
    void cut(int from, int to, Instant until);
    /// One way: packets are held until then, and come all at once.
    void hold(int from, int to, Instant until);
    /// Nothing is cut or held any more; what was held comes now, in the order it was sent.
    void mend();
    /// A packet out of nowhere.
    void inject(const port::Endpoint& source, const port::Endpoint& to, std::span<const std::byte> bytes);

    /// When the next packet arrives; never() when none is on its way.
    [[nodiscard]] Instant next_arrival() const {
        return flights_.empty() ? Instant::never() : flights_.front().at;
    }
    /// Delivers what arrives until the world's time.
    void run();

  private:
    friend class SimPort;
    friend class SimQueue;

    struct Link {
        explicit Link(std::uint64_t seed)
            : model(net::FaultSpec{.seed = seed}, net::FaultDirection::kTx),
              prng(seed, 9),
              fault_seed(seed) {}

        net::FaultModel model;
        base::Prng prng;
        std::uint64_t fault_seed;
        double spike = 0;
        Duration spike_max{};
        Instant cut_until;
        Instant held_until;
        Instant last_arrival;
    };
    struct Flight {
        Instant at;
        std::uint64_t order;
        port::Endpoint source;
        port::Endpoint to;
        std::uint32_t buffer;
        std::uint32_t length;
    };
    struct Later {
        bool operator()(const Flight& a, const Flight& b) const {
            return a.at != b.at ? a.at > b.at : a.order > b.order;
        }
    };

    [[nodiscard]] int host_of(const port::IpAddress& ip) const;
    [[nodiscard]] Link& link(int from, int to);
    void transmit(int from, const port::TxPacket& packet, const port::Endpoint& source);
    void fly(Instant at, const port::Endpoint& source, const port::Endpoint& to, const std::byte* bytes,
        std::uint32_t length);
    [[nodiscard]] std::uint32_t take_buffer();
    [[nodiscard]] std::byte* bytes_of(std::uint32_t buffer) {
        return chunks_[buffer / kChunkBuffers].get() + (buffer % kChunkBuffers) * stride_;
    }
    void give_back(std::uint32_t buffer) { free_buffers_.push_back(buffer); }

    static constexpr std::uint32_t kChunkBuffers = 256;

    Options options_;
    const WorldTime& time_;
    Trace& trace_;
    Counts& counts_;
    PacketObserver* observer_ = nullptr;
    base::Prng prng_;
    std::size_t stride_;
    std::vector<std::unique_ptr<std::byte[]>> chunks_;
    std::vector<std::uint32_t> free_buffers_;
    std::vector<Flight> flights_;  // a heap, earliest first
    std::uint64_t next_order_ = 0;
    std::vector<Link> links_;      // from * hosts + to
    std::vector<SimPort*> ports_;  // null: down
};

}  // namespace fulmar::sim

/// Copies of packets that wait: for a time, or for later packets to overtake them.
/// threads: one owner. Bounded and allocation-free after construction.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "fulmar/time.h"
#include "port/packet_port.h"

namespace fulmar::drivers {

struct HeldPacket {
    std::byte* bytes = nullptr;
    std::uint32_t length = 0;
    port::Binding* binding = nullptr;
    port::Endpoint endpoint;  ///< source of a received one, destination of one to send
    Instant due;
    std::uint64_t order = 0;
    std::uint8_t overtaken_by = 0;  ///< after `due`, still that many packets go before it
};

class HeldPackets {
  public:
    /// Packets waiting to be overtaken at once; beyond, they go on without.
    static constexpr std::size_t kReorderedMax = 64;

    HeldPackets(std::size_t capacity, std::size_t payload_max);

    [[nodiscard]] bool empty() const { return waiting_.empty() && reordered_.empty(); }

    /// Copies `bytes`; false if there is no room. Of `packet` it takes all but bytes, length and order.
    [[nodiscard]] bool hold(Instant now, const HeldPacket& packet, std::span<const std::byte> bytes);
    /// The packet that is due and was held first, or null; stays in until pop().
    [[nodiscard]] HeldPacket* front(Instant now);
    /// Takes the packet out that front() gave; its bytes stay until free().
    void pop();
    void free(HeldPacket& packet);
    /// Another packet went past.
    void on_passed(Instant now);
    /// Frees what waits for a binding that goes away.
    void forget(const port::Binding& binding);

  private:
    void push(HeldPacket& packet);
    void await_overtaking(HeldPacket& packet, Instant now);
    void release_reordered(std::size_t index, Instant now);

    std::size_t stride_;
    std::unique_ptr<std::byte[]> memory_;
    std::vector<HeldPacket> packets_;
    std::vector<HeldPacket*> free_;     // a stack, so that the same few pages stay in use
    std::vector<HeldPacket*> waiting_;  // a heap, the earliest due first
    std::vector<HeldPacket*> reordered_;
    std::uint64_t order_ = 0;
};

}  // namespace fulmar::drivers

/// Packets a protocol core wants sent in one burst: spans of a term buffer, and small control frames
/// whose bytes live in the batch itself.
/// threads: one agent's.  Bounds: kBurstMax packets, of which any may be control frames.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "base/assert.h"
#include "port/packet_port.h"

namespace fulmar::transport {

class TransmitBatch {
  public:
    static constexpr std::size_t kCapacity = port::kBurstMax;
    /// Of those written here; an ERR frame with its text is its image's.
    static constexpr std::size_t kControlFrameMax = 64;

    /// Says what a packet carries, so that its owner can tell on_transmitted what became of it.
    enum class Kind : std::uint8_t { kControl, kData, kHeartbeat, kRetransmit };

    struct Note {
        Note() : Note(0, 0, Kind::kControl) {}
        Note(std::int64_t at, std::int32_t by, Kind what) : position(at), advance(by), kind(what) {}

        std::int64_t position;  ///< stream position of the first byte
        std::int32_t advance;   ///< how far the stream moves if this packet goes out
        Kind kind;
    };

    void clear() { count_ = 0; }
    [[nodiscard]] bool empty() const { return count_ == 0; }
    [[nodiscard]] bool full() const { return count_ == kCapacity; }
    [[nodiscard]] std::size_t room() const { return kCapacity - count_; }
    [[nodiscard]] std::size_t size() const { return count_; }
    [[nodiscard]] std::span<const port::TxPacket> packets() const { return {packets_.data(), count_}; }
    [[nodiscard]] const Note& note(std::size_t index) const { return notes_[index]; }

    /// Adds bytes that stay where they are (a term buffer).
    void add(const std::byte* bytes, std::int32_t length, port::Binding* binding, const port::Endpoint& to,
        const Note& note) {
        FULMAR_ASSERT(!full(), "the caller checks room()");
        packets_[count_] = {bytes, static_cast<std::uint32_t>(length), binding, to};
        notes_[count_] = note;
        ++count_;
    }

    /// Room for a control frame inside the batch; the caller writes exactly `length` bytes.
    [[nodiscard]] std::byte* add_control(
        std::int32_t length, port::Binding* binding, const port::Endpoint& to, const Note& note = Note()) {
        FULMAR_ASSERT(length <= static_cast<std::int32_t>(kControlFrameMax), "control frames are small");
        std::byte* bytes = control_[count_].data();
        add(bytes, length, binding, to, note);
        return bytes;
    }

  private:
    std::size_t count_ = 0;
    std::array<port::TxPacket, kCapacity> packets_;
    std::array<Note, kCapacity> notes_;
    alignas(8) std::array<std::array<std::byte, kControlFrameMax>, kCapacity> control_;
};

}  // namespace fulmar::transport

/// The ways by which an image's packets come: one for most, several under a multi-destination subscription,
/// where the first copy of a packet counts whichever way it came. Each way has a sender behind it that wants
/// status messages and NAKs, and that may end on its own.
/// threads: the receiver agent.  Bound: kPathsMax; packets that come by a further way are read, nothing is
/// said back to their sender.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "fulmar/time.h"
#include "port/packet_port.h"

namespace fulmar::transport {

/// Where a packet came in, and where what is said about it goes. Made per packet, so it copies no address.
struct PacketOrigin {
    port::Binding* binding;
    const port::Endpoint& control;
};

class ImagePaths {
  public:
    static constexpr std::size_t kPathsMax = 16;

    struct Path {
        port::Binding* binding = nullptr;
        port::Endpoint control;
        Instant heard;
        std::int64_t end_position = -1;  ///< from its sender's EOS; -1: goes on
    };

    [[nodiscard]] bool empty() const { return count_ == 0; }
    [[nodiscard]] std::size_t size() const { return count_; }
    [[nodiscard]] std::span<const Path> all() const { return {paths_.data(), count_}; }

    /// A packet came. True: by a way that was not known.
    bool heard(Instant now, const PacketOrigin& origin) {
        if (count_ == 1 && paths_[0].binding == origin.binding) [[likely]] {
            paths_[0].heard = now;
            return false;
        }
        return heard_by_another(now, origin);
    }

    /// EOS came that way. True when every sender there is has ended.
    bool ended(const port::Binding* binding, std::int64_t position);
    /// The furthest end that was announced; -1: none.
    [[nodiscard]] std::int64_t end_position() const;

    /// True if it was there.
    bool remove(const port::Binding* binding);
    /// Drops those silent for longer, except for the last one: its sender is told how the image ends.
    bool expire(Instant now, Duration timeout);
    /// We did not listen for that long: nobody was silent meanwhile.
    void forgive(Duration silence);

  private:
    bool heard_by_another(Instant now, const PacketOrigin& origin);
    [[nodiscard]] Path* find(const port::Binding* binding);

    std::size_t count_ = 0;
    std::array<Path, kPathsMax> paths_{};
};

}  // namespace fulmar::transport

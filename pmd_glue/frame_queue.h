/// Whole Ethernet frames in bursts over one queue pair, for work below the packet seam: the raw floor of a
/// benchmark, and tests. No protocol, no copies: the caller reads and writes in the device's buffers.
/// threads: one polling thread per queue.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "pmd_glue/device.h"

namespace fulmar::pmd_glue {

struct Frame {
    std::byte* bytes = nullptr;
    std::uint32_t length = 0;
    void* handle = nullptr;
};

class FrameQueue {
  public:
    explicit FrameQueue(Device& device, std::uint16_t queue = 0);

    /// Polls once. Each frame must go to release() or send().
    [[nodiscard]] std::size_t receive(std::span<Frame> out);
    void release(std::span<const Frame> frames);

    /// Takes empty frames of `length` bytes from the pool; all or none.
    [[nodiscard]] bool allocate(std::span<Frame> out, std::uint32_t length);

    /// Hands frames to the device from the front; those taken are gone, the rest stays the caller's.
    [[nodiscard]] std::size_t send(std::span<const Frame> frames);

  private:
    Device& device_;
    std::uint16_t port_;
    std::uint16_t queue_;
};

}  // namespace fulmar::pmd_glue

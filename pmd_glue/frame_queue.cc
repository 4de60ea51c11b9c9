#include "pmd_glue/frame_queue.h"

#include <algorithm>
#include <array>
#include <rte_ethdev.h>
#include <rte_mbuf.h>

#include "pmd_glue/eal.h"
#include "pmd_glue/mbuf_burst.h"

namespace fulmar::pmd_glue {
namespace {

constexpr std::size_t kBurst = 64;

rte_mbuf* buffer_of(const Frame& frame) {
    return static_cast<rte_mbuf*>(frame.handle);
}

Frame frame_of(rte_mbuf* buffer) {
    return {rte_pktmbuf_mtod(buffer, std::byte*), buffer->data_len, buffer};
}

}  // namespace

FrameQueue::FrameQueue(Device& device, std::uint16_t queue)
    : device_(device), port_(device.port_id()), queue_(queue) {
    adopt_data_thread();
}

std::size_t FrameQueue::receive(std::span<Frame> out) {
    if (!device_.started()) {
        return 0;
    }
    std::array<rte_mbuf*, kBurst> buffers;
    std::uint16_t count;
    {
        const BurstScope scope(device_.guard(queue_));
        count = ::rte_eth_rx_burst(
            port_, queue_, buffers.data(), static_cast<std::uint16_t>(std::min(kBurst, out.size())));
    }
    for (std::uint16_t i = 0; i < count; ++i) {
        out[i] = frame_of(buffers[i]);
    }
    return count;
}

void FrameQueue::release(std::span<const Frame> frames) {
    std::array<rte_mbuf*, kBurst> buffers;
    while (!frames.empty()) {
        const auto count = std::min(kBurst, frames.size());
        for (std::size_t i = 0; i < count; ++i) {
            buffers[i] = buffer_of(frames[i]);
        }
        give_back_buffers(device_.pool(queue_), std::span(buffers).first(count));
        frames = frames.subspan(count);
    }
}

bool FrameQueue::allocate(std::span<Frame> out, std::uint32_t length) {
    std::array<rte_mbuf*, kBurst> buffers;
    const auto count = std::min(kBurst, out.size());
    if (count != out.size() || !take_buffers(device_.pool(queue_), std::span(buffers).first(count))) {
        return false;
    }
    for (std::size_t i = 0; i < count; ++i) {
        set_length(*buffers[i], length);
        out[i] = frame_of(buffers[i]);
    }
    return true;
}

std::size_t FrameQueue::send(std::span<const Frame> frames) {
    if (!device_.started()) {
        return 0;
    }
    std::array<rte_mbuf*, kBurst> buffers;
    const auto count = std::min(kBurst, frames.size());
    for (std::size_t i = 0; i < count; ++i) {
        buffers[i] = buffer_of(frames[i]);
    }
    const BurstScope scope(device_.guard(queue_));
    return ::rte_eth_tx_burst(port_, queue_, buffers.data(), static_cast<std::uint16_t>(count));
}

}  // namespace fulmar::pmd_glue

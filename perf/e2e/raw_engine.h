/// The floor under every figure: Ethernet frames of a given length over one device, with no protocol of
/// ours. Ping/pong round trips, and a one-way stream that may copy each frame from and to a ring larger
/// than the caches, as any messaging layer must.
/// threads: run_raw() polls on the caller's thread until done, stopped or out of time.
#pragma once

#include <atomic>
#include <cstdint>

#include "fulmar/result.h"
#include "pmd_glue/device.h"

namespace fulmar::perf {

struct RawOptions {
    enum class Role : std::uint8_t { kPing, kPong, kPub, kSub };

    Role role = Role::kPing;
    std::uint32_t frame_bytes = 106;    ///< Ethernet header included, FCS not; at least kRawFrameBytesMin
    std::int64_t messages = 1'000'000;  ///< measured; 0: until duration_ns or stop
    std::int64_t warmup = 10'000;       ///< ping: round trips before the measured ones
    std::int64_t duration_ns = 0;       ///< 0: no limit
    std::uint32_t burst = 32;           ///< stream: frames handed over at once
    bool copy = false;                  ///< stream: one copy from and to a 48 MiB ring on each side
    const std::atomic<bool>* stop = nullptr;
    /// ping: called with each measured round trip.  units: nanoseconds
    void (*on_rtt)(void* context, std::int64_t rtt_ns) = nullptr;
    void* context = nullptr;
};

inline constexpr std::uint32_t kRawHeaderBytes = 42;
inline constexpr std::uint32_t kRawFrameBytesMin = kRawHeaderBytes + 18;

struct RawResult {
    std::int64_t messages = 0;  ///< round trips, or frames sent or received
    std::int64_t lost = 0;      ///< round trips without an answer, or gaps seen by sub
    std::int64_t bytes = 0;     ///< wire bytes in one direction
    std::int64_t elapsed_ns = 0;
    std::int64_t bursts = 0;  ///< non-empty ones
    [[nodiscard]] double messages_per_s() const {
        return elapsed_ns > 0 ? static_cast<double>(messages) * 1e9 / static_cast<double>(elapsed_ns) : 0.0;
    }
    [[nodiscard]] double bytes_per_s() const {
        return elapsed_ns > 0 ? static_cast<double>(bytes) * 1e9 / static_cast<double>(elapsed_ns) : 0.0;
    }
    [[nodiscard]] double frames_per_burst() const {
        return bursts > 0 ? static_cast<double>(messages) / static_cast<double>(bursts) : 0.0;
    }
};

/// errors: kGeneric when the frame does not fit the device or the peer never appears (10 s).
[[nodiscard]] Result<RawResult> run_raw(pmd_glue::Device& device, const RawOptions& options);

}  // namespace fulmar::perf

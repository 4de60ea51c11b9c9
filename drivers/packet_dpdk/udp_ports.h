/// Which UDP ports of one address are taken. Shared by a port and its bindings, so that a binding may outlive
/// the port.
/// threads: any, under a lock; open and close only.
#pragma once

#include <bitset>
#include <cstddef>
#include <cstdint>
#include <mutex>

namespace fulmar::drivers {

class UdpPorts {
  public:
    static constexpr std::size_t kOpenMax = 4096;

    /// 0: an ephemeral one. Returns the port taken, or 0 when it is in use or kOpenMax are.
    [[nodiscard]] std::uint16_t take(std::uint16_t wanted) {
        const std::lock_guard lock(mutex_);
        if (taken_count_ == kOpenMax) {
            return 0;
        }
        if (wanted != 0) {
            return claim(wanted) ? wanted : std::uint16_t{0};
        }
        for (std::uint32_t tries = 0; tries <= kEphemeralLast - kEphemeralFirst; ++tries) {
            const auto candidate = next_ephemeral_;
            next_ephemeral_ =
                candidate == kEphemeralLast ? kEphemeralFirst : static_cast<std::uint16_t>(candidate + 1);
            if (claim(candidate)) {
                return candidate;
            }
        }
        return 0;
    }

    void give_back(std::uint16_t port) {
        const std::lock_guard lock(mutex_);
        taken_.reset(port);
        --taken_count_;
    }

  private:
    // source: RFC 6335, dynamic ports.
    static constexpr std::uint16_t kEphemeralFirst = 49152;
    static constexpr std::uint16_t kEphemeralLast = 65535;

    bool claim(std::uint16_t port) {
        if (taken_.test(port)) {
            return false;
        }
        taken_.set(port);
        ++taken_count_;
        return true;
    }

    std::mutex mutex_;
    std::bitset<65536> taken_;
    std::size_t taken_count_ = 0;
    std::uint16_t next_ephemeral_ = kEphemeralFirst;
};

}  // namespace fulmar::drivers

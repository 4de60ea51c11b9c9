/// What the receiver's two sources share: how tables are keyed, and how often a control address is asked.
#pragma once

#include <cstdint>

#include "fulmar/time.h"

namespace fulmar::agent {

/// A session or a stream as a key.
[[nodiscard]] constexpr std::uint64_t key_of(std::int32_t id) {
    return static_cast<std::uint32_t>(id);
}

/// How often whoever sends to a control address hears of us. source: Aeron.
inline constexpr Duration kSetupRequestInterval = seconds(1);

}  // namespace fulmar::agent

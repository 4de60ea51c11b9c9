/// What a network shall do wrong, as text and as numbers:
/// `loss:0.01+dup:0.005+reorder:0.01+delay:50us+corrupt:0.001+seed:7+dir:both`.
/// Every part may be left out; `none` is no fault at all.
/// threads: values and pure functions.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "fulmar/result.h"
#include "fulmar/time.h"

namespace fulmar::net {

inline constexpr Duration kFaultDelayMax = seconds(60);

/// Which way packets go wrong, seen from the port.
enum class FaultDirection : std::uint8_t { kRx = 1, kTx = 2, kBoth = 3 };

struct FaultSpec {
    double loss = 0;       ///< probabilities in [0, 1], per packet
    double duplicate = 0;  ///< `dup`
    double reorder = 0;
    double corrupt = 0;
    Duration delay{};  ///< of every packet; `50us`, units ns, us, ms, s; at most kFaultDelayMax
    std::uint64_t seed = 1;
    FaultDirection direction = FaultDirection::kBoth;

    bool operator==(const FaultSpec&) const = default;
    [[nodiscard]] bool applies_to(FaultDirection one) const {
        const bool any = loss > 0 || duplicate > 0 || reorder > 0 || corrupt > 0 || delay.ns > 0;
        return any && (static_cast<unsigned>(direction) & static_cast<unsigned>(one)) != 0;
    }
};

/// errors: kGeneric naming the part that is wrong and what it may be.
[[nodiscard]] Result<FaultSpec> parse_fault_spec(std::string_view text);
/// Canonical text that parses back to the same value.
[[nodiscard]] std::string to_string(const FaultSpec& spec);

}  // namespace fulmar::net

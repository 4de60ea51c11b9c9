/// What a controlled fragment handler wants to happen next.
#pragma once

#include <cstdint>

namespace fulmar {

enum class ControlledAction : std::uint8_t {
    kAbort,     ///< stop, and deliver this fragment again at the next poll
    kBreak,     ///< stop after this fragment
    kCommit,    ///< publish the position up to this fragment now, and go on
    kContinue,  ///< go on; the position is published at the end
};

}  // namespace fulmar

/// Commands of our own in the to-driver ring, with type ids outside Aeron's. A stock driver logs them as
/// unknown and answers nothing; ours answers ON_OPERATION_SUCCESS or ON_ERROR, which every client knows.
/// threads: values, no sharing.  errors: DecodeFault.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "layout/decode.h"

namespace fulmar::layout {

/// Type ids of the ring are 32 bits wide; ours start far above what a protocol that counts upwards reaches.
enum class FulmarCommandType : std::int32_t {
    kSetFault = 0x7F01,
};

/// SET_FAULT: what a port shall do wrong from now on.
/// source: ours. client_id i64@0, correlation_id i64@8, port_len i32@16, port@20, then at
/// 20 + align4(port_len): spec_len i32, spec.
struct SetFault {
    std::int64_t client_id = 0;
    std::int64_t correlation_id = 0;
    std::string_view port;  ///< name of a port; empty: every port that can
    std::string_view spec;  ///< as in net/fault_spec.h

    static Decoded<SetFault> decode(std::span<const std::byte> record);
    [[nodiscard]] std::size_t encoded_length() const;
    std::size_t encode(std::span<std::byte> record) const;
};

}  // namespace fulmar::layout

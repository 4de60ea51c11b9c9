/// Parsers of single channel values; each returns the value or what it should have been. channel_params.cc
/// adds which key it was.
/// threads: pure functions.
#pragma once

#include <cstdint>
#include <string_view>

#include "config/channel_params.h"

namespace fulmar::config::detail {

/// errors of all: kInvalidChannel, the limit that was missed, without the key.
[[nodiscard]] Result<HostPort> host_port_value(std::string_view text);
[[nodiscard]] Result<NetworkInterface> interface_value(std::string_view text);
[[nodiscard]] Result<Tags> tags_value(std::string_view text);
[[nodiscard]] Result<FlowControl> flow_control_value(std::string_view text);
[[nodiscard]] Result<bool> bool_value(std::string_view text);
[[nodiscard]] Result<std::int64_t> int64_value(std::string_view text);
[[nodiscard]] Result<std::int32_t> int32_value(
    std::string_view text, std::int32_t min = INT32_MIN, std::int32_t max = INT32_MAX);
[[nodiscard]] Result<std::int32_t> size_value(std::string_view text, std::int32_t min, std::int32_t max);
[[nodiscard]] Result<Duration> duration_value(std::string_view text);

}  // namespace fulmar::config::detail

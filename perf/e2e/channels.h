/// Which channels the two ends of a measurement use when the command line leaves them open.
#pragma once

#include <string>
#include <string_view>

#include "perf/e2e/options.h"

namespace fulmar::perf {

inline constexpr int kDefaultRequestPort = 40123;

/// Fills channel and reply_channel of the options: the request endpoint is at pong (or sub), the reply
/// endpoint at ping; on memif the addresses are the two defaults, client 10.77.0.1 and server 10.77.0.2.
void fill_channels(Options& options);

/// The reply channel that a pong derives from where requests come from: that address, request port + 1.
[[nodiscard]] std::string reply_channel_for(const Options& options, std::string_view source_identity);

}  // namespace fulmar::perf

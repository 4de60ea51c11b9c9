/// What was built, for the environment of every figure.
#pragma once

namespace fulmar::perf {
extern const char* const kCommit;
inline constexpr const char* kDpdkVersion = FULMAR_DPDK_VERSION;
}  // namespace fulmar::perf

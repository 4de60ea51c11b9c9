/// FULMAR_ASSERT: a broken invariant stops the process with a message. On in every build type.
/// Never use it on input from network, disk, command line or configuration.
#pragma once

namespace fulmar::base {
[[noreturn, gnu::cold]] void assertion_failed(
    const char* expression, const char* why, const char* file, int line);
}  // namespace fulmar::base

#define FULMAR_ASSERT(condition, why)                  \
    (__builtin_expect(static_cast<bool>(condition), 1) \
            ? static_cast<void>(0)                     \
            : ::fulmar::base::assertion_failed(#condition, why, __FILE__, __LINE__))

#include "base/assert.h"

#include <cstdio>
#include <cstdlib>

namespace fulmar::base {

void assertion_failed(const char* expression, const char* why, const char* file, int line) {
    std::fprintf(stderr, "fulmar: invariant broken: %s (%s) at %s:%d\n", why, expression, file, line);
    std::abort();
}

}  // namespace fulmar::base

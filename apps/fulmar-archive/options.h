/// fulmar-archive's command line and environment, gathered into options.
/// threads: start-up.
#pragma once

#include <string>
#include <vector>

#include "drivers/archive_runtime/archive.h"
#include "fulmar/result.h"

namespace fulmar::archived {

struct Invocation {
    drivers::ArchiveOptions options;
    std::vector<std::string> unused;  ///< Aeron's names that this archive does not use
    bool has_ended = false;           ///< help or version was printed; leave with exit_code
    int exit_code = 0;
};

/// errors: kGeneric, one line, for exit code 2.
[[nodiscard]] Result<Invocation> read_invocation(int argc, char** argv, char** environment);

}  // namespace fulmar::archived

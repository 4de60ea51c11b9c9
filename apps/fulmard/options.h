/// fulmard's command line, environment and files, gathered into settings.
/// threads: start-up.
#pragma once

#include <string>
#include <vector>

#include "config/settings.h"
#include "fulmar/result.h"

namespace fulmar::fulmard {

struct Invocation {
    config::DriverSettings settings;
    std::vector<std::string> config_lines;  ///< every setting with its origin, for --print-config
    std::vector<std::string> unused;        ///< Aeron's names that this driver does not use
    bool print_only = false;                ///< --print-config was on the command line itself
    bool has_ended = false;                 ///< help or version was printed; leave with exit_code
    int exit_code = 0;
};

/// errors: kGeneric, one line, for exit code 2.
[[nodiscard]] Result<Invocation> read_invocation(int argc, char** argv, char** environment);

}  // namespace fulmar::fulmard

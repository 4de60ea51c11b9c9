/// Text files with secrets in them.
/// threads: blocks on the file.
#pragma once

#include <cstdint>
#include <string>

#include "fulmar/result.h"

namespace fulmar::drivers {

/// Who else may be able to read it.
enum class Readers : std::uint8_t { kOwner, kOwnerAndGroup };

/// The whole file; a pipe, such as a shell makes of a command, until its end.
/// errors: kGeneric, one line: others can read it, and the command that mends it; it cannot be read; it is
/// too long.
[[nodiscard]] Result<std::string> read_secret_file(const std::string& path, Readers readers);

}  // namespace fulmar::drivers

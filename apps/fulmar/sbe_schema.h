/// Schema files for the sbe verbs.
#pragma once

#include <string>

#include "fulmar/result.h"
#include "fulmar/sbe/ir.h"

namespace fulmar::cli {

/// Whatever is in a file or, named `-`, comes in on stdin.
/// errors: kGeneric with the path and why.
[[nodiscard]] Result<std::string> read_whole(const std::string& path);

/// A schema with the files it includes: relative to the file that names them, on this machine.
/// errors: kGeneric, as read_xml.
[[nodiscard]] Result<sbe::ir::Schema> read_schema(const std::string& path);

}  // namespace fulmar::cli

/// Where the mark file of an archive's directory is: in it, or where a link file in it says. Tools that are
/// given the directory find the mark file that way. threads: start-up.  source: Aeron 1.53,
/// `archive-mark.lnk` holds the other directory's path.
#pragma once

#include <optional>
#include <string>

#include "fulmar/result.h"

namespace fulmar::drivers {

inline constexpr const char* kMarkLinkName = "archive-mark.lnk";

/// The directory that the link names; nothing without a link.
[[nodiscard]] std::optional<std::string> read_mark_link(const std::string& archive_dir);
/// Has the link lead to `mark_dir`, or removes it when that is the archive's own. Both directories exist.
/// errors: kGeneric, with path and reason.
[[nodiscard]] Status write_mark_link(const std::string& archive_dir, const std::string& mark_dir);

}  // namespace fulmar::drivers

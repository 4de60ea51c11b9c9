/// The key that members of a cluster share, as text: 64 hexadecimal digits; blanks and lines do not count,
/// and `#` begins a comment. A file is read with drivers/secret_file, which refuses one that others can read.
/// threads: functions of their arguments.
#pragma once

#include <string_view>

#include "cluster/mac.h"
#include "fulmar/result.h"

namespace fulmar::cluster {

/// errors: kGeneric; what was read is not in the message.
[[nodiscard]] Result<Secret> parse_member_key(std::string_view text);

}  // namespace fulmar::cluster

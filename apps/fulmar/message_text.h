/// Messages of a stream on the terminal.
#pragma once

#include <cstddef>
#include <span>

#include "fulmar/header.h"

namespace fulmar::cli {

/// One line: the text, anything else in it as \xNN, so that a stream of numbers leaves the terminal alone; or
/// an object with session, stream, position and length too.
void print_message(bool json, std::span<const std::byte> message, const Header& header);

}  // namespace fulmar::cli

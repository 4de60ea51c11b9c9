/// Turning a hole of a term into padding.
/// threads: the only writer of the hole.
#pragma once

#include <cstddef>
#include <cstdint>

namespace fulmar::term {

/// Covers [offset, offset + length) with one PAD frame made from `default_header`, whatever lies there.
/// At least a header long.
void write_padding_over(const std::byte* default_header, std::byte* term, std::int32_t term_id,
    std::int32_t offset, std::int32_t length);

/// The same, if every 32-byte slot is still zero; false when something was written meanwhile.
bool fill_gap(const std::byte* default_header, std::byte* term, std::int32_t term_id, std::int32_t offset,
    std::int32_t length);

}  // namespace fulmar::term

/// Copying a received datagram into the term it belongs to.
/// threads: one receiver writes; readers see the first frame only after its length is released.
#pragma once

#include <cstddef>
#include <cstdint>

namespace fulmar::term {

/// Writes `length` bytes of whole frames at `offset` over whatever an earlier lap left there; at least a
/// header. The caller knows that nothing of this lap has arrived there.
/// Bytes 0..7 of the first frame are stored last, as one release.
/// A datagram holding several frames is published by its first length word; the later frames become
/// reachable only through it.
void insert(std::byte* term, std::int32_t offset, const std::byte* packet, std::int32_t length);

}  // namespace fulmar::term

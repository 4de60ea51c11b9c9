#include "term/rebuild.h"

#include "base/plant.h"
#include "term/copy.h"
#include "wire/frame.h"

namespace fulmar::term {

void insert(std::byte* term, std::int32_t offset, const std::byte* packet, std::int32_t length) {
    std::byte* frame = term + offset;
    detail::copy_payload(frame + wire::kDataHeaderLength, packet + wire::kDataHeaderLength,
        static_cast<std::size_t>(length - wire::kDataHeaderLength) &
            (FULMAR_PLANTED(kInsertDropsTail) ? ~std::size_t{63} : ~std::size_t{0}));
    std::memcpy(frame + sizeof(std::uint64_t), packet + sizeof(std::uint64_t),
        wire::kDataHeaderLength - sizeof(std::uint64_t));
    // SYNC(term.frame): release; pairs with wire::frame_length_acquire in read and scan. One store, so
    // that length, flags and type appear together and last.
    base::store_release(frame, 0, base::load_le<std::uint64_t>(packet, 0));
}

}  // namespace fulmar::term

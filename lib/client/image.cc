#include "fulmar/image.h"

#include "client/conductor.h"

namespace fulmar {

namespace {

bool is_position_plausible(std::int64_t position, const layout::LogBuffer& log) {
    const std::int64_t position_max = std::int64_t{log.term_length()} << 31;
    return position >= 0 && position < position_max &&
           base::is_aligned<std::int64_t>(position, wire::kFrameAlignment);
}

}  // namespace

namespace client {

std::int32_t scan_block(const std::byte* term, std::int32_t offset, std::int32_t offset_limit) {
    const std::int32_t begin = offset;
    while (offset < offset_limit) {
        const std::byte* frame = term + offset;
        const std::int32_t length = wire::frame_length_acquire(frame);
        if (length <= 0 || length > offset_limit - offset) {
            break;
        }
        const bool padding = wire::is_padding(frame);
        if (padding && offset > begin) {
            break;
        }
        offset += wire::align_frame(length);
        if (padding) {
            break;
        }
    }
    return offset;
}

bool is_join_position_valid(std::int64_t position, const layout::LogBuffer& log) {
    return is_position_plausible(position, log);
}

}  // namespace client

Image::Image(client::ImageInit init)
    : init_(std::move(init)),
      stream_{init_.session_id, init_.stream_id, init_.log.initial_term_id(), init_.log.shift()},
      join_position_(init_.join_position),
      position_(init_.join_position) {}

bool Image::is_publication_revoked() const {
    return base::load_acquire<std::uint8_t>(init_.log.metadata(), layout::log_field::kIsPublicationRevoked) ==
           1;
}

Status Image::set_position(std::int64_t wanted) {
    const std::int64_t from = position();
    const bool in_reach = wanted >= from && wanted <= from - base::compute_term_offset(from, term_length()) +
                                                          std::int64_t{term_length()};
    if (is_closed() || !in_reach || !is_position_plausible(wanted, init_.log)) {
        return fail(ErrorCode::kGeneric,
            "image of session " + std::to_string(session_id()) + " at position " + std::to_string(from) +
                " cannot go to " + std::to_string(wanted) +
                ": it must be open, and the position frame aligned and ahead in the same term");
    }
    advance_to(wanted);
    return Done{};
}

Status Image::reject(std::string_view reason) {
    return init_.conductor->reject_image(*this, reason);
}

void Image::mark_closed() {
    if (!is_closed()) {
        final_end_of_stream_ = init_.log.end_of_stream_position();
        closed_.store(true, std::memory_order_release);
    }
}

}  // namespace fulmar

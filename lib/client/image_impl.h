/// The polling templates of Image: the hot path of every received message, kept inline.
#pragma once

#include "fulmar/image.h"

namespace fulmar {

template <class Handler>
int Image::bounded_poll(Handler&& handler, std::int64_t limit_position, int fragment_limit) {
    const std::int64_t from = position();
    if (is_closed() || from >= limit_position) [[unlikely]] {
        return 0;
    }
    const Window at = window(from, limit_position);
    int fragments = 0;
    const auto deliver = [&](const std::byte* frame, std::int32_t length) {
        if (length >= wire::kDataHeaderLength) [[likely]] {
            const std::int64_t end = at.base_position + (frame - at.term) + wire::align_frame(length);
            handler(std::span<const std::byte>(frame + wire::kDataHeaderLength,
                        static_cast<std::size_t>(length - wire::kDataHeaderLength)),
                Header(frame, length, end, stream_));
        }
        return true;
    };
    const std::int32_t reached =
        term::read(at.term, at.offset, at.offset_limit, fragment_limit, fragments, deliver);
    if (reached > at.offset) {
        advance_to(at.base_position + reached);
    }
    return fragments;
}

template <class Handler>
int Image::bounded_controlled_poll(Handler&& handler, std::int64_t limit_position, int fragment_limit) {
    const std::int64_t from = position();
    if (is_closed() || from >= limit_position) [[unlikely]] {
        return 0;
    }
    const Window at = window(from, limit_position);
    int fragments = 0;
    std::int64_t aborted_at = kNoLimit;
    const auto deliver = [&](const std::byte* frame, std::int32_t length) {
        if (length < wire::kDataHeaderLength) [[unlikely]] {
            return true;
        }
        const std::int64_t start = at.base_position + (frame - at.term);
        const std::int64_t end = start + wire::align_frame(length);
        switch (handler(std::span<const std::byte>(frame + wire::kDataHeaderLength,
                            static_cast<std::size_t>(length - wire::kDataHeaderLength)),
            Header(frame, length, end, stream_))) {
            case ControlledAction::kAbort: aborted_at = start; return false;
            case ControlledAction::kBreak: return false;
            case ControlledAction::kCommit: advance_to(end); return true;
            case ControlledAction::kContinue: return true;
        }
        return true;
    };
    const std::int32_t reached =
        term::read(at.term, at.offset, at.offset_limit, fragment_limit, fragments, deliver);
    const bool aborted = aborted_at != kNoLimit;
    const std::int64_t end = aborted ? aborted_at : at.base_position + reached;
    if (end > position()) {
        advance_to(end);
    }
    return aborted ? fragments - 1 : fragments;
}

template <class Handler>
std::int64_t Image::controlled_peek(
    std::int64_t initial_position, Handler&& handler, std::int64_t limit_position) {
    const bool in_reach = initial_position >= position() &&
                          initial_position <= position() + init_.log.term_length() &&
                          base::is_aligned<std::int64_t>(initial_position, wire::kFrameAlignment);
    if (is_closed() || !in_reach || initial_position >= limit_position) {
        return initial_position;
    }
    const Window at = window(initial_position, limit_position);
    std::int64_t resulting = initial_position;
    int fragments = 0;
    const auto deliver = [&](const std::byte* frame, std::int32_t length) {
        if (length < wire::kDataHeaderLength) [[unlikely]] {
            return true;
        }
        const std::int64_t end = at.base_position + (frame - at.term) + wire::align_frame(length);
        const Header header(frame, length, end, stream_);
        const auto action = handler(std::span<const std::byte>(frame + wire::kDataHeaderLength,
                                        static_cast<std::size_t>(length - wire::kDataHeaderLength)),
            header);
        if (action == ControlledAction::kAbort) {
            return false;
        }
        if (header.is_end() || action == ControlledAction::kCommit) {
            resulting = end;
        }
        return action != ControlledAction::kBreak;
    };
    const std::int32_t reached =
        term::read(at.term, at.offset, at.offset_limit, INT32_MAX, fragments, deliver);
    // Padding at the end of a term carries no message but must not hold a peeking reader up.
    return fragments == 0 ? at.base_position + reached : resulting;
}

template <class Handler>
std::int64_t Image::block_peek(
    std::int64_t initial_position, Handler&& handler, std::int32_t block_length_limit) const {
    const bool in_reach = initial_position >= position() &&
                          initial_position <= position() + init_.log.term_length() &&
                          base::is_aligned<std::int64_t>(initial_position, wire::kFrameAlignment);
    if (is_closed() || !in_reach) [[unlikely]] {
        return 0;
    }
    const std::int32_t limit = std::max<std::int32_t>(block_length_limit, 0);
    const Window at = window(initial_position, initial_position + limit);
    const std::int32_t reached = client::scan_block(at.term, at.offset, at.offset_limit);
    const std::int32_t length = reached - at.offset;
    if (length <= 0) {
        return 0;
    }
    const BlockInfo info{initial_position, stream_.session_id,
        base::compute_term_id(initial_position, init_.log.shift(), initial_term_id())};
    handler(std::span<const std::byte>(at.term + at.offset, static_cast<std::size_t>(length)), info);
    return length;
}

template <class Handler>
std::int64_t Image::block_poll(Handler&& handler, std::int32_t block_length_limit) {
    const std::int64_t from = position();
    const std::int64_t length = block_peek(from, std::forward<Handler>(handler), block_length_limit);
    if (length > 0) {
        advance_to(from + length);
    }
    return length;
}

}  // namespace fulmar

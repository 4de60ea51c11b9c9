// Receiver agent: packets in.
#include <algorithm>

#include "base/plant.h"
#include "base/position.h"
#include "term/rebuild.h"
#include "transport/image.h"

namespace fulmar::transport {

using layout::SystemCounter;

/// Length the datagram covers in the stream: every frame whole, in sequence, of this stream, inside the
/// term. Only the last may be a PAD whose body did not travel.
bool Image::packet_extent(const std::byte* packet, std::int32_t length, std::int64_t& extent) const {
    const std::int32_t term_offset = base::load_le<std::int32_t>(packet, wire::field::kTermOffset);
    const std::int32_t room = log_.term_length() - term_offset;
    std::int32_t walked = 0;
    while (walked < length) {
        if (length - walked < wire::kDataHeaderLength) {
            return false;
        }
        const std::byte* frame = packet + walked;
        const std::int32_t frame_length = base::load_le<std::int32_t>(frame, wire::field::kFrameLength);
        if (frame_length < wire::kDataHeaderLength || frame_length > room - walked ||
            base::load_le<std::int32_t>(frame, wire::field::kTermOffset) != term_offset + walked) {
            return false;
        }
        const auto type = base::load_le<std::uint16_t>(frame, wire::field::kType);
        const std::int32_t aligned = wire::align_frame(frame_length);
        if (type == static_cast<std::uint16_t>(wire::FrameType::kPad)) {
            extent = walked + aligned;
            return walked + wire::kDataHeaderLength == length || walked + aligned == length;
        }
        if (type != static_cast<std::uint16_t>(wire::FrameType::kData)) {
            return false;
        }
        walked += aligned;
    }
    extent = walked;
    return walked == length;
}

void Image::heard(Instant now, const PacketOrigin& origin) {
    last_packet_ = now;
    if (paths_.heard(now, origin)) [[unlikely]] {
        show_paths();
    }
}

/// The way is alive, the image need not be: a sender that has left it behind asks for a new one.
void Image::on_setup(Instant now, const PacketOrigin& origin) {
    if (!is_rejected() && paths_.heard(now, origin)) {
        show_paths();
    }
}

void Image::on_data(Instant now, const PacketOrigin& origin, const std::byte* packet, std::int32_t length) {
    if (is_rejected() || state_.load(std::memory_order_relaxed) == State::kLinger) {
        return;
    }
    const std::int32_t term_id = base::load_le<std::int32_t>(packet, wire::field::kTermId);
    const std::int32_t term_offset = base::load_le<std::int32_t>(packet, wire::field::kTermOffset);
    const std::int32_t term_count = base::wrapping_subtract(term_id, options_.initial_term_id);
    if (term_count < 0 || term_offset < 0 || term_offset > log_.term_length() ||
        !base::is_aligned(term_offset, wire::kFrameAlignment)) {
        system_[SystemCounter::kInvalidPackets].increment_shared();
        return;
    }
    const std::int64_t position =
        base::compute_position(term_id, term_offset, log_.shift(), options_.initial_term_id);
    if (base::load_le<std::int32_t>(packet, wire::field::kFrameLength) == 0) {
        if (length == wire::kDataHeaderLength) {
            on_heartbeat(now, origin, position, base::load_le<std::uint8_t>(packet, wire::field::kFlags));
        } else {
            system_[SystemCounter::kInvalidPackets].increment_shared();
        }
        return;
    }
    std::int64_t extent = 0;
    if (!packet_extent(packet, length, extent)) {
        system_[SystemCounter::kInvalidPackets].increment_shared();
        return;
    }
    const std::int64_t end = position + extent;
    // A window counts what travels: padding that begins in it may take the stream beyond its end.
    if (position + length > window_end()) {
        system_[SystemCounter::kFlowControlOverRuns].increment_relaxed();
        return;
    }
    heard(now, origin);
    switch (gaps_.fit(position, end)) {
        case GapList::Fit::kNew: {
            const std::int64_t hwm = gaps_.hwm();
            if (gaps_.arrive(position, end, now + nak_delay_)) {
                stop_readers_at(end);
                std::byte* term = log_.term(base::partition_of_position(position, log_.shift()));
                term::insert(term, term_offset, packet, length);
                if (position > hwm) {
                    report_loss(position - hwm);
                }
                publish_positions();
            }
            break;
        }
        case GapList::Fit::kPartial:
            if (FULMAR_PLANTED(kPartialPacketWhole)) {
                (void)gaps_.arrive(position, end, now + nak_delay_);
                break;
            }
            insert_frames(now, position, packet, length);
            break;
        case GapList::Fit::kDuplicate:
            if (FULMAR_PLANTED(kDuplicateOverwrites)) {
                term::insert(log_.term(base::partition_of_position(position, log_.shift())), term_offset,
                    packet, length);
            }
            system_[SystemCounter::kFlowControlUnderRuns].increment_relaxed();
            break;
    }
}

/// What lies behind the end of a run of frames is of an earlier lap, and readers stop where a length is zero.
/// Before the frames in front of it: their first length is released, and takes this store along.
void Image::stop_readers_at(std::int64_t position) {
    if (gaps_.is_missing(position) && !FULMAR_PLANTED(kImageEndLeftDirty)) {
        base::store_relaxed<std::uint64_t>(log_.at(position), 0, 0);
    }
}

/// A resend cut differently than the first time: takes the frames that are wholly missing, and never
/// writes over what a subscriber may be reading.
void Image::insert_frames(Instant now, std::int64_t position, const std::byte* packet, std::int32_t length) {
    std::int32_t walked = 0;
    while (walked < length) {
        const std::byte* frame = packet + walked;
        const std::int32_t extent =
            wire::align_frame(base::load_le<std::int32_t>(frame, wire::field::kFrameLength));
        const std::int64_t begin = position + walked;
        if (gaps_.fit(begin, begin + extent) == GapList::Fit::kNew &&
            gaps_.arrive(begin, begin + extent, now + nak_delay_)) {
            stop_readers_at(begin + extent);
            std::byte* term = log_.term(base::partition_of_position(begin, log_.shift()));
            const std::int32_t bytes = std::min(extent, length - walked);
            term::insert(term, base::compute_term_offset(begin, log_.term_length()), frame, bytes);
        }
        walked += extent;
    }
    publish_positions();
}

void Image::on_heartbeat(Instant now, const PacketOrigin& origin, std::int64_t position, std::uint8_t flags) {
    system_[SystemCounter::kHeartbeatsReceived].increment_relaxed();
    if (position < last_sm_position_ - log_.term_length()) {
        system_[SystemCounter::kFlowControlUnderRuns].increment_relaxed();
        return;
    }
    // A sender that heeds us stands in the window or, behind padding that begins in it, at the end of that
    // term. One that stands beyond, for the sake of faster receivers, has left us behind: we end in silence.
    if (position > window_end() &&
        position != base::align_up<std::int64_t>(window_end(), log_.term_length())) {
        system_[SystemCounter::kFlowControlOverRuns].increment_relaxed();
        return;
    }
    heard(now, origin);
    const std::int64_t hwm = gaps_.hwm();
    if (position > hwm && gaps_.announce(position, now + nak_delay_)) {
        report_loss(position - hwm);
        publish_positions();
    }
    // One of several senders that ends leaves the stream to the others.
    if ((flags & wire::flag::kEndOfStream) != 0 && paths_.ended(origin.binding, position)) {
        end_position_ = std::max({end_position_, position, paths_.end_position()});
        log_.set_end_of_stream_position(end_position_);
        end_of_stream_.store(true, std::memory_order_release);
        if ((flags & wire::flag::kRevoked) != 0 && !revoked_) {
            revoked_ = true;
            base::store_release<std::uint8_t>(log_.metadata(), layout::log_field::kIsPublicationRevoked, 1);
            system_[SystemCounter::kPublicationImagesRevoked].increment_relaxed();
        }
    }
}

void Image::publish_positions() {
    if (counters_.receiver_hwm.get_relaxed() != gaps_.hwm()) {
        counters_.receiver_hwm.set_release(gaps_.hwm());
    }
    if (counters_.receiver_position.get_relaxed() != gaps_.contiguous()) {
        counters_.receiver_position.set_release(gaps_.contiguous());
    }
}

void Image::report_loss(std::int64_t bytes) {
    draw_nak_delay();
    if (loss_ != nullptr) {
        loss_->on_loss(options_.correlation_id, bytes);
    }
}

}  // namespace fulmar::transport

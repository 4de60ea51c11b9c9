// Receiver agent: what goes back to the sender, and the window behind it.
#include <algorithm>

#include "base/plant.h"
#include "base/position.h"
#include "term/gap.h"
#include "transport/image.h"

namespace fulmar::transport {

using layout::SystemCounter;

namespace {
/// A sender that does not answer is busy, or still within its linger of a repeat that was lost (a stock one's
/// is 100 of our retry intervals): asking at full pace would only add to its load.
constexpr std::int32_t kNakBackoffDoublings = 3;
/// A status message and the name of the session that answers.
constexpr std::size_t kFramesPerPath = 2;
static_assert(kFramesPerPath * ImagePaths::kPathsMax <= TransmitBatch::kCapacity);
}  // namespace

void Image::poll_transmit(Instant now, TransmitBatch& batch) {
    if (state_.load(std::memory_order_relaxed) == State::kLinger ||
        batch.room() < kFramesPerPath * paths_.size()) {
        return;
    }
    if (is_rejected()) {
        if (now >= sm_deadline_) {
            send_error(now, batch);
        }
        return;
    }
    move_window();
    if (sm_due_ || now >= sm_deadline_) {
        const bool draining = state_.load(std::memory_order_relaxed) == State::kDraining;
        send_status_message(now, batch, draining ? wire::flag::kSmEndOfStream : std::uint8_t{0});
        if (is_responding_) {
            send_response_setup(batch);
        }
    }
    if (gaps_.size() > 0) {
        if (options_.reliable) {
            add_naks(now, batch);
        } else {
            fill_gaps(now);
        }
    }
}

/// A status message is due once a quarter of the window was consumed since the last one.
void Image::move_window() {
    const std::int64_t consumed = min_subscriber_position();
    if (consumed != consumed_position_) {
        consumed_position_ = consumed;
        // SYNC(image.consumed): release; pairs with the conductor's acquire where a subscriber joins.
        consumed_.store(consumed, std::memory_order_release);
    }
    if (consumed - last_sm_position_ > options_.window_length / 4) {
        sm_due_ = true;
    }
}

void Image::send_status_message(Instant now, TransmitBatch& batch, std::uint8_t flags) {
    wire::StatusMessage message;
    message.flags = flags;
    message.session_id = options_.session_id;
    message.stream_id = options_.stream_id;
    message.consumption_term_id =
        base::compute_term_id(consumed_position_, log_.shift(), options_.initial_term_id);
    message.consumption_term_offset = base::compute_term_offset(consumed_position_, log_.term_length());
    message.receiver_window = options_.window_length;
    message.receiver_id = options_.receiver_id;
    message.has_group_tag = options_.group_tag.has_value();
    message.group_tag = options_.group_tag.value_or(0);
    const std::int32_t length =
        message.has_group_tag ? wire::kStatusMessageWithTagLength : wire::kStatusMessageLength;
    if (paths_.size() > 1 && paths_.expire(now, options_.liveness_timeout)) {
        show_paths();
    }
    for (const ImagePaths::Path& path : paths_.all()) {
        wire::write_status_message(batch.add_control(length, path.binding, path.control), message);
        system_[SystemCounter::kStatusMessagesSent].increment_relaxed();
    }
    last_sm_position_ = consumed_position_;
    // A sender that stands at the end of its window waits for this one message, and nothing tells us that it
    // was lost: it is repeated soon, and ever later while the window stays.
    sm_interval_ = std::min(
        sm_due_ ? options_.status_message_probe_delay : sm_interval_ * 2, options_.status_message_timeout);
    sm_due_ = false;
    sm_deadline_ = now + sm_interval_;
}

void Image::send_response_setup(TransmitBatch& batch) {
    wire::ResponseSetup setup;
    setup.session_id = options_.session_id;
    setup.stream_id = options_.stream_id;
    setup.response_session_id = response_session_id_;
    for (const ImagePaths::Path& path : paths_.all()) {
        wire::write_response_setup(
            batch.add_control(wire::kResponseSetupLength, path.binding, path.control), setup);
    }
}

void Image::send_error(Instant now, TransmitBatch& batch) {
    for (const ImagePaths::Path& path : paths_.all()) {
        batch.add(
            reject_frame_.data(), reject_frame_length_, path.binding, path.control, TransmitBatch::Note());
        system_[SystemCounter::kErrorFramesSent].increment_relaxed();
    }
    sm_deadline_ = now + options_.status_message_timeout;
}

void Image::add_naks(Instant now, TransmitBatch& batch) {
    std::size_t sent = 0;
    for (std::size_t i = 0; i < gaps_.size() && sent < kNaksPerPass && !paths_.empty(); ++i) {
        Gap& gap = gaps_[i];
        if (now < gap.next_nak && !FULMAR_PLANTED(kNakWithoutDelay)) {
            continue;
        }
        // A NAK names one term; a gap across the end of a term takes two.
        for (std::int64_t begin = gap.begin; begin < gap.end && batch.room() >= paths_.size();) {
            const std::int64_t term_end = (begin | (log_.term_length() - 1)) + 1;
            const std::int64_t end = std::min(gap.end, term_end);
            wire::Nak nak;
            nak.session_id = options_.session_id;
            nak.stream_id = options_.stream_id;
            nak.term_id = base::compute_term_id(begin, log_.shift(), options_.initial_term_id);
            nak.term_offset = base::compute_term_offset(begin, log_.term_length());
            nak.length = static_cast<std::int32_t>(end - begin);
            for (const ImagePaths::Path& path : paths_.all()) {
                wire::write_nak(batch.add_control(wire::kNakLength, path.binding, path.control,
                                    {begin, 0, TransmitBatch::Kind::kControl}),
                    nak);
                ++sent;
            }
            begin = end;
        }
        const auto slower = std::int64_t{1} << std::min(gap.naks, kNakBackoffDoublings);
        ++gap.naks;
        // One of a group draws anew, and asks no sooner than one that is alone would.
        const Duration wait =
            nak_backoff_ ? std::max(options_.nak_retry, nak_backoff_->next()) : options_.nak_retry * slower;
        gap.next_nak = FULMAR_PLANTED(kNakOnce) ? Instant::never() : now + wait;
    }
    if (sent > 0) {
        counters_.naks_sent.increment_relaxed(static_cast<std::int64_t>(sent));
        system_[SystemCounter::kNaksSent].increment_relaxed(static_cast<std::int64_t>(sent));
    }
}

void Image::on_transmitted(const TransmitBatch& batch, std::size_t taken) {
    // NAKs repeat by themselves; a status message that did not get out would stall the sender.
    if (taken < batch.size()) {
        sm_due_ = true;
    }
}

/// Unreliable streams: what is missing after the delay becomes padding, so that readers go on.
void Image::fill_gaps(Instant now) {
    while (gaps_.size() > 0 && now >= gaps_[0].next_nak) {
        const std::int64_t begin = gaps_[0].begin;
        const std::int64_t term_end = (begin | (log_.term_length() - 1)) + 1;
        const std::int64_t end = std::min(gaps_[0].end, term_end);
        if (!gaps_.arrive(begin, end, now)) {
            return;
        }
        stop_readers_at(end);
        term::write_padding_over(log_.default_header(),
            log_.term(base::partition_of_position(begin, log_.shift())),
            base::compute_term_id(begin, log_.shift(), options_.initial_term_id),
            base::compute_term_offset(begin, log_.term_length()), static_cast<std::int32_t>(end - begin));
        system_[SystemCounter::kLossGapFills].increment_relaxed();
        publish_positions();
    }
}

void Image::on_rtt_measurement(
    const wire::RttMeasurement& request, const PacketOrigin& origin, TransmitBatch& batch) {
    if ((request.flags & wire::flag::kReply) == 0 || batch.full()) {
        return;
    }
    wire::RttMeasurement reply = request;
    reply.flags = 0;
    reply.reception_delta = 0;
    reply.receiver_id = options_.receiver_id;
    wire::write_rtt_measurement(
        batch.add_control(wire::kRttMeasurementLength, origin.binding, origin.control), reply);
}

}  // namespace fulmar::transport

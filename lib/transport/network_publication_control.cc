// Sender agent: what receivers send back.
#include <algorithm>

#include "base/plant.h"
#include "base/position.h"
#include "transport/network_publication.h"

namespace fulmar::transport {

using layout::SystemCounter;

bool NetworkPublication::on_status_message(
    Instant now, const wire::StatusMessage& message, const port::Endpoint& source) {
    const std::int32_t term_length = log_.term_length();
    const bool in_range = message.consumption_term_offset >= 0 &&
                          message.consumption_term_offset < term_length &&
                          base::is_aligned(message.consumption_term_offset, wire::kFrameAlignment) &&
                          message.receiver_window >= 0 && message.receiver_window <= term_length / 2;
    if ((message.flags & wire::flag::kSendSetup) != 0) {
        if (!end_of_stream_.load(std::memory_order_acquire)) {
            setup_elicited_ = true;
            if (group_) {
                group_->on_setup(now, sender_limit_);
            }
            if (options_.is_response) {
                destination_ = source;
            }
        }
        return true;
    }
    if (!in_range) {
        system_[SystemCounter::kInvalidPackets].increment_shared();
        return false;
    }
    const std::int64_t position = base::compute_position(
        message.consumption_term_id, message.consumption_term_offset, log_.shift(), options_.initial_term_id);
    if (position > sender_position_ + term_length / 2 || position < oldest_unconsumed()) {
        system_[SystemCounter::kStatusMessagesRejected].increment_relaxed();
        return false;
    }
    if ((message.flags & wire::flag::kSmEndOfStream) != 0) {
        receivers_.remove(message.receiver_id);
        if (group_) {
            group_->remove(message.receiver_id);
        }
        if (!options_.group) {
            receiver_saw_eos_.store(true, std::memory_order_release);
        }
        show_receivers();
        return true;
    }
    receivers_.heard(message.receiver_id, now);
    if (!has_initial_connection_) {
        has_initial_connection_ = true;
        restart_heartbeats(now);
    }
    if (receiver_saw_eos_.load(std::memory_order_relaxed)) {  // relaxed: only this agent writes it
        receiver_saw_eos_.store(false, std::memory_order_release);
    }
    set_sender_limit(group_ ? group_->on_status_message(now, message, position, sender_limit_)
                            : position + message.receiver_window);
    show_receivers();
    update_connected();
    return true;
}

void NetworkPublication::on_nak(Instant now, const wire::Nak& nak) {
    const std::int32_t term_length = log_.term_length();
    const bool in_range = nak.term_offset >= 0 && nak.term_offset < term_length &&
                          base::is_aligned(nak.term_offset, wire::kFrameAlignment) && nak.length > 0 &&
                          nak.length <= term_length - nak.term_offset;
    if (!in_range) {
        system_[SystemCounter::kInvalidPackets].increment_shared();
        return;
    }
    counters_.naks_received.increment_relaxed();
    const std::int64_t position =
        base::compute_position(nak.term_id, nak.term_offset, log_.shift(), options_.initial_term_id);
    if (position >= sender_position_ ||
        (position < retransmit_floor() && !FULMAR_PLANTED(kRetransmitTrustsNak))) {
        return;
    }
    const std::int64_t length = std::min<std::int64_t>(
        {nak.length, sender_position_ - position, std::int64_t{options_.flow_window_max}});
    const auto verdict = retransmits_.on_nak(now, position, static_cast<std::int32_t>(length));
    if (verdict == RetransmitHandler::Verdict::kOverflow) {
        system_[SystemCounter::kRetransmitOverflow].increment_relaxed();
    }
}

void NetworkPublication::on_rtt_measurement(
    const wire::RttMeasurement& request, const port::Endpoint& source, TransmitBatch& batch) {
    if ((request.flags & wire::flag::kReply) == 0 || batch.full()) {
        return;
    }
    wire::RttMeasurement reply = request;
    reply.flags = 0;
    reply.reception_delta = 0;
    wire::write_rtt_measurement(
        batch.add_control(wire::kRttMeasurementLength, options_.binding, source), reply);
}

bool NetworkPublication::on_error(const wire::ErrorFrame& error) {
    const bool was_live = receivers_.remove(error.receiver_id);
    if (group_) {
        group_->remove(error.receiver_id);
    }
    show_receivers();
    if (was_live && receivers_.empty()) {
        update_connected();
    }
    return was_live;
}

}  // namespace fulmar::transport

// Sender agent: what goes out, and when.
#include <algorithm>

#include "base/plant.h"
#include "base/position.h"
#include "term/scan.h"
#include "transport/network_publication.h"

namespace fulmar::transport {

using layout::SystemCounter;

namespace {
/// Retransmitted packets per duty cycle, so that repair does not starve new data.
constexpr int kRetransmitsPerPass = 16;
/// Followed behind spies per duty cycle, at least one frame of any length: what costs is a header each.
constexpr std::int32_t kSpiedBytesMax = 64 * 1024;
constexpr Duration kReceiverExpiryInterval = milliseconds(100);
}  // namespace

void NetworkPublication::poll_transmit(Instant now, TransmitBatch& batch) {
    if (options_.spies_simulate_connection) {
        follow_spies();
    }
    if (!has_initial_connection_ || setup_elicited_) {
        add_setup(now, batch);
    }
    if (!retransmits_.idle()) {
        add_retransmits(now, batch);
    }
    add_data(now, batch);
    if (batch.empty()) {
        add_heartbeat(now, batch);
    }
    if (now >= next_expiry_check_) {
        expire_receivers(now);
    }
}

void NetworkPublication::add_setup(Instant now, TransmitBatch& batch) {
    if (setup_sent_ && now - last_setup_ < options_.setup_interval) {
        return;
    }
    if (options_.is_response && !destination_.valid()) {
        return;  // Nobody has asked yet; without a setup there are no receivers, and nothing else to send.
    }
    wire::Setup setup;
    setup.flags = options_.group ? wire::flag::kGroup : std::uint8_t{0};
    setup.flags |= options_.requests_response ? wire::flag::kSendResponse : std::uint8_t{0};
    setup.session_id = options_.session_id;
    setup.stream_id = options_.stream_id;
    setup.initial_term_id = options_.initial_term_id;
    setup.active_term_id = base::compute_term_id(sender_position_, log_.shift(), options_.initial_term_id);
    setup.term_offset = base::compute_term_offset(sender_position_, log_.term_length());
    setup.term_length = log_.term_length();
    setup.mtu = options_.mtu;
    setup.ttl = options_.ttl;
    wire::write_setup(batch.add_control(wire::kSetupLength, options_.binding, destination_), setup);
    setup_sent_ = true;
    last_setup_ = now;
    if (!receivers_.empty()) {
        setup_elicited_ = false;
    }
}

/// Where nobody receives, the stream is as far as its furthest spy. A spy's position lies in shared memory:
/// only whole committed frames up to it are passed, so that whoever receives next finds a frame here.
void NetworkPublication::follow_spies() {
    // SYNC(publication.spied): acquire; pairs with the conductor's release after it read the positions.
    const std::int64_t spied = spied_position_.load(std::memory_order_acquire);
    if (spied > sender_position_ && receivers_.empty()) {
        const auto limit =
            static_cast<std::int32_t>(std::min<std::int64_t>(spied - sender_position_, kSpiedBytesMax));
        const std::byte* term = log_.term(base::partition_of_position(sender_position_, log_.shift()));
        const term::Scan scan = term::scan_for_availability(
            term, base::compute_term_offset(sender_position_, log_.term_length()), limit, log_.term_length());
        if (scan.bytes > 0) {
            sender_position_ += scan.bytes + scan.padding;
            sender_limit_ = std::max(sender_limit_, sender_position_);
            counters_.sender_position.set_release(sender_position_);
            counters_.sender_limit.set_release(sender_limit_);
            // Setups from here on, no heartbeats: a receiver that was cut off meanwhile and is too far behind
            // to be repaired must fall silent and join anew.
            has_initial_connection_ = false;
        }
    }
    update_connected();
}

void NetworkPublication::add_data(Instant now, TransmitBatch& batch) {
    std::int64_t position = sender_position_;
    const std::size_t last = batch.size() + std::min(options_.packets_per_send, batch.room());
    bool at_window_end = false;
    while (batch.size() < last) {
        const std::int64_t window =
            FULMAR_PLANTED(kWindowUnbounded) ? options_.mtu : sender_limit_ - position;
        if (window <= 0) {
            at_window_end = log_.producer_position() > position;
            break;
        }
        const std::int32_t offset = base::compute_term_offset(position, log_.term_length());
        const auto limit = static_cast<std::int32_t>(std::min<std::int64_t>(window, options_.mtu));
        const std::byte* term = log_.term(base::partition_of_position(position, log_.shift()));
        const term::Scan scan = term::scan_for_availability(term, offset, limit, log_.term_length());
        if (scan.bytes <= 0) {
            at_window_end = scan.blocked;
            break;
        }
        const std::int32_t advance = scan.bytes + scan.padding;
        batch.add(term + offset, scan.bytes, options_.binding, destination_,
            {position, advance, TransmitBatch::Kind::kData});
        position += advance;
    }
    if (position != sender_position_) {
        flow_limited_ = false;
        restart_heartbeats(now);
    } else if (!flow_limited_ && has_initial_connection_ && at_window_end) {
        flow_limited_ = true;
        counters_.sender_back_pressure.increment_relaxed();
        system_[SystemCounter::kSenderFlowControlLimits].increment_relaxed();
    }
}

void NetworkPublication::restart_heartbeats(Instant now) {
    heartbeat_delay_ = options_.tail_probe_delay;
    next_heartbeat_ = now + heartbeat_delay_;
}

void NetworkPublication::add_heartbeat(Instant now, TransmitBatch& batch) {
    if (!has_initial_connection_) {
        return;
    }
    // SYNC(publication.eos): acquire; pairs with the conductor's release when the stream is drained.
    const bool eos = end_of_stream_.load(std::memory_order_acquire);
    const bool announce_eos = eos && options_.signal_eos;
    if (now < next_heartbeat_ && !(announce_eos && !eos_announced_)) {
        return;
    }
    wire::DataHeader header;
    header.flags = wire::flag::kUnfragmented;
    if (announce_eos) {
        header.flags |= wire::flag::kEndOfStream;
        if (revoked_.load(std::memory_order_relaxed)) {  // relaxed: set before the release of end_of_stream_
            header.flags |= wire::flag::kRevoked;
        }
        eos_announced_ = true;
    }
    header.type = wire::FrameType::kData;
    header.session_id = options_.session_id;
    header.stream_id = options_.stream_id;
    header.term_id = base::compute_term_id(sender_position_, log_.shift(), options_.initial_term_id);
    header.term_offset = base::compute_term_offset(sender_position_, log_.term_length());
    wire::write_data_header(batch.add_control(wire::kDataHeaderLength, options_.binding, destination_,
                                {sender_position_, 0, TransmitBatch::Kind::kHeartbeat}),
        header);
    heartbeat_delay_ = std::min(heartbeat_delay_ * 2, options_.heartbeat_interval);
    next_heartbeat_ = now + heartbeat_delay_;
}

/// Whoever let us come this far had consumed everything up to half a term before. Beyond its limit there is
/// nothing but padding, which travels as a header.
std::int64_t NetworkPublication::oldest_unconsumed() const {
    return std::min(sender_position_, sender_limit_) - log_.term_length() / 2;
}

std::int64_t NetworkPublication::retransmit_floor() const {
    // What is older than a term may be under the cleaner already.
    return std::max(oldest_unconsumed(), sender_position_ - log_.term_length());
}

/// A NAK comes from the network: it may point into a frame, where payload would be taken for headers.
bool NetworkPublication::is_frame_at(const std::byte* frame, std::int64_t position) const {
    return base::load_le<std::int32_t>(frame, wire::field::kTermOffset) ==
               base::compute_term_offset(position, log_.term_length()) &&
           base::load_le<std::int32_t>(frame, wire::field::kTermId) ==
               base::compute_term_id(position, log_.shift(), options_.initial_term_id) &&
           base::load_le<std::int32_t>(frame, wire::field::kSessionId) == options_.session_id &&
           base::load_le<std::int32_t>(frame, wire::field::kStreamId) == options_.stream_id;
}

void NetworkPublication::add_retransmits(Instant now, TransmitBatch& batch) {
    for (int packets = 0; packets < kRetransmitsPerPass && !batch.full(); ++packets) {
        RetransmitHandler::Range* range = retransmits_.due(now);
        if (range == nullptr) {
            return;
        }
        const std::int32_t offset = base::compute_term_offset(range->next, log_.term_length());
        const std::byte* term = log_.term(base::partition_of_position(range->next, log_.shift()));
        const bool is_there = range->next >= retransmit_floor() && is_frame_at(term + offset, range->next);
        if (!is_there && !FULMAR_PLANTED(kRetransmitTrustsNak)) {
            retransmits_.drop(*range);
            continue;
        }
        // A NAK may end inside a frame; the frame is sent whole, but never beyond what was sent before.
        const auto limit =
            static_cast<std::int32_t>(std::min<std::int64_t>(sender_position_ - range->next, options_.mtu));
        const auto wanted =
            FULMAR_PLANTED(kRetransmitBeyondSent)
                ? options_.mtu
                : static_cast<std::int32_t>(std::min<std::int64_t>(range->end - range->next, limit));
        term::Scan scan = term::scan_for_availability(term, offset, wanted, log_.term_length());
        if (scan.bytes <= 0) {
            scan = term::scan_for_availability(term, offset, limit, log_.term_length());
        }
        if (scan.bytes <= 0) {
            retransmits_.drop(*range);
            continue;
        }
        batch.add(term + offset, scan.bytes, options_.binding, destination_,
            {range->next, scan.bytes + scan.padding, TransmitBatch::Kind::kRetransmit});
        range->next += scan.bytes + scan.padding;
        if (range->next >= range->end) {
            retransmits_.sent(*range, now);
        }
    }
}

void NetworkPublication::on_transmitted(Instant now, const TransmitBatch& batch, std::size_t taken) {
    std::int64_t position = sender_position_;
    for (std::size_t i = 0; i < batch.size(); ++i) {
        const TransmitBatch::Note& note = batch.note(i);
        const bool gone = i < taken || FULMAR_PLANTED(kUnsentRestForgotten);
        switch (note.kind) {
            case TransmitBatch::Kind::kData: position = gone ? note.position + note.advance : position; break;
            case TransmitBatch::Kind::kHeartbeat:
                if (gone) {
                    system_[SystemCounter::kHeartbeatsSent].increment_relaxed();
                } else {
                    next_heartbeat_ = now;
                    eos_announced_ = false;
                }
                break;
            case TransmitBatch::Kind::kRetransmit:
                if (gone) {
                    system_[SystemCounter::kRetransmitsSent].increment_relaxed();
                    system_[SystemCounter::kRetransmittedBytes].increment_relaxed(
                        static_cast<std::int64_t>(batch.packets()[i].length));
                } else {
                    retransmits_.untake(note.position);
                }
                break;
            case TransmitBatch::Kind::kControl:
                setup_sent_ = gone;
                setup_elicited_ = setup_elicited_ || !gone;
                break;
        }
    }
    if (position != sender_position_) {
        sender_position_ = position;
        counters_.sender_position.set_release(position);
    }
}

void NetworkPublication::expire_receivers(Instant now) {
    next_expiry_check_ = now + kReceiverExpiryInterval;
    receivers_.expire(now, options_.connection_timeout);
    if (group_) {
        set_sender_limit(group_->on_idle(now, sender_limit_));
    }
    retransmits_.on_timer(now);
    show_receivers();
    update_connected();
}

}  // namespace fulmar::transport

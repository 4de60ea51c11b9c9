#include "tests/sim/wire_monitor.h"

#include <algorithm>
#include <string>

#include "base/position.h"

namespace fulmar::sim {

namespace {

struct Extent {
    std::int64_t stream_bytes = 0;  ///< how far the datagram moves the stream
    std::int64_t wire_bytes = 0;    ///< what of it travels
};

/// Walks the frames of a datagram we sent ourselves.
Extent extent_of(std::span<const std::byte> bytes, std::int32_t frame_length) {
    Extent extent;
    std::size_t at = 0;
    while (at + wire::kDataHeaderLength <= bytes.size() && frame_length > 0) {
        const std::byte* frame = bytes.data() + at;
        frame_length = base::load_le<std::int32_t>(frame, wire::field::kFrameLength);
        const std::int32_t aligned = wire::align_frame(frame_length);
        extent.stream_bytes += aligned;
        if (wire::is_padding(frame)) {
            extent.wire_bytes += wire::kDataHeaderLength;
            break;
        }
        extent.wire_bytes += aligned;
        at += static_cast<std::size_t>(aligned);
    }
    return extent;
}

}  // namespace

WireMonitor::Watched& WireMonitor::watched(const Stream& stream) {
    if (stream.id >= watched_.size()) {
        watched_.resize(stream.id + 1);
    }
    return watched_[stream.id];
}

std::int64_t WireMonitor::position(const Stream& stream, std::int32_t term_id, std::int32_t term_offset) {
    return base::compute_position(
        term_id, term_offset, base::term_length_shift(stream.term_length), stream.initial_term_id);
}

void WireMonitor::on_sent(int host, const port::Endpoint& /*source*/, const port::Endpoint& /*to*/,
    std::span<const std::byte> bytes) {
    if (bytes.size() < wire::kFrameHeaderLength) {
        verdict_.fail("a runt was sent by node " + std::to_string(host));
        return;
    }
    const auto find = [&](std::int32_t session_id, std::int32_t stream_id) {
        const Stream* stream = ledger_.find(session_id, stream_id);
        return stream;
    };
    switch (wire::read_frame_header(bytes.data()).type) {
        case wire::FrameType::kData:
        case wire::FrameType::kPad: {
            const wire::DataHeader header = wire::read_data_header(bytes.data());
            const Stream* stream = find(header.session_id, header.stream_id);
            if (header.frame_length == 0) {
                ++counts_[(header.flags & wire::flag::kEndOfStream) != 0 ? Count::eos : Count::heartbeat];
                if (stream != nullptr) {
                    on_heartbeat_sent(host, *stream, header);
                }
            } else if (stream != nullptr) {
                on_data_sent(*stream, bytes);
            }
            break;
        }
        case wire::FrameType::kSetup: {
            ++counts_[Count::setup];
            const wire::Setup setup = wire::read_setup(bytes.data());
            if (const Stream* stream = find(setup.session_id, setup.stream_id)) {
                on_setup_sent(*stream, setup);
            }
            break;
        }
        case wire::FrameType::kStatusMessage: {
            const wire::StatusMessage message = wire::read_status_message(bytes.data());
            const bool elicits = (message.flags & wire::flag::kSendSetup) != 0;
            ++counts_[elicits ? Count::setup_elicited : Count::status_message];
            const Stream* stream = find(message.session_id, message.stream_id);
            if (stream != nullptr && !elicits) {
                on_status_message_sent(host, *stream, message);
            }
            break;
        }
        case wire::FrameType::kNak: {
            ++counts_[Count::nak];
            const wire::Nak nak = wire::read_nak(bytes.data());
            if (const Stream* stream = find(nak.session_id, nak.stream_id)) {
                on_nak_sent(host, *stream, nak);
            }
            break;
        }
        default: break;
    }
}

void WireMonitor::on_data_sent(const Stream& stream, std::span<const std::byte> bytes) {
    const wire::DataHeader header = wire::read_data_header(bytes.data());
    const Extent extent = extent_of(bytes, header.frame_length);
    const std::int64_t begin = position(stream, header.term_id, header.term_offset);
    const std::int64_t end = begin + extent.stream_bytes;
    Watched& state = watched(stream);
    const auto text = [&] {
        return "[" + std::to_string(begin) + ", " + std::to_string(end) + "), sent " +
               std::to_string(state.sent) + ", limit " + std::to_string(state.limit) + ", " + stream.name();
    };
    if (bytes.size() > static_cast<std::size_t>(stream.mtu)) {
        verdict_.fail("a packet is longer than the MTU: " + text());
    }
    if (begin < state.sent) {
        ++counts_[Count::retransmit];
        if (end > state.sent) {
            verdict_.fail("a retransmit runs beyond what was sent: " + text());
        }
        if (begin < state.sent - stream.term_length / 8 * rules_.retransmit_floor_terms_x8) {
            verdict_.fail("a retransmit reaches into what may be cleaned: " + text());
        }
        return;
    }
    if (begin > state.sent) {
        verdict_.fail("the sender left something out: " + text());
    }
    if (begin + extent.wire_bytes > state.limit) {
        verdict_.fail("the sender went past its receiver's limit: " + text());
    }
    counts_[Count::wrap] += begin / stream.term_length != end / stream.term_length ? 1 : 0;
    counts_[Count::padding] += extent.stream_bytes != extent.wire_bytes ? 1 : 0;
    state.sent = end;
}

void WireMonitor::on_heartbeat_sent(int host, const Stream& stream, const wire::DataHeader& header) {
    Watched& state = watched(stream);
    const std::int64_t at = position(stream, header.term_id, header.term_offset);
    if (at != state.sent) {
        verdict_.fail("a heartbeat names a position other than the sender's: " + std::to_string(at) +
                      ", sent " + std::to_string(state.sent) + ", " + stream.name());
    }
    if ((header.flags & wire::flag::kEndOfStream) == 0 || stream.is_revoked) {
        return;
    }
    if (stream.handles > 0 && !stream.is_over) {
        verdict_.fail("the end of a stream was announced while it is open: " + stream.name());
    }
    // A stream whose receivers are gone may end where it stands.
    const bool heard = state.heard.ns >= 0 && time_.now - state.heard < rules_.connection_timeout / 2;
    if (!heard || arrivals_.was_disturbed(host)) {
        return;
    }
    for (auto entry = stream.entries.rbegin(); entry != stream.entries.rend() && entry->end > at; ++entry) {
        if (entry->fate == Fate::kMust) {
            verdict_.fail("the end of a stream was announced before all of it was sent: at " +
                          std::to_string(at) + " of " + std::to_string(entry->end) + ", " + stream.name());
            return;
        }
    }
}

void WireMonitor::on_setup_sent(const Stream& stream, const wire::Setup& setup) {
    const std::int64_t at = position(stream, setup.active_term_id, setup.term_offset);
    const Watched& state = watched(stream);
    if (at != state.sent) {
        verdict_.fail("a setup names a position other than the sender's: " + std::to_string(at) + ", sent " +
                      std::to_string(state.sent) + ", " + stream.name());
    }
}

void WireMonitor::on_status_message_sent(int host, const Stream& stream, const wire::StatusMessage& message) {
    Hearing& hearing = watched(stream).hearings[host];
    const std::int64_t at = position(stream, message.consumption_term_id, message.consumption_term_offset);
    if (message.receiver_window < 0 || message.receiver_window > stream.term_length / 2) {
        verdict_.fail("a receiver invites more than half a term: " + std::to_string(message.receiver_window) +
                      ", " + stream.name());
    }
    if (at > hearing.highest) {
        verdict_.fail("a receiver says it consumed what never arrived: " + std::to_string(at) + " of " +
                      std::to_string(hearing.highest) + ", " + stream.name());
    }
    if (at < hearing.consumed) {
        verdict_.fail("a receiver takes back what it consumed: " + std::to_string(at) + " after " +
                      std::to_string(hearing.consumed) + ", " + stream.name());
    }
    hearing.consumed = at;
}

void WireMonitor::on_nak_sent(int host, const Stream& stream, const wire::Nak& nak) {
    Hearing& hearing = watched(stream).hearings[host];
    const std::int64_t begin = position(stream, nak.term_id, nak.term_offset);
    const auto text = [&] {
        return "[" + std::to_string(begin) + ", " + std::to_string(begin + nak.length) + "), highest " +
               std::to_string(hearing.highest) + ", " + stream.name();
    };
    if (nak.length <= 0 || begin + nak.length > hearing.highest || begin < hearing.consumed) {
        verdict_.fail("a NAK asks for what is not missing: " + text());
    }
    // Clocks of nodes drift a little against the world's.
    const Duration soonest = rules_.nak_retry - rules_.nak_retry / 100;
    for (SentNak& sent : hearing.naks) {
        if (sent.begin == begin) {
            if (time_.now - sent.at < soonest) {
                verdict_.fail("a NAK was repeated too soon: " + text());
            }
            sent.at = time_.now;
            return;
        }
    }
    hearing.naks[hearing.next_nak] = {begin, time_.now};
    hearing.next_nak = (hearing.next_nak + 1) % kNaksRemembered;
}

void WireMonitor::on_arrived(int host, port::PacketQueue& queue, std::span<const std::byte> bytes) {
    arrivals_.on_arrival(host, queue);
    if (wire::check_datagram(bytes) != wire::FrameFault::kNone) {
        return;
    }
    switch (wire::read_frame_header(bytes.data()).type) {
        case wire::FrameType::kData:
        case wire::FrameType::kPad: {
            const wire::DataHeader header = wire::read_data_header(bytes.data());
            if (const Stream* stream = ledger_.find(header.session_id, header.stream_id)) {
                const std::int64_t end = position(*stream, header.term_id, header.term_offset) +
                                         extent_of(bytes, header.frame_length).stream_bytes;
                Hearing& hearing = watched(*stream).hearings[host];
                hearing.highest = std::max(hearing.highest, end);
            }
            break;
        }
        case wire::FrameType::kSetup: {
            const wire::Setup setup = wire::read_setup(bytes.data());
            if (const Stream* stream = ledger_.find(setup.session_id, setup.stream_id)) {
                // An image may begin here: its position counts as consumed, and it may ask anew.
                Hearing& hearing = watched(*stream).hearings[host];
                hearing.highest =
                    std::max(hearing.highest, position(*stream, setup.active_term_id, setup.term_offset));
                hearing.naks.fill({});
            }
            break;
        }
        case wire::FrameType::kStatusMessage: {
            const wire::StatusMessage message = wire::read_status_message(bytes.data());
            const Stream* stream = ledger_.find(message.session_id, message.stream_id);
            if (stream == nullptr || (message.flags & wire::flag::kSendSetup) != 0) {
                break;
            }
            Watched& state = watched(*stream);
            if ((message.flags & wire::flag::kSmEndOfStream) != 0) {
                state.heard = Instant{-1};
                break;
            }
            state.heard = time_.now;
            state.limit = std::max(
                state.limit, position(*stream, message.consumption_term_id, message.consumption_term_offset) +
                                 message.receiver_window);
            break;
        }
        default: break;
    }
}

}  // namespace fulmar::sim

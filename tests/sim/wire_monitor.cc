#include "tests/sim/wire_monitor.h"

#include <algorithm>
#include <string>

#include "base/position.h"

namespace fulmar::sim {

namespace {

/// Until an agent that is not kept from running has surely read what is in its queue.
constexpr Duration kHeardAfter = milliseconds(4);

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

/// Words as they lie in the frame: for a reader with the protocol beside him.
std::string describe_packet(int host, const char* what, std::span<const std::byte> bytes) {
    const wire::FrameHeader frame = wire::read_frame_header(bytes.data());
    std::string text = "node " + std::to_string(host) + " " + what + " type " +
                       std::to_string(static_cast<int>(frame.type)) + " flags " + std::to_string(frame.flags);
    const auto word = [&](std::size_t at) {
        return at + sizeof(std::int32_t) <= bytes.size() ? base::load_le<std::int32_t>(bytes.data(), at) : 0;
    };
    for (std::size_t at = wire::kFrameHeaderLength; at < wire::kDataHeaderLength;
         at += sizeof(std::int32_t)) {
        text += " " + std::to_string(word(at));
    }
    return text + " frame " + std::to_string(frame.frame_length) + " of " + std::to_string(bytes.size());
}

}  // namespace

WireMonitor::Watched* WireMonitor::find(std::int32_t session_id, std::int32_t stream_id) {
    const auto found = watched_.find({session_id, stream_id});
    if (found == watched_.end()) {
        return nullptr;
    }
    if (found->second.stream == nullptr) {
        found->second.stream = ledger_.find(session_id, stream_id);
    }
    return &found->second;
}

std::int64_t WireMonitor::position(const Watched& state, std::int32_t term_id, std::int32_t term_offset) {
    return base::compute_position(
        term_id, term_offset, base::term_length_shift(state.term_length), state.initial_term_id);
}

std::string WireMonitor::name(const Watched& state, std::int32_t session_id) {
    return state.stream != nullptr ? state.stream->name() : "session " + std::to_string(session_id);
}

void WireMonitor::on_sent(
    int host, const port::Endpoint& source, const port::Endpoint& to, std::span<const std::byte> bytes) {
    if (wire::check_datagram(bytes) != wire::FrameFault::kNone) {
        verdict_.fail("node " + std::to_string(host) + " sent what is no frame, " +
                      std::to_string(bytes.size()) + " bytes");
        return;
    }
    if (verdict_.verbose()) {
        verdict_.note(describe_packet(host, "sends", bytes));
    }
    switch (wire::read_frame_header(bytes.data()).type) {
        case wire::FrameType::kData:
        case wire::FrameType::kPad: {
            const wire::DataHeader header = wire::read_data_header(bytes.data());
            Watched* state = find(header.session_id, header.stream_id);
            if (header.frame_length == 0) {
                ++counts_[(header.flags & wire::flag::kEndOfStream) != 0 ? Count::eos : Count::heartbeat];
            }
            if (state == nullptr) {
                verdict_.fail("node " + std::to_string(host) + " sent data of a session before its setup");
            } else if (header.frame_length == 0) {
                check_destination(host, *state, to);
                on_heartbeat_sent(host, *state, header);
            } else {
                check_destination(host, *state, to);
                on_data_sent(host, *state, bytes);
            }
            break;
        }
        case wire::FrameType::kSetup: {
            ++counts_[Count::setup];
            on_setup_sent(host, wire::read_setup(bytes.data()));
            break;
        }
        case wire::FrameType::kStatusMessage: {
            const wire::StatusMessage message = wire::read_status_message(bytes.data());
            const bool elicits = (message.flags & wire::flag::kSendSetup) != 0;
            ++counts_[elicits ? Count::setup_elicited : Count::status_message];
            Watched* state = find(message.session_id, message.stream_id);
            if (state != nullptr && !elicits) {
                on_status_message_sent(host, *state, message);
            }
            break;
        }
        case wire::FrameType::kNak: {
            ++counts_[Count::nak];
            const wire::Nak nak = wire::read_nak(bytes.data());
            if (Watched* state = find(nak.session_id, nak.stream_id)) {
                on_nak_sent(host, source.port, *state, nak);
            }
            break;
        }
        default: break;
    }
}

/// A receiver counts as long as the sender must know of it, and as far as the sender heeds it.
bool WireMonitor::has_receiver(const Watched& state, std::int64_t sent) const {
    return std::any_of(state.heard.begin(), state.heard.end(), [&](const auto& receiver) {
        return time_.now - receiver.second.at < rules_.connection_timeout / 2 &&
               receiver.second.position >= sent - state.term_length / 2;
    });
}

bool WireMonitor::may_leave_out(
    int host, const Watched& state, std::int32_t stream_id, std::int64_t position) const {
    return rules_.simulated_streams.count(stream_id) != 0 &&
           (!has_receiver(state, position) || arrivals_.was_disturbed(host) ||
               time_.now - state.heard_since < rules_.connection_timeout / 2);
}

/// Some of several destinations have got what counts as sent when all of them have.
bool WireMonitor::is_between_copies(
    const Watched& state, std::int32_t stream_id, std::int64_t position) const {
    return rules_.casts.count(stream_id) != 0 && position == state.last_begin;
}

void WireMonitor::follow_spies(int host, Watched& state, std::int32_t stream_id, std::int64_t position) {
    if (position > state.sent && may_leave_out(host, state, stream_id, position)) {
        state.sent = position;
        state.limit = std::max(state.limit, position);
    }
}

/// What a publisher was told is removed gets nothing more.
void WireMonitor::check_destination(int host, const Watched& state, const port::Endpoint& to) {
    if (state.stream == nullptr || state.stream->removed.empty() || arrivals_.was_disturbed(host)) {
        return;
    }
    for (const auto& [destination, since] : state.stream->removed) {
        if (to == port::Endpoint{SimNet::address_of(destination.first), destination.second} &&
            time_.now - since > kHeardAfter) {
            verdict_.fail("a removed destination is still sent to: " + port::to_string(to) + ", " +
                          state.stream->name());
        }
    }
}

/// No receiver that is waited for may be left behind. One that is behind when it is first heard may be.
void WireMonitor::check_group(int host, Watched& state, std::int32_t stream_id, std::int64_t end) {
    const auto cast = rules_.casts.find(stream_id);
    if (cast == rules_.casts.end() || !cast->second) {
        return;
    }
    const Duration surely_alive = cast->second->receiver_timeout * 3 / 4;
    for (auto& [receiver_id, receiver] : state.heard) {
        const bool is_known = time_.now - receiver.since > kHeardAfter && !arrivals_.was_disturbed(host);
        if (!receiver.is_member) {
            receiver.is_member = is_known && receiver.limit >= state.sent && receiver.limit > 0;
            receiver.granted = state.limit;
        } else if (time_.now - receiver.at < surely_alive &&
                   end > std::max(receiver.limit, receiver.granted)) {
            verdict_.fail("a receiver of a group is left behind: sent up to " + std::to_string(end) +
                          ", it invited up to " + std::to_string(receiver.limit) + ", " +
                          name(state, state.stream == nullptr ? 0 : state.stream->session_id));
        } else {
            counts_[Count::group_held_back] += end < state.limit ? 1 : 0;
        }
    }
}

void WireMonitor::hear(Watched& state, const wire::StatusMessage& message, std::int64_t at) {
    const auto cast = rules_.casts.find(message.stream_id);
    const auto [found, is_new] = state.heard.try_emplace(message.receiver_id);
    Heard& receiver = found->second;
    receiver.position = at;
    receiver.limit = std::max(receiver.limit, at + message.receiver_window);
    if (cast != rules_.casts.end() && cast->second) {
        const GroupRule& rule = *cast->second;
        const bool has_tag = !rule.tag || (message.has_group_tag && message.group_tag == *rule.tag);
        if (is_new || !has_tag || time_.now - receiver.at >= rule.receiver_timeout * 3 / 4) {
            receiver.is_member = false;
            receiver.since = has_tag ? time_.now : Instant::never();
        }
    }
    receiver.at = time_.now;
    state.limit = std::max(state.limit, at + message.receiver_window);
}

void WireMonitor::on_data_sent(int host, Watched& state, std::span<const std::byte> bytes) {
    const wire::DataHeader header = wire::read_data_header(bytes.data());
    const Extent extent = extent_of(bytes, header.frame_length);
    const std::int64_t begin = position(state, header.term_id, header.term_offset);
    const std::int64_t end = begin + extent.stream_bytes;
    // A retransmit may reach into what only spies have seen so far.
    const bool is_old = begin < state.sent || begin + extent.wire_bytes > state.limit;
    follow_spies(host, state, header.stream_id, is_old ? end : begin);
    const auto text = [&] {
        return "[" + std::to_string(begin) + ", " + std::to_string(end) + "), sent " +
               std::to_string(state.sent) + ", limit " + std::to_string(state.limit) + ", " +
               name(state, header.session_id);
    };
    if (bytes.size() > static_cast<std::size_t>(state.mtu)) {
        verdict_.fail("a packet is longer than the MTU: " + text());
    }
    if (end > state.sent && is_between_copies(state, header.stream_id, begin)) {
        state.sent = begin;  // and once more, now that there is more of it
    }
    if (begin < state.sent) {
        ++counts_[Count::retransmit];
        if (end > state.sent) {
            verdict_.fail("a retransmit runs beyond what was sent: " + text());
        }
        if (begin < state.sent - state.term_length) {
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
    check_group(host, state, header.stream_id, begin + extent.wire_bytes);
    counts_[Count::wrap] += begin / state.term_length != end / state.term_length ? 1 : 0;
    counts_[Count::padding] += extent.stream_bytes != extent.wire_bytes ? 1 : 0;
    state.last_begin = begin;
    state.sent = end;
}

void WireMonitor::on_heartbeat_sent(int host, Watched& state, const wire::DataHeader& header) {
    const std::int64_t at = position(state, header.term_id, header.term_offset);
    follow_spies(host, state, header.stream_id, at);
    if (at != state.sent && !is_between_copies(state, header.stream_id, at)) {
        verdict_.fail("a heartbeat names a position other than the sender's: " + std::to_string(at) +
                      ", sent " + std::to_string(state.sent) + ", " + name(state, header.session_id));
    }
    // What is said once is repeated, whoever comes back to hear it.
    const bool ends = (header.flags & wire::flag::kEndOfStream) != 0 && !state.has_ended;
    state.has_ended = state.has_ended || ends;
    if (!ends || state.stream == nullptr || state.stream->is_revoked || arrivals_.was_disturbed(host)) {
        return;
    }
    const Stream& stream = *state.stream;
    if (stream.handles > 0 && !stream.is_over) {
        verdict_.fail("the end of a stream was announced while it is open: " + stream.name());
    }
    // A stream whose receivers are gone may end where it stands.
    if (!has_receiver(state, at) || stream.is_of_group) {
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

void WireMonitor::on_setup_sent(int host, const wire::Setup& setup) {
    const auto [found, is_new] = watched_.try_emplace({setup.session_id, setup.stream_id});
    Watched& state = found->second;
    if (is_new) {
        state.initial_term_id = setup.initial_term_id;
        state.term_length = setup.term_length;
        state.mtu = setup.mtu;
        state.sent = position(state, setup.active_term_id, setup.term_offset);
        state.last_begin = state.sent;
        state.limit = state.sent;
    }
    const std::int64_t at = position(state, setup.active_term_id, setup.term_offset);
    follow_spies(host, state, setup.stream_id, at);
    if (at != state.sent && !is_between_copies(state, setup.stream_id, at)) {
        verdict_.fail("a setup names a position other than the sender's: " + std::to_string(at) + ", sent " +
                      std::to_string(state.sent) + ", " + name(state, setup.session_id));
    }
}

void WireMonitor::on_status_message_sent(int host, Watched& state, const wire::StatusMessage& message) {
    Hearing& hearing = state.hearings[host];
    const std::int64_t at = position(state, message.consumption_term_id, message.consumption_term_offset);
    const auto fail = [&](const std::string& what) {
        verdict_.fail(what + ", " + name(state, message.session_id));
    };
    if (message.receiver_window < 0 || message.receiver_window > state.term_length / 2) {
        fail("a receiver invites more than half a term: " + std::to_string(message.receiver_window));
    }
    if (at > hearing.highest) {
        fail("a receiver says it consumed what never arrived: " + std::to_string(at) + " of " +
             std::to_string(hearing.highest));
    }
    const auto known = hearing.consumed_by.try_emplace(message.receiver_id, at).first;
    if (at < known->second) {
        fail("a receiver takes back what it consumed: " + std::to_string(at) + " after " +
             std::to_string(known->second));
    }
    known->second = at;
    hearing.consumed = at;
    for (const auto& [receiver_id, consumed] : hearing.consumed_by) {
        hearing.consumed = std::min(hearing.consumed, consumed);
    }
}

void WireMonitor::on_nak_sent(int host, std::uint16_t from, Watched& state, const wire::Nak& nak) {
    Hearing& hearing = state.hearings[host];
    const std::int64_t begin = position(state, nak.term_id, nak.term_offset);
    const auto text = [&] {
        return "[" + std::to_string(begin) + ", " + std::to_string(begin + nak.length) + "), highest " +
               std::to_string(hearing.highest) + ", " + name(state, nak.session_id);
    };
    if (nak.length <= 0 || begin + nak.length > hearing.highest || begin < hearing.consumed) {
        verdict_.fail("a NAK asks for what is not missing: " + text());
    }
    // Clocks of nodes drift a little against the world's.
    const Duration soonest = rules_.nak_retry - rules_.nak_retry / 100;
    for (SentNak& sent : hearing.naks) {
        if (sent.begin == begin && sent.from == from) {
            if (time_.now - sent.at < soonest) {
                verdict_.fail("a NAK was repeated too soon: " + text());
            }
            sent.at = time_.now;
            return;
        }
    }
    hearing.naks[hearing.next_nak] = {begin, from, time_.now};
    hearing.next_nak = (hearing.next_nak + 1) % kNaksRemembered;
}

void WireMonitor::on_arrived(int host, port::PacketQueue& queue, std::span<const std::byte> bytes) {
    arrivals_.on_arrival(host, queue);
    if (wire::check_datagram(bytes) != wire::FrameFault::kNone) {
        return;
    }
    if (verdict_.verbose()) {
        verdict_.note(describe_packet(host, "gets", bytes));
    }
    switch (wire::read_frame_header(bytes.data()).type) {
        case wire::FrameType::kData:
        case wire::FrameType::kPad: {
            const wire::DataHeader header = wire::read_data_header(bytes.data());
            if (Watched* state = find(header.session_id, header.stream_id)) {
                const std::int64_t end = position(*state, header.term_id, header.term_offset) +
                                         extent_of(bytes, header.frame_length).stream_bytes;
                Hearing& hearing = state->hearings[host];
                hearing.highest = std::max(hearing.highest, end);
            }
            break;
        }
        case wire::FrameType::kSetup: {
            const wire::Setup setup = wire::read_setup(bytes.data());
            if (Watched* state = find(setup.session_id, setup.stream_id)) {
                // An image may begin here: its position counts as consumed, and it may ask anew.
                const std::int64_t at = position(*state, setup.active_term_id, setup.term_offset);
                Hearing& hearing = state->hearings[host];
                hearing.highest = std::max(hearing.highest, at);
                // Also from an old one, that the network held back until the last image was over.
                hearing.consumed = std::min(hearing.consumed, at);
                for (auto& [receiver_id, consumed] : hearing.consumed_by) {
                    consumed = std::min(consumed, at);
                }
                hearing.naks.fill({});
            }
            break;
        }
        case wire::FrameType::kStatusMessage: {
            const wire::StatusMessage message = wire::read_status_message(bytes.data());
            Watched* state = find(message.session_id, message.stream_id);
            // A forged one that cannot be true changes nothing.
            const bool is_possible = base::is_aligned(message.consumption_term_offset, wire::kFrameAlignment);
            if (state == nullptr || !is_possible || (message.flags & wire::flag::kSendSetup) != 0) {
                break;
            }
            if ((message.flags & wire::flag::kSmEndOfStream) != 0) {
                state->heard.erase(message.receiver_id);
                break;
            }
            const std::int64_t at =
                position(*state, message.consumption_term_id, message.consumption_term_offset);
            if (!has_receiver(*state, state->sent)) {
                state->heard_since = time_.now;
            }
            hear(*state, message, at);
            break;
        }
        case wire::FrameType::kError: {
            // A receiver that rejected the stream wants no more of it.
            const wire::ErrorFrame error = wire::read_error(bytes.data());
            if (Watched* state = find(error.session_id, error.stream_id)) {
                state->heard.erase(error.receiver_id);
            }
            break;
        }
        default: break;
    }
}

}  // namespace fulmar::sim

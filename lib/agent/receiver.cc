#include "agent/receiver.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "agent/receiver_detail.h"
#include "agent/sender.h"
#include "base/assert.h"
#include "base/position.h"
#include "transport/image.h"

namespace fulmar::agent {

using layout::SystemCounter;

namespace {
constexpr std::size_t kCommandsPerPoll = 16;
/// A session whose SETUP does not come is forgotten, so that its next data asks again.
constexpr Duration kPendingSetupTimeout = seconds(1);
constexpr Duration kPendingCheckInterval = milliseconds(100);

[[nodiscard]] bool is_interested(StreamInterest& stream, std::int32_t session_id) {
    return stream.any_session > 0 || stream.sessions.find(key_of(session_id)) != nullptr;
}

[[nodiscard]] transport::PacketOrigin origin_of(
    const ReceiveTransport& transport, const port::RxPacket& packet) {
    return {packet.binding, transport.control.valid() ? transport.control : packet.source};
}
}  // namespace

Receiver::Receiver(ReceiverContext context) : context_(std::move(context)), received_(port::kBurstMax) {}

int Receiver::poll(Instant now) {
    check_for_stall(now);
    int work = drain_commands(now);
    work += poll_queues(now);
    work += transmit(now);
    if (now >= next_pending_check_) {
        expire_pending(now);
    }
    return work;
}

/// One burst from the queue does not hold a packet of every stream, and a full queue lost some.
void Receiver::check_for_stall(Instant now) {
    const Duration silence = now - last_poll_;
    if (started_ && silence > context_.stall_threshold) {
        for (transport::Image* image : images_) {
            image->on_receiver_stall(silence);
        }
    }
    started_ = true;
    last_poll_ = now;
}

int Receiver::drain_commands(Instant now) {
    std::size_t count = 0;
    while (count < kCommandsPerPoll && context_.commands->try_pop(command_)) {
        execute(now, command_);
        ++count;
    }
    return static_cast<int>(count);
}

int Receiver::poll_queues(Instant now) {
    int work = 0;
    for (port::PacketQueue* queue : context_.queues) {
        const std::size_t count = queue->receive(now, received_);
        std::int64_t bytes = 0;
        for (std::size_t i = 0; i < count; ++i) {
            bytes += received_[i].length;
            Transport& transport = Transport::of(*received_[i].binding);
            if (transport.kind == EndpointKind::kReceive) {
                on_datagram(now, static_cast<ReceiveTransport&>(transport), received_[i]);
            } else if (context_.sender != nullptr) {
                context_.sender->on_datagram(now, send_endpoint_of(transport), received_[i]);
            }
        }
        if (count > 0) {
            queue->release({received_.data(), count});
            context_.system[SystemCounter::kBytesReceived].increment_shared(bytes);
            work += static_cast<int>(count);
        }
    }
    return work;
}

int Receiver::transmit(Instant now) {
    int work = 0;
    for (transport::Image* image : images_) {
        batch_.clear();
        image->poll_transmit(now, batch_);
        image->on_timer(now);
        if (batch_.empty()) {
            continue;
        }
        const std::size_t taken = send(now, batch_.packets());
        image->on_transmitted(batch_, taken);
        if (taken < batch_.size()) {
            context_.system[SystemCounter::kShortSends].increment_shared();
        }
        work += static_cast<int>(taken);
    }
    return work;
}

/// What an image says may leave by several ports. One that is full does not hold up the others.
std::size_t Receiver::send(Instant now, std::span<const port::TxPacket> packets) {
    std::size_t taken = 0;
    while (!packets.empty()) {
        port::PacketQueue* queue = Transport::of(*packets.front().binding).queue;
        std::size_t length = 1;
        while (length < packets.size() && Transport::of(*packets[length].binding).queue == queue) {
            ++length;
        }
        taken += queue->send(now, packets.first(length));
        packets = packets.subspan(length);
    }
    return taken;
}

void Receiver::on_datagram(Instant now, ReceiveTransport& transport, const port::RxPacket& packet) {
    const std::span<const std::byte> bytes{packet.bytes, packet.length};
    if (wire::check_datagram(bytes) != wire::FrameFault::kNone) {
        context_.system[SystemCounter::kInvalidPackets].increment_shared();
        return;
    }
    switch (wire::read_frame_header(packet.bytes).type) {
        case wire::FrameType::kData:
        case wire::FrameType::kPad: on_data(now, transport, packet); break;
        case wire::FrameType::kSetup: on_setup(now, transport, packet); break;
        case wire::FrameType::kRttMeasurement: on_rtt_measurement(now, transport, packet); break;
        default: context_.system[SystemCounter::kInvalidPackets].increment_shared(); break;
    }
}

void Receiver::on_rtt_measurement(Instant now, ReceiveTransport& transport, const port::RxPacket& packet) {
    ReceiveChannelEndpoint& endpoint = receive_endpoint_of(transport);
    const wire::RttMeasurement request = wire::read_rtt_measurement(packet.bytes);
    auto* stream = endpoint.streams.find(key_of(request.stream_id));
    auto* entry = stream == nullptr ? nullptr : (*stream)->entries.find(key_of(request.session_id));
    if (entry != nullptr && entry->image != nullptr &&
        (request.receiver_id == 0 || request.receiver_id == endpoint.receiver_id)) {
        batch_.clear();
        entry->image->on_rtt_measurement(request, origin_of(transport, packet), batch_);
        (void)send(now, batch_.packets());
    }
}

void Receiver::on_data(Instant now, ReceiveTransport& transport, const port::RxPacket& packet) {
    ReceiveChannelEndpoint& endpoint = receive_endpoint_of(transport);
    const std::int32_t stream_id = base::load_le<std::int32_t>(packet.bytes, wire::field::kStreamId);
    const std::int32_t session_id = base::load_le<std::int32_t>(packet.bytes, wire::field::kSessionId);
    auto* found = endpoint.streams.find(key_of(stream_id));
    if (found == nullptr) {
        return;
    }
    StreamInterest& stream = **found;
    if (SessionEntry* entry = stream.entries.find(key_of(session_id))) {
        if (entry->image != nullptr) {
            entry->image->on_data(
                now, origin_of(transport, packet), packet.bytes, static_cast<std::int32_t>(packet.length));
        }
        return;
    }
    const auto flags = base::load_le<std::uint8_t>(packet.bytes, wire::field::kFlags);
    const bool end_of_stream = base::load_le<std::int32_t>(packet.bytes, wire::field::kFrameLength) == 0 &&
                               (flags & wire::flag::kEndOfStream) != 0;
    if (end_of_stream || !is_interested(stream, session_id)) {
        return;
    }
    if (stream.entries.size() >= kPendingSessionsMax) {
        context_.system[SystemCounter::kInvalidPackets].increment_shared();
        return;
    }
    stream.entries.at(key_of(session_id)) = {
        nullptr, SessionState::kPendingSetup, now + kPendingSetupTimeout};
    elicit_setup(now, transport, session_id, stream_id, origin_of(transport, packet).control);
}

void Receiver::elicit_setup(Instant now, ReceiveTransport& transport, std::int32_t session_id,
    std::int32_t stream_id, const port::Endpoint& to) {
    wire::StatusMessage message;
    message.flags = wire::flag::kSendSetup;
    message.session_id = session_id;
    message.stream_id = stream_id;
    message.receiver_id = receive_endpoint_of(transport).receiver_id;
    batch_.clear();
    wire::write_status_message(
        batch_.add_control(wire::kStatusMessageLength, transport.binding.get(), to), message);
    transport.queue->send(now, batch_.packets());
    context_.system[SystemCounter::kStatusMessagesSent].increment_relaxed();
}

/// Whoever sends behind a control address learns from this who wants data, and from its repeats that it
/// still does.
void Receiver::request_setups(Instant now) {
    for (ReceiveChannelEndpoint* endpoint : endpoints_) {
        if (endpoint->streams.empty()) {
            continue;
        }
        for (ReceiveTransport* transport : endpoint->polled) {
            if (transport->asks_for_setups() && now >= transport->next_setup_request) {
                transport->next_setup_request = now + kSetupRequestInterval;
                elicit_setup(now, *transport, 0, 0, transport->control);
            }
        }
    }
}

/// One session is wanted, so that its sender need not be awaited.
void Receiver::request_setup(Instant now, const ReceiverCommand& command) {
    for (ReceiveTransport* transport : command.endpoint->polled) {
        if (transport->control.valid()) {
            elicit_setup(now, *transport, command.session_id, command.stream_id, transport->control);
        }
    }
}

void Receiver::on_setup(Instant now, ReceiveTransport& transport, const port::RxPacket& packet) {
    ReceiveChannelEndpoint& endpoint = receive_endpoint_of(transport);
    const wire::Setup setup = wire::read_setup(packet.bytes);
    const bool possible =
        setup.term_length >= wire::kTermLengthMin && setup.term_length <= wire::kTermLengthMax &&
        base::is_power_of_two(setup.term_length) && setup.term_offset >= 0 &&
        setup.term_offset < setup.term_length && base::is_aligned(setup.term_offset, wire::kFrameAlignment) &&
        setup.mtu > wire::kDataHeaderLength && setup.mtu <= wire::kMtuMax &&
        base::is_aligned(setup.mtu, wire::kFrameAlignment) &&
        base::wrapping_subtract(setup.active_term_id, setup.initial_term_id) >= 0;
    if (!possible) {
        context_.system[SystemCounter::kInvalidPackets].increment_shared();
        return;
    }
    auto* found = endpoint.streams.find(key_of(setup.stream_id));
    if (found == nullptr) {
        return;
    }
    StreamInterest& stream = **found;
    SessionEntry* entry = stream.entries.find(key_of(setup.session_id));
    if (entry == nullptr) {
        if (!is_interested(stream, setup.session_id) || stream.entries.size() >= kPendingSessionsMax) {
            return;
        }
        entry = &stream.entries.at(key_of(setup.session_id));
        entry->state = SessionState::kPendingSetup;
    }
    if (entry->image != nullptr) {
        entry->image->on_setup(now, origin_of(transport, packet));
        return;
    }
    if (entry->state != SessionState::kPendingSetup) {
        return;
    }
    if (stream.images >= context_.stream_session_limit) {
        stream.entries.erase(key_of(setup.session_id));
        return;
    }
    if (transport.is_multicast() && transport.ttl < setup.ttl) {
        // What we say may not get as far as what we hear.
        context_.system[SystemCounter::kPossibleTtlAsymmetry].increment_relaxed();
    }
    if (context_.requests->try_push({&transport, setup, packet.source})) {
        entry->state = SessionState::kInitInProgress;
        entry->deadline = Instant::never();
    } else {
        entry->deadline = now + kPendingSetupTimeout;
        context_.system[SystemCounter::kConductorProxyFails].increment_shared();
    }
}

void Receiver::expire_pending(Instant now) {
    next_pending_check_ = now + kPendingCheckInterval;
    if (controls_ > 0) {
        request_setups(now);
    }
    for (ReceiveChannelEndpoint* endpoint : endpoints_) {
        endpoint->streams.for_each([now](std::uint64_t, std::unique_ptr<StreamInterest>& stream) {
            std::vector<std::uint64_t> over;
            stream->entries.for_each([now, &over](std::uint64_t key, SessionEntry& entry) {
                if (entry.state == SessionState::kPendingSetup && entry.image == nullptr &&
                    now >= entry.deadline) {
                    over.push_back(key);
                }
            });
            for (const std::uint64_t key : over) {
                stream->entries.erase(key);
            }
        });
    }
}

}  // namespace fulmar::agent

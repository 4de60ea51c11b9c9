#include "agent/sender.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "transport/network_publication.h"

namespace fulmar::agent {

using layout::SystemCounter;

namespace {
constexpr std::size_t kCommandsPerPoll = 16;
constexpr Duration kDestinationCheckInterval = milliseconds(100);
}  // namespace

Sender::Sender(SenderContext context) : context_(std::move(context)), received_(port::kBurstMax) {
    copies_.reserve(port::kBurstMax);
}

int Sender::poll(Instant now) {
    check_for_stall(now);
    int work = drain_commands(now);
    work += transmit(now);
    work += poll_queues(now);
    if (now >= next_destination_check_) {
        check_destinations(now);
    }
    return work;
}

/// Status messages wait in the queue, behind the check of who has been silent.
void Sender::check_for_stall(Instant now) {
    const Duration silence = now - last_poll_;
    if (started_ && silence > context_.stall_threshold) {
        for (const Outgoing& outgoing : publications_) {
            outgoing.publication->on_sender_stall(silence);
        }
        for (SendChannelEndpoint* endpoint : multi_destination_) {
            endpoint->destinations->forgive(silence);
        }
    }
    started_ = true;
    last_poll_ = now;
}

int Sender::drain_commands(Instant now) {
    std::size_t count = 0;
    while (count < kCommandsPerPoll && context_.commands->try_pop(command_)) {
        execute(now, command_);
        ++count;
    }
    return static_cast<int>(count);
}

void Sender::execute(Instant now, const SenderCommand& command) {
    using Kind = SenderCommand::Kind;
    SendChannelEndpoint& endpoint = *command.endpoint;
    switch (command.kind) {
        case Kind::kAddEndpoint:
            endpoint.transport.queue->add(*endpoint.transport.binding);
            if (endpoint.destinations != nullptr) {
                multi_destination_.push_back(&endpoint);
            }
            break;
        case Kind::kRemoveEndpoint:
            endpoint.transport.queue->remove(*endpoint.transport.binding);
            std::erase(multi_destination_, &endpoint);
            // SYNC(endpoint.released): release; the conductor may free it from here on.
            endpoint.released.store(true, std::memory_order_release);
            break;
        case Kind::kAddPublication: {
            transport::NetworkPublication& publication = *command.publication;
            endpoint.publications.at(stream_key(publication.session_id(), publication.stream_id())) =
                &publication;
            publications_.push_back({&publication, &endpoint});
            break;
        }
        case Kind::kRemovePublication: {
            transport::NetworkPublication& publication = *command.publication;
            endpoint.publications.erase(stream_key(publication.session_id(), publication.stream_id()));
            std::erase_if(publications_,
                [&publication](const Outgoing& outgoing) { return outgoing.publication == &publication; });
            // SYNC(publication.released): release; the conductor may free it from here on.
            publication.released_by_sender.store(true, std::memory_order_release);
            break;
        }
        case Kind::kAddDestination:
            endpoint.destinations->add(now, command.address, command.destination_id, command.has_name);
            break;
        case Kind::kRemoveDestination: endpoint.destinations->remove(command.destination_id); break;
        case Kind::kMoveDestination:
            endpoint.destinations->move(command.destination_id, command.address);
            break;
    }
}

int Sender::transmit(Instant now) {
    const std::size_t count = publications_.size();
    if (count == 0) {
        return 0;
    }
    round_robin_ = round_robin_ + 1 < count ? round_robin_ + 1 : 0;
    int work = 0;
    for (std::size_t n = 0, i = round_robin_; n < count; ++n, i = i + 1 < count ? i + 1 : 0) {
        transport::NetworkPublication& publication = *publications_[i].publication;
        batch_.clear();
        publication.poll_transmit(now, batch_);
        if (batch_.empty()) {
            continue;
        }
        SendChannelEndpoint& endpoint = *publications_[i].endpoint;
        const std::size_t taken = endpoint.destinations == nullptr
                                      ? endpoint.transport.queue->send(now, batch_.packets())
                                      : send_to_all(now, endpoint, batch_.packets());
        publication.on_transmitted(now, batch_, taken);
        if (taken < batch_.size()) {
            context_.system[SystemCounter::kShortSends].increment_shared();
        }
        std::int64_t bytes = 0;
        for (std::size_t p = 0; p < taken; ++p) {
            bytes += batch_.packets()[p].length;
        }
        context_.system[SystemCounter::kBytesSent].increment_shared(bytes);
        work += static_cast<int>(taken);
    }
    return work;
}

/// Each packet to every destination, before the next packet. One counts as sent when its last copy was: where
/// the port had no room, some receivers get it twice. Whoever comes first changes, so that a full queue does
/// not always fail the same ones.
std::size_t Sender::send_to_all(
    Instant now, SendChannelEndpoint& endpoint, std::span<const port::TxPacket> packets) {
    const auto destinations = endpoint.destinations->all();
    if (destinations.empty()) {
        return packets.size();  // Sent to all there are.
    }
    const std::size_t first = destination_turn_++ % destinations.size();
    const std::size_t total = packets.size() * destinations.size();
    std::size_t sent = 0;
    while (sent < total) {
        copies_.clear();
        for (std::size_t next = sent; next < total && copies_.size() < port::kBurstMax; ++next) {
            copies_.push_back(packets[next / destinations.size()]);
            copies_.back().destination = destinations[(first + next) % destinations.size()].address;
        }
        const std::size_t taken = endpoint.transport.queue->send(now, copies_);
        sent += taken;
        if (taken < copies_.size()) {
            break;
        }
    }
    return sent / destinations.size();
}

void Sender::check_destinations(Instant now) {
    next_destination_check_ = now + kDestinationCheckInterval;
    for (SendChannelEndpoint* endpoint : multi_destination_) {
        transport::DestinationTracker& destinations = *endpoint->destinations;
        if (destinations.mode() == transport::DestinationTracker::Mode::kDynamic) {
            destinations.expire(now);
            continue;
        }
        const std::int64_t silent = destinations.next_silent(now);
        if (silent != transport::DestinationTracker::kNoRegistration) {
            report(SenderEvent::kSilentDestination, SilentDestination{silent});
        }
    }
}

int Sender::poll_queues(Instant now) {
    int work = 0;
    for (port::PacketQueue* queue : context_.queues) {
        const std::size_t count = queue->receive(now, received_);
        std::int64_t bytes = 0;
        for (std::size_t i = 0; i < count; ++i) {
            bytes += received_[i].length;
            on_datagram(now, send_endpoint_of(Transport::of(*received_[i].binding)), received_[i]);
        }
        if (count > 0) {
            queue->release({received_.data(), count});
            context_.system[SystemCounter::kBytesReceived].increment_shared(bytes);
            work += static_cast<int>(count);
        }
    }
    return work;
}

void Sender::on_datagram(Instant now, SendChannelEndpoint& endpoint, const port::RxPacket& packet) {
    const std::span<const std::byte> bytes{packet.bytes, packet.length};
    if (wire::check_datagram(bytes) != wire::FrameFault::kNone) {
        context_.system[SystemCounter::kInvalidPackets].increment_shared();
        return;
    }
    const auto find = [&endpoint](std::int32_t session_id, std::int32_t stream_id) {
        transport::NetworkPublication** found = endpoint.publications.find(stream_key(session_id, stream_id));
        return found == nullptr ? nullptr : *found;
    };
    switch (wire::read_frame_header(packet.bytes).type) {
        case wire::FrameType::kStatusMessage: {
            const wire::StatusMessage message = wire::read_status_message(packet.bytes);
            context_.system[SystemCounter::kStatusMessagesReceived].increment_relaxed();
            auto* publication = find(message.session_id, message.stream_id);
            const bool accepted =
                publication == nullptr || on_status_message(now, *publication, message, packet.source);
            if (accepted && endpoint.destinations != nullptr &&
                !endpoint.destinations->on_status_message(now, message.receiver_id, packet.source)) {
                context_.system[SystemCounter::kStatusMessagesRejected].increment_relaxed();
            }
            break;
        }
        case wire::FrameType::kNak: {
            const wire::Nak nak = wire::read_nak(packet.bytes);
            context_.system[SystemCounter::kNaksReceived].increment_relaxed();
            if (auto* publication = find(nak.session_id, nak.stream_id)) {
                publication->on_nak(now, nak);
            }
            break;
        }
        case wire::FrameType::kRttMeasurement: {
            const wire::RttMeasurement request = wire::read_rtt_measurement(packet.bytes);
            if (auto* publication = find(request.session_id, request.stream_id)) {
                replies_.clear();
                publication->on_rtt_measurement(
                    request, endpoint.is_multicast() ? endpoint.destination : packet.source, replies_);
                if (!replies_.empty()) {
                    endpoint.transport.queue->send(now, replies_.packets());
                }
            }
            break;
        }
        case wire::FrameType::kError: {
            const wire::ErrorFrame error = wire::read_error(packet.bytes);
            context_.system[SystemCounter::kErrorFramesReceived].increment_relaxed();
            auto* publication = find(error.session_id, error.stream_id);
            if (publication != nullptr && publication->on_error(error)) {
                report_rejection(endpoint, *publication, error, packet.source);
            }
            break;
        }
        case wire::FrameType::kResponseSetup: {
            const wire::ResponseSetup setup = wire::read_response_setup(packet.bytes);
            auto* publication = find(setup.session_id, setup.stream_id);
            if (publication != nullptr && publication->options().requests_response) {
                report(SenderEvent::kResponseNamed,
                    ResponseNamed{publication->options().response_correlation_id, setup.response_session_id});
            }
            break;
        }
        default: context_.system[SystemCounter::kInvalidPackets].increment_shared(); break;
    }
}

bool Sender::on_status_message(Instant now, transport::NetworkPublication& publication,
    const wire::StatusMessage& message, const port::Endpoint& source) {
    const bool was_heard = publication.has_receivers();
    const bool accepted = publication.on_status_message(now, message, source);
    if (publication.options().is_response && !was_heard && publication.has_receivers()) {
        report(SenderEvent::kResponseConnected,
            ResponseConnected{publication.options().response_correlation_id});
    }
    return accepted;
}

template <class Event>
bool Sender::report(SenderEvent type, const Event& event, std::string_view text) {
    std::byte* record =
        context_.events->try_claim(sizeof event + text.size(), static_cast<std::int32_t>(type));
    if (record == nullptr) {
        context_.system[SystemCounter::kConductorProxyFails].increment_shared();
        return false;
    }
    std::memcpy(record, &event, sizeof event);
    std::memcpy(record + sizeof event, text.data(), text.size());
    context_.events->commit();
    return true;
}

void Sender::report_rejection(const SendChannelEndpoint& endpoint,
    const transport::NetworkPublication& publication, const wire::ErrorFrame& error,
    const port::Endpoint& source) {
    const bool has_tag = (error.flags & wire::flag::kHasGroupTag) != 0;
    const std::int64_t destination = endpoint.destinations == nullptr
                                         ? transport::DestinationTracker::kNoRegistration
                                         : endpoint.destinations->registration_of(error.receiver_id, source);
    report(SenderEvent::kRejection,
        Rejection{publication.registration_id(), destination, error.receiver_id,
            has_tag ? error.group_tag : -1, error.error_code, source},
        error.text);
}

}  // namespace fulmar::agent

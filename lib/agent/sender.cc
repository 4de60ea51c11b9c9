#include "agent/sender.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "transport/network_publication.h"

namespace fulmar::agent {

using layout::SystemCounter;

namespace {
constexpr std::size_t kCommandsPerPoll = 16;
}

Sender::Sender(SenderContext context) : context_(std::move(context)), received_(port::kBurstMax) {}

int Sender::poll(Instant now) {
    check_for_stall(now);
    int work = drain_commands();
    work += transmit(now);
    work += poll_queues(now);
    return work;
}

/// Status messages wait in the queue, behind the check of who has been silent.
void Sender::check_for_stall(Instant now) {
    const Duration silence = now - last_poll_;
    if (started_ && silence > context_.stall_threshold) {
        for (transport::NetworkPublication* publication : publications_) {
            publication->on_sender_stall(silence);
        }
    }
    started_ = true;
    last_poll_ = now;
}

int Sender::drain_commands() {
    std::size_t count = 0;
    while (count < kCommandsPerPoll && context_.commands->try_pop(command_)) {
        execute(command_);
        ++count;
    }
    return static_cast<int>(count);
}

void Sender::execute(const SenderCommand& command) {
    using Kind = SenderCommand::Kind;
    switch (command.kind) {
        case Kind::kAddEndpoint: {
            Transport& transport = command.endpoint->transport;
            transport.queue->add(*transport.binding);
            break;
        }
        case Kind::kRemoveEndpoint:
            command.endpoint->transport.queue->remove(*command.endpoint->transport.binding);
            // SYNC(endpoint.released): release; the conductor may free it from here on.
            command.endpoint->released.store(true, std::memory_order_release);
            break;
        case Kind::kAddPublication: {
            transport::NetworkPublication& publication = *command.publication;
            command.endpoint->publications.at(stream_key(publication.session_id(), publication.stream_id())) =
                &publication;
            publications_.push_back(&publication);
            break;
        }
        case Kind::kRemovePublication: {
            transport::NetworkPublication& publication = *command.publication;
            command.endpoint->publications.erase(
                stream_key(publication.session_id(), publication.stream_id()));
            std::erase(publications_, &publication);
            // SYNC(publication.released): release; the conductor may free it from here on.
            publication.released_by_sender.store(true, std::memory_order_release);
            break;
        }
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
        transport::NetworkPublication& publication = *publications_[i];
        batch_.clear();
        publication.poll_transmit(now, batch_);
        if (batch_.empty()) {
            continue;
        }
        const std::size_t taken = publication.options().queue->send(now, batch_.packets());
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
            if (auto* publication = find(message.session_id, message.stream_id)) {
                publication->on_status_message(now, message);
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
                publication->on_rtt_measurement(request, packet.source, replies_);
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
                report_rejection(*publication, error, packet.source);
            }
            break;
        }
        case wire::FrameType::kResponseSetup: break;
        default: context_.system[SystemCounter::kInvalidPackets].increment_shared(); break;
    }
}

void Sender::report_rejection(const transport::NetworkPublication& publication, const wire::ErrorFrame& error,
    const port::Endpoint& source) {
    const bool has_tag = (error.flags & wire::flag::kHasGroupTag) != 0;
    const Rejection rejection{publication.registration_id(), error.receiver_id,
        has_tag ? error.group_tag : -1, error.error_code, source};
    std::byte* record = context_.rejections->try_claim(sizeof rejection + error.text.size());
    if (record == nullptr) {
        context_.system[SystemCounter::kConductorProxyFails].increment_shared();
        return;
    }
    std::memcpy(record, &rejection, sizeof rejection);
    std::memcpy(record + sizeof rejection, error.text.data(), error.text.size());
    context_.rejections->commit();
}

}  // namespace fulmar::agent

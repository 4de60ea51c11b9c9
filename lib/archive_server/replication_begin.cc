// How a replication begins: from the source's descriptor to a replay that is asked for.
#include "archive/segment.h"
#include "archive_server/replication.h"
#include "config/channel_uri.h"

namespace fulmar::archive {
namespace {

using config::ChannelUri;

bool is_response_mode(const ChannelUri& channel) {
    return channel.find("control-mode") == "response";
}

}  // namespace

int Replication::connect() {
    auto polled = connecting_->poll();
    if (!polled) {
        fail(ArchiveErrorCode::kReplicationConnectionFailure,
            "replication connection failed: " + polled.error().message);
        return 1;
    }
    if (*polled == nullptr) {
        return 0;
    }
    source_ = *std::move(polled);
    connecting_.reset();
    enter(State::kDescribing);
    return 1;
}

int Replication::describe() {
    if (asked_ == -1) {
        ask(source_->async_list_recording(request_.source_id,
            [this](const fulmar::RecordingDescriptor& descriptor) { descriptor_ = descriptor; }));
        return 1;
    }
    const auto count = answer();
    if (!count) {
        return 0;
    }
    if (!descriptor_) {
        fail(ArchiveErrorCode::kUnknownRecording,
            "unknown src recording id " + std::to_string(request_.source_id));
    } else {
        on_descriptor(*descriptor_);
    }
    return 1;
}

void Replication::on_descriptor(const fulmar::RecordingDescriptor& descriptor) {
    source_stop_ = descriptor.stop_position;
    replay_session_ = !is_merging() && request_.session_id ? *request_.session_id : descriptor.session_id;
    if (request_.file_io_max_length > 0 && request_.file_io_max_length < descriptor.mtu_length) {
        fail(ArchiveErrorCode::kGeneric,
            "replication fileIoMaxLength=" + std::to_string(request_.file_io_max_length) +
                " is less than mtuLength=" + std::to_string(descriptor.mtu_length) + " of the recording");
        return;
    }
    adopt(descriptor);
    if (state_ == State::kStopping) {
        return;
    }
    const bool has_all = source_stop_ != kNullValue &&
                         (descriptor.start_position == source_stop_ || position_ == source_stop_);
    if (has_all) {
        signal(RecordingSignal::kSync, position_);
        end();
    }
}

void Replication::adopt(const fulmar::RecordingDescriptor& descriptor) {
    Recording copy;
    copy.control_session_id = request_.asker.control_session_id;
    copy.correlation_id = request_.asker.correlation_id;
    copy.start_timestamp = descriptor.start_timestamp;
    copy.stop_timestamp = descriptor.start_timestamp;
    copy.start_position = descriptor.start_position;
    copy.stop_position = descriptor.start_position;
    copy.initial_term_id = descriptor.initial_term_id;
    copy.segment_file_length = descriptor.segment_file_length;
    copy.term_buffer_length = descriptor.term_buffer_length;
    copy.mtu_length = descriptor.mtu_length;
    copy.session_id = replay_session_;
    copy.stream_id = descriptor.stream_id;
    copy.stripped_channel = descriptor.stripped_channel;
    copy.original_channel = descriptor.original_channel;
    copy.source_identity = descriptor.source_identity;
    Catalog& catalog = context_.catalog.catalog();
    if (const auto shape = SegmentShape::of(copy); !shape) {
        fail(ArchiveErrorCode::kGeneric, "the source's descriptor: " + shape.error().message);
        return;
    }
    position_ = copy.start_position;
    if (request_.destination_id == kNullValue) {
        auto id = catalog.add(copy);
        if (!id) {
            fail(ArchiveErrorCode::kStorageSpace, id.error().message);
            return;
        }
        request_.destination_id = *id;
    } else {
        const std::size_t index = catalog.find(request_.destination_id);
        if (index == catalog.size()) {
            fail(ArchiveErrorCode::kUnknownRecording,
                "unknown destination recording id " + std::to_string(request_.destination_id));
            return;
        }
        const Recording before = catalog.at(index);
        if (before.start_position != before.stop_position) {
            position_ = before.stop_position;
            enter(State::kLocating);
            return;
        }
        // An empty one becomes the source's copy.
        if (const Status status = catalog.replace(index, copy); !status) {
            fail(ArchiveErrorCode::kStorageSpace, status.error().message);
            return;
        }
    }
    ticket_ = context_.catalog.commit();
    enter(State::kPersisting);
}

int Replication::locate() {
    if (!is_merging()) {
        subscribe();
        return 1;
    }
    if (asked_ == -1) {
        ask(source_->async_recording_position(request_.source_id));
        return 1;
    }
    const auto position = answer();
    if (!position) {
        return 0;
    }
    if (*position == kNullValue) {
        fail(ArchiveErrorCode::kGeneric, "cannot live merge without active source recording");
        return 1;
    }
    source_position_ = *position;
    subscribe();
    return 1;
}

void Replication::subscribe() {
    auto uri = ChannelUri::parse(request_.channel);
    if (!uri) {
        fail(ArchiveErrorCode::kGeneric, uri.error().message);
        return;
    }
    if (has_destinations()) {
        ChannelUri destination = *uri;
        for (const config::UriParam& param : uri->params()) {
            if (param.key != "endpoint" && param.key != "interface") {
                destination.erase(param.key);
            }
        }
        replay_destination_ = destination.text();
        uri->erase("endpoint");
        uri->set("control-mode", "manual");
        uri->set("tags", std::to_string(request_.channel_tag.value_or(request_.id)) + "," +
                             std::to_string(request_.subscription_tag.value_or(request_.id)));
    }
    uri->set("rejoin", "false");
    if (!is_response_mode(*uri)) {
        uri->set("session-id", std::to_string(replay_session_));
    }
    const std::string channel = uri->text();
    auto started = recordings_.start_quietly(request_.asker, {.channel = channel,
                                                                 .stream_id = descriptor_->stream_id,
                                                                 .source = SourceLocation::kRemote,
                                                                 .auto_stop = true,
                                                                 .extends = request_.destination_id});
    if (!started) {
        fail(started.error().archive_code, started.error().message);
        return;
    }
    subscription_ = *started;
    enter(State::kSubscribing);
}

int Replication::await_subscription() {
    Recordings::Subscriber* subscriber = recordings_.find_subscriber(subscription_);
    if (subscriber == nullptr) {
        end();  // it could not be made; the asker was told why
        return 1;
    }
    if (subscriber->subscription == nullptr) {
        return 0;
    }
    if (has_destinations()) {
        const auto added = subscriber->subscription->async_add_destination(replay_destination_);
        if (!added) {
            fail(ArchiveErrorCode::kGeneric, added.error().message);
            return 1;
        }
    }
    enter(State::kResolving);
    return 1;
}

std::optional<std::string> Replication::replay_channel() {
    const Recordings::Subscriber& subscriber = *recordings_.find_subscriber(subscription_);
    ChannelUri uri = *ChannelUri::parse(request_.channel);
    if (const auto endpoint = uri.find("endpoint")) {
        const std::size_t colon = endpoint->rfind(':');
        if (colon != std::string_view::npos && endpoint->substr(colon + 1) == "0") {
            const std::vector<std::string> resolved = subscriber.subscription->local_socket_addresses();
            if (resolved.empty()) {
                return std::nullopt;
            }
            const std::string& address = resolved.front();
            // The host as configured: the source may know us by another address than the socket's.
            uri.set("endpoint", std::string(endpoint->substr(0, colon)) + address.substr(address.rfind(':')));
        }
    }
    if (is_merging()) {
        uri.set("linger", "0");
        uri.set("eos", "false");
    }
    if (!is_response_mode(uri)) {
        uri.set("session-id", std::to_string(replay_session_));
    }
    return uri.text();
}

int Replication::resolve() {
    const auto channel = replay_channel();
    if (!channel) {
        return 0;
    }
    ReplayParams params;
    params.position = position_;
    params.length =
        request_.stop_position == kNullValue ? kReplayAllAndFollow : request_.stop_position - position_;
    params.file_io_max_length = request_.file_io_max_length;
    // Of the subscription that a replay over a response channel comes to.
    params.subscription_registration_id =
        recordings_.find_subscriber(subscription_)->subscription->registration_id();
    enter(State::kReplaying);
    ask(source_->async_start_replay(request_.source_id, *channel, descriptor_->stream_id, params));
    return 1;
}

int Replication::await_replay() {
    const auto replay = answer();
    if (!replay) {
        return 0;
    }
    source_replay_ = *replay;
    enter(State::kAwaitingImage);
    return 1;
}

}  // namespace fulmar::archive

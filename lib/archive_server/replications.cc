#include "archive_server/replications.h"

#include <algorithm>

#include "config/channel_uri.h"

namespace fulmar::archive {

void Replications::start(Asker asker, Replication::Request request) {
    if (request.destination_id != kNullValue) {
        const Catalog& catalog = context_.catalog.catalog();
        if (catalog.find(request.destination_id) == catalog.size()) {
            context_.sessions.error(asker, ArchiveErrorCode::kUnknownRecording,
                "unknown destination recording id " + std::to_string(request.destination_id));
            return;
        }
        const bool is_copied = std::any_of(replications_.begin(), replications_.end(),
            [&](const auto& other) { return other->destination_id() == request.destination_id; });
        if (recordings_.is_active(request.destination_id) || is_copied) {
            context_.sessions.error(asker, ArchiveErrorCode::kActiveRecording,
                "cannot replicate to active recording " + std::to_string(request.destination_id));
            return;
        }
    }
    if (request.channel.empty()) {
        request.channel = context_.options.replication_channel;
    }
    if (request.channel.empty()) {
        context_.sessions.error(asker, ArchiveErrorCode::kGeneric,
            "no replication channel: give the archive a --replication-channel, or the request one");
        return;
    }
    auto uri = config::ChannelUri::parse(request.channel);
    if (!uri) {
        context_.sessions.error(asker, ArchiveErrorCode::kGeneric, uri.error().message);
        return;
    }
    if (uri->find("control-mode") == "response" &&
        (!request.live_destination.empty() || request.channel_tag || request.subscription_tag)) {
        context_.sessions.error(asker, ArchiveErrorCode::kGeneric,
            "a replication over control-mode=response has no other destinations: it can neither be tagged "
            "nor "
            "join a live one");
        return;
    }
    request.id = context_.sessions.next_id();
    request.asker = {asker.control_session_id, request.id};
    context_.sessions.ok(asker, request.id);
    replications_.push_back(std::make_unique<Replication>(std::move(request), context_, recordings_));
}

void Replications::stop(Asker asker, std::int64_t replication_id) {
    const auto found = std::find_if(replications_.begin(), replications_.end(),
        [&](const auto& replication) { return replication->id() == replication_id; });
    if (found == replications_.end()) {
        context_.sessions.error(asker, ArchiveErrorCode::kUnknownReplication,
            "unknown replication id " + std::to_string(replication_id));
        return;
    }
    (*found)->stop();
    context_.sessions.ok(asker);
}

void Replications::stop_all() {
    for (auto& replication : replications_) {
        replication->stop();
    }
}

int Replications::poll() {
    int work = 0;
    for (auto& replication : replications_) {
        work += replication->poll();
    }
    return work + static_cast<int>(std::erase_if(
                      replications_, [](const auto& replication) { return replication->is_done(); }));
}

}  // namespace fulmar::archive

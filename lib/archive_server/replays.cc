#include "archive_server/replays.h"

#include <algorithm>

#include "archive_server/channels.h"

namespace fulmar::archive {
namespace {

constexpr std::int64_t kFollow = -1;
constexpr std::int64_t kAllThereIs = -2;

}  // namespace

Replays::Replays(ServerContext& context, Recordings& recordings, Replayer& replayer, std::uint64_t seed)
    : context_(context), recordings_(recordings), replayer_(replayer), draws_(seed, 1) {}

void Replays::start(Asker asker, const Request& request) {
    const auto count = static_cast<std::size_t>(context_.options.max_concurrent_replays);
    if (replays_.size() >= count) {
        context_.sessions.error(
            asker, ArchiveErrorCode::kMaxReplays, "max concurrent replays reached " + std::to_string(count));
        return;
    }
    const Catalog& catalog = context_.catalog.catalog();
    const std::size_t index = catalog.find(request.recording_id);
    if (index == catalog.size()) {
        context_.sessions.unknown_recording(asker, request.recording_id);
        return;
    }
    const Recording recording = context_.recording_at(index);
    auto replay = std::make_unique<Replay>();
    replay->asker = asker;
    if (!set_range(asker, request, recording, replay->init)) {
        return;
    }
    auto channel = replay_channel(
        request.channel, recording, replay->init.position, request.image_correlation_id, context_.options);
    if (!channel) {
        context_.sessions.error(asker, ArchiveErrorCode::kGeneric,
            "failed to process replayChannel - " + channel.error().message);
        return;
    }
    auto publication = context_.client.async_add_exclusive_publication(*channel, request.stream_id);
    if (!publication) {
        context_.sessions.error(asker, ArchiveErrorCode::kGeneric,
            "failed to process replayChannel - " + publication.error().message);
        return;
    }
    replay->publication_request = *publication;
    replays_.push_back(std::move(replay));
}

bool Replays::set_range(
    Asker asker, const Request& request, const Recording& recording, ReplaySession::Init& init) {
    const auto refuse = [&](ArchiveErrorCode code, const std::string& why) {
        context_.sessions.error(asker, code, why);
        return false;
    };
    const std::string id = std::to_string(recording.id);
    auto shape = SegmentShape::of(recording);
    if (!shape) {
        return refuse(ArchiveErrorCode::kGeneric, shape.error().message);
    }
    init.recording_id = recording.id;
    init.shape = *shape;
    init.session_id = recording.session_id;
    init.start_position = recording.start_position;
    init.stop_position = recording.stop_position;
    init.live = recordings_.progress(recording.id);
    init.counters = context_.client.counters();
    std::int64_t limit =
        init.live != nullptr ? init.live->position.load(std::memory_order_acquire) : recording.stop_position;
    if (request.limit_counter_id != kNullCounterId) {
        if (!init.counters.is_allocated(request.limit_counter_id)) {
            return refuse(ArchiveErrorCode::kGeneric,
                "unable to use replay limit counter id=" + std::to_string(request.limit_counter_id) +
                    ": there is no such counter");
        }
        init.limit_counter_id = request.limit_counter_id;
        init.limit_registration_id = init.counters.registration_id(request.limit_counter_id);
        init.limit = init.counters.value(request.limit_counter_id);
        limit = std::min(limit, init.limit);
    }
    // Whether more may come than there is now.
    const bool is_open = init.live != nullptr || request.limit_counter_id != kNullCounterId;
    init.checks_frames = context_.options.checks_replayed_frames;
    init.position = request.position == kNullValue ? recording.start_position : request.position;
    const std::string at = std::to_string(init.position);
    if (init.position % wire::kFrameAlignment != 0) {
        return refuse(ArchiveErrorCode::kInvalidPosition,
            "requested replay start position=" + at + " is not a multiple of the frame alignment (" +
                std::to_string(wire::kFrameAlignment) + ") for recording " + id);
    }
    if (init.position < recording.start_position) {
        return refuse(ArchiveErrorCode::kInvalidPosition,
            "requested replay start position=" + at + " is less than recording start position=" +
                std::to_string(recording.start_position) + " for recording " + id);
    }
    if (request.position != kNullValue && recording.stop_position != kNullValue &&
        init.position >= recording.stop_position) {
        return refuse(ArchiveErrorCode::kInvalidPosition,
            "requested replay start position=" + at + " must be less than highest recorded position=" +
                std::to_string(recording.stop_position) + " for recording " + id);
    }
    if (request.file_io_max_length > 0 && request.file_io_max_length < recording.mtu_length) {
        return refuse(
            ArchiveErrorCode::kGeneric, "fileIoMaxLength=" + std::to_string(request.file_io_max_length) +
                                            " < mtuLength=" + std::to_string(recording.mtu_length));
    }
    init.read_length = std::max(context_.options.file_io_max_length, recording.mtu_length);
    if (request.file_io_max_length > 0) {
        init.read_length = std::min(init.read_length, request.file_io_max_length);
    }
    if (is_open && init.position > limit) {
        return refuse(ArchiveErrorCode::kInvalidPosition,
            "requested replay start position=" + at +
                " must be less than the limit position=" + std::to_string(limit) + " for recording " + id);
    }
    const std::int64_t available = is_open ? INT64_MAX - init.position : limit - init.position;
    std::int64_t length = available;
    if (request.length == kAllThereIs) {
        length = limit - init.position;
        if (length == 0) {
            return refuse(ArchiveErrorCode::kEmptyRecording,
                "a replay of all there is needs something: recording " + id + " has nothing at " + at);
        }
    } else if (request.length != kFollow) {
        length = std::min(request.length, available);
    }
    if (length < 0) {
        return refuse(ArchiveErrorCode::kGeneric,
            "replay length must be positive: replayLength=" + std::to_string(length) + ", length=" +
                std::to_string(request.length) + ", replayPosition=" + at + " for recording " + id);
    }
    if (const std::string why = refusal(recording.id); !why.empty()) {
        return refuse(ArchiveErrorCode::kGeneric, "cannot start replay of recording " + id + ": " + why);
    }
    init.end = init.position + length;
    return true;
}

void Replays::stop(Asker asker, std::int64_t replay_session_id) {
    for (auto& replay : replays_) {
        if (replay->id == replay_session_id) {
            stop(*replay);
        }
    }
    context_.sessions.ok(asker);
}

void Replays::stop_all(Asker asker, std::int64_t recording_id) {
    stop_all_quietly(recording_id);
    context_.sessions.ok(asker);
}

void Replays::stop_all_quietly(std::int64_t recording_id) {
    for (auto& replay : replays_) {
        if (recording_id == kNullValue || replay->init.recording_id == recording_id) {
            stop(*replay);
        }
    }
}

void Replays::stop(Replay& replay) {
    if (replay.is_stopping) {
        return;
    }
    replay.is_stopping = true;
    if (replay.session != nullptr) {
        replayer_.commands.send({ReplayerCommand::Kind::kStop, replay.session.get()});
    } else {
        context_.client.cancel(replay.publication_request);
        replay.is_over = true;
    }
}

int Replays::poll() {
    int work = replayer_.commands.flush();
    ReplayerEvent event;
    while (replayer_.events.receive(event)) {
        on_event(event);
        ++work;
    }
    for (auto& replay : replays_) {
        if (replay->session == nullptr && !replay->is_over) {
            begin(*replay);
        }
    }
    work += static_cast<int>(std::erase_if(replays_, [](const auto& replay) { return replay->is_over; }));
    std::erase_if(tokens_, [&](const Token& token) { return context_.now > token.until; });
    return work;
}

void Replays::begin(Replay& replay) {
    auto found = context_.client.find_exclusive_publication(replay.publication_request);
    if (!found) {
        context_.sessions.error(replay.asker, ArchiveErrorCode::kGeneric,
            "failed to create replay publication - " + found.error().message);
        replay.is_over = true;
        return;
    }
    if (*found == nullptr) {
        return;
    }
    replay.publication = *std::move(found);
    replay.id = next_id_++ << 32 | static_cast<std::uint32_t>(replay.publication->session_id());
    ReplaySession::Init init = replay.init;
    init.publication = replay.publication.get();
    init.connect_timeout = context_.options.connect_timeout;
    init.now = context_.now;
    replay.session = std::make_unique<ReplaySession>(std::move(init), replayer_.storage());
    replayer_.commands.send({ReplayerCommand::Kind::kAdd, replay.session.get()});
}

void Replays::on_event(const ReplayerEvent& event) {
    const auto found = std::find_if(replays_.begin(), replays_.end(),
        [&](const auto& replay) { return replay->session.get() == event.session; });
    Replay& replay = **found;
    if (event.kind == ReplayerEvent::Kind::kReady) {
        context_.sessions.ok(replay.asker, replay.id);
        return;
    }
    using Outcome = ReplaySession::Outcome;
    if (replay.session->outcome() == Outcome::kFailed) {
        context_.sessions.error(replay.asker, replay.session->error_code(), replay.session->error());
        if (replay.session->found_damage()) {
            context_.report(ErrorCode::kGeneric, replay.session->error());
        }
    }
    if (replay.session->outcome() != Outcome::kCompleted) {
        replay.publication->revoke();
    }
    replay.is_over = true;
}

void Replays::give_token(Asker asker, std::int64_t recording_id) {
    const Catalog& catalog = context_.catalog.catalog();
    if (catalog.find(recording_id) == catalog.size()) {
        context_.sessions.unknown_recording(asker, recording_id);
        return;
    }
    std::int64_t token = kNullValue;
    while (token == kNullValue) {
        token = static_cast<std::int64_t>(draws_.next());
    }
    tokens_.push_back(
        {token, recording_id, asker.control_session_id, context_.now + context_.options.connect_timeout});
    context_.sessions.ok(asker, token);
}

bool Replays::take_token(std::int64_t token, std::int64_t recording_id, std::int64_t* session_id) {
    const auto found = std::find_if(tokens_.begin(), tokens_.end(),
        [&](const Token& known) { return known.token == token && known.recording_id == recording_id; });
    if (found == tokens_.end() || context_.now > found->until) {
        return false;
    }
    *session_id = found->control_session_id;
    tokens_.erase(found);
    return true;
}

void Replays::forget_tokens(std::int64_t control_session_id) {
    std::erase_if(
        tokens_, [&](const Token& token) { return token.control_session_id == control_session_id; });
}

bool Replays::is_replaying(std::int64_t recording_id) const {
    return lowest_position(recording_id) != INT64_MAX;
}

std::int64_t Replays::lowest_position(std::int64_t recording_id) const {
    std::int64_t lowest = INT64_MAX;
    for (const auto& replay : replays_) {
        if (replay->init.recording_id == recording_id && !replay->is_over) {
            lowest = std::min(
                lowest, replay->session != nullptr ? replay->session->position() : replay->init.position);
        }
    }
    return lowest;
}

}  // namespace fulmar::archive

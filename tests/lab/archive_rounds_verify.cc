// What must hold when the archive is back.
#include <algorithm>
#include <fmt/core.h>

#include "fulmar/fragment_assembler.h"
#include "tests/lab/archive_rounds.h"

namespace fulmar::lab {

Status Rounds::verify_all(bool from_start) {
    for (Stream& stream : streams_) {
        if (stream.recording_id == kNullRecordingId) {
            continue;
        }
        if (from_start) {
            stream.verified = 0;
            stream.verified_messages = 0;
        }
        FULMAR_TRY_VOID(verify(stream));
    }
    return Done{};
}

Status Rounds::verify(Stream& stream) {
    FULMAR_TRY(descriptor, archive_->list_recording(stream.recording_id));
    if (descriptor.stop_position < stream.acknowledged) {
        tally_.lost += static_cast<std::uint64_t>(stream.acknowledged - descriptor.stop_position);
        return fail(ErrorCode::kGeneric,
            fmt::format("recording {} ends at {}, but {} was acknowledged; the archive said: {}",
                stream.recording_id, descriptor.stop_position, stream.acknowledged, process_->output()));
    }
    stream.acknowledged = descriptor.stop_position;
    stream.written = descriptor.stop_position;
    if (descriptor.stop_position == stream.verified) {
        return Done{};
    }
    tally_.recorded += static_cast<std::uint64_t>(descriptor.stop_position - stream.verified);
    ReplayParams params;
    params.position = stream.verified;
    const std::int32_t replay_stream = 10'000 + stream.stream_id;
    FULMAR_TRY(subscription, archive_->replay(stream.recording_id, "aeron:ipc", replay_stream, params));
    bool is_wrong = false;
    std::int64_t whole = stream.verified;
    FragmentAssembler assembler([&](std::span<const std::byte> message, const Header& header) {
        is_wrong = is_wrong || !stream.messages.is(stream.verified_messages, message);
        ++stream.verified_messages;
        whole = header.position();
    });
    std::int64_t reached = stream.verified;
    FULMAR_TRY_VOID(wait("a replay's end", [&] {
        (void)subscription->poll(assembler, 100);
        if (!subscription->images().empty()) {
            reached = std::max(reached, subscription->images().front()->position());
        }
        return is_wrong || reached >= descriptor.stop_position;
    }));
    if (is_wrong) {
        ++tally_.lost;
        return fail(ErrorCode::kGeneric, fmt::format("message {} of recording {} is not what was published",
                                             stream.verified_messages - 1, stream.recording_id));
    }
    // A message that was cut between its fragments is no message; its first ones are cut off as well, so
    // that the stream can go on behind the last whole one.
    if (whole < descriptor.stop_position) {
        FULMAR_TRY_VOID(cut_back(stream, whole));
    }
    stream.verified = whole;
    stream.acknowledged = whole;
    stream.written = whole;
    return Done{};
}

Status Rounds::cut_back(const Stream& stream, std::int64_t position) {
    const int before = deletions_;
    FULMAR_TRY(files, archive_->truncate_recording(stream.recording_id, position));
    (void)files;
    return wait("the truncation", [&] { return deletions_ > before; });
}

}  // namespace fulmar::lab

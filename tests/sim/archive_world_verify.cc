// What must hold when an archive is back.
#include <algorithm>

#include "fulmar/fragment_assembler.h"
#include "tests/sim/archive_world.h"

namespace fulmar::sim {

bool ArchiveWorld::verify_all(bool from_start, bool must_work) {
    for (Stream& stream : streams_) {
        if (stream.recording_id == kNullRecordingId) {
            continue;
        }
        if (from_start) {
            stream.verified = 0;
            stream.verified_messages = 0;
        }
        if (!verify(stream, must_work)) {
            return false;
        }
    }
    return !verdict_.failed();
}

bool ArchiveWorld::verify(Stream& stream, bool must_work) {
    auto descriptor = archive_->list_recording(stream.recording_id);
    if (!descriptor) {
        if (descriptor.error().archive_code == ArchiveErrorCode::kUnknownRecording) {
            verdict_.fail("recording " + std::to_string(stream.recording_id) + " is unknown, with " +
                          std::to_string(stream.acknowledged) + " bytes acknowledged");
            return false;
        }
        note(descriptor.error());
        return false;
    }
    if (host_->called_damaged(stream.recording_id)) {
        // The disk failed while the archive recovered; it does not lie here, so that the next start mends it.
        count(ArchiveCount::kNotRecovered);
        if (has_no_faults_) {
            verdict_.fail("a recording was called damaged although nothing was wrong");
        } else {
            host_->kill(std::nullopt);
        }
        return false;
    }
    if (descriptor->is_active()) {
        verdict_.fail("recording " + std::to_string(stream.recording_id) +
                      " is active, though its stream ended long ago");
        return false;
    }
    if (descriptor->stop_position < stream.acknowledged) {
        verdict_.fail("recording " + std::to_string(stream.recording_id) + " ends at " +
                      std::to_string(descriptor->stop_position) + ", but " +
                      std::to_string(stream.acknowledged) + " was acknowledged");
        return false;
    }
    return descriptor->stop_position == stream.verified ||
           compare(stream, descriptor->stop_position, must_work);
}

bool ArchiveWorld::compare(Stream& stream, std::int64_t stop, bool must_work) {
    ReplayParams params;
    params.position = stream.verified;
    const std::string channel = client_node_ == 1
                                    ? "aeron:ipc"
                                    : "aeron:udp?endpoint=" + port::to_string(SimNet::address_of(0)) + ":0";
    auto subscription = archive_->replay(stream.recording_id, channel, 900 + stream.stream_id, params);
    if (!subscription) {
        note(subscription.error());
        return false;
    }
    count(ArchiveCount::kReplayed);
    bool is_wrong = false;
    std::int64_t whole = stream.verified;
    std::int64_t reached = stream.verified;
    FragmentAssembler assembler([&](std::span<const std::byte> message, const Header& header) {
        is_wrong = is_wrong || !stream.messages.is(stream.verified_messages, message);
        ++stream.verified_messages;
        whole = header.position();
        count(ArchiveCount::kVerified);
    });
    const Instant patience = time_.now + seconds(2);
    bool has_begun = false;
    while (reached < stop && !is_wrong && !verdict_.failed()) {
        (void)client_->poll();
        (void)archive_->poll();
        (void)(*subscription)->poll(assembler, 100);
        if (!(*subscription)->images().empty()) {
            has_begun = true;
            reached = std::max(reached, (*subscription)->images().front()->position());
        } else if (has_begun && reached < stop) {
            break;  // it ended early: the disk, or the archive's death
        }
        if (time_.now > patience) {
            break;
        }
        advance();
    }
    if (is_wrong) {
        verdict_.fail("message " + std::to_string(stream.verified_messages - 1) + " of recording " +
                      std::to_string(stream.recording_id) + " is not what was published");
        return false;
    }
    if (reached < stop) {
        count(ArchiveCount::kReplayFailed);
        if (must_work) {
            verdict_.fail("a replay of recording " + std::to_string(stream.recording_id) + " ended at " +
                          std::to_string(reached) + " of " + std::to_string(stop) +
                          " although nothing was wrong");
        }
        stream.verified = whole;
        return false;
    }
    stream.verified = whole;
    if (whole == stop || must_work) {
        return true;
    }
    // The beginning of a message whose end was never recorded: the stream goes on behind the last whole one.
    count(ArchiveCount::kTruncatedMessage);
    const int before = deletions_;
    // From the question on: an archive that dies before it answers may have cut.
    stream.acknowledged = std::min(stream.acknowledged, whole);
    auto files = archive_->truncate_recording(stream.recording_id, whole);
    if (!files) {
        note(files.error());
        return false;
    }
    const Instant enough = time_.now + seconds(1);
    while (deletions_ == before && time_.now < enough && archive_->is_connected() && !verdict_.failed()) {
        (void)client_->poll();
        (void)archive_->poll();
        advance();
    }
    return deletions_ > before;
}

}  // namespace fulmar::sim

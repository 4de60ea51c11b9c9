// What must hold when an archive is back.
#include <algorithm>

#include "archive/segment.h"
#include "fulmar/fragment_assembler.h"
#include "tests/sim/archive_world.h"
#include "wire/frame.h"

namespace fulmar::sim {

/// Each entry of the catalog is whole, also of recordings that nobody was told of.
bool ArchiveWorld::check_entries() {
    std::string broken;
    auto listed = archive_->list_recordings(0, 1'000, [&](const RecordingDescriptor& found) {
        const auto stream = std::find_if(streams_.begin(), streams_.end(),
            [&](const Stream& known) { return known.stream_id == found.stream_id; });
        const bool is_whole = stream != streams_.end() &&
                              found.original_channel.starts_with(channel_of(*stream, "session-id=")) &&
                              found.original_channel.ends_with(name_of(*stream)) &&
                              !found.source_identity.empty();
        broken = is_whole ? broken : std::to_string(found.recording_id);
    });
    if (!listed) {
        note(listed.error());
        return false;
    }
    if (!broken.empty()) {
        verdict_.fail("the catalog's entry of recording " + broken + " is not what was recorded");
    }
    return broken.empty();
}

bool ArchiveWorld::verify_all(bool from_start, bool must_work) {
    if (!check_entries()) {
        return false;
    }
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
    std::optional<Spoilt> spoilt;
    if (!must_work && draws_.chance(0.3)) {
        spoilt = spoil(stream, stop);
    }
    auto subscription = archive_->replay(stream.recording_id, channel, 900 + stream.stream_id, params);
    if (!subscription) {
        note(subscription.error());
        if (spoilt) {
            mend(*spoilt, false);
        }
        return spoilt && archive_->is_connected() && compare(stream, stop, must_work);
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
    const Instant patience = time_.now + (spoilt ? milliseconds(300) : seconds(2));
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
    if (spoilt) {
        mend(*spoilt, reached >= stop);
        stream.verified = whole;
        return !verdict_.failed() && archive_->is_connected() && compare(stream, stop, must_work);
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
    // Asked for is enough: an archive that dies before it answers may have done it.
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

std::optional<ArchiveWorld::Spoilt> ArchiveWorld::spoil(const Stream& stream, std::int64_t stop) {
    drivers::MemoryDisk& disk = host_->disk();
    std::int64_t base = -1;
    for (const port::DirectoryEntry& entry : disk.list()) {
        const auto segment = archive::parse_segment_name(entry.name);
        if (segment && segment->recording_id == stream.recording_id && segment->base <= stream.verified) {
            base = std::max(base, segment->base);
        }
    }
    if (base < 0) {
        return std::nullopt;
    }
    Spoilt spoilt{.segment = archive::segment_name(stream.recording_id, base)};
    const auto opened = disk.open(spoilt.segment);
    std::vector<std::byte> bytes(disk.length(opened.file));
    (void)disk.read(opened.file, 0, bytes);
    disk.close(opened.file);
    const auto end = std::min(bytes.size(), static_cast<std::size_t>(stop - base));
    std::vector<std::uint64_t> payloads;
    for (auto at = static_cast<std::size_t>(stream.verified - base); at + wire::kDataHeaderLength <= end;) {
        const wire::DataHeader header = wire::read_data_header(bytes.data() + at);
        if (header.frame_length <= 0) {
            break;
        }
        if (!wire::is_padding(bytes.data() + at) && header.frame_length > wire::kDataHeaderLength) {
            payloads.push_back(at + wire::kDataHeaderLength);
        }
        at += static_cast<std::size_t>(wire::align_frame(header.frame_length));
    }
    if (payloads.empty()) {
        return std::nullopt;
    }
    spoilt.offset = payloads[draws_.below(payloads.size())];
    spoilt.before = bytes[spoilt.offset];
    put(spoilt, spoilt.before ^ (std::byte{1} << draws_.below(8)));
    count(ArchiveCount::kSpoilt);
    return spoilt;
}

void ArchiveWorld::put(const Spoilt& spoilt, std::byte value) {
    drivers::MemoryDisk& disk = host_->disk();
    const auto opened = disk.open(spoilt.segment);
    if (opened.code == drivers::MemoryDisk::Code::kOk) {
        (void)disk.write(opened.file, spoilt.offset, {&value, 1});
        disk.sync(opened.file);
        disk.close(opened.file);
    }
}

void ArchiveWorld::mend(const Spoilt& spoilt, bool was_served) {
    put(spoilt, spoilt.before);
    if (was_served) {
        verdict_.fail("a replay went over a spoilt byte of " + spoilt.segment);
        return;
    }
    count(ArchiveCount::kSpoiltEnded);
}

}  // namespace fulmar::sim

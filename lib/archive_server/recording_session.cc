#include "archive_server/recording_session.h"

#include <algorithm>

#include "base/plant.h"
#include "base/position.h"

namespace fulmar::archive {

namespace {

WriterOptions extending(WriterOptions options, bool extends) {
    options.extends = extends;
    return options;
}

}  // namespace

RecordingSession::RecordingSession(Init init, StorageHub& storage, const WriterOptions& options)
    : init_(std::move(init)),
      writer_(storage, init_.recording_id, init_.shape, init_.start_position, init_.position,
          extending(options, init_.extends)),
      told_(init_.position),
      written_told_(init_.position) {}

int RecordingSession::poll(Instant now) {
    int work = writer_.poll(now);
    if (init_.image != nullptr && init_.image->is_closed()) {
        init_.image = nullptr;  // the client frees it in a while; what is under way lies in the mapping
    }
    if (!is_finishing_) {
        work += take_blocks();
    }
    work += publish();
    const bool is_over = is_stopping_ || writer_.error().has_value() || init_.image == nullptr ||
                         writer_.submitted_position() >= init_.image->end_of_stream_position();
    if (is_over && !is_finishing_) {
        is_finishing_ = true;
        writer_.finish();
        ++work;
    }
    return work;
}

int RecordingSession::take_blocks() {
    int blocks = 0;
    while (!is_stopping_ && init_.image != nullptr && writer_.room() > 0) {
        bool was_taken = false;
        const auto length_max = static_cast<std::int32_t>(
            std::min<std::size_t>(writer_.room(), static_cast<std::size_t>(init_.block_length_max)));
        const std::int64_t taken = init_.image->block_peek(
            writer_.submitted_position(),
            [&](std::span<const std::byte> block, const BlockInfo& info) {
                was_taken = writer_.write(block, info.position);
            },
            length_max);
        if (taken <= 0 || !was_taken) {
            break;
        }
        ++blocks;
    }
    return blocks;
}

int RecordingSession::publish() {
    int work = 0;
    const std::int64_t written =
        FULMAR_PLANTED(kMemoryFreedEarly) ? writer_.submitted_position() : writer_.written_position();
    if (written > written_told_) {
        // An image moves at most to the end of a term at a time.
        while (init_.image != nullptr && init_.image->position() < written) {
            const std::int64_t at = init_.image->position();
            const std::int64_t term_end = at - at % init_.shape.term_length + init_.shape.term_length;
            if (!init_.image->set_position(std::min(written, term_end))) {
                break;
            }
        }
        written_told_ = written;
        if (init_.written != nullptr) {
            init_.written->set(written);
        }
        ++work;
    }
    const std::int64_t recorded = writer_.recorded_position();
    if (recorded > told_) {
        told_ = recorded;
        init_.recorded->set(recorded);
        // SYNC(recording.position): release; the bytes below are in the files.
        init_.progress->position.store(recorded, std::memory_order_release);
        ++work;
    }
    return work;
}

}  // namespace fulmar::archive

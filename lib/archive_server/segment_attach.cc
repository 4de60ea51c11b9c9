#include "archive_server/segment_attach.h"

#include <algorithm>

#include "wire/frame.h"

namespace fulmar::archive {
namespace {

using Op = port::StorageRequest::Op;
using Code = port::StorageCompletion::Code;

}  // namespace

SegmentAttach::SegmentAttach(
    StorageHub& hub, std::int64_t recording_id, const SegmentShape& shape, std::int64_t start_position)
    : StorageTask(hub),
      recording_id_(recording_id),
      shape_(shape),
      start_position_(start_position),
      base_(start_position - shape.segment_length),
      buffer_(kReadLength) {}

void SegmentAttach::step() {
    switch (state_) {
        case State::kOpening:
            if (base_ < 0) {
                finish();
                return;
            }
            ask({.op = Op::kOpen, .name = segment_name(recording_id_, base_)});
            return;
        case State::kReading:
            ask({.op = Op::kRead,
                .file = file_,
                .offset = static_cast<std::uint64_t>(offset_),
                .into = buffer_});
            return;
        case State::kClosing: ask({.op = Op::kClose, .file = file_}); return;
    }
}

void SegmentAttach::on_answer(port::StorageCompletion& completion) {
    if (state_ == State::kOpening && completion.code == Code::kNotFound) {
        finish();
        return;
    }
    const std::string name = segment_name(recording_id_, base_);
    if (!completion.ok()) {
        fail(storage_error(completion, "cannot read " + name));
        return;
    }
    switch (state_) {
        case State::kOpening:
            file_ = completion.file;
            if (completion.value != static_cast<std::uint64_t>(shape_.segment_length)) {
                fail({ErrorCode::kGeneric,
                    name + ": fileLength=" + std::to_string(completion.value) +
                        " not equal to segmentLength=" + std::to_string(shape_.segment_length)});
                return;
            }
            offset_ = 0;
            state_ = State::kReading;
            return;
        case State::kReading: look(completion.value); return;
        case State::kClosing:
            if (is_last_) {
                finish();
                return;
            }
            base_ -= shape_.segment_length;
            state_ = State::kOpening;
            return;
    }
}

void SegmentAttach::look(std::size_t length) {
    // Before the first frame of a recording that began inside a term there are zeros.
    for (std::size_t at = 0; at + wire::kDataHeaderLength <= length; at += wire::kFrameAlignment) {
        const wire::DataHeader header = wire::read_data_header(buffer_.data() + at);
        if (header.frame_length == 0) {
            continue;
        }
        const std::int64_t position = base_ + offset_ + static_cast<std::int64_t>(at);
        const auto term_id =
            static_cast<std::int32_t>(static_cast<std::uint32_t>(shape_.initial_term_id) +
                                      static_cast<std::uint32_t>(position / shape_.term_length));
        if (header.frame_length < wire::kDataHeaderLength || header.stream_id != shape_.stream_id ||
            header.term_id != term_id || header.term_offset != position % shape_.term_length) {
            fail({ErrorCode::kGeneric, segment_name(recording_id_, base_) + ": what stands at position " +
                                           std::to_string(position) + " is no frame of this recording"});
            return;
        }
        is_last_ = position != base_;
        start_position_ = position;
        ++count_;
        state_ = State::kClosing;
        return;
    }
    offset_ += static_cast<std::int64_t>(length);
    if (length < buffer_.size() || offset_ >= shape_.term_length) {
        fail({ErrorCode::kGeneric, segment_name(recording_id_, base_) + " holds no frame in its first term"});
    }
}

}  // namespace fulmar::archive

#include "archive/replica_bytes.h"

#include <algorithm>
#include <utility>

namespace fulmar::archive {

using Op = port::StorageRequest::Op;

ReplicaBytes::Read::Read(StorageHub& hub, std::string name, std::uint64_t offset, std::span<std::byte> into)
    : StorageTask(hub), name_(std::move(name)), offset_(offset), into_(into) {}

void ReplicaBytes::Read::step() {
    switch (state_) {
        case State::kOpen: return ask({.op = Op::kOpen, .name = name_});
        case State::kRead: return ask({.op = Op::kRead, .file = file_, .offset = offset_, .into = into_});
        case State::kClose: return ask({.op = Op::kClose, .file = file_});
    }
}

void ReplicaBytes::Read::on_answer(port::StorageCompletion& completion) {
    if (!completion.ok()) {
        return fail(storage_error(completion, "the other copy"));
    }
    switch (state_) {
        case State::kOpen:
            file_ = completion.file;
            state_ = State::kRead;
            return;
        case State::kRead:
            if (completion.value < into_.size()) {
                return fail({ErrorCode::kGeneric, "the other copy: " + name_ + " ends early"});
            }
            state_ = State::kClose;
            return;
        case State::kClose: return finish();
    }
}

ReplicaBytes::ReplicaBytes(StorageHub& hub, std::int64_t recording_id, const SegmentShape& shape,
    std::int64_t start_position, std::int64_t end)
    : hub_(hub), recording_id_(recording_id), shape_(shape), start_position_(start_position), end_(end) {}

void ReplicaBytes::ask(std::int64_t position, std::span<std::byte> into) {
    why_not_.clear();
    position_ = position;
    into_ = into;
    if (position < start_position_ || position + std::ssize(into) > end_) {
        why_not_ = "the other copy has " + std::to_string(start_position_) + " to " + std::to_string(end_);
        into_ = {};
    }
    read_next();
}

void ReplicaBytes::read_next() {
    if (into_.empty()) {
        return;
    }
    const std::int64_t base =
        segment_base(start_position_, position_, shape_.term_length, shape_.segment_length);
    const auto part = into_.first(
        std::min(into_.size(), static_cast<std::size_t>(base + shape_.segment_length - position_)));
    read_ = std::make_unique<Read>(
        hub_, segment_name(recording_id_, base), static_cast<std::uint64_t>(position_ - base), part);
    into_ = into_.subspan(part.size());
    position_ += std::ssize(part);
}

bool ReplicaBytes::has_answer() {
    if (read_ == nullptr) {
        return true;
    }
    read_->poll();
    if (!read_->is_done()) {
        return false;
    }
    if (read_->error()) {
        why_not_ = read_->error()->message;
        into_ = {};
    }
    read_.reset();
    read_next();
    return read_ == nullptr;
}

}  // namespace fulmar::archive

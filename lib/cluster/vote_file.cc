#include "cluster/vote_file.h"

#include <algorithm>
#include <string>

#include "archive/checksum.h"
#include "base/assert.h"
#include "base/bytes.h"

namespace fulmar::cluster {

using port::StorageRequest;
using Op = StorageRequest::Op;
using Code = port::StorageCompletion::Code;

namespace {

constexpr std::uint64_t kMagic = 0x65746f765f6d6c66;  // "flm_vote"
constexpr std::uint32_t kVersion = 1;

constexpr std::size_t kMagicAt = 0;
constexpr std::size_t kVersionAt = 8;
constexpr std::size_t kSequenceAt = 16;
constexpr std::size_t kDiskAt = 24;
constexpr std::size_t kTermAt = 40;
constexpr std::size_t kVotedForAt = 48;
constexpr std::size_t kChecksumAt = 52;

}  // namespace

VoteSlot encode_promise(const Promise& promise) {
    VoteSlot slot{};
    base::store_le(slot.data(), kMagicAt, kMagic);
    base::store_le(slot.data(), kVersionAt, kVersion);
    base::store_le(slot.data(), kSequenceAt, promise.sequence);
    base::store_le(slot.data(), kDiskAt, promise.disk.high);
    base::store_le(slot.data(), kDiskAt + 8, promise.disk.low);
    base::store_le(slot.data(), kTermAt, promise.state.term);
    base::store_le(slot.data(), kVotedForAt, promise.state.voted_for);
    base::store_le(slot.data(), kChecksumAt, archive::crc32c(std::span(slot).first(kChecksumAt)));
    return slot;
}

std::optional<Promise> decode_promise(std::span<const std::byte> slot) {
    if (slot.size() < kVoteSlotLength || base::load_le<std::uint64_t>(slot.data(), kMagicAt) != kMagic ||
        base::load_le<std::uint32_t>(slot.data(), kVersionAt) != kVersion ||
        base::load_le<std::uint32_t>(slot.data(), kChecksumAt) != archive::crc32c(slot.first(kChecksumAt))) {
        return std::nullopt;
    }
    return Promise{.sequence = base::load_le<std::uint64_t>(slot.data(), kSequenceAt),
        .disk = {base::load_le<std::uint64_t>(slot.data(), kDiskAt),
            base::load_le<std::uint64_t>(slot.data(), kDiskAt + 8)},
        .state = {.term = base::load_le<std::int64_t>(slot.data(), kTermAt),
            .voted_for = base::load_le<std::int32_t>(slot.data(), kVotedForAt)}};
}

VoteFileOpening::VoteFileOpening(archive::StorageHub& hub, const raft::DiskId& fresh)
    : StorageTask(hub), promise_{.sequence = 1, .disk = fresh, .state = {}} {
    FULMAR_ASSERT(fresh.is_set(), "a disk has a name");
}

void VoteFileOpening::step() {
    switch (state_) {
        case State::kOpen: return ask({.op = Op::kOpen, .name = std::string(kVoteFileName)});
        case State::kMake:
            making_->poll();
            if (!making_->is_done()) {
                return;
            }
            if (making_->error()) {
                return fail(*making_->error());
            }
            file_ = making_->file();
            was_made_ = true;
            return finish();
        case State::kRead: return ask({.op = Op::kRead, .file = file_, .into = bytes_});
    }
}

void VoteFileOpening::on_answer(port::StorageCompletion& completion) {
    bytes_.resize(2 * kVoteSlotSpacing);
    if (state_ == State::kOpen && completion.code == Code::kNotFound) {
        const VoteSlot slot = encode_promise(promise_);
        std::copy(slot.begin(), slot.end(), bytes_.begin());
        std::copy(slot.begin(), slot.end(), bytes_.begin() + kVoteSlotSpacing);
        making_.emplace(hub(), std::string(kVoteFileName), bytes_);
        state_ = State::kMake;
        return;
    }
    if (!completion.ok()) {
        return fail(archive::storage_error(completion, "cannot read " + std::string(kVoteFileName)));
    }
    if (state_ == State::kOpen) {
        file_ = completion.file;
        state_ = State::kRead;
        return;
    }
    bytes_.resize(completion.value);
    conclude();
}

void VoteFileOpening::conclude() {
    const auto bytes = std::span<const std::byte>(bytes_);
    const auto first = decode_promise(bytes);
    const auto second =
        bytes.size() > kVoteSlotSpacing ? decode_promise(bytes.subspan(kVoteSlotSpacing)) : std::nullopt;
    if (!first && !second) {
        return fail({ErrorCode::kGeneric, std::string(kVoteFileName) +
                                              " is damaged: this member has forgotten what it promised; "
                                              "empty its directory and take it in again "
                                              "with `fulmar cluster replace`"});
    }
    const bool takes_second = !first || (second && second->sequence > first->sequence);
    promise_ = takes_second ? *second : *first;
    copy_ = takes_second ? 1 : 0;
    finish();
}

void VoteFile::keep(std::uint64_t number, const raft::State& state) {
    FULMAR_ASSERT(number > wanted_, "numbers grow");
    wanted_ = number;
    promise_.state = state;
}

int VoteFile::poll() {
    if (error_ || is_asked_) {
        return 0;
    }
    const bool is_durable = step_ != Step::kWrite && step_ != Step::kSync;
    if (wanted_ > written_ && is_durable) {
        begin();  // whether or not the one before has its second copy
    }
    if (step_ == Step::kIdle) {
        return 0;
    }
    StorageRequest request{.op = Op::kSync, .file = file_};
    if (step_ == Step::kWrite || step_ == Step::kSecondWrite) {
        request.op = Op::kWrite;
        request.offset = (1 - durable_copy_) * kVoteSlotSpacing;
        request.data = slot_;
    }
    is_asked_ = hub_.submit(*this, request);
    return is_asked_ ? 1 : 0;
}

void VoteFile::begin() {
    ++promise_.sequence;
    slot_ = encode_promise(promise_);
    written_ = wanted_;
    step_ = Step::kWrite;
}

void VoteFile::on_storage(port::StorageCompletion& completion) {
    is_asked_ = false;
    if (!completion.ok()) {
        error_ = archive::storage_error(completion, "cannot keep a vote in " + std::string(kVoteFileName));
        return;
    }
    switch (step_) {
        case Step::kIdle: return;
        case Step::kWrite: step_ = Step::kSync; return;
        case Step::kSync:
            durable_ = written_;
            durable_copy_ = 1 - durable_copy_;
            step_ = Step::kSecondWrite;
            return;
        case Step::kSecondWrite: step_ = Step::kSecondSync; return;
        case Step::kSecondSync: step_ = Step::kIdle; return;
    }
}

}  // namespace fulmar::cluster

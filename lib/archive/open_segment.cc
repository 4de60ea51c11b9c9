#include "archive/open_segment.h"

#include <utility>

#include "archive/recording_writer.h"
#include "archive/storage_task.h"
#include "base/assert.h"
#include "base/plant.h"

namespace fulmar::archive {

namespace {

using port::FileHandle;
using port::StorageCompletion;
using port::StorageRequest;
using Op = StorageRequest::Op;
using Code = StorageCompletion::Code;

constexpr unsigned kEntriesTokens = 3;  // kEntries and the number of the buffer

constexpr unsigned bit(std::uint64_t token) {
    return 1U << token;
}

}  // namespace

OpenSegment::OpenSegment(StorageHub& hub, const Place& place, std::int64_t position)
    : hub_(hub),
      place_(place),
      stage_(Stage::kCreateSidecar),
      has_sidecar_(false),
      named_(false),
      name_durable_(false),
      checksums_(place.base, place.length, position, 0) {}

OpenSegment::OpenSegment(
    StorageHub& hub, const Place& place, std::int64_t position, std::optional<std::uint64_t> next_slot)
    : hub_(hub),
      place_(place),
      stage_(Stage::kOpenData),
      has_sidecar_(next_slot.has_value()),
      named_(true),
      name_durable_(true),
      checksums_(place.base, place.length, position, next_slot.value_or(0)) {}

bool OpenSegment::is_prepared() const {
    return stage_ == Stage::kPrepared || stage_ == Stage::kRename || stage_ == Stage::kNamed;
}

bool OpenSegment::is_named() const {
    return named_ && stage_ >= Stage::kNamed;
}

std::string OpenSegment::file_name() const {
    return segment_name(place_.recording_id, place_.base);
}

std::string OpenSegment::prepared_name() const {
    return file_name() + std::string(kPreparedSuffix);
}

bool OpenSegment::write_checksums(std::int64_t durable, std::uint32_t epoch) {
    if (error_ || checksums_waiting_ || sidecar_ == FileHandle::kNone) {
        return false;
    }
    checksums_waiting_ = checksums_.take(durable, epoch);
    const bool taken = checksums_waiting_.has_value();
    (void)submit_checksums();
    return taken;
}

void OpenSegment::sync(bool with_data) {
    syncs_wanted_ |= bit(kSyncSidecar) | (with_data ? bit(kSyncData) : 0);
}

bool OpenSegment::submit(Token token, StorageRequest request) {
    request.token = token;
    return hub_.submit(*this, request);
}

int OpenSegment::poll() {
    if (close_wanted_) {
        begin_closing();
    }
    int submitted = 0;
    const bool closing = stage_ >= Stage::kCloseData;
    if (!asked_ && !blocked_ && (!error_ || closing)) {
        submitted += submit_stage() ? 1 : 0;
    }
    if (!error_) {
        submitted += submit_checksums() ? 1 : 0;
        submitted += submit_syncs() ? 1 : 0;
    }
    return submitted;
}

bool OpenSegment::submit_checksums() {
    if (!checksums_waiting_) {
        return false;
    }
    StorageRequest request{.op = Op::kWrite,
        .token = kEntries + checksums_waiting_->buffer,
        .file = sidecar_,
        .offset = checksums_waiting_->offset,
        .data = checksums_waiting_->bytes};
    if (!hub_.submit(*this, request)) {
        return false;
    }
    checksums_waiting_.reset();
    return true;
}

bool OpenSegment::submit_syncs() {
    if (checksums_waiting_ || syncs_wanted_ == 0) {
        return false;  // a sync covers what was submitted before it
    }
    bool any = false;
    for (const auto& [token, file] : {std::pair{kSyncData, data_}, std::pair{kSyncSidecar, sidecar_}}) {
        if ((syncs_wanted_ & bit(token)) != 0 && submit(token, {.op = Op::kSync, .file = file})) {
            syncs_wanted_ &= ~bit(token);
            syncs_under_way_ |= bit(token);
            any = true;
        }
    }
    return any;
}

bool OpenSegment::submit_stage() {
    switch (stage_) {
        case Stage::kCreateSidecar:
            asked_ = submit(kStage, {.op = Op::kCreate,
                                        .length = sidecar_length(place_.length),
                                        .name = sidecar_name(place_.recording_id, place_.base)});
            break;
        case Stage::kCreateData:
            asked_ = submit(kStage, {.op = Op::kCreate,
                                        .length = static_cast<std::uint64_t>(place_.length),
                                        .name = prepared_name()});
            break;
        case Stage::kSyncNames: asked_ = submit(kStage, {.op = Op::kSyncDirectory}); break;
        case Stage::kPrepared:
            if (name_wanted_) {
                stage_ = Stage::kRename;
                return submit_stage();
            }
            break;
        case Stage::kRename:
            asked_ = submit(kStage, {.op = Op::kRename, .name = prepared_name(), .new_name = file_name()});
            break;
        case Stage::kOpenData: asked_ = submit(kStage, {.op = Op::kOpen, .name = file_name()}); break;
        case Stage::kOpenSidecar:
            asked_ =
                submit(kStage, {.op = Op::kOpen, .name = sidecar_name(place_.recording_id, place_.base)});
            break;
        case Stage::kCloseData: asked_ = submit(kStage, {.op = Op::kClose, .file = data_}); break;
        case Stage::kCloseSidecar: asked_ = submit(kStage, {.op = Op::kClose, .file = sidecar_}); break;
        case Stage::kRemoveData: asked_ = submit(kStage, {.op = Op::kRemove, .name = prepared_name()}); break;
        case Stage::kRemoveSidecar:
            asked_ =
                submit(kStage, {.op = Op::kRemove, .name = sidecar_name(place_.recording_id, place_.base)});
            break;
        case Stage::kNamed:
        case Stage::kClosed: break;
    }
    return asked_;
}

void OpenSegment::begin_closing() {
    const bool busy = asked_ || syncs_under_way_ != 0 || checksums_.is_under_way();
    const bool at_work = stage_ < Stage::kPrepared || stage_ == Stage::kRename ||
                         stage_ == Stage::kOpenData || stage_ == Stage::kOpenSidecar;
    if (stage_ >= Stage::kCloseData || busy || (at_work && !error_ && !blocked_)) {
        return;
    }
    blocked_.reset();
    syncs_wanted_ = 0;
    checksums_waiting_.reset();
    stage_ = Stage::kCloseData;
    skip_what_is_not_there();
}

void OpenSegment::skip_what_is_not_there() {
    if (stage_ == Stage::kCloseData && data_ == FileHandle::kNone) {
        stage_ = Stage::kCloseSidecar;
    }
    if (stage_ == Stage::kCloseSidecar && sidecar_ == FileHandle::kNone) {
        stage_ = Stage::kRemoveData;
    }
    // Only what was made here is removed again.
    if (stage_ == Stage::kRemoveData && (named_ || data_ == FileHandle::kNone)) {
        stage_ = Stage::kRemoveSidecar;
    }
    if (stage_ == Stage::kRemoveSidecar && (named_ || sidecar_ == FileHandle::kNone)) {
        stage_ = Stage::kClosed;
    }
}

void OpenSegment::on_storage(StorageCompletion& completion) {
    switch (completion.token) {
        case kStage:
            asked_ = false;
            on_stage(completion);
            break;
        case kSyncData:
        case kSyncSidecar:
            syncs_under_way_ &= ~bit(completion.token);
            if (!completion.ok() && !FULMAR_PLANTED(kSyncErrorSwallowed)) {
                fail_with(completion, "cannot sync");
            }
            break;
        default:
            // Failed ones count as over, too; nothing is covered any more once there is an error.
            if (!completion.ok()) {
                fail_with(completion, "cannot write the checksums of");
            }
            checksums_.on_written(static_cast<unsigned>(completion.token - kEntriesTokens));
    }
}

void OpenSegment::on_stage(const StorageCompletion& completion) {
    const bool closing = stage_ >= Stage::kCloseData;
    if (!completion.ok() && !closing) {
        const bool creates = stage_ == Stage::kCreateSidecar || stage_ == Stage::kCreateData;
        if (creates && completion.code == Code::kNoSpace) {
            blocked_ = storage_error(completion, "cannot make " + file_name());
        } else {
            fail_with(completion, "cannot make or open");
        }
        return;
    }
    const bool opened_data = data_ != FileHandle::kNone;
    switch (stage_) {
        case Stage::kCreateSidecar:
            sidecar_ = completion.file;
            stage_ = opened_data ? Stage::kSyncNames : Stage::kCreateData;
            break;
        case Stage::kCreateData:
            data_ = completion.file;
            stage_ = Stage::kSyncNames;
            break;
        case Stage::kSyncNames: stage_ = named_ ? Stage::kNamed : Stage::kPrepared; break;
        case Stage::kRename:
            named_ = true;
            stage_ = Stage::kNamed;
            break;
        case Stage::kOpenData:
            data_ = completion.file;
            stage_ = has_sidecar_ ? Stage::kOpenSidecar : Stage::kCreateSidecar;
            break;
        case Stage::kOpenSidecar:
            sidecar_ = completion.file;
            stage_ = Stage::kNamed;
            break;
        // Nobody waits for these: whatever they end with, the file is given up.
        case Stage::kCloseData: stage_ = Stage::kCloseSidecar; break;
        case Stage::kCloseSidecar: stage_ = Stage::kRemoveData; break;
        case Stage::kRemoveData: stage_ = Stage::kRemoveSidecar; break;
        case Stage::kRemoveSidecar: stage_ = Stage::kClosed; break;
        case Stage::kPrepared:
        case Stage::kNamed:
        case Stage::kClosed: FULMAR_ASSERT(false, "nothing is asked for here");
    }
    skip_what_is_not_there();
}

void OpenSegment::fail_with(const StorageCompletion& completion, const std::string& what) {
    if (!error_) {
        error_ = storage_error(completion, what + " " + file_name());
    }
}

}  // namespace fulmar::archive

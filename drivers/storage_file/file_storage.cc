#include "drivers/storage_file/file_storage.h"

#include <algorithm>
#include <array>
#include <pthread.h>
#include <utility>

#include "drivers/driver_runtime/idle.h"

namespace fulmar::drivers {

namespace {

/// A thread that may park sleeps on the sync instead, and looks this often for what was submitted.
constexpr Duration kSyncPatience = microseconds(50);

}  // namespace

Result<std::unique_ptr<FileStorage>> FileStorage::create(const Options& options) {
    if (options.engine == Engine::kCalls) {
        return create(options, make_call_engine());
    }
    auto uring = make_uring_engine();
    if (uring) {
        return create(options, std::move(*uring));
    }
    if (options.engine == Engine::kUring) {
        return Unexpected{std::move(uring).error()};
    }
    auto created = create(options, make_call_engine());
    if (created) {
        (*created)->description_ += " (" + uring.error().message + ")";
    }
    return created;
}

Result<std::unique_ptr<FileStorage>> FileStorage::create(
    const Options& options, std::unique_ptr<IoEngine> engine) {
    FULMAR_TRY(directory, Directory::open(options.directory, options.read_only));
    return std::unique_ptr<FileStorage>(new FileStorage(options, std::move(directory), std::move(engine)));
}

FileStorage::FileStorage(const Options& options, Directory directory, std::unique_ptr<IoEngine> engine)
    : idle_(options.idle),
      description_(engine->name()),
      slots_(options.capacity),
      submitted_(options.capacity),
      finished_(options.capacity),
      writer_(std::move(directory), std::move(engine), options.capacity, finished_) {
    free_.reserve(slots_.size());
    for (auto index = slots_.size(); index > 0; --index) {
        free_.push_back(&slots_[index - 1]);
    }
    thread_ = std::thread([this] { run(); });
}

FileStorage::~FileStorage() {
    // SYNC(file_storage.stop): release; what was submitted before is seen by the thread's last look.
    stop_.store(true, std::memory_order_release);
    thread_.join();
}

bool FileStorage::submit(port::StorageRequest& request) {
    if (free_.empty()) {
        return false;
    }
    StorageSlot* slot = free_.back();
    free_.pop_back();
    slot->request = std::move(request);
    const bool pushed = submitted_.try_push(slot);
    FULMAR_ASSERT(pushed, "the ring holds every slot");
    return true;
}

int FileStorage::poll(std::vector<port::StorageCompletion>& completions, int limit) {
    completions.clear();
    std::array<StorageSlot*, 64> slots;
    for (auto left = static_cast<std::size_t>(std::max(limit, 0)); left > 0;) {
        const auto count = finished_.pop_burst(std::span(slots).first(std::min(left, slots.size())));
        if (count == 0) {
            break;
        }
        for (std::size_t i = 0; i < count; ++i) {
            completions.push_back(std::move(slots[i]->completion));
            free_.push_back(slots[i]);
        }
        left -= count;
    }
    return static_cast<int>(completions.size());
}

void FileStorage::run() {
    (void)::pthread_setname_np(::pthread_self(), "storage");
    Idle idle(idle_);
    std::vector<StorageSlot*> batch(slots_.size());
    for (;;) {
        // SYNC(file_storage.stop): acquire; read first, so that what came before it is in the batch.
        const bool last = stop_.load(std::memory_order_acquire);
        const auto count = submitted_.pop_burst(batch);
        if (count > 0) {
            writer_.carry_out(std::span(batch).first(count));
        } else if (last && !writer_.is_syncing()) {
            return;
        }
        const int work = static_cast<int>(count) + writer_.poll();
        if (work == 0 && writer_.is_syncing() && idle.is_parking()) {
            writer_.wait(kSyncPatience);
        } else {
            idle.idle(work);
        }
    }
}

}  // namespace fulmar::drivers

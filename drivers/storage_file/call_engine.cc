#include <cerrno>
#include <chrono>
#include <mutex>
#include <pthread.h>
#include <semaphore>
#include <sys/uio.h>
#include <thread>
#include <unistd.h>
#include <utility>

#include "drivers/storage_file/io_engine.h"

namespace fulmar::drivers {

std::int64_t call(const IoJob& job) {
    const auto offset = static_cast<off_t>(job.offset);
    const auto parts = static_cast<int>(job.parts.size());
    ssize_t result = 0;
    switch (job.kind) {
        case IoJob::Kind::kRead: result = ::preadv(job.fd, job.parts.data(), parts, offset); break;
        case IoJob::Kind::kWrite: result = ::pwritev(job.fd, job.parts.data(), parts, offset); break;
        case IoJob::Kind::kSyncData: result = ::fdatasync(job.fd); break;
        case IoJob::Kind::kSyncAll: result = ::fsync(job.fd); break;
    }
    return result < 0 ? -errno : result;
}

namespace {

/// Jobs one behind the other; takes no memory.
class JobList {
  public:
    void push(IoJob& job) {
        job.next = nullptr;
        (first_ == nullptr ? first_ : last_->next) = &job;
        last_ = &job;
    }
    [[nodiscard]] IoJob* pop() { return first_ == nullptr ? nullptr : std::exchange(first_, first_->next); }

  private:
    IoJob* first_ = nullptr;
    IoJob* last_ = nullptr;
};

/// Syncs one after the other, on a thread that is asleep between them. A lock and a wake a sync are nothing
/// beside what it waits for.
class SyncThread {
  public:
    SyncThread() : thread_([this] { run(); }) {}
    ~SyncThread() {
        begun_.release();  // with nothing to take
        thread_.join();
    }
    SyncThread(const SyncThread&) = delete;
    SyncThread& operator=(const SyncThread&) = delete;

    void begin(IoJob& job) {
        {
            const std::lock_guard lock(mutex_);
            waiting_.push(job);
        }
        begun_.release();
    }

    int poll(IoSink& sink) {
        int count = 0;
        while (IoJob* job = take(done_)) {
            (void)finished_.try_acquire();
            sink.on_done(*job, job->result);
            ++count;
        }
        return count;
    }

    void wait(Duration patience) {
        if (finished_.try_acquire_for(std::chrono::nanoseconds(patience.ns))) {
            finished_.release();  // poll takes it
        }
    }

  private:
    [[nodiscard]] IoJob* take(JobList& list) {
        const std::lock_guard lock(mutex_);
        return list.pop();
    }

    void run() {
        (void)::pthread_setname_np(::pthread_self(), "storage-sync");
        for (;;) {
            begun_.acquire();
            IoJob* const job = take(waiting_);
            if (job == nullptr) {
                return;
            }
            job->result = call(*job);
            const std::lock_guard lock(mutex_);
            done_.push(*job);
            finished_.release();
        }
    }

    std::mutex mutex_;
    JobList waiting_;
    JobList done_;
    std::counting_semaphore<> begun_{0};
    std::counting_semaphore<> finished_{0};  ///< of those done
    std::thread thread_;
};

class CallEngine final : public IoEngine {
  public:
    [[nodiscard]] std::string_view name() const override { return "pwritev"; }

    void run(std::span<IoJob> transfers, IoSink& sink) override {
        for (IoJob& job : transfers) {
            sink.on_done(job, call(job));
        }
    }
    void begin(IoJob& job) override { syncs_.begin(job); }
    int poll(IoSink& sink) override { return syncs_.poll(sink); }
    void wait(Duration patience) override { syncs_.wait(patience); }

  private:
    SyncThread syncs_;
};

}  // namespace

std::unique_ptr<IoEngine> make_call_engine() {
    return std::make_unique<CallEngine>();
}

}  // namespace fulmar::drivers

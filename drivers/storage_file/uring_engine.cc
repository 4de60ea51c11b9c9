#include <cerrno>
#include <liburing.h>
#include <system_error>

#include "base/assert.h"
#include "drivers/storage_file/io_engine.h"

namespace fulmar::drivers {

namespace {

constexpr unsigned kEntries = 64;

class UringEngine final : public IoEngine {
  public:
    UringEngine() = default;
    ~UringEngine() override {
        if (open_) {
            ::io_uring_queue_exit(&ring_);
        }
    }
    UringEngine(const UringEngine&) = delete;
    UringEngine& operator=(const UringEngine&) = delete;

    /// 0 or a negative errno.
    [[nodiscard]] int open() {
        const int error = ::io_uring_queue_init(kEntries, &ring_, 0);
        open_ = error == 0;
        return error;
    }

    [[nodiscard]] std::string_view name() const override { return "io_uring"; }

    void run(std::span<IoJob> transfers, IoSink& sink) override {
        for (IoJob& job : transfers) {
            if (job.kind == IoJob::Kind::kWrite) {
                sink.on_done(job, call(job));
            } else {
                // Never more than the completion queue holds beside some syncs, and it is twice as long.
                while (reads_under_way_ == kEntries) {
                    submit_and_wait();
                    (void)reap(sink);
                }
                io_uring_sqe& entry = free_entry();
                ::io_uring_prep_readv(
                    &entry, job.fd, job.parts.data(), static_cast<unsigned>(job.parts.size()), job.offset);
                ::io_uring_sqe_set_data(&entry, &job);
                ++reads_under_way_;
            }
        }
        while (reads_under_way_ > 0) {
            submit_and_wait();
            (void)reap(sink);
        }
    }

    void begin(IoJob& job) override {
        const bool data = job.kind == IoJob::Kind::kSyncData;
        io_uring_sqe& entry = free_entry();
        ::io_uring_prep_fsync(&entry, job.fd, data ? IORING_FSYNC_DATASYNC : 0);
        ::io_uring_sqe_set_data(&entry, &job);
        submit(::io_uring_submit(&ring_));
    }

    int poll(IoSink& sink) override {
        if (::io_uring_sq_ready(&ring_) > 0) {
            submit(::io_uring_submit(&ring_));  // one that was not taken when it was begun
        }
        return reap(sink);
    }

    void wait(Duration patience) override {
        __kernel_timespec time{.tv_sec = 0, .tv_nsec = patience.ns};
        io_uring_cqe* cqe = nullptr;
        (void)::io_uring_wait_cqe_timeout(&ring_, &cqe, &time);
    }

  private:
    static constexpr std::size_t kFailedSubmissionsMax = 1000;

    io_uring_sqe& free_entry() {
        io_uring_sqe* sqe = ::io_uring_get_sqe(&ring_);
        while (sqe == nullptr) {
            submit(::io_uring_submit(&ring_));
            sqe = ::io_uring_get_sqe(&ring_);
        }
        return *sqe;
    }

    void submit_and_wait() { submit(::io_uring_submit_and_wait(&ring_, 1)); }

    void submit(int result) {
        // Interrupted or short of memory for now: the entries stay queued for the next call.
        FULMAR_ASSERT(result >= 0 || result == -EINTR || result == -EAGAIN || result == -EBUSY ||
                          ++failed_submissions_ < kFailedSubmissionsMax,
            "the kernel takes requests through its ring no more");
    }

    int reap(IoSink& sink) {
        int syncs = 0;
        io_uring_cqe* cqe = nullptr;
        while (::io_uring_peek_cqe(&ring_, &cqe) == 0) {
            auto* job = static_cast<IoJob*>(::io_uring_cqe_get_data(cqe));
            const int result = cqe->res;
            ::io_uring_cqe_seen(&ring_, cqe);
            const bool is_read = job->kind == IoJob::Kind::kRead;
            reads_under_way_ -= is_read ? 1 : 0;
            syncs += is_read ? 0 : 1;
            sink.on_done(*job, result);
        }
        return syncs;
    }

    std::size_t reads_under_way_ = 0;
    std::size_t failed_submissions_ = 0;
    io_uring ring_{};
    bool open_ = false;
};

}  // namespace

Result<std::unique_ptr<IoEngine>> make_uring_engine() {
    auto engine = std::make_unique<UringEngine>();
    if (const int error = engine->open(); error != 0) {
        return fail(ErrorCode::kNotSupported, "io_uring: " + std::generic_category().message(-error));
    }
    return std::unique_ptr<IoEngine>(std::move(engine));
}

}  // namespace fulmar::drivers

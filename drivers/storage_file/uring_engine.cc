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

    void run(std::span<IoJob> jobs, IoSink& sink) override {
        std::size_t prepared = 0;
        std::size_t finished = 0;
        std::size_t failed_submissions = 0;
        while (finished < jobs.size()) {
            // Never more than the completion queue holds, and it is twice as long.
            while (prepared < jobs.size() && prepared - finished < kEntries) {
                io_uring_sqe* sqe = ::io_uring_get_sqe(&ring_);
                if (sqe == nullptr) {
                    break;
                }
                prepare(*sqe, jobs[prepared++]);
            }
            const int result = ::io_uring_submit_and_wait(&ring_, 1);
            // Interrupted or short of memory for now: the entries stay queued for the next call.
            FULMAR_ASSERT(result >= 0 || result == -EINTR || result == -EAGAIN || result == -EBUSY ||
                              ++failed_submissions < kFailedSubmissionsMax,
                "the kernel takes requests through its ring no more");
            finished += reap(sink);
        }
    }

  private:
    static constexpr std::size_t kFailedSubmissionsMax = 1000;

    static void prepare(io_uring_sqe& sqe, IoJob& job) {
        const auto parts = static_cast<unsigned>(job.parts.size());
        switch (job.kind) {
            case IoJob::Kind::kRead:
                ::io_uring_prep_readv(&sqe, job.fd, job.parts.data(), parts, job.offset);
                break;
            case IoJob::Kind::kWrite:
                ::io_uring_prep_writev(&sqe, job.fd, job.parts.data(), parts, job.offset);
                break;
            case IoJob::Kind::kSyncData: ::io_uring_prep_fsync(&sqe, job.fd, IORING_FSYNC_DATASYNC); break;
            case IoJob::Kind::kSyncAll: ::io_uring_prep_fsync(&sqe, job.fd, 0); break;
        }
        ::io_uring_sqe_set_data(&sqe, &job);
    }

    std::size_t reap(IoSink& sink) {
        std::size_t count = 0;
        io_uring_cqe* cqe = nullptr;
        while (::io_uring_peek_cqe(&ring_, &cqe) == 0) {
            auto* job = static_cast<IoJob*>(::io_uring_cqe_get_data(cqe));
            const int result = cqe->res;
            ::io_uring_cqe_seen(&ring_, cqe);
            sink.on_done(*job, result);
            ++count;
        }
        return count;
    }

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

#include <cerrno>
#include <sys/uio.h>
#include <unistd.h>

#include "drivers/storage_file/io_engine.h"

namespace fulmar::drivers {

namespace {

class CallEngine final : public IoEngine {
  public:
    [[nodiscard]] std::string_view name() const override { return "pwritev"; }

    void run(std::span<IoJob> jobs, IoSink& sink) override {
        for (IoJob& job : jobs) {
            const ssize_t result = call(job);
            sink.on_done(job, result < 0 ? -errno : result);
        }
    }

  private:
    static ssize_t call(const IoJob& job) {
        const auto offset = static_cast<off_t>(job.offset);
        const auto parts = static_cast<int>(job.parts.size());
        switch (job.kind) {
            case IoJob::Kind::kRead: return ::preadv(job.fd, job.parts.data(), parts, offset);
            case IoJob::Kind::kWrite: return ::pwritev(job.fd, job.parts.data(), parts, offset);
            case IoJob::Kind::kSyncData: return ::fdatasync(job.fd);
            case IoJob::Kind::kSyncAll: return ::fsync(job.fd);
        }
        return 0;
    }
};

}  // namespace

std::unique_ptr<IoEngine> make_call_engine() {
    return std::make_unique<CallEngine>();
}

}  // namespace fulmar::drivers

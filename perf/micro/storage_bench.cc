// Sequential writes of blocks into a file that was allocated before: through the seam, and by a plain loop of
// pwrite on the same file system, with a sync every so often on both sides.
//   plain|io_uring|pwritev/<block KiB>/<MiB between syncs, 0: none>
// Files are made in FULMAR_STORAGE_BENCH_DIR, or else in the working directory; the label names its file
// system. The kernel's cache completes the writes on both sides, and both wait for each sync.
#include <algorithm>
#include <benchmark/benchmark.h>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fcntl.h>
#include <memory>
#include <string>
#include <sys/vfs.h>
#include <unistd.h>
#include <vector>

#include "drivers/storage_file/file_storage.h"

namespace fulmar::bench {
namespace {

using drivers::FileStorage;
using port::FileHandle;
using port::StorageCompletion;
using port::StorageRequest;
using Op = StorageRequest::Op;

constexpr std::uint64_t kFileBytes = 256 << 20;
constexpr const char* kName = "storage_bench.tmp";

std::string directory() {
    const char* given = std::getenv("FULMAR_STORAGE_BENCH_DIR");
    return given != nullptr ? given : ".";
}

std::string file_system() {
    struct statfs facts {};
    if (::statfs(directory().c_str(), &facts) != 0) {
        return "unknown";
    }
    switch (static_cast<std::uint32_t>(facts.f_type)) {
        case 0xef53: return "ext4";
        case 0x58465342: return "xfs";
        case 0x9123683e: return "btrfs";
        case 0x01021994: return "tmpfs";
        default: return "type " + std::to_string(facts.f_type);
    }
}

[[noreturn]] void give_up(const std::string& why) {
    std::fprintf(stderr, "storage_bench: %s\n", why.c_str());
    std::exit(1);
}

void remove_file() {
    (void)::unlink((directory() + "/" + kName).c_str());
}

void plain(benchmark::State& state) {
    const std::vector<std::byte> block(static_cast<std::size_t>(state.range(0)) << 10, std::byte{7});
    const auto sync_bytes = static_cast<std::uint64_t>(state.range(1)) << 20;
    for (auto _ : state) {
        state.PauseTiming();
        remove_file();
        const int fd = ::open((directory() + "/" + kName).c_str(), O_RDWR | O_CREAT | O_EXCL, 0666);
        if (fd < 0 || ::fallocate(fd, 0, 0, kFileBytes) != 0 || ::fsync(fd) != 0) {
            give_up("no room for a file");
        }
        state.ResumeTiming();
        for (std::uint64_t at = 0; at < kFileBytes; at += block.size()) {
            if (::pwrite(fd, block.data(), block.size(), static_cast<off_t>(at)) !=
                static_cast<ssize_t>(block.size())) {
                give_up("a write failed");
            }
            if (sync_bytes != 0 && (at + block.size()) % sync_bytes == 0 && ::fdatasync(fd) != 0) {
                give_up("a sync failed");
            }
        }
        state.PauseTiming();
        (void)::close(fd);
        remove_file();
        state.ResumeTiming();
    }
    state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(kFileBytes));
    state.SetLabel(file_system());
}

class Session {
  public:
    explicit Session(FileStorage::Engine engine) {
        auto created = FileStorage::create({.directory = directory(), .engine = engine});
        if (!created) {
            give_up(created.error().message);
        }
        storage_ = std::move(*created);
    }
    void submit(StorageRequest request) {
        while (!storage_->submit(request)) {
            collect();
        }
    }
    void finish() {
        while (storage_->under_way() > 0) {
            collect();
        }
    }
    [[nodiscard]] FileHandle opened() const { return opened_; }

  private:
    void collect() {
        if (storage_->poll(completions_, 64) == 0) {
            (void)::sched_yield();
        }
        for (const auto& done : completions_) {
            if (!done.ok()) {
                give_up(done.detail);
            }
            opened_ = done.op == Op::kCreate ? done.file : opened_;
        }
    }
    std::unique_ptr<FileStorage> storage_;
    std::vector<StorageCompletion> completions_;
    FileHandle opened_{};
};

template <FileStorage::Engine kEngine>
void seam(benchmark::State& state) {
    const std::vector<std::byte> block(static_cast<std::size_t>(state.range(0)) << 10, std::byte{7});
    const auto sync_bytes = static_cast<std::uint64_t>(state.range(1)) << 20;
    Session session(kEngine);
    for (auto _ : state) {
        state.PauseTiming();
        remove_file();
        session.submit({.op = Op::kCreate, .length = kFileBytes, .name = kName});
        session.finish();
        const auto file = session.opened();
        session.submit({.op = Op::kSync, .file = file});
        session.finish();
        state.ResumeTiming();
        for (std::uint64_t at = 0; at < kFileBytes; at += block.size()) {
            session.submit({.op = Op::kWrite, .file = file, .offset = at, .data = block});
            if (sync_bytes != 0 && (at + block.size()) % sync_bytes == 0) {
                session.submit({.op = Op::kSync, .file = file});
                session.finish();  // as the plain loop does; a recorder would go on
            }
        }
        session.finish();
        state.PauseTiming();
        session.submit({.op = Op::kClose, .file = file});
        session.finish();
        remove_file();
        state.ResumeTiming();
    }
    state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(kFileBytes));
    state.SetLabel(file_system());
}

void sizes(benchmark::internal::Benchmark* bench) {
    bench->ArgsProduct({{64, 1'024}, {0, 1, 16}})->Unit(benchmark::kMillisecond)->UseRealTime();
}

BENCHMARK(plain)->Apply(sizes);
BENCHMARK_TEMPLATE(seam, FileStorage::Engine::kUring)->Name("io_uring")->Apply(sizes);
BENCHMARK_TEMPLATE(seam, FileStorage::Engine::kCalls)->Name("pwritev")->Apply(sizes);

}  // namespace
}  // namespace fulmar::bench

BENCHMARK_MAIN();

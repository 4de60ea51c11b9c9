// What recording costs: RecordingWriter over a storage that completes everything at once, and on real files
// beside a plain loop of pwrite with the same blocks and as many syncs.
//   crc/<KiB>                       the checksum alone
//   memory/<policy>/<bytes>         per block: the writer's own work, checksum included
//   files/<policy>/<bytes>          FileStorage in FULMAR_STORAGE_BENCH_DIR, or else in the working directory
//   plain/<bytes>/<MiB a sync>      pwrite and fdatasync into a file that was allocated before
// policy 0: batch, 2: none. The label of `files` says how many MiB went into a sync: compare with that
// `plain`.
#include <benchmark/benchmark.h>
#include <cstdio>
#include <cstdlib>
#include <fcntl.h>
#include <memory>
#include <sched.h>
#include <string>
#include <unistd.h>
#include <vector>

#include "archive/checksum.h"
#include "archive/recording_writer.h"
#include "drivers/storage_file/file_storage.h"
#include "perf/micro/no_storage.h"
#include "wire/frame.h"

namespace fulmar::bench {
namespace {

using archive::RecordingWriter;
using archive::SyncPolicy;

constexpr archive::SegmentShape kShape{
    .initial_term_id = 0, .term_length = 16 << 20, .segment_length = 128 << 20, .mtu = 1'408, .stream_id = 1};
constexpr std::int64_t kFileBytes = 256 << 20;

std::string directory() {
    const char* given = std::getenv("FULMAR_STORAGE_BENCH_DIR");
    return given != nullptr ? given : ".";
}

[[noreturn]] void give_up(const std::string& why) {
    std::fprintf(stderr, "recording_bench: %s\n", why.c_str());
    std::exit(1);
}

std::vector<std::byte> block_of(std::size_t length) {
    std::vector<std::byte> block(length, std::byte{7});
    for (std::size_t at = 0; at < length;) {
        const std::size_t frame = std::min<std::size_t>(length - at, 1'408);
        (void)wire::write_data_header(block.data() + at, {.frame_length = static_cast<std::int32_t>(frame)});
        at += frame;
    }
    return block;
}

void crc(benchmark::State& state) {
    const std::vector<std::byte> block(static_cast<std::size_t>(state.range(0)) << 10, std::byte{7});
    for (auto _ : state) {
        benchmark::DoNotOptimize(archive::crc32c(block));
    }
    state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(block.size()));
}

void memory(benchmark::State& state) {
    const auto block = block_of(static_cast<std::size_t>(state.range(1)));
    NoStorage storage;
    archive::StorageHub hub(storage);
    RecordingWriter writer(hub, 1, kShape, 0, 0, {.sync = static_cast<SyncPolicy>(state.range(0))});
    Instant now{};
    const auto turn = [&] {
        now = now + microseconds(1);
        (void)hub.poll(256);
        (void)writer.poll(now);
    };
    for (auto _ : state) {
        while (!writer.write(block, writer.submitted_position())) {
            turn();
        }
        turn();
    }
    if (writer.error()) {
        give_up(writer.error()->message);
    }
    state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(block.size()));
}

void remove_files() {
    for (const char* name : {"1-0", "1-134217728", "1-268435456"}) {
        for (const char* suffix : {".rec", ".crc", ".rec.new"}) {
            (void)::unlink((directory() + "/" + name + suffix).c_str());
        }
    }
}

void files(benchmark::State& state) {
    const auto block = block_of(static_cast<std::size_t>(state.range(1)));
    std::uint64_t syncs = 0;
    for (auto _ : state) {
        state.PauseTiming();
        remove_files();
        auto storage = drivers::FileStorage::create({.directory = directory()});
        if (!storage) {
            give_up(storage.error().message);
        }
        archive::StorageHub hub(**storage);
        RecordingWriter writer(hub, 1, kShape, 0, 0, {.sync = static_cast<SyncPolicy>(state.range(0))});
        Instant now{};
        const auto turn = [&] {
            now = now + microseconds(1);
            if (hub.poll(256) + writer.poll(now) == 0) {
                (void)::sched_yield();
            }
        };
        while (!writer.is_ready()) {
            turn();
        }
        state.ResumeTiming();
        while (writer.recorded_position() < kFileBytes - static_cast<std::int64_t>(block.size())) {
            while (writer.submitted_position() < kFileBytes - static_cast<std::int64_t>(block.size()) &&
                   writer.write(block, writer.submitted_position())) {
            }
            turn();
            if (writer.error()) {
                give_up(writer.error()->message);
            }
        }
        state.PauseTiming();
        syncs += writer.counts().syncs;
        writer.finish();
        while (!writer.is_finished()) {
            turn();
        }
        remove_files();
        state.ResumeTiming();
    }
    const auto bytes = state.iterations() * kFileBytes;
    state.SetBytesProcessed(bytes);
    state.SetLabel(
        syncs == 0
            ? "no sync"
            : std::to_string(static_cast<double>(bytes) / static_cast<double>(syncs) / 1e6) + " MB a sync");
}

void plain(benchmark::State& state) {
    const auto block = block_of(static_cast<std::size_t>(state.range(0)));
    const std::int64_t sync_bytes = state.range(1) << 20;
    const std::string path = directory() + "/recording_bench.tmp";
    for (auto _ : state) {
        state.PauseTiming();
        (void)::unlink(path.c_str());
        const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL, 0666);
        if (fd < 0 || ::fallocate(fd, 0, 0, kFileBytes) != 0 || ::fsync(fd) != 0) {
            give_up("no room for a file");
        }
        state.ResumeTiming();
        std::int64_t unsynced = 0;
        for (std::int64_t at = 0; at + std::ssize(block) <= kFileBytes; at += std::ssize(block)) {
            if (::pwrite(fd, block.data(), block.size(), at) != std::ssize(block)) {
                give_up("a write failed");
            }
            unsynced += std::ssize(block);
            if (sync_bytes != 0 && unsynced >= sync_bytes) {
                if (::fdatasync(fd) != 0) {
                    give_up("a sync failed");
                }
                unsynced = 0;
            }
        }
        state.PauseTiming();
        (void)::close(fd);
        (void)::unlink(path.c_str());
        state.ResumeTiming();
    }
    state.SetBytesProcessed(state.iterations() * kFileBytes);
}

// A term is a multiple of each.
constexpr std::int64_t kSmall = 2'048;
constexpr std::int64_t kMiddle = 64 << 10;
constexpr std::int64_t kLarge = 1 << 20;

BENCHMARK(crc)->Arg(2)->Arg(64)->Arg(1'024);
BENCHMARK(memory)->ArgsProduct({{0, 2}, {kSmall, kMiddle, kLarge}});
BENCHMARK(files)
    ->ArgsProduct({{0, 2}, {kSmall, kMiddle, kLarge}})
    ->Unit(benchmark::kMillisecond)
    ->UseRealTime();
BENCHMARK(plain)
    ->ArgsProduct({{kSmall, kMiddle, kLarge}, {0, 1, 4, 16, 64}})
    ->Unit(benchmark::kMillisecond)
    ->UseRealTime();

}  // namespace
}  // namespace fulmar::bench

BENCHMARK_MAIN();

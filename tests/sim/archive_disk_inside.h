/// The inside of archive_disk_world.h: recordings, what the world knows of them that the disk must not
/// forget, and the disk.
///
/// One subject a file: archive_disk_world.cc the process and its deaths, archive_disk_recovery.cc what has to
/// be true when it is back, archive_disk_spoil.cc silent corruption, archive_disk_life.cc what it does
/// meanwhile. threads: one.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "archive/recording_writer.h"
#include "archive/recovery.h"
#include "drivers/storage_fault/fault_storage.h"
#include "drivers/storage_memory/memory_disk.h"
#include "tests/sim/archive_disk_world.h"
#include "tests/sim/recorded_stream.h"

namespace fulmar::sim::disk {

using namespace archive;
using drivers::FaultStorage;
using drivers::MemoryDisk;
using test::RecordedStream;
using Bytes = std::vector<std::byte>;

inline constexpr std::size_t kStreamMax = 2 << 20;
inline constexpr int kTurnsMax = 200'000;
inline constexpr std::size_t kRecordingsMax = 3;

class WorldClock final : public port::Clock {
  public:
    Instant now() override { return now_; }
    std::int64_t epoch_ms() override { return now_.ns / 1'000'000; }
    void advance() { now_ = now_ + microseconds(10); }

  private:
    Instant now_{};
};

/// One recording, and what the world knows of it that the disk must not forget.
struct Subject {
    std::int64_t id = 0;
    SegmentShape shape{};
    WriterOptions options{};
    RecordedStream stream;
    std::unique_ptr<RecordingWriter> writer;
    std::int64_t told = 0;         ///< durable, as its writer said
    std::int64_t told_before = 0;  ///< before the last sync of it completed
    std::int64_t submitted = 0;
    std::int64_t stop = kNullValue;  ///< as the catalog says
    std::size_t block_limit = 4'096;
    bool wiped = true;  ///< nothing lies behind its stop position
    bool given_up = false;

    Subject(std::int64_t subject_id, const SegmentShape& its_shape, std::int64_t start, std::uint64_t seed)
        : id(subject_id), shape(its_shape), stream(its_shape, start, seed, kStreamMax) {
        told = told_before = submitted = start;
    }
    [[nodiscard]] std::int64_t base_of(std::int64_t position) const {
        return segment_base(stream.start(), position, shape.term_length, shape.segment_length);
    }
};

/// A byte, or a sector, that somebody changed behind everybody's back.
struct Spoilt {
    std::int64_t id = 0;
    std::string file;
    std::uint64_t offset = 0;
    Bytes before;
    Bytes after;
    std::int64_t position = kNullValue;  ///< in the stream, where it is data
    bool told = false;                   ///< recovery named it
    std::int64_t certain = 0;            ///< up to here damage must be told, not cut
};

class DiskWorld {
  public:
    DiskWorld(std::uint64_t seed, bool verbose)
        : result_{.seed = seed},
          verbose_(verbose),
          draws_(seed, 1),
          life_draws_(seed, 2),
          disk_draws_(seed, 3),
          disk_(draws_.chance(0.2) ? 900'000 : 64'000'000),
          catalog_(Catalog::create(4'096)),
          storage_seed_(seed * 1'000) {}

    DiskWorldResult run();

  private:
    [[nodiscard]] bool failed() const { return !result_.failure.empty(); }
    void fail(const std::string& why);
    void note(const std::string& what) const;
    void count(DiskCount kind, std::uint64_t amount = 1) {
        result_.counts[static_cast<std::size_t>(kind)] += amount;
    }
    void mix(std::int64_t value) {
        result_.hash = (result_.hash ^ static_cast<std::uint64_t>(value)) * 0x100000001b3ULL;
    }

    // The process and its storage.
    void start_storage(const std::string& faults);
    void stop_storage();
    void turn() {
        clock_.advance();
        (void)hub_->poll(64);
    }
    template <class Task>
    void run_task(Task& task) {
        for (int i = 0; !task.is_done(); ++i) {
            if (i == kTurnsMax) {
                return fail("a task that does not end");
            }
            turn();
            task.poll();
        }
    }
    void die(bool may_spoil);

    // Recovery, and what has to be true then: archive_disk_recovery.cc.
    void recover();
    void interrupt_recovery();
    void judge(Subject& subject, const Recovery& recovery);
    /// Adds what a look at every block finds.
    void verify(const Subject& subject, std::int64_t stop, std::vector<Damage>& damages);
    void check_bytes(const Subject& subject, std::int64_t stop, const std::vector<Damage>& damages);
    void check_names();

    // Silent corruption: archive_disk_spoil.cc.
    void spoil();
    /// Puts it right, as a repair would; then nothing may be left to complain about.
    void mend();
    [[nodiscard]] Bytes content(const std::string& name);
    void put(const std::string& name, std::uint64_t offset, const Bytes& bytes);

    // A life of the process: archive_disk_life.cc.
    void live();
    [[nodiscard]] std::string faults_of_a_life();
    void begin_new();
    void begin_writer(Subject& subject, bool extends);
    void note_positions(Subject& subject);
    void drive(Subject& subject);
    /// As a server does: the writer ends, the catalog says where, and what lies behind it goes.
    void stop(Subject& subject);
    void cut(Subject& subject, bool is_kept_sound);

    DiskWorldResult result_;
    const bool verbose_;
    base::Prng draws_;
    base::Prng life_draws_;
    base::Prng disk_draws_;
    MemoryDisk disk_;
    Catalog catalog_;
    std::uint64_t storage_seed_;
    WorldClock clock_;
    std::unique_ptr<port::Storage> storage_;
    FaultStorage* faults_ = nullptr;
    std::unique_ptr<StorageHub> hub_;
    std::vector<std::unique_ptr<Subject>> subjects_;
    std::optional<Spoilt> spoilt_;
};

}  // namespace fulmar::sim::disk

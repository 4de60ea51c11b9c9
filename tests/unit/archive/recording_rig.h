/// A recording's writer over a disk in memory, and a process that may die.
/// threads: one.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "archive/recording_writer.h"
#include "archive/sidecar.h"
#include "drivers/storage_fault/fault_storage.h"
#include "drivers/storage_memory/memory_disk.h"
#include "drivers/storage_memory/memory_storage.h"
#include "tests/sim/recorded_stream.h"

namespace fulmar::test {

using archive::RecordingWriter;
using archive::SegmentShape;
using archive::StorageHub;
using archive::SyncPolicy;
using archive::WriterOptions;
using Bytes = std::vector<std::byte>;

inline constexpr SegmentShape kShape{
    .initial_term_id = -3, .term_length = 65'536, .segment_length = 131'072, .mtu = 1'408, .stream_id = 9};
inline constexpr std::size_t kStreamMax = 1 << 20;
inline constexpr std::int64_t kId = 0;

class ManualClock final : public port::Clock {
  public:
    Instant now() override { return now_; }
    std::int64_t epoch_ms() override { return now_.ns / 1'000'000; }
    void advance(Duration by) { now_ = now_ + by; }

  private:
    Instant now_{};
};

/// One disk; a process at a time on it.
class RecordingRig {
  public:
    explicit RecordingRig(std::uint64_t seed = 1, std::uint64_t space = 64 << 20)
        : disk_(space), seed_(seed), draws_(seed, 99) {
        start();
    }

    /// A new process; the one before is dead.
    void start(const std::string& faults = "none") {
        stop();
        auto memory =
            std::make_unique<drivers::MemoryStorage>(disk_, drivers::MemoryStorage::Options{.seed = ++seed_});
        if (faults == "none") {
            storage_ = std::move(memory);
            faults_ = nullptr;
        } else {
            auto spec = drivers::parse_storage_fault(faults);
            REQUIRE(spec.has_value());
            auto storage = std::make_unique<drivers::FaultStorage>(std::move(memory), *spec, clock_);
            faults_ = storage.get();
            storage_ = std::move(storage);
        }
        hub_ = std::make_unique<StorageHub>(*storage_);
    }
    void set_faults(const std::string& faults) {
        auto spec = drivers::parse_storage_fault(faults);
        REQUIRE(spec.has_value());
        faults_->set_spec(*spec);
    }
    void stop() {
        storage_.reset();
        hub_.reset();
    }
    void power_cut(bool torn) {
        stop();
        disk_.power_cut({.torn = torn}, draws_);
    }

    [[nodiscard]] StorageHub& hub() { return *hub_; }
    [[nodiscard]] drivers::MemoryDisk& disk() { return disk_; }
    [[nodiscard]] Instant now() { return clock_.now(); }

    /// One duty cycle of everything that is polled.
    void turn(const std::function<void(Instant)>& poll, Duration cycle = microseconds(10)) {
        clock_.advance(cycle);
        (void)hub_->poll(64);
        poll(clock_.now());
    }
    void turn(RecordingWriter& writer) {
        turn([&writer](Instant now) { (void)writer.poll(now); });
    }
    /// Turns until `done`.
    template <class Task>
    void run(Task& task) {
        for (int i = 0; !task.is_done(); ++i) {
            REQUIRE(i < 1'000'000);
            turn([&task](Instant) { task.poll(); });
        }
    }
    void turn_until(RecordingWriter& writer, const std::function<bool()>& done) {
        for (int i = 0; !done(); ++i) {
            REQUIRE(i < 100'000);
            turn(writer);
        }
    }

    /// Gives the writer all that the stream has, in blocks of up to `limit` bytes.
    void write_all(RecordingWriter& writer, const RecordedStream& stream, std::size_t limit = 4'096) {
        turn_until(writer, [&] {
            while (!writer.error() && writer.submitted_position() < stream.end()) {
                const auto block = stream.block(writer.submitted_position(), limit);
                if (!writer.write(block, writer.submitted_position())) {
                    break;
                }
            }
            return writer.error() || writer.submitted_position() == stream.end();
        });
    }
    void finish(RecordingWriter& writer) {
        writer.finish();
        turn_until(writer, [&] { return writer.is_finished(); });
        CHECK(hub_->under_way() == 0);
    }

    [[nodiscard]] std::map<std::string, std::uint64_t> names() const {
        std::map<std::string, std::uint64_t> names;
        for (const auto& entry : disk_.list()) {
            names.emplace(entry.name, entry.length);
        }
        return names;
    }
    [[nodiscard]] Bytes content(const std::string& name) {
        const auto opened = disk_.open(name);
        REQUIRE_MESSAGE(opened.code == drivers::MemoryDisk::Code::kOk, name);
        Bytes bytes(disk_.length(opened.file));
        CHECK(disk_.read(opened.file, 0, bytes) == bytes.size());
        disk_.close(opened.file);
        return bytes;
    }
    /// Changes a file behind everybody's back, durably.
    void spoil(const std::string& name, std::uint64_t offset, const Bytes& bytes) {
        const auto opened = disk_.open(name);
        REQUIRE(opened.code == drivers::MemoryDisk::Code::kOk);
        REQUIRE(disk_.write(opened.file, offset, bytes) == drivers::MemoryDisk::Code::kOk);
        disk_.sync(opened.file);
        disk_.close(opened.file);
    }
    void flip(const std::string& name, std::uint64_t offset) {
        const Bytes before = content(name);
        spoil(name, offset, {before.at(offset) ^ std::byte{0x10}});
    }

    /// Whether the segments hold the stream up to `end`, and zeros from there to the end of the last segment.
    void check_recorded(const RecordedStream& stream, std::int64_t end) {
        std::int64_t base =
            archive::segment_base(stream.start(), stream.start(), kShape.term_length, kShape.segment_length);
        for (; base < end; base += kShape.segment_length) {
            const Bytes bytes = content(archive::segment_name(kId, base));
            REQUIRE(bytes.size() == static_cast<std::size_t>(kShape.segment_length));
            const std::int64_t from = std::max(base, stream.start());
            const std::int64_t to = std::min(base + kShape.segment_length, end);
            Bytes expected(bytes.size());
            const auto recorded = stream.recorded(from, to);
            std::copy(recorded.begin(), recorded.end(), expected.begin() + (from - base));
            const auto differs = std::mismatch(bytes.begin(), bytes.end(), expected.begin()).first;
            CHECK_MESSAGE(differs == bytes.end(),
                "segment " << base << " up to " << to << " differs at " << differs - bytes.begin());
        }
    }

  private:
    drivers::MemoryDisk disk_;
    std::uint64_t seed_;
    base::Prng draws_;
    ManualClock clock_;
    std::unique_ptr<port::Storage> storage_;
    drivers::FaultStorage* faults_ = nullptr;
    std::unique_ptr<StorageHub> hub_;
};

}  // namespace fulmar::test

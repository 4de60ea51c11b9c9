#include "perf/e2e/archive.h"

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <fmt/core.h>
#include <nlohmann/json.hpp>
#include <sys/vfs.h>
#include <thread>
#include <unistd.h>
#include <vector>

#include "drivers/archive_runtime/archive.h"
#include "fulmar/archive/recording_position.h"
#include "fulmar/archive_client.h"
#include "fulmar/fragment_assembler.h"
#include "fulmar/idle.h"
#include "perf/e2e/node.h"
#include "perf/e2e/plain_writer.h"
#include "perf/e2e/report.h"

namespace fulmar::perf {
namespace {

constexpr std::uint64_t kSegment = 128 << 20;
constexpr std::int32_t kStream = 77;
constexpr Duration kPatience = seconds(60);

struct Round {
    double recorded = 0;  ///< bytes per second, to the last acknowledged byte
    double plain = 0;
    double live_alone = 0;  ///< of a subscriber while nobody records
    double live = 0;        ///< while somebody does
    double replayed = 0;
    archive::WriterCounts written;
};

std::string file_system(const std::string& directory) {
    struct statfs facts {};
    if (::statfs(directory.c_str(), &facts) != 0) {
        return "unknown";
    }
    switch (static_cast<std::uint32_t>(facts.f_type)) {
        case 0xef53: return "ext4";
        case 0x58465342: return "xfs";
        case 0x9123683e: return "btrfs";
        case 0x01021994: return "tmpfs";
        default: return fmt::format("type {:#x}", static_cast<std::uint32_t>(facts.f_type));
    }
}

double since(Instant begin) {
    return static_cast<double>((Node::clock_now() - begin).ns) / 1e9;
}

class Bench {
  public:
    Bench(const ArchiveOptions& options, std::string sync) : options_(options), sync_(std::move(sync)) {}

    Status open() {
        drivers::ArchiveOptions archive;
        archive.archive_dir = options_.directory + "/archive";
        archive.delete_dir_on_start = true;
        archive.driver.threading = MediaDriverOptions::Threading::kShared;
        archive.driver.dir = fmt::format("/dev/shm/fulmar-perf-{}", ::getpid());
        archive.server.segment_file_length = static_cast<std::int32_t>(kSegment);
        archive.server.writer.sync =
            sync_ == "batch" ? archive::SyncPolicy::kBatch : archive::SyncPolicy::kNone;
        archive.server.on_error = [](const Error& error) {
            fmt::print(stderr, "fulmar-perf: archive: {}\n", error.message);
        };
        FULMAR_TRY(started, drivers::Archive::start(std::move(archive)));
        archive_ = std::move(started);
        ClientOptions client;
        client.dir = fmt::format("/dev/shm/fulmar-perf-{}", ::getpid());
        client.name = "fulmar-perf";
        FULMAR_TRY(connected, Client::connect(std::move(client)));
        client_ = std::move(connected);
        ArchiveClientOptions session;
        session.control_request_channel = "aeron:ipc?term-length=64k";
        FULMAR_TRY(asked, ArchiveClient::connect(*client_, std::move(session)));
        session_ = std::move(asked);
        return Done{};
    }
    void close() {
        session_.reset();
        client_.reset();
        archive_->close();
        archive_.reset();
    }

    /// Publishes for a while, to a recording, to a subscriber, or to both.
    Status run(bool records, bool has_subscriber, double& rate, Round* round) {
        const std::string channel = "aeron:ipc?term-length=64m";
        const std::int32_t stream = next_stream_++;
        std::int64_t subscription_id = -1;
        if (records) {
            FULMAR_TRY(id, session_->start_recording(channel, stream, SourceLocation::kLocal));
            subscription_id = id;
        }
        Reader reader;
        if (has_subscriber) {
            FULMAR_TRY_VOID(reader.start(*client_, channel, stream));
        }
        FULMAR_TRY(publication, client_->add_exclusive_publication(channel, stream));
        std::optional<RecordingPosition> recorded;
        FULMAR_TRY_VOID(await("the stream's readers", [&] {
            if (records && !recorded) {
                const auto counter = find_recording_counter_by_session(
                    client_->counters(), publication->session_id(), session_->archive_id());
                if (counter) {
                    recorded = RecordingPosition::open(client_->counters(), *counter);
                }
            }
            return publication->is_connected() && (!records || recorded) &&
                   (!has_subscriber || reader.has_image());
        }));
        const std::vector<std::byte> message(options_.size, std::byte{7});
        const Instant begin = Node::clock_now();
        const Instant end = begin + Duration{static_cast<std::int64_t>(options_.seconds * 1e9)};
        for (int i = 0; (i & 63) != 0 || Node::clock_now() < end; ++i) {
            while (!publication->offer(message).is_ok()) {
                (void)::sched_yield();
                if (Node::clock_now() > end + kPatience) {
                    return fail(ErrorCode::kGeneric, "the stream does not move");
                }
            }
        }
        const std::int64_t position = publication->position();
        FULMAR_TRY_VOID(await("the rest of the stream", [&] {
            return (!records || recorded->position() >= position) &&
                   (!has_subscriber || reader.position() >= position);
        }));
        rate = static_cast<double>(position) / since(begin);
        reader.stop();
        if (records) {
            recording_id_ = recorded->recording_id();
            bytes_ = static_cast<std::uint64_t>(position);
            const std::uint64_t before = archive_->written().writes;
            FULMAR_TRY_VOID(session_->stop_recording(subscription_id));
            FULMAR_TRY_VOID(await("the figures", [&] { return archive_->written().writes != before; }));
            if (round != nullptr) {
                const archive::WriterCounts all = archive_->written();
                round->written = all;
                round->written.bytes -= counted_.bytes;
                round->written.writes -= counted_.writes;
                round->written.syncs -= counted_.syncs;
            }
            counted_ = archive_->written();
        }
        return Done{};
    }

    Status replay(double& rate) {
        const Instant begin = Node::clock_now();
        FULMAR_TRY(subscription, session_->replay(recording_id_, "aeron:ipc", 10'000 + next_stream_, {}));
        std::int64_t reached = 0;
        FULMAR_TRY_VOID(await("the replay", [&] {
            (void)subscription->poll([](std::span<const std::byte>, const Header&) {}, 2000);
            if (!subscription->images().empty()) {
                reached = subscription->images().front()->position();
            }
            return static_cast<std::uint64_t>(reached) >= bytes_;
        }));
        rate = static_cast<double>(bytes_) / since(begin);
        return Done{};
    }
    Status purge() {
        // The replay may not have noticed yet that its subscriber left.
        return await("the recording to be purged",
            [&] { return session_->purge_recording(recording_id_).has_value(); });
    }

    [[nodiscard]] std::uint64_t bytes() const { return bytes_; }

  private:
    /// Reads a stream on a thread of its own, as fast as it can.
    class Reader {
      public:
        ~Reader() { stop(); }
        Status start(Client& client, const std::string& channel, std::int32_t stream) {
            FULMAR_TRY(subscription, client.add_subscription(channel, stream));
            subscription_ = std::move(subscription);
            thread_ = std::thread([this] {
                YieldIdle idle;
                while (!stop_.load(std::memory_order_acquire)) {
                    const int work =
                        subscription_->poll([](std::span<const std::byte>, const Header&) {}, 2000);
                    if (!subscription_->images().empty()) {
                        has_image_.store(true, std::memory_order_release);
                        position_.store(
                            subscription_->images().front()->position(), std::memory_order_release);
                    }
                    idle.idle(work);
                }
            });
            return Done{};
        }
        void stop() {
            stop_.store(true, std::memory_order_release);
            if (thread_.joinable()) {
                thread_.join();
            }
        }
        [[nodiscard]] bool has_image() const { return has_image_.load(std::memory_order_acquire); }
        [[nodiscard]] std::int64_t position() const { return position_.load(std::memory_order_acquire); }

      private:
        std::unique_ptr<Subscription> subscription_;
        std::atomic<bool> stop_{false};
        std::atomic<bool> has_image_{false};
        std::atomic<std::int64_t> position_{0};
        std::thread thread_;
    };

    template <class Condition>
    Status await(const char* what, Condition&& condition) {
        const Instant deadline = Node::clock_now() + kPatience;
        while (!condition()) {
            if (Node::clock_now() > deadline) {
                return fail(ErrorCode::kGeneric, std::string("waited in vain for ") + what);
            }
            if (session_->poll() == 0) {
                (void)::sched_yield();
            }
        }
        return Done{};
    }

    const ArchiveOptions& options_;
    const std::string sync_;
    std::unique_ptr<drivers::Archive> archive_;
    std::unique_ptr<Client> client_;
    std::unique_ptr<ArchiveClient> session_;
    std::int32_t next_stream_ = kStream;
    std::int64_t recording_id_ = -1;
    std::uint64_t bytes_ = 0;
    archive::WriterCounts counted_;
};

Status run_rounds(const ArchiveOptions& options, const std::string& sync, std::vector<Round>& rounds) {
    Bench bench(options, sync);
    FULMAR_TRY_VOID(bench.open());
    for (int i = 0; i < options.rounds && !stop_requested(); ++i) {
        Round& round = rounds.emplace_back();
        double with_reader = 0;
        FULMAR_TRY_VOID(bench.run(true, false, round.recorded, &round));
        FULMAR_TRY_VOID(bench.replay(round.replayed));
        FULMAR_TRY_VOID(bench.purge());
        WritePattern pattern;
        pattern.bytes = bench.bytes();
        pattern.block = std::max<std::uint64_t>(
            round.written.bytes / std::max<std::uint64_t>(round.written.writes, 1), 4096);
        pattern.sync_every =
            sync == "none" ? 0 : round.written.bytes / std::max<std::uint64_t>(round.written.syncs, 1);
        pattern.file_length = kSegment;
        FULMAR_TRY(plain, write_plainly(options.directory, pattern));
        round.plain = static_cast<double>(pattern.bytes) / plain;
        FULMAR_TRY_VOID(bench.run(false, true, round.live_alone, nullptr));
        FULMAR_TRY_VOID(bench.run(true, true, with_reader, nullptr));
        round.live = with_reader;
        FULMAR_TRY_VOID(bench.purge());
    }
    bench.close();
    return Done{};
}

double median(const std::vector<Round>& rounds, double Round::*member) {
    std::vector<double> values;
    for (const Round& round : rounds) {
        values.push_back(round.*member);
    }
    std::sort(values.begin(), values.end());
    return values.empty() ? 0 : values[values.size() / 2];
}

double median_ratio(const std::vector<Round>& rounds, double Round::*over, double Round::*under) {
    std::vector<double> values;
    for (const Round& round : rounds) {
        values.push_back(round.*over / round.*under);
    }
    std::sort(values.begin(), values.end());
    return values.empty() ? 0 : values[values.size() / 2];
}

int run_policy(const ArchiveOptions& options, const std::string& sync) {
    std::vector<Round> rounds;
    if (const Status status = run_rounds(options, sync, rounds); !status) {
        fmt::print(stderr, "fulmar-perf: {}\n", status.error().message);
        return 2;
    }
    const archive::WriterCounts& counts = rounds.back().written;
    const double mega = 1e6;
    const double ratio = median_ratio(rounds, &Round::recorded, &Round::plain);
    const auto writes = static_cast<double>(std::max<std::uint64_t>(counts.writes, 1));
    nlohmann::ordered_json line{{"test", "archive"}, {"sync", sync},
        {"file_system", file_system(options.directory)}, {"size", options.size}, {"rounds", rounds.size()},
        {"record_mb_s", median(rounds, &Round::recorded) / mega},
        {"record_msgs_s",
            median(rounds, &Round::recorded) / static_cast<double>((options.size + 63) / 32 * 32)},
        {"plain_mb_s", median(rounds, &Round::plain) / mega}, {"ratio", ratio},
        {"block_kib", static_cast<double>(counts.bytes) / writes / 1024}, {"syncs", counts.syncs},
        {"sync_max_ms", static_cast<double>(counts.sync_ns_max) / 1e6},
        {"replay_mb_s", median(rounds, &Round::replayed) / mega},
        {"live_alone_mb_s", median(rounds, &Round::live_alone) / mega},
        {"live_recorded_mb_s", median(rounds, &Round::live) / mega},
        {"live_ratio", median_ratio(rounds, &Round::live, &Round::live_alone)}};
    if (options.json) {
        line["environment"] = environment();
        fmt::print("{}\n", line.dump());
        return 0;
    }
    fmt::print(
        "archive, sync {}, {} byte messages, {}\n", sync, options.size, file_system(options.directory));
    fmt::print(
        "  recorded      {:8.0f} MB/s  ({:.2f} of a plain writer's {:.0f} MB/s; writes of {:.0f} KiB, {} "
        "syncs)\n",
        median(rounds, &Round::recorded) / mega, ratio, median(rounds, &Round::plain) / mega,
        static_cast<double>(counts.bytes) / writes / 1024, counts.syncs);
    fmt::print("  replayed      {:8.0f} MB/s\n", median(rounds, &Round::replayed) / mega);
    fmt::print("  live stream   {:8.0f} MB/s while it is recorded, {:.0f} MB/s alone\n",
        median(rounds, &Round::live) / mega, median(rounds, &Round::live_alone) / mega);
    return 0;
}

}  // namespace

int run_archive(const ArchiveOptions& given) {
    ArchiveOptions options = given;
    const bool is_own = options.directory.empty();
    if (is_own) {
        options.directory = fmt::format("fulmar-perf-archive-{}", ::getpid());
    }
    std::error_code failed;
    std::filesystem::create_directories(options.directory, failed);
    if (failed) {
        fmt::print(stderr, "fulmar-perf: cannot make {}: {}\n", options.directory, failed.message());
        return 2;
    }
    int status = 0;
    for (const char* sync : {"none", "batch"}) {
        if (status == 0 && (options.sync == "both" || options.sync == sync)) {
            status = run_policy(options, sync);
        }
    }
    std::filesystem::remove_all(is_own ? options.directory : options.directory + "/archive", failed);
    return status;
}

}  // namespace fulmar::perf

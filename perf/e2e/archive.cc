#include "perf/e2e/archive.h"

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <fmt/core.h>
#include <nlohmann/json.hpp>
#include <sys/vfs.h>
#include <unistd.h>
#include <vector>

#include "drivers/archive_runtime/archive.h"
#include "fulmar/archive/recording_position.h"
#include "fulmar/archive_client.h"
#include "fulmar/fragment_assembler.h"
#include "perf/e2e/node.h"
#include "perf/e2e/pacing.h"
#include "perf/e2e/plain_writer.h"
#include "perf/e2e/report.h"
#include "perf/e2e/stream_reader.h"

namespace fulmar::perf {
namespace {

constexpr std::uint64_t kSegment = 128 << 20;
constexpr std::int64_t kTermLength = 64 << 20;
constexpr std::int32_t kStream = 77;
constexpr Duration kPatience = seconds(60);

struct Round {
    double recorded = 0;  ///< bytes per second, to the last acknowledged byte
    double plain = 0;
    double live_alone = 0;  ///< of a subscriber while nobody records
    double live = 0;        ///< while somebody does
    double replayed = 0;
    base::Histogram latency_alone;  ///< of the live stream at a fixed rate
    base::Histogram latency;        ///< while it is recorded
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

/// Publishes messages that begin with the Instant at which they were meant to be sent.
class Sender {
  public:
    /// `rate`: messages per second; 0: as many as go.
    Sender(ExclusivePublication& publication, std::size_t size, double rate)
        : publication_(publication), message_(std::max(size, sizeof(Instant)), std::byte{7}), rate_(rate) {}

    Status send_bytes(std::int64_t bytes) {
        const std::int64_t end = publication_.position() + bytes;
        while (publication_.position() < end) {
            for (int i = 0; i < 64; ++i) {
                FULMAR_TRY_VOID(send());
            }
        }
        return Done{};
    }
    Status send_for(double seconds) {
        const Instant begin = Node::clock_now();
        const Instant end = begin + Duration{static_cast<std::int64_t>(seconds * 1e9)};
        Pacing pacing(rate_, begin);
        for (Instant now = begin; now < end; now = Node::clock_now()) {
            if (!pacing.due(now)) {
                (void)::sched_yield();
                continue;
            }
            const Instant intended = pacing.intended(now);
            std::memcpy(message_.data(), &intended, sizeof intended);
            FULMAR_TRY_VOID(send());
            pacing.sent();
        }
        return Done{};
    }

  private:
    Status send() {
        if (publication_.offer(message_).is_ok()) {
            return Done{};
        }
        const Instant deadline = Node::clock_now() + kPatience;
        while (!publication_.offer(message_).is_ok()) {
            (void)::sched_yield();
            if (Node::clock_now() > deadline) {
                return fail(ErrorCode::kGeneric, "the stream does not move");
            }
        }
        return Done{};
    }

    ExclusivePublication& publication_;
    std::vector<std::byte> message_;
    double rate_;
};

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

    struct Plan {
        bool records = false;
        bool is_read = false;  ///< by a live subscriber
        double rate = 0;       ///< messages per second; 0: as many as go
    };
    struct Outcome {
        double rate = 0;  ///< bytes per second
        base::Histogram latency;
        archive::WriterCounts written;
    };

    /// Publishes for a while.
    Status run(const Plan& plan, Outcome& outcome) {
        const std::string channel = "aeron:ipc?term-length=" + std::to_string(kTermLength);
        const std::int32_t stream = next_stream_++;
        std::int64_t subscription_id = -1;
        if (plan.records) {
            FULMAR_TRY(id, session_->start_recording(channel, stream, SourceLocation::kLocal));
            subscription_id = id;
        }
        StreamReader reader;
        if (plan.is_read) {
            FULMAR_TRY_VOID(reader.start(*client_, channel, stream, plan.rate > 0));
        }
        FULMAR_TRY(publication, client_->add_exclusive_publication(channel, stream));
        std::optional<RecordingPosition> recorded;
        FULMAR_TRY_VOID(await("the stream's readers", [&] {
            if (plan.records && !recorded) {
                const auto counter = find_recording_counter_by_session(
                    client_->counters(), publication->session_id(), session_->archive_id());
                if (counter) {
                    recorded = RecordingPosition::open(client_->counters(), *counter);
                }
            }
            return publication->is_connected() && (!plan.records || recorded) &&
                   (!plan.is_read || reader.has_image());
        }));
        Sender sender(*publication, options_.size, plan.rate);
        const auto arrived = [&] {
            const std::int64_t position = publication->position();
            return (!plan.records || recorded->position() >= position) &&
                   (!plan.is_read || reader.position() >= position);
        };
        if (plan.rate == 0) {
            // Each page of the log buffer is touched before the clock runs.
            FULMAR_TRY_VOID(sender.send_bytes(4 * kTermLength));
            FULMAR_TRY_VOID(await("the stream's beginning", arrived));
        }
        const std::int64_t from = publication->position();
        const Instant begin = Node::clock_now();
        FULMAR_TRY_VOID(
            plan.rate == 0 ? sender.send_bytes(options_.bytes) : sender.send_for(options_.seconds));
        FULMAR_TRY_VOID(await("the rest of the stream", arrived));
        const std::int64_t position = publication->position();
        outcome.rate = static_cast<double>(position - from) / since(begin);
        reader.stop();
        outcome.latency = reader.latency();
        if (plan.records) {
            recording_id_ = recorded->recording_id();
            bytes_ = static_cast<std::uint64_t>(position);
            const std::uint64_t before = archive_->written().writes;
            FULMAR_TRY_VOID(session_->stop_recording(subscription_id));
            FULMAR_TRY_VOID(await("the figures", [&] { return archive_->written().writes != before; }));
            outcome.written = archive_->written();
            outcome.written.bytes -= counted_.bytes;
            outcome.written.writes -= counted_.writes;
            outcome.written.syncs -= counted_.syncs;
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

  private:
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
    std::uint64_t bytes_ = 0;  ///< of the recording
    archive::WriterCounts counted_;
};

/// Memory that a virtual machine gave back costs several times a write when it is used again: each pass gets
/// what a plain writer has just used. It also begins with nothing that waits to be written.
Status warm_up(const ArchiveOptions& options) {
    WritePattern pattern;
    pattern.bytes = static_cast<std::uint64_t>(options.bytes + 8 * kTermLength);
    pattern.block = 1 << 20;
    pattern.file_length = kSegment;
    FULMAR_TRY_VOID(write_plainly(options.directory, pattern));
    ::sync();
    return Done{};
}

Status run_plainly(const ArchiveOptions& options, const std::string& sync, Round& round) {
    const archive::WriterCounts& written = round.written;
    WritePattern pattern;
    pattern.bytes = static_cast<std::uint64_t>(options.bytes);
    pattern.block = std::max<std::uint64_t>(written.bytes / std::max<std::uint64_t>(written.writes, 1), 4096);
    pattern.sync_every = sync == "none" ? 0 : written.bytes / std::max<std::uint64_t>(written.syncs, 1);
    pattern.file_length = kSegment;
    FULMAR_TRY(took, write_plainly(options.directory, pattern));
    round.plain = static_cast<double>(pattern.bytes) / took;
    return Done{};
}

Status run_rounds(const ArchiveOptions& options, const std::string& sync, std::vector<Round>& rounds) {
    Bench bench(options, sync);
    FULMAR_TRY_VOID(bench.open());
    for (int i = 0; i < options.rounds && !stop_requested(); ++i) {
        Round& round = rounds.emplace_back();
        Bench::Outcome outcome;
        FULMAR_TRY_VOID(warm_up(options));
        FULMAR_TRY_VOID(bench.run({.records = true}, outcome));
        round.recorded = outcome.rate;
        round.written = outcome.written;
        FULMAR_TRY_VOID(bench.replay(round.replayed));
        FULMAR_TRY_VOID(bench.purge());
        FULMAR_TRY_VOID(warm_up(options));
        FULMAR_TRY_VOID(run_plainly(options, sync, round));
        FULMAR_TRY_VOID(bench.run({.is_read = true}, outcome));
        round.live_alone = outcome.rate;
        FULMAR_TRY_VOID(warm_up(options));
        FULMAR_TRY_VOID(bench.run({.records = true, .is_read = true}, outcome));
        round.live = outcome.rate;
        FULMAR_TRY_VOID(bench.purge());
        FULMAR_TRY_VOID(bench.run({.is_read = true, .rate = options.live_rate}, outcome));
        round.latency_alone = outcome.latency;
        FULMAR_TRY_VOID(bench.run({.records = true, .is_read = true, .rate = options.live_rate}, outcome));
        round.latency = outcome.latency;
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

base::Histogram all_of(const std::vector<Round>& rounds, base::Histogram Round::*member) {
    base::Histogram sum;
    for (const Round& round : rounds) {
        sum.add(round.*member);
    }
    return sum;
}

std::string in_words(const base::Histogram& latency) {
    const auto at = [&](double percentile) {
        return static_cast<double>(latency.value_at_percentile(percentile)) / 1e3;
    };
    return fmt::format(
        "p50 {:.1f}, p99 {:.1f}, p99.9 {:.1f}, p99.99 {:.1f} us", at(50), at(99), at(99.9), at(99.99));
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
    const base::Histogram latency_alone = all_of(rounds, &Round::latency_alone);
    const base::Histogram latency = all_of(rounds, &Round::latency);
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
        {"live_ratio", median_ratio(rounds, &Round::live, &Round::live_alone)},
        {"live_rate", options.live_rate}, {"live_alone_ns", percentiles(latency_alone)},
        {"live_recorded_ns", percentiles(latency)}};
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
    fmt::print("  at {:.0f}/s       {} alone\n                  {} while it is recorded\n", options.live_rate,
        in_words(latency_alone), in_words(latency));
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

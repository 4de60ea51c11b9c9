// Kills an archive again and again while it records, and looks each time whether all that it had acknowledged
// is there, equal, and can be gone on with. With --power-cut what was not synced is gone as well.
#include <CLI/CLI.hpp>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <fmt/core.h>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <unistd.h>
#include <vector>

#include "base/bytes.h"
#include "fulmar/archive/recording_position.h"
#include "fulmar/archive_client.h"
#include "fulmar/driver.h"
#include "fulmar/fragment_assembler.h"
#include "fulmar/idle.h"
#include "tests/lab/child.h"
#include "tests/lab/numbered_stream.h"

namespace fulmar::lab {
namespace {

constexpr std::int32_t kTermLength = 256 * 1024;
constexpr Duration kPatience = seconds(30);
/// How far a recording is written, a counter of ours (lib/archive_server/counters.h).
constexpr std::int32_t kWrittenTypeId = 7200;

struct Options {
    std::string archive_program;
    int rounds = 100;
    std::uint64_t seed = 1;
    bool power_cut = false;
    bool json = false;
    std::string sync = "batch";
    std::string out;
};

/// One stream and its recording, through all rounds.
struct Stream {
    std::string channel;
    std::int32_t stream_id = 0;
    SourceLocation source = SourceLocation::kLocal;
    NumberedMessages messages{0};
    std::int64_t recording_id = kNullRecordingId;
    std::int32_t initial_term_id = 0;
    std::unique_ptr<ExclusivePublication> publication;
    std::uint64_t next_message = 0;  ///< to publish
    std::int64_t acknowledged = 0;   ///< greatest position that the archive said is recorded
    std::int64_t written = 0;        ///< greatest that it said is written
    std::int64_t verified = 0;       ///< up to here bytes were compared
    std::uint64_t verified_messages = 0;
};

struct Tally {
    int rounds = 0;
    std::uint64_t lost = 0;  ///< acknowledged bytes that were not there or differed
    std::uint64_t recorded = 0;
    std::uint64_t dropped = 0;  ///< written, not durable, gone
    int rounds_with_drops = 0;
    std::string failure;
};

class Rounds {
  public:
    explicit Rounds(const Options& options) : options_(options), draws_(options.seed) {
        directory_ = options.out.empty() ? fmt::format("/tmp/fulmar-lab-{}", ::getpid()) : options.out;
        std::filesystem::create_directories(directory_);
        const auto add = [&](std::string channel, SourceLocation source) {
            Stream& stream = streams_.emplace_back();
            stream.channel = std::move(channel);
            stream.stream_id = 100 + static_cast<std::int32_t>(streams_.size());
            stream.source = source;
            stream.messages = NumberedMessages(static_cast<std::uint64_t>(stream.stream_id));
        };
        const int port = 20'000 + ::getpid() % 20'000;
        add("aeron:ipc", SourceLocation::kLocal);
        add("aeron:ipc?alias=second", SourceLocation::kLocal);
        add(fmt::format("aeron:udp?endpoint=localhost:{}|ssc=true", port), SourceLocation::kLocal);
        add(fmt::format("aeron:udp?endpoint=localhost:{}", port + 1), SourceLocation::kRemote);
    }
    ~Rounds() {
        archive_.reset();
        streams_.clear();
        client_.reset();
        driver_.reset();
        if (options_.out.empty()) {
            std::filesystem::remove_all(directory_);
        }
    }

    Tally run() {
        if (!check(open())) {
            return tally_;
        }
        for (int round = 1; round <= options_.rounds && tally_.failure.empty(); ++round) {
            if (!check(play(round))) {
                break;
            }
            tally_.rounds = round;
            if (!options_.json && ::isatty(STDERR_FILENO) != 0) {
                fmt::print(stderr, "\rround {} of {}, {} MiB recorded ", round, options_.rounds,
                    tally_.recorded >> 20);
            }
        }
        if (tally_.failure.empty()) {
            const bool is_sound = check(start_archive()) && check(verify_all(true));
            tally_.lost += is_sound ? 0 : 1;
        }
        return tally_;
    }

  private:
    bool check(const Status& status) {
        if (!status && tally_.failure.empty()) {
            tally_.failure = status.error().message;
        }
        return status.has_value();
    }

    Status open() {
        MediaDriverOptions driver;
        driver.threading = MediaDriverOptions::Threading::kShared;
        driver.dir = directory_ + "/driver";
        driver.settings = {"client-liveness-timeout=2s", "image-liveness-timeout=2s",
            "publication-linger-timeout=200ms", "ipc-term-buffer-length=256k", "term-buffer-length=256k"};
        FULMAR_TRY(started, MediaDriver::start(std::move(driver)));
        driver_ = std::move(started);
        ClientOptions client;
        client.dir = driver_->dir();
        client.name = "archive_rounds";
        FULMAR_TRY(connected, Client::connect(std::move(client)));
        client_ = std::move(connected);
        return Done{};
    }

    Status start_archive() {
        std::vector<std::string> arguments{options_.archive_program, "--attach", driver_->dir(),
            "--archive-dir", directory_ + "/archive", "--segment-file-length", "1m", "--sync", options_.sync};
        if (options_.power_cut) {
            arguments.insert(arguments.end(),
                {"--storage-fault", fmt::format("hold-unsynced,torn,seed:{}", draws_.below(1'000'000))});
        }
        FULMAR_TRY(child, Child::start(arguments, "ready in ", kPatience));
        process_.emplace(std::move(child));
        ArchiveClientOptions options;
        options.control_request_channel = "aeron:ipc?term-length=64k";
        options.on_signal = [this](const RecordingSignalEvent& event) {
            deletions_ += event.signal == RecordingSignal::kDelete ? 1 : 0;
        };
        options.on_error = [this](const ArchiveError& error) { said_ = error.message; };
        FULMAR_TRY(archive, ArchiveClient::connect(*client_, std::move(options)));
        archive_ = std::move(archive);
        return Done{};
    }

    Status play(int round) {
        FULMAR_TRY_VOID(start_archive());
        FULMAR_TRY_VOID(verify_all(false));
        for (Stream& stream : streams_) {
            FULMAR_TRY_VOID(begin(stream));
        }
        FULMAR_TRY_VOID(publish(milliseconds(draws_.between(30, 250))));
        if (options_.power_cut && options_.sync != "none") {
            FULMAR_TRY_VOID(publish_until_unsynced());
        }
        process_->end(SIGKILL);
        std::uint64_t behind = 0;
        for (Stream& stream : streams_) {
            note_positions(stream);
            behind += static_cast<std::uint64_t>(stream.written - stream.acknowledged);
            stream.publication.reset();
        }
        tally_.dropped += behind;
        tally_.rounds_with_drops += behind > 0 ? 1 : 0;
        archive_.reset();
        process_.reset();
        (void)round;
        return Done{};
    }

    static std::string with(const std::string& channel, const std::string& more) {
        return channel + (channel.find('?') == std::string::npos ? "?" : "|") + more;
    }
    /// Not the session of the round before, which may linger.
    static std::string session_of(const Stream& stream) {
        return with(stream.channel, fmt::format("session-id={}", stream.publication->session_id()));
    }

    /// Records on, from where the recording ended.
    Status begin(Stream& stream) {
        const std::string terms = fmt::format("term-length={}", kTermLength);
        if (stream.recording_id == kNullRecordingId) {
            FULMAR_TRY(publication,
                client_->add_exclusive_publication(with(stream.channel, terms), stream.stream_id));
            stream.publication = std::move(publication);
            stream.initial_term_id = stream.publication->initial_term_id();
            FULMAR_TRY(
                subscription, archive_->start_recording(session_of(stream), stream.stream_id, stream.source));
            (void)subscription;
        } else {
            const std::int64_t position = stream.verified;
            const auto term_id = stream.initial_term_id + static_cast<std::int32_t>(position / kTermLength);
            FULMAR_TRY(publication,
                client_->add_exclusive_publication(
                    with(stream.channel, fmt::format("{}|init-term-id={}|term-id={}|term-offset={}", terms,
                                             stream.initial_term_id, term_id, position % kTermLength)),
                    stream.stream_id));
            stream.publication = std::move(publication);
            FULMAR_TRY(subscription, archive_->extend_recording(stream.recording_id, session_of(stream),
                                         stream.stream_id, stream.source));
            (void)subscription;
        }
        stream.next_message = stream.verified_messages;
        return wait("its position counter", [&] {
            const auto counter = find_recording_counter_by_session(
                client_->counters(), stream.publication->session_id(), archive_->archive_id());
            if (!counter) {
                return false;
            }
            const auto position = RecordingPosition::open(client_->counters(), *counter);
            if (position) {
                stream.recording_id = position->recording_id();
            }
            return position.has_value();
        });
    }

    template <class Condition>
    Status wait(const char* what, Condition&& condition) {
        const Instant deadline = client_->now() + kPatience;
        BackoffIdle idle;
        while (!condition()) {
            if (client_->now() > deadline) {
                return fail(ErrorCode::kGeneric,
                    std::string("waited in vain for ") + what + "; the session said: " + said_ +
                        "; the archive said: " + (process_ ? process_->output() : ""));
            }
            idle.idle(archive_->poll());
        }
        return Done{};
    }

    Status publish(Duration length) {
        const Instant end = client_->now() + length;
        BackoffIdle idle;
        while (client_->now() < end) {
            int work = archive_->poll();
            for (Stream& stream : streams_) {
                work += offer(stream);
                note_positions(stream);
            }
            idle.idle(work);
        }
        return Done{};
    }

    /// Up to a moment when something is written that no sync has covered.
    Status publish_until_unsynced() {
        return wait("bytes that are written and not yet durable", [&] {
            bool is_behind = false;
            for (Stream& stream : streams_) {
                (void)offer(stream);
                note_positions(stream);
                is_behind = is_behind || stream.written > stream.acknowledged;
            }
            return is_behind;
        });
    }

    static int offer(Stream& stream) {
        int sent = 0;
        while (sent < 16 && stream.publication->offer(stream.messages.message(stream.next_message)).is_ok()) {
            ++stream.next_message;
            ++sent;
        }
        return sent;
    }

    /// Keys: recording i64, session i32, length of the source i32, source, archive i64.
    static bool is_of_archive(std::span<const std::byte> key, std::int64_t archive_id) {
        const auto source = static_cast<std::size_t>(base::load_le<std::int32_t>(key.data(), 12));
        const std::size_t at = 16 + source;
        return at + sizeof archive_id <= key.size() &&
               base::load_le<std::int64_t>(key.data(), at) == archive_id;
    }

    void note_positions(Stream& stream) {
        // Also after the kill: the counters of the dead stay until the driver notices, and what stands there
        // was acknowledged to whoever looked.
        client_->counters().for_each([&](const observe::CounterView& counter) {
            if (counter.type_id != kRecordingPositionTypeId && counter.type_id != kWrittenTypeId) {
                return;
            }
            // The archive's id ends the key: counters of the archives before linger for a while.
            const std::size_t key = 2 * sizeof(std::int64_t);
            if (counter.key.size() < key ||
                base::load_le<std::int64_t>(counter.key.data(), 0) != stream.recording_id ||
                !is_of_archive(counter.key, archive_->archive_id())) {
                return;
            }
            std::int64_t& noted = counter.type_id == kWrittenTypeId ? stream.written : stream.acknowledged;
            noted = std::max(noted, counter.value);
        });
    }

    /// All that was acknowledged is there and equal; from the start, or from what was compared before.
    Status verify_all(bool from_start) {
        for (Stream& stream : streams_) {
            if (stream.recording_id == kNullRecordingId) {
                continue;
            }
            if (from_start) {
                stream.verified = 0;
                stream.verified_messages = 0;
            }
            FULMAR_TRY_VOID(verify(stream));
        }
        return Done{};
    }

    Status verify(Stream& stream) {
        FULMAR_TRY(descriptor, archive_->list_recording(stream.recording_id));
        if (descriptor.stop_position < stream.acknowledged) {
            tally_.lost += static_cast<std::uint64_t>(stream.acknowledged - descriptor.stop_position);
            return fail(ErrorCode::kGeneric,
                fmt::format("recording {} ends at {}, but {} was acknowledged; the archive said: {}",
                    stream.recording_id, descriptor.stop_position, stream.acknowledged, process_->output()));
        }
        stream.acknowledged = descriptor.stop_position;
        stream.written = descriptor.stop_position;
        if (descriptor.stop_position == stream.verified) {
            return Done{};
        }
        tally_.recorded += static_cast<std::uint64_t>(descriptor.stop_position - stream.verified);
        ReplayParams params;
        params.position = stream.verified;
        const std::int32_t replay_stream = 10'000 + stream.stream_id;
        FULMAR_TRY(subscription, archive_->replay(stream.recording_id, "aeron:ipc", replay_stream, params));
        bool is_wrong = false;
        std::int64_t whole = stream.verified;
        FragmentAssembler assembler([&](std::span<const std::byte> message, const Header& header) {
            is_wrong = is_wrong || !stream.messages.is(stream.verified_messages, message);
            ++stream.verified_messages;
            whole = header.position();
        });
        std::int64_t reached = stream.verified;
        FULMAR_TRY_VOID(wait("a replay's end", [&] {
            (void)subscription->poll(assembler, 100);
            if (!subscription->images().empty()) {
                reached = std::max(reached, subscription->images().front()->position());
            }
            return is_wrong || reached >= descriptor.stop_position;
        }));
        if (is_wrong) {
            ++tally_.lost;
            return fail(
                ErrorCode::kGeneric, fmt::format("message {} of recording {} is not what was published",
                                         stream.verified_messages - 1, stream.recording_id));
        }
        // A message that was cut between its fragments is no message; its first ones are cut off as well, so
        // that the stream can go on behind the last whole one.
        if (whole < descriptor.stop_position) {
            FULMAR_TRY_VOID(cut_back(stream, whole));
        }
        stream.verified = whole;
        stream.acknowledged = whole;
        stream.written = whole;
        return Done{};
    }

    Status cut_back(const Stream& stream, std::int64_t position) {
        const int before = deletions_;
        FULMAR_TRY(files, archive_->truncate_recording(stream.recording_id, position));
        (void)files;
        return wait("the truncation", [&] { return deletions_ > before; });
    }

    const Options& options_;
    base::Prng draws_;
    std::string directory_;
    Tally tally_;
    std::unique_ptr<MediaDriver> driver_;
    std::unique_ptr<Client> client_;
    std::optional<Child> process_;
    std::unique_ptr<ArchiveClient> archive_;
    std::vector<Stream> streams_;
    int deletions_ = 0;
    std::string said_;
};

int main_of(int argc, char** argv) {
    Options options;
    CLI::App app{
        "Kills an archive while it records four streams, starts it again, and compares what is there."};
    app.add_option("--archive", options.archive_program, "The program fulmar-archive")->required();
    app.add_option("--rounds", options.rounds, "Kills")->capture_default_str();
    app.add_option("--seed", options.seed, "Of lengths and moments")->capture_default_str();
    app.add_option("--sync", options.sync, "Of the archive")->capture_default_str();
    app.add_option("--out", options.out, "Keep files here instead of deleting them");
    app.add_flag("--power-cut", options.power_cut, "What was not synced is lost with each kill");
    app.add_flag("--json", options.json, "One line for machines");
    CLI11_PARSE(app, argc, argv);
    const Tally tally = Rounds(options).run();
    const char* name = options.power_cut ? "archive-powercut" : "archive-crash";
    const bool has_dropped = !options.power_cut || tally.rounds_with_drops == options.rounds;
    const bool pass =
        tally.failure.empty() && tally.lost == 0 && tally.rounds == options.rounds && has_dropped;
    if (!tally.failure.empty()) {
        fmt::print(stderr, "{}: round {}: {}\n", name, tally.rounds + 1, tally.failure);
    }
    nlohmann::ordered_json line{{"test", name}, {"pass", pass}, {"rounds", tally.rounds},
        {"lost", tally.lost}, {"recorded", tally.recorded}, {"seed", options.seed}, {"sync", options.sync}};
    if (options.power_cut) {
        line["dropped"] = tally.dropped;
        line["rounds_with_drops"] = tally.rounds_with_drops;
    }
    fmt::print("{}\n", line.dump());
    return pass ? 0 : 1;
}

}  // namespace
}  // namespace fulmar::lab

int main(int argc, char** argv) {
    return fulmar::lab::main_of(argc, argv);
}

// Kills an archive again and again while it records, and looks each time whether all that it had acknowledged
// is there, equal, and can be gone on with. With --power-cut what was not synced is gone as well.
#include "tests/lab/archive_rounds.h"

#include <CLI/CLI.hpp>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <fmt/core.h>
#include <nlohmann/json.hpp>
#include <unistd.h>

namespace fulmar::lab {

Rounds::Rounds(const Options& options) : options_(options), draws_(options.seed) {
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

Rounds::~Rounds() {
    archive_.reset();
    streams_.clear();
    client_.reset();
    driver_.reset();
    if (options_.out.empty()) {
        std::filesystem::remove_all(directory_);
    }
}

Tally Rounds::run() {
    if (!check(open())) {
        return tally_;
    }
    for (int round = 1; round <= options_.rounds && tally_.failure.empty(); ++round) {
        if (!check(play(round))) {
            break;
        }
        tally_.rounds = round;
        if (!options_.json && ::isatty(STDERR_FILENO) != 0) {
            fmt::print(
                stderr, "\rround {} of {}, {} MiB recorded ", round, options_.rounds, tally_.recorded >> 20);
        }
    }
    if (tally_.failure.empty()) {
        const bool is_sound = check(start_archive()) && check(verify_all(true));
        tally_.lost += is_sound ? 0 : 1;
    }
    return tally_;
}

bool Rounds::check(const Status& status) {
    if (!status && tally_.failure.empty()) {
        tally_.failure = status.error().message;
    }
    return status.has_value();
}

Status Rounds::open() {
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

Status Rounds::start_archive() {
    std::vector<std::string> arguments{options_.archive_program, "--attach", driver_->dir(), "--archive-dir",
        directory_ + "/archive", "--segment-file-length", "1m", "--sync", options_.sync};
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

Status Rounds::play(int round) {
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

namespace {

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

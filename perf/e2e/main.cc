// fulmar-perf: what the stack costs, beside the floor of the device it runs on.
#include <CLI/CLI.hpp>
#include <fmt/core.h>
#include <map>
#include <string>

#include "perf/e2e/archive.h"
#include "perf/e2e/channels.h"
#include "perf/e2e/echo.h"
#include "perf/e2e/ipc.h"
#include "perf/e2e/node.h"
#include "perf/e2e/options.h"
#include "perf/e2e/raw.h"
#include "perf/e2e/stream.h"

namespace {

using fulmar::perf::BodyCheck;
using fulmar::perf::Options;
using fulmar::perf::Role;
using fulmar::perf::Test;

/// `288` or `32-4096`.
std::string parse_size(const std::string& text, Options& options) {
    const std::size_t dash = text.find('-');
    try {
        options.size_min = std::stoul(text.substr(0, dash));
        options.size_max = dash == std::string::npos ? options.size_min : std::stoul(text.substr(dash + 1));
    } catch (const std::exception&) {
        return "size '" + text + "' is not a number of bytes or a range such as 32-4096";
    }
    if (options.size_min < fulmar::perf::kBodyLengthMin || options.size_max < options.size_min) {
        return "size '" + text + "' must be at least 32 bytes, and a range must not run backwards";
    }
    return "";
}

struct Arguments {
    Options options;
    std::string role;
    std::string size = "32";
    std::string rate = "max";
};

void add_common(CLI::App& app, Arguments& arguments) {
    Options& options = arguments.options;
    auto* dir = app.add_option("--dir", options.dir, "attach to the driver of this directory");
    app.add_flag("--inline", options.inline_driver, "a driver of our own, polled by the measuring thread")
        ->excludes(dir);
    app.add_option("--port", options.ports, "device of the inline driver, as fulmard --port");
    app.add_option("--hugepages", options.hugepages, "auto, on or off")
        ->check(CLI::IsMember({"auto", "on", "off"}));
    app.add_option("--channel", options.channel, "request channel; its endpoint is at pong or sub");
    app.add_option("--stream", options.stream, "stream id of the requests")->capture_default_str();
    app.add_option("--reply-channel", options.reply_channel, "default: ping's address, request port + 1");
    app.add_option("--reply-stream", options.reply_stream, "default: stream + 1");
    app.add_option("--size", arguments.size, "body bytes, or a range such as 32-4096")->capture_default_str();
    app.add_option("--rate", arguments.rate, "messages per second, or max")->capture_default_str();
    app.add_option("--messages", options.messages, "stop after so many");
    app.add_option("--duration", options.duration_s, "stop after so many seconds");
    app.add_option("--warmup", options.warmup, "messages before the measured ones")->capture_default_str();
    app.add_option("--in-flight", options.in_flight, "requests on the way at once")
        ->capture_default_str()
        ->check(CLI::PositiveNumber);
    app.add_option("--hdr", options.hdr, "write the histogram as an HdrHistogram log");
    app.add_option("--cpu", options.cpu, "pin the measuring thread to this core");
    app.add_option("-D", options.settings, "setting of the inline driver, key=value");
    app.add_flag("--json", options.json, "one JSON object on stdout");
    std::map<std::string, BodyCheck> checks{{"full", BodyCheck::kFull}, {"header", BodyCheck::kHeader}};
    app.add_option("--check", options.check, "what the checksum covers: full or header")
        ->transform(CLI::CheckedTransformer(checks, CLI::ignore_case));
}

int usage(const std::string& why) {
    fmt::print(stderr, "fulmar-perf: {}; see fulmar-perf --help\n", why);
    return 2;
}

}  // namespace

int main(int argc, char** argv) {
    CLI::App app{"Measures Fulmar and the floor under it: round trips, streams, IPC, and the bare device."};
    app.require_subcommand(1);
    Arguments arguments;
    Options& options = arguments.options;

    auto* raw = app.add_subcommand("raw", "the device alone: same wire length, no protocol");
    auto* echo = app.add_subcommand("echo", "round trips through two publications");
    auto* stream = app.add_subcommand("stream", "one way at full or given rate");
    auto* ipc = app.add_subcommand("ipc", "round trips or a stream between two processes through one driver");
    for (auto* sub : {raw, echo, stream, ipc}) {
        add_common(*sub, arguments);
    }
    raw->add_option("--role", arguments.role, "ping, pong, pub or sub")->required();
    raw->add_option("--burst", options.burst, "frames handed over at once (pub)")->capture_default_str();
    raw->add_flag("--copy", options.copy, "one copy from and to a 48 MiB ring on each side");
    echo->add_option("--role", arguments.role, "ping or pong")->required();
    stream->add_option("--role", arguments.role, "pub or sub")->required();
    ipc->add_option("--role", arguments.role, "ping, pong, pub or sub; without it both ends are started");
    fulmar::perf::ArchiveOptions archive_options;
    auto* archive =
        app.add_subcommand("archive", "recording and replaying, beside a plain writer with the same pattern");
    archive->add_option(
        "--archive-dir", archive_options.directory, "where; default: below the working directory");
    archive->add_option("--sync", archive_options.sync, "none, batch or both")
        ->check(CLI::IsMember({"none", "batch", "both"}))
        ->capture_default_str();
    archive->add_option("--size", archive_options.size, "message bytes")->capture_default_str();
    archive->add_option("--bytes", archive_options.bytes, "of each pass at full rate: 1g, 256m")
        ->transform(CLI::AsSizeValue(false))
        ->check(CLI::Range(std::int64_t{1} << 20, std::int64_t{1} << 40))
        ->capture_default_str();
    archive->add_option("--duration", archive_options.seconds, "seconds of each pass at a fixed rate")
        ->capture_default_str();
    archive
        ->add_option("--live-rate", archive_options.live_rate,
            "messages per second of the live stream whose latency is looked at")
        ->check(CLI::Range(1.0, 1e7))
        ->capture_default_str();
    archive->add_option("--rounds", archive_options.rounds, "alternations")->capture_default_str();
    archive->add_flag("--json", archive_options.json, "a JSON line for each policy");
    CLI11_PARSE(app, argc, argv);
    if (*archive) {
        fulmar::perf::watch_signals();
        return fulmar::perf::run_archive(archive_options);
    }

    if (const std::string why = parse_size(arguments.size, options); !why.empty()) {
        return usage(why);
    }
    if (arguments.rate != "max") {
        try {
            options.rate = std::stod(arguments.rate);
        } catch (const std::exception&) {
            return usage("rate '" + arguments.rate + "' is neither a number nor max");
        }
    }
    const std::map<std::string, Role> roles{
        {"ping", Role::kPing}, {"pong", Role::kPong}, {"pub", Role::kPub}, {"sub", Role::kSub}};
    const auto role = roles.find(arguments.role.empty() ? "ping" : arguments.role);
    if (role == roles.end()) {
        return usage("role '" + arguments.role + "' is none of ping, pong, pub, sub");
    }
    options.role = role->second;
    if (options.messages == 0 && options.duration_s == 0 &&
        (options.role == Role::kPing || options.role == Role::kPub)) {
        options.messages = 1'000'000;
    }
    fulmar::perf::watch_signals();
    if (*raw) {
        options.test = Test::kRaw;
        return run_raw_test(options);
    }
    if (*ipc) {
        options.test = Test::kIpc;
        return run_ipc(options, !arguments.role.empty());
    }
    const bool pair = options.role == Role::kPing || options.role == Role::kPong;
    if (pair != static_cast<bool>(*echo)) {
        return usage(*echo ? "echo has the roles ping and pong" : "stream has the roles pub and sub");
    }
    options.test = *echo ? Test::kEcho : Test::kStream;
    if (options.inline_driver && options.ports.empty()) {
        return usage("--inline needs a --port, such as --port memif:server:/tmp/fulmar.sock");
    }
    fill_channels(options);
    return *echo ? run_echo(options) : run_stream(options);
}

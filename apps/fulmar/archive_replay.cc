// fulmar archive replay: the messages of a recording, printed or published once more.
#include <fmt/core.h>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>

#include "apps/fulmar/archive_session.h"
#include "apps/fulmar/archive_verbs.h"
#include "apps/fulmar/message_text.h"
#include "apps/fulmar/stream_options.h"
#include "fulmar/fragment_assembler.h"

namespace fulmar::cli {

namespace {

constexpr int kFragmentLimit = 64;

struct ReplayOptions : ArchiveServer {
    std::int64_t id = 0;
    std::int64_t from = kNullPosition;
    std::int64_t length = kReplayAllAndStop;
    std::string channel;
    std::int32_t stream = 20'000;  // hardly one that is itself recorded
    std::string to;
    std::int64_t count = 0;
    bool follow = false;

    [[nodiscard]] ReplayParams params() const {
        ReplayParams params;
        params.position = from;
        params.length = follow ? kReplayAllAndFollow : length;
        return params;
    }
    /// Where it comes to: on one driver shared memory, else a port of ours.
    [[nodiscard]] std::string own_channel() const {
        if (!channel.empty()) {
            return channel;
        }
        return control_channel.starts_with("aeron:ipc") ? "aeron:ipc" : "aeron:udp?endpoint=localhost:0";
    }
};

/// The archive publishes to where somebody else listens.
Status hand_on(ArchiveSession& session, const ReplayOptions& options) {
    FULMAR_TRY(
        replay_session_id, session->start_replay(options.id, options.to, options.stream, options.params()));
    const auto session_id = static_cast<std::int32_t>(replay_session_id);
    if (options.common.json) {
        print_json({{"replay_session_id", replay_session_id}, {"session_id", session_id}, {"pass", true}});
    } else {
        fmt::print("recording {} is replayed to {} stream {} as session {}\n", options.id, options.to,
            options.stream, session_id);
    }
    return Done{};
}

Status print(ArchiveSession& session, const ReplayOptions& options) {
    FULMAR_TRY(
        subscription, session->replay(options.id, options.own_channel(), options.stream, options.params()));
    std::int64_t received = 0;
    const auto wants_more = [&] { return options.count == 0 || received < options.count; };
    FragmentAssembler assembler([&](std::span<const std::byte> message, const Header& header) {
        if (wants_more()) {
            ++received;
            print_message(options.common.json, message, header);
        }
    });
    const Instant end = session.client().now() + session->options().message_timeout;
    bool has_begun = false;
    while (wants_more() && !stop_requested()) {
        const int polled = subscription->poll(assembler, kFragmentLimit);
        has_begun = has_begun || !subscription->has_no_images();
        if (polled > 0) {
            (void)session->poll();  // pings
            continue;
        }
        if (has_begun && subscription->has_no_images()) {
            break;
        }
        if (!has_begun && session.client().now() >= end) {
            return fail(ErrorCode::kGeneric,
                fmt::format("the replay did not come to {} within {} s; can the archive send there?",
                    options.own_channel(), options.timeout_s));
        }
        FULMAR_TRY_VOID(session.poll());
    }
    if (options.common.json) {
        print_json({{"messages", received}, {"pass", true}});
    }
    return Done{};
}

Status replay(const ReplayOptions& options) {
    FULMAR_TRY(session, ArchiveSession::open(options, "archive-replay"));
    return options.to.empty() ? print(session, options) : hand_on(session, options);
}

}  // namespace

Run add_archive_replay(CLI::App& archive) {
    auto options = std::make_shared<ReplayOptions>();
    auto* verb = archive.add_subcommand("replay", "print what a running archive recorded");
    verb->add_option("ID", options->id, "recording")->required()->check(CLI::NonNegativeNumber);
    verb->add_option("--from", options->from, "position to begin at [the recording's start]")
        ->check(CLI::NonNegativeNumber);
    auto* length = verb->add_option("--length", options->length, "bytes to replay [all that is there now]")
                       ->check(CLI::PositiveNumber);
    verb->add_flag("--follow", options->follow, "go on with a recording that goes on")->excludes(length);
    auto* count = verb->add_option("--count", options->count, "stop after so many messages")
                      ->check(CLI::PositiveNumber);
    verb->add_option(
        "--channel", options->channel, "where to receive it [aeron:ipc, or a free port of localhost]");
    verb->add_option("--stream", options->stream, "stream id of the replay")->capture_default_str();
    verb->add_option("--to", options->to, "have it published to this channel, instead of printing it")
        ->excludes(count);
    add_server_options(*verb, *options);
    return [options] {
        watch_signals();
        const Status done = replay(*options);
        return done ? kExitPass : report("archive replay", done.error());
    };
}

}  // namespace fulmar::cli

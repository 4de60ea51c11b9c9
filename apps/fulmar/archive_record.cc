// fulmar archive record and stop: begin recordings, watch them, end them.
#include <fmt/core.h>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>

#include "apps/fulmar/archive_session.h"
#include "apps/fulmar/archive_verbs.h"

namespace fulmar::cli {

namespace {

struct RecordOptions : ArchiveServer {
    std::string channel;
    std::int32_t stream = 0;
    std::optional<std::int64_t> extend;
    bool is_remote = false;
    bool auto_stop = false;
    bool detach = false;
};

/// What one subscription of the archive records, as its signals tell.
class Watch {
  public:
    explicit Watch(bool json) : json_(json), progress_(json) {}

    void on_signal(const RecordingSignalEvent& event) {
        if (event.signal == RecordingSignal::kStart || event.signal == RecordingSignal::kExtend) {
            active_[event.recording_id] = event.position;
        } else if (event.signal == RecordingSignal::kStop) {
            active_.erase(event.recording_id);
            stopped_[event.recording_id] = event.position;
        } else {
            return;
        }
        progress_.clear();
        if (json_) {
            print_json({{"event", event.signal == RecordingSignal::kStop ? "stop" : "start"},
                {"recording_id", event.recording_id}, {"position", event.position}});
        } else {
            fmt::print("recording {}: {} {}\n", event.recording_id,
                event.signal == RecordingSignal::kStop ? "stopped at" : "from", event.position);
        }
        std::fflush(stdout);
    }
    Status show_progress(ArchiveSession& session) {
        if (!progress_.is_due(session.client().now())) {
            return Done{};
        }
        for (auto& [id, shown] : active_) {
            FULMAR_TRY(position, session->recording_position(id));
            if (position != kNullPosition && position != shown) {
                shown = position;
                progress_.show(id, position);
            }
        }
        return Done{};
    }
    [[nodiscard]] bool is_idle() const { return active_.empty(); }
    [[nodiscard]] bool has_stopped() const { return !stopped_.empty(); }
    void print_result() {
        progress_.clear();
        if (!json_) {
            return;
        }
        nlohmann::ordered_json recordings = nlohmann::ordered_json::array();
        for (const auto& [id, position] : stopped_) {
            recordings.push_back({{"recording_id", id}, {"stop_position", position}});
        }
        print_json({{"recordings", recordings}, {"pass", true}});
    }

  private:
    bool json_;
    Progress progress_;
    std::map<std::int64_t, std::int64_t> active_;
    std::map<std::int64_t, std::int64_t> stopped_;
};

Status watch_until_stopped(
    ArchiveSession& session, const RecordOptions& options, std::int64_t subscription_id) {
    Watch watch(options.common.json);
    const auto take_signals = [&] {
        for (const RecordingSignalEvent& event : session.take_signals()) {
            watch.on_signal(event);
        }
    };
    const auto is_over = [&] { return options.auto_stop && watch.has_stopped(); };
    while (!is_over() && !stop_requested()) {
        FULMAR_TRY_VOID(session.poll());
        take_signals();
        FULMAR_TRY_VOID(watch.show_progress(session));
    }
    if (!is_over()) {
        FULMAR_TRY_VOID(session->stop_recording(subscription_id));
        // What it recorded stops with it, and says where.
        for (const Instant end = session.client().now() + session->options().message_timeout;
             !watch.is_idle() && session.client().now() < end;) {
            FULMAR_TRY_VOID(session.poll());
            take_signals();
        }
    }
    watch.print_result();
    return Done{};
}

Status record(const RecordOptions& options) {
    FULMAR_TRY(session, ArchiveSession::open(options, "archive-record"));
    const auto source = options.is_remote ? SourceLocation::kRemote : SourceLocation::kLocal;
    FULMAR_TRY(subscription_id, options.extend ? session->extend_recording(*options.extend, options.channel,
                                                     options.stream, source, options.auto_stop)
                                               : session->start_recording(options.channel, options.stream,
                                                     source, options.auto_stop));
    if (options.common.json) {
        print_json({{"event", "subscribed"}, {"subscription_id", subscription_id}, {"pass", true}});
    } else {
        fmt::print("{} stream {} is recorded by subscription {}{}\n", options.channel, options.stream,
            subscription_id, options.detach ? "" : "; interrupt to stop it");
    }
    std::fflush(stdout);
    return options.detach ? Status(Done{}) : watch_until_stopped(session, options, subscription_id);
}

struct StopOptions : ArchiveServer {
    std::vector<std::int64_t> ids;
    std::optional<std::int64_t> subscription_id;
    std::string channel;
    std::int32_t stream = 0;
};

Status stop(const StopOptions& options) {
    FULMAR_TRY(session, ArchiveSession::open(options, "archive-stop"));
    if (options.subscription_id) {
        FULMAR_TRY_VOID(session->stop_recording(*options.subscription_id));
    } else if (!options.channel.empty()) {
        FULMAR_TRY_VOID(session->stop_recording(options.channel, options.stream));
    }
    for (const std::int64_t id : options.ids) {
        FULMAR_TRY(was_active, session->stop_recording_by_identity(id));
        FULMAR_TRY(position, session->max_recorded_position(id));
        if (options.common.json) {
            print_json({{"recording_id", id}, {"was_active", was_active}, {"position", position}});
        } else {
            fmt::print(
                "recording {}: {} at {}\n", id, was_active ? "stopped" : "was not active, stands", position);
        }
    }
    if (options.common.json) {
        print_json({{"pass", true}});
    }
    return Done{};
}

}  // namespace

Run add_archive_record(CLI::App& archive) {
    auto options = std::make_shared<RecordOptions>();
    auto* verb = archive.add_subcommand("record", "have a running archive record a stream until interrupted");
    verb->add_option("CHANNEL", options->channel, "channel URI, as the archive subscribes to it")->required();
    verb->add_option("STREAM", options->stream, "stream id")->required();
    verb->add_option("--extend", options->extend, "go on with this stopped recording")
        ->check(CLI::NonNegativeNumber);
    verb->add_flag("--remote", options->is_remote, "subscribe over the network, not to the archive's driver");
    verb->add_flag("--auto-stop", options->auto_stop, "end with the first recording that does");
    verb->add_flag("--detach", options->detach, "leave at once; the archive records on");
    add_server_options(*verb, *options);
    return [options] {
        watch_signals();
        const Status done = record(*options);
        return done ? kExitPass : report("archive record", done.error());
    };
}

Run add_archive_stop(CLI::App& archive) {
    auto options = std::make_shared<StopOptions>();
    auto* verb = archive.add_subcommand("stop", "have a running archive stop recordings");
    auto* ids = verb->add_option("ID", options->ids, "recordings")->check(CLI::NonNegativeNumber);
    auto* subscription = verb->add_option(
        "--subscription", options->subscription_id, "what this subscription of the archive records");
    auto* channel = verb->add_option("--channel", options->channel, "what was started with this channel URI");
    auto* stream = verb->add_option("--stream", options->stream, "and this stream id")->needs(channel);
    channel->needs(stream);
    add_server_options(*verb, *options);
    return [=] {
        if (ids->count() + subscription->count() + channel->count() == 0) {
            return report("archive stop",
                {ErrorCode::kGeneric,
                    "say what to stop: recording ids, --subscription, or --channel and --stream"},
                kExitUsage);
        }
        watch_signals();
        const Status done = stop(*options);
        return done ? kExitPass : report("archive stop", done.error());
    };
}

}  // namespace fulmar::cli

// fulmar archive replicate: have one running archive copy a recording from another.
#include <fmt/core.h>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>

#include "apps/fulmar/archive_session.h"
#include "apps/fulmar/archive_verbs.h"

namespace fulmar::cli {

namespace {

struct ReplicateOptions : ArchiveServer {
    std::int64_t id = 0;
    std::string source;
    std::int32_t source_stream = 10;
    ReplicationParams params;
};

/// One replication, as its signals tell.
class Watch {
  public:
    Watch(const ReplicateOptions& options, std::int64_t replication_id)
        : json_(options.common.json),
          progress_(json_),
          replication_id_(replication_id),
          recording_id_(options.params.dst_recording_id) {}

    void on_signal(const RecordingSignalEvent& event) {
        if (event.correlation_id != replication_id_) {
            return;
        }
        recording_id_ = event.recording_id == kNullRecordingId ? recording_id_ : event.recording_id;
        is_synced_ = is_synced_ || event.signal == RecordingSignal::kSync;
        has_ended_ = has_ended_ || event.signal == RecordingSignal::kReplicateEnd;
        progress_.clear();
        if (json_) {
            print_json({{"event", to_string(event.signal)}, {"recording_id", event.recording_id},
                {"position", event.position}});
        } else if (event.position == kNullPosition) {
            fmt::print("recording {}: {}\n", event.recording_id, to_string(event.signal));
        } else {
            fmt::print(
                "recording {}: {} at {}\n", event.recording_id, to_string(event.signal), event.position);
        }
        std::fflush(stdout);
    }
    Status show_progress(ArchiveSession& session) {
        if (recording_id_ == kNullRecordingId || !progress_.is_due(session.client().now())) {
            return Done{};
        }
        FULMAR_TRY(position, session->max_recorded_position(recording_id_));
        progress_.show(recording_id_, position);
        return Done{};
    }
    [[nodiscard]] bool has_ended() const { return has_ended_; }
    [[nodiscard]] bool is_synced() const { return is_synced_; }
    [[nodiscard]] std::int64_t recording_id() const { return recording_id_; }
    void clear() { progress_.clear(); }

  private:
    bool json_;
    Progress progress_;
    std::int64_t replication_id_;
    std::int64_t recording_id_;
    bool is_synced_ = false;
    bool has_ended_ = false;
};

Status follow(ArchiveSession& session, const ReplicateOptions& options, std::int64_t replication_id) {
    Watch watch(options, replication_id);
    bool is_stopped = false;
    Instant end = Instant::never();
    while (!watch.has_ended()) {
        FULMAR_TRY_VOID(session.poll());
        for (const RecordingSignalEvent& event : session.take_signals()) {
            watch.on_signal(event);
        }
        FULMAR_TRY_VOID(watch.show_progress(session));
        if (!is_stopped && stop_requested()) {
            is_stopped = true;
            FULMAR_TRY_VOID(session->stop_replication(replication_id));
            end = session.client().now() + session->options().message_timeout;
        }
        if (session.client().now() >= end) {
            return fail(ErrorCode::kGeneric, "the archive has not said that the replication has ended");
        }
    }
    watch.clear();
    FULMAR_TRY(position, session->max_recorded_position(watch.recording_id()));
    const bool has_all = watch.is_synced() || is_stopped || options.params.stop_position == position;
    if (options.common.json) {
        print_json({{"recording_id", watch.recording_id()}, {"position", position},
            {"synced", watch.is_synced()}, {"pass", has_all}});
    } else {
        fmt::print("recording {}: has the source up to {}\n", watch.recording_id(), position);
    }
    if (!has_all) {
        return fail(ErrorCode::kGeneric,
            fmt::format("the replication ended at {}, before the source did; start it again with --into {}",
                position, watch.recording_id()));
    }
    return Done{};
}

Status replicate(const ReplicateOptions& options) {
    FULMAR_TRY(session, ArchiveSession::open(options, "archive-replicate"));
    FULMAR_TRY(replication_id,
        session->replicate(options.id, options.source, options.source_stream, options.params));
    return follow(session, options, replication_id);
}

}  // namespace

Run add_archive_replicate(CLI::App& archive) {
    auto options = std::make_shared<ReplicateOptions>();
    auto* verb = archive.add_subcommand("replicate",
        "have a running archive copy a recording of another; of one that goes on until interrupted");
    ReplicationParams& params = options->params;
    verb->add_option("ID", options->id, "recording of the source")->required()->check(CLI::NonNegativeNumber);
    verb->add_option("--source", options->source, "where the source archive takes requests")->required();
    verb->add_option("--source-stream", options->source_stream, "its stream")->capture_default_str();
    verb->add_option("--into", params.dst_recording_id, "go on with this recording [a new one]")
        ->check(CLI::NonNegativeNumber);
    verb->add_option("--stop-at", params.stop_position, "position to stop at [the source's end]")
        ->check(CLI::NonNegativeNumber);
    verb->add_option(
        "--live", params.live_destination, "where to join the live stream when it has caught up");
    verb->add_option("--replication-channel", params.replication_channel,
        "where the archive receives the copy [its own setting]");
    add_server_options(*verb, *options);
    return [options] {
        watch_signals();
        const Status done = replicate(*options);
        return done ? kExitPass : report("archive replicate", done.error());
    };
}

}  // namespace fulmar::cli

#include "apps/fulmar-archive/settings.h"

#include <charconv>

#include "base/position.h"
#include "config/channel_uri.h"
#include "config/duration.h"
#include "config/setting_values.h"
#include "config/size.h"
#include "config/text.h"
#include "wire/frame.h"

namespace fulmar::archived {
namespace {

using drivers::ArchiveOptions;
using Set = std::function<Status(std::string_view, ArchiveOptions&)>;

Unexpected<Error> bad(std::string_view text, const std::string& wanted) {
    return fail(ErrorCode::kGeneric, config::quoted(text) + " is not " + wanted);
}

Result<std::int64_t> integer(std::string_view text, std::int64_t min, std::int64_t max) {
    std::int64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size() || value < min || value > max) {
        return bad(text, "a whole number from " + std::to_string(min) + " to " + std::to_string(max));
    }
    return value;
}

Set text(std::string ArchiveOptions::*member) {
    return [member](std::string_view value, ArchiveOptions& options) -> Status {
        options.*member = value;
        return Done{};
    };
}

Set server_channel(std::string archive::ServerOptions::*member) {
    return [member](std::string_view value, ArchiveOptions& options) -> Status {
        if (!value.empty() && !config::ChannelUri::parse(value)) {
            return bad(value, "a channel such as aeron:udp?endpoint=host:port");
        }
        options.server.*member = value;
        return Done{};
    };
}

template <class T>
Set server_integer(T archive::ServerOptions::*member, std::int64_t min, std::int64_t max) {
    return [=](std::string_view value, ArchiveOptions& options) -> Status {
        FULMAR_TRY(number, integer(value, min, max));
        options.server.*member = static_cast<T>(number);
        return Done{};
    };
}

template <class T>
Set server_size(T archive::ServerOptions::*member, std::int64_t min, std::int64_t max, bool power_of_two) {
    return [=](std::string_view value, ArchiveOptions& options) -> Status {
        auto size = config::parse_size(value);
        if (!size || *size < min || *size > max || (power_of_two && !base::is_power_of_two(*size))) {
            return bad(value, std::string(power_of_two ? "a power of two" : "a size") + " from " +
                                  config::format_size(min) + " to " + config::format_size(max));
        }
        options.server.*member = static_cast<T>(*size);
        return Done{};
    };
}

Set server_duration(Duration archive::ServerOptions::*member) {
    return [=](std::string_view value, ArchiveOptions& options) -> Status {
        auto duration = config::parse_duration(value);
        if (!duration || duration->ns == 0) {
            return bad(value, "a length of time such as 5s or 200ms");
        }
        options.server.*member = *duration;
        return Done{};
    };
}

Status set_sync(std::string_view value, ArchiveOptions& options) {
    using archive::SyncPolicy;
    archive::WriterOptions& writer = options.server.writer;
    if (value == "batch") {
        writer.sync = SyncPolicy::kBatch;
    } else if (value == "none") {
        writer.sync = SyncPolicy::kNone;
    } else if (value == "interval" || value.starts_with("interval:")) {
        writer.sync = SyncPolicy::kInterval;
        if (value.size() > 9) {
            auto interval = config::parse_duration(value.substr(9));
            if (!interval || interval->ns == 0) {
                return bad(value, "batch, interval:TIME or none");
            }
            writer.sync_interval = *interval;
        }
    } else {
        return bad(value, "batch, interval:TIME or none");
    }
    return Done{};
}

/// Aeron's: 0 never syncs; 1 and 2 sync with each write, which is what batch promises.
Status set_sync_level(std::string_view value, ArchiveOptions& options) {
    FULMAR_TRY(level, integer(value, 0, 2));
    return set_sync(level == 0 ? "none" : "batch", options);
}

Status set_threading(std::string_view value, ArchiveOptions& options) {
    using Threading = ArchiveOptions::Threading;
    const std::string word = config::to_lower(value);
    if (word == "dedicated") {
        options.threading = Threading::kDedicated;
    } else if (word == "shared") {
        options.threading = Threading::kShared;
    } else if (word == "inline" || word == "invoker") {
        options.threading = Threading::kInline;
    } else {
        return bad(value, "dedicated, shared or inline");
    }
    return Done{};
}

Status set_idle(std::string_view value, ArchiveOptions& options) {
    FULMAR_TRY(strategy, config::parse_idle_strategy(value));
    options.idle = strategy;
    return Done{};
}

Status set_engine(std::string_view value, ArchiveOptions& options) {
    using Engine = drivers::FileStorage::Engine;
    if (value == "auto") {
        options.engine = Engine::kBest;
    } else if (value == "io_uring") {
        options.engine = Engine::kUring;
    } else if (value == "pwritev") {
        options.engine = Engine::kCalls;
    } else {
        return bad(value, "auto, io_uring or pwritev");
    }
    return Done{};
}

Status set_delete_dir(std::string_view value, ArchiveOptions& options) {
    FULMAR_TRY(is_on, config::parse_switch(value));
    options.delete_dir_on_start = is_on;
    return Done{};
}

Status set_control_sparse(std::string_view value, ArchiveOptions& options) {
    FULMAR_TRY(is_on, config::parse_switch(value));
    options.server.is_control_term_sparse = is_on;
    return Done{};
}

Status set_checksum(std::string_view value, bool& is_on) {
    const std::string word = config::to_lower(value);
    if (word == "crc32c" || word == "org.agrona.checksum.crc32c" ||
        word == "io.aeron.archive.checksum.crc32c") {
        is_on = true;
    } else if (word == "none" || word.empty()) {
        is_on = false;
    } else {
        return bad(value, "crc32c or none");
    }
    return Done{};
}

Status set_record_checksum(std::string_view value, ArchiveOptions& options) {
    return set_checksum(value, options.server.writer.checksum_frames);
}

Status set_replay_checksum(std::string_view value, ArchiveOptions& options) {
    return set_checksum(value, options.server.checks_replayed_frames);
}

Status set_control_enabled(std::string_view value, ArchiveOptions& options) {
    FULMAR_TRY(is_on, config::parse_switch(value));
    options.server.control_enabled = is_on;
    return Done{};
}

Status set_events_enabled(std::string_view value, ArchiveOptions& options) {
    FULMAR_TRY(is_on, config::parse_switch(value));
    options.server.events_enabled = is_on;
    return Done{};
}

Status add_port(std::string_view value, ArchiveOptions& options) {
    options.driver.ports.emplace_back(value);
    return Done{};
}

Status add_driver_setting(std::string_view value, ArchiveOptions& options) {
    options.driver.settings.emplace_back(value);
    return Done{};
}

Status set_dir(std::string_view value, ArchiveOptions& options) {
    options.driver.dir = value;
    return Done{};
}

std::vector<Setting> make_settings() {
    using Server = archive::ServerOptions;
    constexpr std::int64_t kInt32Max = 0x7fffffff;
    const std::string kArchive = "aeron.archive.";
    return {
        {"archive-dir", kArchive + "dir", "Where recordings and the catalog are", "aeron-archive", false,
            text(&ArchiveOptions::archive_dir)},
        {"mark-file-dir", kArchive + "mark.file.dir", "Where the mark file is, if not beside the recordings",
            "as archive-dir", false, text(&ArchiveOptions::mark_file_dir)},
        {"dir", "aeron.dir", "The media driver's directory, of the driver inside", "as fulmard's", false,
            set_dir},
        {"attach", "", "Use the driver that runs in this directory instead of one inside", "", false,
            text(&ArchiveOptions::attach_to)},
        {"port", "", "A port of the driver inside, as for fulmard; may be repeated", "udp", false, add_port},
        {"driver", "", "A setting NAME=VALUE of the driver inside, as for fulmard; may be repeated", "",
            false, add_driver_setting},
        {"control-channel", kArchive + "control.channel", "Where clients ask over the network",
            "none: aeron:ipc only", false, server_channel(&Server::control_channel)},
        {"control-stream-id", kArchive + "control.stream.id", "Its stream", "10", false,
            server_integer(&Server::control_stream_id, -kInt32Max - 1, kInt32Max)},
        {"local-control-channel", kArchive + "local.control.channel", "Where clients on the same driver ask",
            "aeron:ipc?term-length=64k", false, server_channel(&Server::local_control_channel)},
        {"local-control-stream-id", kArchive + "local.control.stream.id", "Its stream", "10", false,
            server_integer(&Server::local_control_stream_id, -kInt32Max - 1, kInt32Max)},
        {"control-enabled", kArchive + "control.channel.enabled", "false: serve the local channel alone",
            "true", false, set_control_enabled},
        {"replication-channel", kArchive + "replication.channel",
            "Where replays of other archives are received", "none", false,
            server_channel(&Server::replication_channel)},
        {"source-response-channel", kArchive + "control.response.channel",
            "Where archives that are replicated from send their responses",
            "the control channel's host, any port", false, server_channel(&Server::source_response_channel)},
        {"events-channel", kArchive + "recording.events.channel",
            "Tell there of recordings that begin, get further and stop", "none", false,
            server_channel(&Server::events_channel)},
        {"events-stream-id", kArchive + "recording.events.stream.id", "Its stream", "30", false,
            server_integer(&Server::events_stream_id, -kInt32Max - 1, kInt32Max)},
        {"events-enabled", kArchive + "recording.events.enabled", "false: tell nobody",
            "true, with a channel", false, set_events_enabled},
        {"message-timeout", kArchive + "message.timeout", "For answers of archives that are replicated from",
            "10s", false, server_duration(&Server::message_timeout)},
        {"sync", "", "When recorded bytes are synced: batch, interval:TIME or none", "batch", false,
            set_sync},
        {"sync-level", kArchive + "file.sync.level", "Aeron's word for it: 0 is none, 1 and 2 are batch", "",
            false, set_sync_level},
        {"segment-file-length", kArchive + "segment.file.length", "Of the files of new recordings", "128m",
            false, server_size(&Server::segment_file_length, wire::kTermLengthMin, 1 << 30, true)},
        {"file-io-max-length", kArchive + "file.io.max.length", "Most bytes of one write or read", "1m",
            false, server_size(&Server::file_io_max_length, 64 * 1024, 1 << 30, false)},
        {"low-storage-space-threshold", kArchive + "low.storage.space.threshold",
            "Refuse new recordings below this much free space", "128m", false,
            server_size(&Server::low_storage_space_threshold, 0, std::int64_t{1} << 50, false)},
        {"max-recordings", kArchive + "max.concurrent.recordings", "Recording subscriptions at a time", "20",
            false, server_integer(&Server::max_concurrent_recordings, 0, 10'000)},
        {"max-replays", kArchive + "max.concurrent.replays", "Replays at a time", "20", false,
            server_integer(&Server::max_concurrent_replays, 0, 10'000)},
        {"record-checksum", kArchive + "record.checksum",
            "crc32c: also Aeron's own checksum inside each frame, in place of its session id", "none", false,
            set_record_checksum},
        {"replay-checksum", kArchive + "replay.checksum",
            "crc32c: check Aeron's own checksum in frames that no sidecar covers, before they are replayed",
            "none", false, set_replay_checksum},
        {"credentials-file", "", "Who may connect: lines of PRINCIPAL SECRET [RESPONSE TO A CHALLENGE]",
            "everybody", false, text(&ArchiveOptions::credentials_file)},
        {"connect-timeout", kArchive + "connect.timeout", "For sessions and replays to find their clients",
            "5s", false, server_duration(&Server::connect_timeout)},
        {"session-liveness-interval", kArchive + "session.liveness.check.interval",
            "Between pings to a client", "1s", false, server_duration(&Server::session_liveness_interval)},
        {"replay-linger-timeout", kArchive + "replay.linger.timeout",
            "How long an ended replay can be resent", "5s", false,
            server_duration(&Server::replay_linger_timeout)},
        {"control-term-length", kArchive + "control.term.buffer.length", "Of response streams", "64k", false,
            server_size(&Server::control_term_length, wire::kTermLengthMin, wire::kTermLengthMax, true)},
        {"control-mtu", kArchive + "control.mtu.length", "Of response streams; 0: the driver's", "0", false,
            server_size(&Server::control_mtu, 0, wire::kMtuMax, false)},
        {"control-term-buffer-sparse", kArchive + "control.term.buffer.sparse",
            "false: response streams take their memory at once", "true", false, set_control_sparse},
        {"archive-id", kArchive + "id", "Tells archives on one driver apart", "of its client", false,
            server_integer(&Server::archive_id, INT64_MIN, INT64_MAX)},
        {"threading", kArchive + "threading.mode", "dedicated, shared or inline (with the driver inside)",
            "shared", false, set_threading},
        {"cycle-threshold", kArchive + "conductor.cycle.threshold",
            "Rounds of its threads that take longer are counted", "100ms", false,
            server_duration(&Server::cycle_threshold)},
        {"idle", kArchive + "idle.strategy",
            "What its threads do without work: spin, yield, backoff, sleep or noop", "backoff", false,
            set_idle},
        {"io", "", "How bytes go to the disk: auto, io_uring or pwritev", "auto", false, set_engine},
        {"storage-fault", "", "Make the disk a bad one, for tests: hold-unsynced,torn,...", "none", false,
            text(&ArchiveOptions::storage_fault)},
        {"dir-delete-on-start", kArchive + "dir.delete.on.start", "Forget what the directory holds", "false",
            true, set_delete_dir},
    };
}

}  // namespace

const std::vector<Setting>& settings() {
    static const std::vector<Setting> kSettings = make_settings();
    return kSettings;
}

Status check_foreign(std::string_view property, std::string_view value) {
    const bool names_class = property == "aeron.archive.authenticator.supplier" ||
                             property == "aeron.archive.authorisation.service.supplier";
    if (names_class && !value.empty() && !value.starts_with("io.aeron.security.Default")) {
        return fail(
            ErrorCode::kGeneric, std::string(property) + "=" + std::string(value) +
                                     ": fulmar-archive loads no Java classes, and will not "
                                     "let everybody in instead; leave it out, and give --credentials-file");
    }
    return Done{};
}

Status check(const ArchiveOptions& options) {
    if (!options.attach_to.empty() && options.threading == ArchiveOptions::Threading::kInline) {
        return fail(ErrorCode::kGeneric, "threading=inline is for the driver inside; leave --attach away");
    }
    if (!options.attach_to.empty() && (!options.driver.ports.empty() || !options.driver.settings.empty())) {
        return fail(
            ErrorCode::kGeneric, "--port and --driver are for the driver inside; leave --attach away");
    }
    if (options.server.events_enabled.value_or(false) && options.server.events_channel.empty()) {
        return fail(ErrorCode::kGeneric,
            "recording events are enabled and have no channel; give --events-channel CHANNEL");
    }
    return Done{};
}

}  // namespace fulmar::archived

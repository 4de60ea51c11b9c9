/// How an archive server is to be: its channels, limits and times. Names and defaults are Aeron's where it
/// has them (`aeron.archive.*`).
/// threads: values.  units: lengths in bytes.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "archive/recording_writer.h"
#include "fulmar/error.h"
#include "fulmar/time.h"

namespace fulmar::archive {

class Authenticator;
class Authoriser;

struct ServerOptions {
    /// Where requests come over the network; empty: only the local channel is served.
    std::string control_channel;
    std::int32_t control_stream_id = 10;
    bool control_enabled = true;  ///< false: as if it were empty
    std::string local_control_channel = "aeron:ipc?term-length=64k";
    std::int32_t local_control_stream_id = 10;
    /// Where replays of other archives are received, unless a request says otherwise.
    std::string replication_channel;
    /// Where an archive that is replicated from sends its responses, unless a request says otherwise; empty:
    /// any port of the control channel's host.
    std::string source_response_channel;
    /// A stream of started, progressed and stopped recordings; empty: none.
    std::string events_channel;
    std::int32_t events_stream_id = 30;
    /// Nothing: as soon as there is a channel for them.
    std::optional<bool> events_enabled;

    /// Of new recordings; at least a term.
    std::int32_t segment_file_length = 128 * 1024 * 1024;
    /// New recordings are refused below this much free space.
    std::int64_t low_storage_space_threshold = 128 * 1024 * 1024;
    /// Most bytes of one write and of one read.
    std::int32_t file_io_max_length = 1024 * 1024;
    std::int32_t max_concurrent_recordings = 20;
    std::int32_t max_concurrent_replays = 20;

    /// For a control session to become active, a replay to find its subscriber, a response to be taken.
    Duration connect_timeout = seconds(5);
    Duration session_liveness_interval = seconds(1);
    Duration replay_linger_timeout = seconds(5);
    /// Of an archive's client when it talks to another archive to replicate.
    Duration message_timeout = seconds(10);
    std::int32_t control_term_length = 64 * 1024;
    std::int32_t control_mtu = 0;  ///< 0: the driver's
    bool is_control_term_sparse = true;
    /// Tells archives on one driver apart; -1: the id of the archive's client.
    std::int64_t archive_id = -1;

    /// Rounds of an agent that take longer are counted.
    Duration cycle_threshold = milliseconds(100);
    /// As Aeron names it, for labels: SHARED, DEDICATED or INVOKER.
    std::string threading_mode = "SHARED";
    [[nodiscard]] bool is_dedicated() const { return threading_mode == "DEDICATED"; }

    WriterOptions writer;
    /// Frames that no sidecar covers carry Aeron's checksum, and are replayed only if it matches.
    bool checks_replayed_frames = false;

    /// Null: everybody may do everything. Both outlive the server.
    Authenticator* authenticator = nullptr;
    Authoriser* authoriser = nullptr;

    /// Hears of what went wrong and belongs to nobody's request, and of recordings that ended by an error.
    std::function<void(const Error&)> on_error;
};

}  // namespace fulmar::archive

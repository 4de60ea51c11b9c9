/// What users of an archive give to its client, and what they get back: options, parameters, descriptors.
/// threads: values, no sharing.  units: positions and lengths in bytes, timestamps in ms since 1970.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "fulmar/archive/codes.h"
#include "fulmar/counters_reader.h"
#include "fulmar/time.h"

namespace fulmar {

/// "None" of positions, lengths, ids and timestamps.
inline constexpr std::int64_t kNullPosition = -1;
inline constexpr std::int64_t kNullRecordingId = -1;
/// A replay of all there is; of a live recording it goes on with it.
inline constexpr std::int64_t kReplayAllAndFollow = -1;
/// A replay of all that is there now.
inline constexpr std::int64_t kReplayAllAndStop = -2;

/// A recording as the archive's catalog describes it.
struct RecordingDescriptor {
    std::int64_t control_session_id = 0;
    std::int64_t correlation_id = 0;
    std::int64_t recording_id = kNullRecordingId;
    std::int64_t start_timestamp = -1;
    std::int64_t stop_timestamp = -1;  ///< -1 while it is active
    std::int64_t start_position = 0;
    std::int64_t stop_position = kNullPosition;  ///< kNullPosition while it is active
    std::int32_t initial_term_id = 0;
    std::int32_t segment_file_length = 0;
    std::int32_t term_buffer_length = 0;
    std::int32_t mtu_length = 0;
    std::int32_t session_id = 0;
    std::int32_t stream_id = 0;
    std::string stripped_channel;  ///< what the archive subscribes to
    std::string original_channel;  ///< what the request said
    std::string source_identity;

    [[nodiscard]] bool is_active() const { return stop_position == kNullPosition; }
};

/// A subscription of the archive that records what comes.
struct RecordingSubscription {
    std::int64_t subscription_id = -1;
    std::int32_t stream_id = 0;
    std::string stripped_channel;
};

/// Something happened to a recording that a request of this session caused.
struct RecordingSignalEvent {
    std::int64_t correlation_id = -1;  ///< of the request, or the id of the replication
    std::int64_t recording_id = kNullRecordingId;
    std::int64_t subscription_id = -1;
    std::int64_t position = kNullPosition;
    RecordingSignal signal = RecordingSignal::kStart;
};

/// How a session proves who it is. What an archive wants in them is a matter of its authenticator.
struct CredentialsSupplier {
    /// Sent when connecting; none: empty credentials.
    std::function<std::vector<std::byte>()> initial;
    /// The answer to an archive that wants to know more; none: a challenge ends the connecting with an error.
    std::function<std::vector<std::byte>(std::span<const std::byte> challenge)> on_challenge;
};

struct ArchiveClientOptions {
    /// Where the archive takes requests: `aeron:udp?endpoint=archive:8010`, or `aeron:ipc` on its own driver.
    std::string control_request_channel;
    std::int32_t control_request_stream_id = 10;
    /// Where it sends responses; the endpoint must be ours as the archive sees it, port 0 takes a free one.
    /// Empty: `aeron:ipc` beside an IPC request channel, else `aeron:udp?endpoint=localhost:0`. With
    /// `control-mode=response` responses come back the way that requests go.
    std::string control_response_channel;
    std::int32_t control_response_stream_id = 20;
    /// For connecting as a whole, and for each request from being asked to its answer.
    Duration message_timeout = seconds(10);
    /// Terms of the control streams, where their channels do not say. mtu 0: the driver's.
    std::int32_t control_term_length = 64 * 1024;
    std::int32_t control_mtu = 0;
    bool is_control_term_sparse = true;
    /// Shown in the archive's counters; at most 100 characters.
    std::string client_name;
    CredentialsSupplier credentials;

    // Handlers run inside poll and the waiting functions. They may use the async_ functions.
    std::function<void(const RecordingSignalEvent&)> on_signal;
    /// Errors that answer no request that waits, broken responses, and the end of the session.
    std::function<void(const ArchiveError&)> on_error;
};

struct ReplayParams {
    std::int64_t position = kNullPosition;  ///< to begin at; kNullPosition: the recording's start
    std::int64_t length = kReplayAllAndFollow;
    /// A counter of the archive's driver whose value the replay never passes.
    std::int32_t bounding_limit_counter_id = kNullCounterId;
    std::int32_t file_io_max_length = -1;  ///< most bytes per read; -1: the archive's own
    /// Needed by start_replay with a response channel only: the subscription that the replay shall come to.
    std::int64_t subscription_registration_id = -1;
};

struct ReplicationParams {
    std::int64_t stop_position = kNullPosition;        ///< kNullPosition: the source's, or follow it
    std::int64_t dst_recording_id = kNullRecordingId;  ///< to go on with; kNullRecordingId: make a new one
    std::string live_destination;                      ///< where to join the live stream; empty: replay only
    std::string replication_channel;                   ///< empty: the archive's own
    std::string src_response_channel;                  ///< empty: the archive's own
    std::int64_t channel_tag_id = -1;
    std::int64_t subscription_tag_id = -1;
    std::int32_t file_io_max_length = -1;
    std::int32_t replication_session_id = -1;
    std::vector<std::byte> encoded_credentials;  ///< for the session with the source
};

}  // namespace fulmar

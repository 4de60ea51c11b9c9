/// The client of an archive, ours or a stock Aeron one: starts and stops recordings, replays them, asks about
/// them, copies and cuts them.
///
///     auto archive = ArchiveClient::connect(*client, {.control_request_channel = "aeron:ipc"});
///     (*archive)->start_recording("aeron:ipc", 1001, SourceLocation::kLocal);
///     ...
///     auto replayed = (*archive)->replay(recording_id, "aeron:ipc", 1002, {});
///
/// Each request has two forms. The waiting one asks and waits for the answer up to message_timeout; it polls
/// this object, and in polled mode the media driver's client too. The async_ one answers an id at once; the
/// outcome is found by find_response while the application polls both.
/// threads: one at a time for each ArchiveClient; the media driver's client may have a thread of its own.
/// errors: ArchiveError: what the archive said, or why it said nothing.
/// source: Aeron archive control protocol.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "fulmar/archive/options.h"
#include "fulmar/client.h"

namespace fulmar {

namespace archive_client {
class Connector;
class Session;
}  // namespace archive_client

class ArchiveClient;

using RecordingHandler = std::function<void(const RecordingDescriptor&)>;
using RecordingSubscriptionHandler = std::function<void(const RecordingSubscription&)>;

/// Connecting, step by step, for who must not wait. Dropping it gives up and leaves nothing behind.
class AsyncArchiveConnect {
  public:
    explicit AsyncArchiveConnect(std::unique_ptr<archive_client::Connector> connector);
    ~AsyncArchiveConnect();
    AsyncArchiveConnect(const AsyncArchiveConnect&) = delete;
    AsyncArchiveConnect& operator=(const AsyncArchiveConnect&) = delete;

    /// Does what can be done now. Null while there is more to wait for; after the client or an error it is of
    /// no more use.  errors: also kTimeout, naming the step that waited.
    [[nodiscard]] ArchiveResult<std::unique_ptr<ArchiveClient>> poll();
    /// What it waits for, for people.
    [[nodiscard]] std::string_view step() const;

  private:
    std::unique_ptr<archive_client::Connector> connector_;
};

/// A session with an archive. The media driver's client outlives it. Destroying it ends the session;
/// recordings and replays that it began go on.
class ArchiveClient {
  public:
    /// Waits up to message_timeout.
    [[nodiscard]] static ArchiveResult<std::unique_ptr<ArchiveClient>> connect(
        Client& client, ArchiveClientOptions options);
    /// errors: a channel that is none.
    [[nodiscard]] static ArchiveResult<std::unique_ptr<AsyncArchiveConnect>> async_connect(
        Client& client, ArchiveClientOptions options);

    explicit ArchiveClient(std::unique_ptr<archive_client::Session> session);
    ~ArchiveClient();
    ArchiveClient(const ArchiveClient&) = delete;
    ArchiveClient& operator=(const ArchiveClient&) = delete;

    /// Takes in what the archive sent, runs handlers, sends what had to wait. Returns work done. Call it also
    /// when nothing is asked: the archive pings, and ends a session that does not read.
    int poll();
    /// The outcome of an async_ request: nothing while there is none yet; what it gives out it forgets. The
    /// number is what the request's own comment says, else it means nothing.
    [[nodiscard]] ArchiveResult<std::optional<std::int64_t>> find_response(std::int64_t correlation_id);
    /// No longer interested in it; the archive does it all the same.
    void cancel(std::int64_t correlation_id);
    /// Polls until find_response has an outcome.
    [[nodiscard]] ArchiveResult<std::int64_t> await_response(std::int64_t correlation_id);

    /// False once the archive or the way to it is gone, or after close.
    [[nodiscard]] bool is_connected() const;
    /// Tells the archive. Requests without an answer end with kNotConnected. Idempotent.
    void close();

    [[nodiscard]] Client& client() const;
    [[nodiscard]] const ArchiveClientOptions& options() const;
    [[nodiscard]] std::int64_t control_session_id() const;
    /// The id in the keys of the archive's counters; -1 when the archive is too old to say.
    [[nodiscard]] std::int64_t archive_id() const;
    /// The archive's version of the control protocol, packed.
    [[nodiscard]] std::int32_t protocol_version() const;

    // --- recording ---

    /// Records each image of this channel and stream. Answers the id of the archive's subscription; what is
    /// recorded shows in signals and counters. auto_stop: the subscription ends with its first recording.
    [[nodiscard]] ArchiveResult<std::int64_t> start_recording(
        const std::string& channel, std::int32_t stream_id, SourceLocation source, bool auto_stop = false);
    [[nodiscard]] ArchiveResult<std::int64_t> async_start_recording(
        const std::string& channel, std::int32_t stream_id, SourceLocation source, bool auto_stop = false);
    /// Goes on with a stopped recording; the publication must begin where it stopped, with the same terms.
    [[nodiscard]] ArchiveResult<std::int64_t> extend_recording(std::int64_t recording_id,
        const std::string& channel, std::int32_t stream_id, SourceLocation source, bool auto_stop = false);
    [[nodiscard]] ArchiveResult<std::int64_t> async_extend_recording(std::int64_t recording_id,
        const std::string& channel, std::int32_t stream_id, SourceLocation source, bool auto_stop = false);
    /// errors: kUnknownSubscription when nothing was started with this channel and stream.
    [[nodiscard]] ArchiveStatus stop_recording(const std::string& channel, std::int32_t stream_id);
    [[nodiscard]] ArchiveResult<std::int64_t> async_stop_recording(
        const std::string& channel, std::int32_t stream_id);
    /// By what start_recording answered.
    [[nodiscard]] ArchiveStatus stop_recording(std::int64_t subscription_id);
    [[nodiscard]] ArchiveResult<std::int64_t> async_stop_recording(std::int64_t subscription_id);
    /// Answers whether it was active.
    [[nodiscard]] ArchiveResult<bool> stop_recording_by_identity(std::int64_t recording_id);
    [[nodiscard]] ArchiveResult<std::int64_t> async_stop_recording_by_identity(std::int64_t recording_id);
    /// What was started for a publication by add_recorded_publication.
    [[nodiscard]] ArchiveStatus stop_recording(const client::PublicationBase& publication);
    /// A publication, and a recording of its session alone.
    [[nodiscard]] ArchiveResult<std::unique_ptr<Publication>> add_recorded_publication(
        const std::string& channel, std::int32_t stream_id);
    [[nodiscard]] ArchiveResult<std::unique_ptr<ExclusivePublication>> add_recorded_exclusive_publication(
        const std::string& channel, std::int32_t stream_id);

    // --- replay ---

    /// Makes the archive publish a recording to this channel and stream. Answers the replay session id, whose
    /// low 32 bits are the session id of the stream. A channel with `control-mode=response` needs the
    /// subscription that it shall come to in the parameters.
    [[nodiscard]] ArchiveResult<std::int64_t> start_replay(std::int64_t recording_id,
        const std::string& channel, std::int32_t stream_id, const ReplayParams& params);
    [[nodiscard]] ArchiveResult<std::int64_t> async_start_replay(std::int64_t recording_id,
        const std::string& channel, std::int32_t stream_id, const ReplayParams& params);
    /// The same with a subscription of our own to it, whose wildcard port is seen to.
    [[nodiscard]] ArchiveResult<std::unique_ptr<Subscription>> replay(std::int64_t recording_id,
        const std::string& channel, std::int32_t stream_id, const ReplayParams& params,
        SubscriptionHandlers handlers = {});
    /// OK also when it has ended by itself.
    [[nodiscard]] ArchiveStatus stop_replay(std::int64_t replay_session_id);
    [[nodiscard]] ArchiveResult<std::int64_t> async_stop_replay(std::int64_t replay_session_id);
    /// Of one recording; kNullRecordingId: all replays of the archive, whoever asked for them.
    [[nodiscard]] ArchiveStatus stop_all_replays(std::int64_t recording_id);
    [[nodiscard]] ArchiveResult<std::int64_t> async_stop_all_replays(std::int64_t recording_id);

    // --- questions ---

    /// Up to `count` recordings from an id on, each given to the handler. Answers how many there were.
    [[nodiscard]] ArchiveResult<std::int64_t> list_recordings(
        std::int64_t from_recording_id, std::int32_t count, RecordingHandler handler);
    [[nodiscard]] ArchiveResult<std::int64_t> async_list_recordings(
        std::int64_t from_recording_id, std::int32_t count, RecordingHandler handler);
    /// Those with this stream whose original channel contains the text.
    [[nodiscard]] ArchiveResult<std::int64_t> list_recordings_for_uri(std::int64_t from_recording_id,
        std::int32_t count, const std::string& channel_part, std::int32_t stream_id,
        RecordingHandler handler);
    [[nodiscard]] ArchiveResult<std::int64_t> async_list_recordings_for_uri(std::int64_t from_recording_id,
        std::int32_t count, const std::string& channel_part, std::int32_t stream_id,
        RecordingHandler handler);
    /// errors: kUnknownRecording.
    [[nodiscard]] ArchiveResult<RecordingDescriptor> list_recording(std::int64_t recording_id);
    /// Answers 0 instead, without a call of the handler.
    [[nodiscard]] ArchiveResult<std::int64_t> async_list_recording(
        std::int64_t recording_id, RecordingHandler handler);
    /// Subscriptions whose channel contains the text and, if given, that have this stream; the first `skip`
    /// of them are left out.
    [[nodiscard]] ArchiveResult<std::int64_t> list_recording_subscriptions(std::int32_t skip,
        std::int32_t count, const std::string& channel_part, std::optional<std::int32_t> stream_id,
        RecordingSubscriptionHandler handler);
    [[nodiscard]] ArchiveResult<std::int64_t> async_list_recording_subscriptions(std::int32_t skip,
        std::int32_t count, const std::string& channel_part, std::optional<std::int32_t> stream_id,
        RecordingSubscriptionHandler handler);
    /// The newest recording from an id on with this session and stream whose original channel contains the
    /// text; kNullRecordingId for none.
    [[nodiscard]] ArchiveResult<std::int64_t> find_last_matching_recording(std::int64_t min_recording_id,
        const std::string& channel_part, std::int32_t stream_id, std::int32_t session_id);
    [[nodiscard]] ArchiveResult<std::int64_t> async_find_last_matching_recording(
        std::int64_t min_recording_id, const std::string& channel_part, std::int32_t stream_id,
        std::int32_t session_id);
    /// The lowest position that it holds.
    [[nodiscard]] ArchiveResult<std::int64_t> start_position(std::int64_t recording_id);
    [[nodiscard]] ArchiveResult<std::int64_t> async_start_position(std::int64_t recording_id);
    /// How far an active one is; kNullPosition for one that is not.
    [[nodiscard]] ArchiveResult<std::int64_t> recording_position(std::int64_t recording_id);
    [[nodiscard]] ArchiveResult<std::int64_t> async_recording_position(std::int64_t recording_id);
    /// Where it stopped; kNullPosition for an active one.
    [[nodiscard]] ArchiveResult<std::int64_t> stop_position(std::int64_t recording_id);
    [[nodiscard]] ArchiveResult<std::int64_t> async_stop_position(std::int64_t recording_id);
    /// Whichever of the two it has.
    [[nodiscard]] ArchiveResult<std::int64_t> max_recorded_position(std::int64_t recording_id);
    [[nodiscard]] ArchiveResult<std::int64_t> async_max_recorded_position(std::int64_t recording_id);

    // --- changing what is kept. Deletions go on after the answer and end with a kDelete signal. ---

    /// Cuts a stopped recording back. Answers how many files go.
    [[nodiscard]] ArchiveResult<std::int64_t> truncate_recording(
        std::int64_t recording_id, std::int64_t position);
    [[nodiscard]] ArchiveResult<std::int64_t> async_truncate_recording(
        std::int64_t recording_id, std::int64_t position);
    /// Deletes a stopped recording. Answers how many files go.
    [[nodiscard]] ArchiveResult<std::int64_t> purge_recording(std::int64_t recording_id);
    [[nodiscard]] ArchiveResult<std::int64_t> async_purge_recording(std::int64_t recording_id);
    /// Lets a recording begin at a segment's base (see segment_file_base_position); the files before stay.
    [[nodiscard]] ArchiveStatus detach_segments(std::int64_t recording_id, std::int64_t new_start_position);
    [[nodiscard]] ArchiveResult<std::int64_t> async_detach_segments(
        std::int64_t recording_id, std::int64_t new_start_position);
    /// Answers how many files go.
    [[nodiscard]] ArchiveResult<std::int64_t> delete_detached_segments(std::int64_t recording_id);
    [[nodiscard]] ArchiveResult<std::int64_t> async_delete_detached_segments(std::int64_t recording_id);
    /// Detaches and deletes. Answers how many files go.
    [[nodiscard]] ArchiveResult<std::int64_t> purge_segments(
        std::int64_t recording_id, std::int64_t new_start_position);
    [[nodiscard]] ArchiveResult<std::int64_t> async_purge_segments(
        std::int64_t recording_id, std::int64_t new_start_position);
    /// Takes the files before a recording's start back into it. Answers how many.
    [[nodiscard]] ArchiveResult<std::int64_t> attach_segments(std::int64_t recording_id);
    [[nodiscard]] ArchiveResult<std::int64_t> async_attach_segments(std::int64_t recording_id);
    /// Moves all segments of one recording to an end of another that they fit. Answers how many.
    [[nodiscard]] ArchiveResult<std::int64_t> migrate_segments(
        std::int64_t src_recording_id, std::int64_t dst_recording_id);
    [[nodiscard]] ArchiveResult<std::int64_t> async_migrate_segments(
        std::int64_t src_recording_id, std::int64_t dst_recording_id);
    /// Gives a recording another channel in the catalog.
    [[nodiscard]] ArchiveStatus update_channel(std::int64_t recording_id, const std::string& channel);
    [[nodiscard]] ArchiveResult<std::int64_t> async_update_channel(
        std::int64_t recording_id, const std::string& channel);

    // --- replication ---

    /// Makes this archive copy a recording of another one, which takes requests at the channel and stream
    /// given. Answers the replication id; signals with it as their correlation id tell how it goes on.
    [[nodiscard]] ArchiveResult<std::int64_t> replicate(std::int64_t src_recording_id,
        const std::string& src_control_channel, std::int32_t src_control_stream_id,
        const ReplicationParams& params);
    [[nodiscard]] ArchiveResult<std::int64_t> async_replicate(std::int64_t src_recording_id,
        const std::string& src_control_channel, std::int32_t src_control_stream_id,
        const ReplicationParams& params);
    /// errors: kUnknownReplication when it has ended.
    [[nodiscard]] ArchiveStatus stop_replication(std::int64_t replication_id);
    [[nodiscard]] ArchiveResult<std::int64_t> async_stop_replication(std::int64_t replication_id);

    // --- the session ---

    /// Sends a sign of life, which nothing answers.
    [[nodiscard]] ArchiveStatus keep_alive();
    /// Asks again for archive_id().
    [[nodiscard]] ArchiveResult<std::int64_t> async_archive_id();

  private:
    [[nodiscard]] ArchiveResult<std::int64_t> await(ArchiveResult<std::int64_t> correlation_id);
    [[nodiscard]] ArchiveStatus await_done(ArchiveResult<std::int64_t> correlation_id);

    std::unique_ptr<archive_client::Session> session_;
};

/// Where the segment file begins that holds a position of a recording.
[[nodiscard]] std::int64_t segment_file_base_position(std::int64_t start_position, std::int64_t position,
    std::int32_t term_length, std::int32_t segment_file_length);

}  // namespace fulmar

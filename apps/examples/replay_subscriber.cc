// Prints the messages of a recording: the newest of a stream, or one by its id. Record one with
// record_publisher.
#include "apps/examples/example.h"
#include "fulmar/archive_client.h"
#include "fulmar/fragment_assembler.h"
#include "fulmar/idle.h"

using namespace fulmar;
using namespace fulmar::examples;

namespace {

constexpr std::int32_t kReplayStream = 20'000;

/// The newest recording of the stream.
ArchiveResult<std::int64_t> find_newest(ArchiveClient& archive, const StreamFlags& flags) {
    std::int64_t newest = kNullRecordingId;
    const auto keep = [&newest](const RecordingDescriptor& each) { newest = each.recording_id; };
    const auto listed = archive.list_recordings_for_uri(0, INT32_MAX, flags.channel, flags.stream_id, keep);
    if (!listed) {
        return Unexpected{listed.error()};
    }
    if (newest == kNullRecordingId) {
        return fail(ArchiveErrorCode::kUnknownRecording,
            "there is no recording of " + flags.channel + " stream " + std::to_string(flags.stream_id));
    }
    return newest;
}

}  // namespace

int main(int argc, char** argv) {
    StreamFlags flags;
    flags.channel = "aeron:ipc";
    std::string control_channel = "aeron:ipc";
    std::string replay_channel = "aeron:ipc";
    std::int64_t recording_id = kNullRecordingId;
    CLI::App app{"Prints the messages of a recording."};
    flags.add_to(app);
    app.add_option("--archive", control_channel, "Where the archive takes requests")->capture_default_str();
    app.add_option("--replay-channel", replay_channel, "Where to receive the replay")->capture_default_str();
    app.add_option("--recording", recording_id, "Its id (default: the newest of channel and stream)");
    CLI11_PARSE(app, argc, argv);
    stop_on_signal();

    auto client = connect(flags.dir, "replay_subscriber");
    if (!client) {
        return failed(client.error());
    }
    ArchiveClientOptions options;
    options.control_request_channel = control_channel;
    auto archive = ArchiveClient::connect(**client, std::move(options));
    if (!archive) {
        return failed(archive.error());
    }
    if (recording_id == kNullRecordingId) {
        const auto newest = find_newest(**archive, flags);
        if (!newest) {
            return failed(newest.error());
        }
        recording_id = *newest;
    }
    ReplayParams params;
    params.length = kReplayAllAndStop;
    auto replay = (*archive)->replay(recording_id, replay_channel, kReplayStream, params);
    if (!replay) {
        return failed(replay.error());
    }
    FragmentAssembler print([](std::span<const std::byte> message, const Header& header) {
        std::printf("position %lld: %.*s\n", static_cast<long long>(header.position()),
            static_cast<int>(message.size()), reinterpret_cast<const char*>(message.data()));
    });
    BackoffIdle idle;
    bool has_begun = false;
    while (running && (*archive)->is_connected() && !(has_begun && (*replay)->has_no_images())) {
        has_begun = has_begun || !(*replay)->has_no_images();
        idle.idle((*replay)->poll(print, 10) + (*archive)->poll());
    }
    return 0;
}

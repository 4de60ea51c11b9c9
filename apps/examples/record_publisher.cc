// Publishes a numbered greeting that an archive records, and shows how far the recording is. Start an archive
// first, fulmar-archive or a stock one; replay_subscriber prints what was recorded, now or later.
#include <chrono>
#include <thread>

#include "apps/examples/example.h"
#include "fulmar/archive/recording_position.h"
#include "fulmar/archive_client.h"

using namespace fulmar;
using namespace fulmar::examples;

namespace {

/// The counter of our recording; the archive makes it when the first bytes can come.
std::optional<RecordingPosition> await_recording(
    Client& client, ArchiveClient& archive, const ExclusivePublication& publication) {
    while (running && archive.is_connected()) {
        const auto id = find_recording_counter_by_session(
            client.counters(), publication.session_id(), archive.archive_id());
        if (id) {
            return RecordingPosition::open(client.counters(), *id);
        }
        archive.poll();
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    return std::nullopt;
}

}  // namespace

int main(int argc, char** argv) {
    StreamFlags flags;
    flags.channel = "aeron:ipc";
    std::string control_channel = "aeron:ipc";
    std::int64_t messages = 10;
    std::int64_t interval_ms = 100;
    CLI::App app{"Publishes a numbered greeting that an archive records."};
    flags.add_to(app);
    app.add_option("--archive", control_channel, "Where the archive takes requests")->capture_default_str();
    app.add_option("--messages", messages, "How many")->capture_default_str();
    app.add_option("--interval", interval_ms, "Milliseconds between two")->capture_default_str();
    CLI11_PARSE(app, argc, argv);
    stop_on_signal();

    auto client = connect(flags.dir, "record_publisher");
    if (!client) {
        return failed(client.error());
    }
    ArchiveClientOptions options;
    options.control_request_channel = control_channel;
    auto archive = ArchiveClient::connect(**client, std::move(options));
    if (!archive) {
        return failed(archive.error());
    }
    auto publication = (*archive)->add_recorded_exclusive_publication(flags.channel, flags.stream_id);
    if (!publication) {
        return failed(publication.error());
    }
    const auto recording = await_recording(**client, **archive, **publication);
    if (!recording) {
        return failed({ErrorCode::kGeneric, "nothing was recorded"});
    }
    std::printf("recording %lld\n", static_cast<long long>(recording->recording_id()));

    for (std::int64_t i = 0; running && i < messages;) {
        const std::string text = "Hello World! " + std::to_string(i);
        const OfferResult result = (*publication)->offer(std::as_bytes(std::span(text)));
        if (result.is_ok()) {
            ++i;
            std::this_thread::sleep_for(std::chrono::milliseconds(interval_ms));
            std::printf("published to %lld, recorded to %lld\n", static_cast<long long>(result.position()),
                static_cast<long long>(recording->position()));
        } else if (!result.is_worth_retrying()) {
            return failed({ErrorCode::kGeneric, "not taken: " + std::string(result.to_string())});
        }
    }
    // What counts is what the archive has.
    while (running && recording->is_active() && recording->position() < (*publication)->position()) {
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    const auto stopped = (*archive)->stop_recording(**publication);
    return stopped ? 0 : failed(stopped.error());
}

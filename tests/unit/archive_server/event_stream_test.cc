// What an archive tells everybody who listens.
#include <variant>

#include "archive/recording_events.h"
#include "fulmar/sbe/dispatch.h"
#include "server_rig.h"

using namespace fulmar;
using namespace fulmar::archive_server::test;

namespace {

constexpr const char* kEvents = "aeron:udp?endpoint=10.77.0.1:8030";
constexpr std::int32_t kEventsStream = 30;

struct Told {
    std::string kind;
    std::int64_t recording_id = 0;
    std::int64_t from = 0;
    std::int64_t position = 0;
    std::int32_t session_id = 0;
    std::string channel;
};

struct Listener {
    explicit Listener(Rig& rig) : at(rig) {
        const std::int64_t request = at.client->async_add_subscription(kEvents, kEventsStream).value();
        REQUIRE(at.run_until([&] {
            subscription = at.client->find_subscription(request).value();
            return subscription != nullptr;
        }));
    }
    void operator()(const sbe::Decoder<RecordingStarted>& event) {
        told.push_back({"started", event.get<"recordingId">(), event.get<"startPosition">(), 0,
            event.get<"sessionId">(), std::string(event.data<"channel">())});
        CHECK(event.get<"streamId">() == kStream);
        CHECK_FALSE(event.data<"sourceIdentity">().empty());
    }
    void operator()(const sbe::Decoder<RecordingProgress>& event) {
        told.push_back({"progress", event.get<"recordingId">(), event.get<"startPosition">(),
            event.get<"position">(), 0, ""});
    }
    void operator()(const sbe::Decoder<RecordingStopped>& event) {
        told.push_back({"stopped", event.get<"recordingId">(), event.get<"startPosition">(),
            event.get<"stopPosition">(), 0, ""});
    }
    /// Until one of this kind is the last that was told.
    bool await(const std::string& kind) {
        return at.run_until([&] {
            subscription->poll(
                [&](std::span<const std::byte> message, const Header&) {
                    using Events = sbe::Messages<RecordingStarted, RecordingProgress, RecordingStopped>;
                    CHECK_FALSE(sbe::dispatch<Events>(message, std::ref(*this)));
                },
                10);
            return !told.empty() && told.back().kind == kind;
        });
    }

    Rig& at;
    std::unique_ptr<Subscription> subscription;
    std::vector<Told> told;
};

}  // namespace

TEST_CASE("archive events: recordings that begin, get further, stop and go on are told") {
    Rig at;
    at.options.events_channel = kEvents;
    at.start();
    Listener listener(at);
    REQUIRE(at.run_until([&] { return listener.subscription->is_connected(); }));
    ArchiveClient& session = at.connected();
    std::int64_t stop = 0;
    {
        auto publication = session.add_recorded_exclusive_publication("aeron:ipc?alias=x", kStream);
        REQUIRE(publication);
        REQUIRE(listener.await("started"));
        REQUIRE(listener.told.size() == 1);
        CHECK(listener.told[0].from == 0);
        CHECK(listener.told[0].session_id == (*publication)->session_id());
        CHECK(listener.told[0].channel.find("alias=x") != std::string::npos);
        REQUIRE((*publication)->offer(std::vector<std::byte>(100)).is_ok());
        REQUIRE(listener.await("progress"));
        CHECK(listener.told.back().position == (*publication)->position());
        stop = (*publication)->position();
        REQUIRE(session.stop_recording(**publication));
        REQUIRE(listener.await("stopped"));
        CHECK(listener.told.back().from == 0);
        CHECK(listener.told.back().position == stop);
    }
    // An extension begins where it goes on.
    const auto entry = session.list_recording(0);
    REQUIRE(entry);
    const std::string channel = "aeron:ipc?term-length=" + std::to_string(entry->term_buffer_length) +
                                "|init-term-id=" + std::to_string(entry->initial_term_id) +
                                "|term-id=" + std::to_string(entry->initial_term_id) +
                                "|term-offset=" + std::to_string(stop);
    REQUIRE(session.extend_recording(0, channel, kStream, SourceLocation::kLocal));
    listener.told.clear();
    const auto request = at.client->async_add_exclusive_publication(channel, kStream);
    REQUIRE(request);
    std::unique_ptr<ExclusivePublication> publication;
    REQUIRE(at.run_until([&] {
        publication = at.client->find_exclusive_publication(*request).value();
        return publication != nullptr;
    }));
    REQUIRE(listener.await("started"));
    CHECK(listener.told.back().from == stop);
}

TEST_CASE("archive events: a stream that nobody reads holds nothing up") {
    Rig at;
    at.options.events_channel = kEvents;
    at.start();
    Listener listener(at);  // it does not poll yet
    REQUIRE(at.run_until([&] { return listener.subscription->is_connected(); }));
    ArchiveClient& session = at.connected();
    auto publication = session.add_recorded_exclusive_publication("aeron:ipc", kStream);
    REQUIRE(publication);
    constexpr int kRecordings = static_cast<int>(EventStream::kWaitingMax);
    for (int i = 0; i < kRecordings; ++i) {
        CAPTURE(i);
        REQUIRE(at.run_until([&] { return at.has_signal(RecordingSignal::kStart); }));
        REQUIRE(session.stop_recording(**publication));
        REQUIRE(session.purge_recording(i));
        REQUIRE(at.run_until([&] { return at.has_signal(RecordingSignal::kDelete); }));
        at.signals.clear();
        REQUIRE(
            session.start_recording("aeron:ipc?session-id=" + std::to_string((*publication)->session_id()),
                kStream, SourceLocation::kLocal));
    }
    CHECK(at.errors.empty());
    CHECK(at.server_errors.empty());
    // What comes late is in order, with a gap.
    REQUIRE(at.run_until([&] {
        (void)listener.await("started");
        return listener.told.back().recording_id == kRecordings;
    }));
    CHECK(listener.told.front().recording_id == 0);
    CHECK(listener.told.size() < 2 * kRecordings);
    CHECK(std::is_sorted(listener.told.begin(), listener.told.end(),
        [](const Told& a, const Told& b) { return a.recording_id < b.recording_id; }));
}

TEST_CASE("archive events: none without a channel, or when they are not wanted") {
    Rig at;
    SUBCASE("no channel") {}
    SUBCASE("not wanted") {
        at.options.events_channel = kEvents;
        at.options.events_enabled = false;
    }
    at.start();
    Listener listener(at);
    ArchiveClient& session = at.connected();
    auto publication = session.add_recorded_exclusive_publication("aeron:ipc", kStream);
    REQUIRE(publication);
    REQUIRE(at.run_until([&] { return at.has_signal(RecordingSignal::kStart); }));
    at.run(milliseconds(500));
    CHECK_FALSE(listener.subscription->is_connected());
}

TEST_CASE("archive events: a channel that cannot be is why the archive does not start") {
    Rig at;
    at.options.events_channel = "aeron:udp?endpoint=nowhere";
    CHECK_FALSE(at.begins());
    REQUIRE(at.server->error());
}

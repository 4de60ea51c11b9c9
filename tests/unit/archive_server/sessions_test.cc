// Control sessions of clients that lie and flood.
#include "archive/messages.h"
#include "fulmar/sbe/encoder.h"
#include "server_rig.h"

using namespace fulmar;
using namespace fulmar::archive_server::test;

namespace {

/// A request stream that says what a test wants.
class Liar {
  public:
    explicit Liar(Rig& at) : at_(at) {
        const auto request = at.client->async_add_exclusive_publication("aeron:ipc?term-length=64k", 10);
        REQUIRE(request);
        REQUIRE(at.run_until([&] {
            auto found = at.client->find_exclusive_publication(*request);
            REQUIRE(found);
            publication_ = *std::move(found);
            return publication_ != nullptr;
        }));
        REQUIRE(at.run_until([&] { return publication_->is_connected(); }));
    }
    void say(std::span<const std::byte> message) {
        REQUIRE(at_.run_until([&] { return publication_->offer(message).is_ok(); }));
    }
    template <class M, class Fill>
    void say(Fill&& fill) {
        std::vector<std::byte> buffer(4096);
        sbe::Encoder<M> encoder(buffer);
        fill(encoder);
        say(encoder.finish().value());
    }
    void connect(std::int64_t correlation_id) {
        say<AuthConnectRequest>([&](auto& encoder) {
            encoder.template set<"correlationId">(correlation_id)
                .template set<"responseStreamId">(4444)
                .template set<"version">(kControlProtocolVersion);
            encoder.template data<"responseChannel">("aeron:ipc?term-length=64k");
            encoder.template data<"encodedCredentials">(std::span<const std::byte>());
            encoder.template data<"clientInfo">("name=liar " + std::to_string(correlation_id));
        });
    }

  private:
    Rig& at_;
    std::unique_ptr<ExclusivePublication> publication_;
};

std::size_t count_errors(const Rig& at, const std::string& part) {
    return static_cast<std::size_t>(std::count_if(at.server_errors.begin(), at.server_errors.end(),
        [&](const std::string& error) { return error.find(part) != std::string::npos; }));
}

}  // namespace

TEST_CASE(
    "archive sessions: requests for sessions that are none, or another's, are dropped under one name each") {
    Rig at;
    at.start();
    const std::int64_t victim = at.connected().control_session_id();
    Liar liar(at);
    for (std::int64_t id = 0; id < 100; ++id) {
        liar.say<StopAllReplaysRequest>([&](auto& encoder) {
            encoder.template set<"controlSessionId">(victim + 1000 + id)
                .template set<"correlationId">(id)
                .template set<"recordingId">(-1);
        });
    }
    liar.say<CloseSessionRequest>([&](auto& encoder) { encoder.template set<"controlSessionId">(victim); });
    REQUIRE(at.run_until([&] { return at.server_errors.size() >= 101; }));
    CHECK(std::set<std::string>(at.server_errors.begin(), at.server_errors.end()).size() == 2);
    CHECK(count_errors(at, "does not exist") == 100);
    CHECK(count_errors(at, "is another client's") == 1);
    CHECK(at.counter(counter_type::kErrors)->value == 101);
    CHECK(at.session->start_position(0).error().archive_code == ArchiveErrorCode::kUnknownRecording);
}

TEST_CASE("archive sessions: messages that are none are dropped, and the stream's other clients served") {
    Rig at;
    at.start();
    (void)at.connected();
    Liar liar(at);
    std::vector<std::byte> buffer(4096);
    sbe::Encoder<ListRecordingsForUriRequest> encoder(buffer);
    encoder.set<"controlSessionId">(1)
        .set<"correlationId">(2)
        .set<"fromRecordingId">(0)
        .set<"recordCount">(1)
        .set<"streamId">(1);
    encoder.data<"channel">("aeron:ipc");
    const auto whole = encoder.finish().value();
    for (std::size_t length = 1; length < whole.size(); ++length) {
        liar.say(whole.first(length));
    }
    for (int value = 0; value < 256; ++value) {
        std::vector<std::byte> noise(whole.begin(), whole.end());
        std::fill(noise.begin() + 8, noise.end(), static_cast<std::byte>(value));
        liar.say(noise);
    }
    at.run(milliseconds(100));
    CHECK(at.server_errors.size() >= whole.size());
    CHECK(at.session->start_position(0).error().archive_code == ArchiveErrorCode::kUnknownRecording);
}

TEST_CASE("archive sessions: one stream cannot take the sessions of all others") {
    Rig at;
    at.options.connect_timeout = seconds(1);
    at.start();
    Liar liar(at);
    for (std::int64_t id = 0; id < 200; ++id) {
        liar.connect(id);
    }
    at.run(milliseconds(20));
    CHECK(at.counter(counter_type::kControlSessions)->value == ControlSessions::kPendingMax);
    CHECK(count_errors(at, "refused a control session") == 200 - ControlSessions::kPendingMax);
    CHECK(at.connected().is_connected());
    // Nobody comes for them, and they go.
    CHECK(at.run_until([&] { return at.counter(counter_type::kControlSessions)->value == 1; }));
    liar.connect(1000);
    CHECK(at.run_until([&] { return at.counter(counter_type::kControlSessions)->value == 2; }));
}

TEST_CASE("archive sessions: a client that reads nothing loses its session, and others keep theirs") {
    Rig at;
    at.options.connect_timeout = seconds(1);
    at.start();
    ArchiveClient& good = at.connected();
    auto made = at.try_connect(at.session_options());
    REQUIRE(made);
    std::unique_ptr<ArchiveClient> deaf = *std::move(made);
    for (int asked = 0; asked < 10'000; ++asked) {
        if (!deaf->async_list_recording(asked, [](const fulmar::RecordingDescriptor&) {})) {
            break;  // its requests are not taken any more
        }
        at.run(milliseconds(1));
        if (count_errors(at, "does not take its responses") == 1) {
            break;
        }
    }
    CHECK(count_errors(at, "does not take its responses") == 1);
    CHECK(good.start_position(0).error().archive_code == ArchiveErrorCode::kUnknownRecording);
}

// Connecting in every way there is, and what a session is told.
#include "bench.h"

using namespace fulmar;
using namespace fulmar::archive_peer;

TEST_CASE("archive peer: a client connects, asks and closes, polled and with a thread") {
    for (const bool own_thread : {false, true}) {
        CAPTURE(own_thread);
        Bench bench(own_thread);
        CHECK(bench.archive->is_connected());
        CHECK(bench.archive->archive_id() != -1);
        CHECK((bench.archive->protocol_version() >> 16) == 1);
        CHECK(value_of(bench.archive->await_response(value_of(bench.archive->async_archive_id()))) ==
              bench.archive->archive_id());
        require_ok(bench.archive->keep_alive());
        bench.archive->close();
        CHECK_FALSE(bench.archive->is_connected());
        CHECK(code_of(bench.archive->start_position(0)) == ArchiveErrorCode::kNotConnected);
    }
}

TEST_CASE("archive peer: the asynchronous way of connecting goes step by step") {
    Bench bench;
    auto connecting =
        value_of(ArchiveClient::async_connect(*bench.client, bench.options_for(control_channel())));
    CHECK(connecting->step() == "a session id from the media driver");
    std::unique_ptr<ArchiveClient> second;
    bench.await("a second session", [&] {
        second = value_of(connecting->poll());
        return second != nullptr;
    });
    CHECK(second->control_session_id() != bench.archive->control_session_id());
    CHECK_FALSE(connecting->poll());
}

namespace {

/// A second session beside the bench's.
void check_session(Bench& bench, const std::string& request_channel, const std::string& response_channel) {
    ArchiveClientOptions options = bench.options_for(request_channel);
    options.control_response_channel = response_channel;
    auto session = value_of(ArchiveClient::connect(*bench.client, options));
    CHECK(session->archive_id() == bench.archive->archive_id());
    CHECK(code_of(session->start_position(1'000'000)) == ArchiveErrorCode::kUnknownRecording);
}

}  // namespace

TEST_CASE("archive peer: on the archive's own driver all goes through shared memory") {
    Bench bench;
    check_session(bench, "aeron:ipc", "");
    check_session(bench, "aeron:ipc", "aeron:udp?endpoint=localhost:0");
}

TEST_CASE("archive peer: responses come back the way that requests go") {
    Bench bench;
    check_session(bench, control_channel(), "aeron:udp?control-mode=response|control=" + free_endpoint());
}

TEST_CASE("archive peer: where no archive listens the error says so") {
    Bench bench;
    const std::string nobody = free_endpoint();
    ArchiveClientOptions options = bench.options_for("aeron:udp?endpoint=" + nobody);
    options.message_timeout = milliseconds(300);
    const auto session = ArchiveClient::connect(*bench.client, options);
    REQUIRE_FALSE(session);
    CHECK(session.error().archive_code == ArchiveErrorCode::kTimeout);
    CHECK(session.error().message.find(nobody + " stream 10") != std::string::npos);
    CHECK(session.error().message.find("is an archive running there?") != std::string::npos);
}

TEST_CASE("archive peer: the archive's refusals are typed and have its words") {
    Bench bench;
    const auto refused = bench.archive->start_position(1'000'000);
    CHECK(code_of(refused) == ArchiveErrorCode::kUnknownRecording);
    CHECK(refused.error().message.find("start position: ") == 0);
    CHECK(refused.error().correlation_id != -1);
    CHECK(code_of(bench.archive->stop_recording("aeron:ipc", 1)) == ArchiveErrorCode::kUnknownSubscription);
    CHECK(code_of(bench.archive->stop_recording(123456789)) == ArchiveErrorCode::kUnknownSubscription);
    CHECK(code_of(bench.archive->stop_replication(123456789)) == ArchiveErrorCode::kUnknownReplication);
    CHECK(code_of(bench.archive->truncate_recording(1'000'000, 0)) == ArchiveErrorCode::kUnknownRecording);
    CHECK(code_of(bench.archive->purge_recording(1'000'000)) == ArchiveErrorCode::kUnknownRecording);
    CHECK(code_of(bench.archive->list_recording(1'000'000)) == ArchiveErrorCode::kUnknownRecording);
    CHECK(code_of(bench.archive->start_recording("aeron:nonsense", 1, SourceLocation::kLocal)) ==
          ArchiveErrorCode::kGeneric);
    CHECK(bench.archive->is_connected());
    CHECK(bench.errors.empty());
}

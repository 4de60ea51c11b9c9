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

TEST_CASE("archive peer: responses come back over IPC or the way that requests go") {
    for (const std::string& channel :
        {std::string("aeron:ipc"), "aeron:udp?control-mode=response|control=" + free_endpoint()}) {
        CAPTURE(channel);
        Bench bench;
        ArchiveClientOptions options = bench.options_for(control_channel());
        if (channel == "aeron:ipc") {
            options.control_request_channel = "aeron:ipc";
        }
        options.control_response_channel = channel;
        auto session = value_of(ArchiveClient::connect(*bench.client, options));
        CHECK(session->archive_id() == bench.archive->archive_id());
        CHECK(code_of(session->start_position(1'000'000)) == ArchiveErrorCode::kUnknownRecording);
    }
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

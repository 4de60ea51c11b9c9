// An open session: responses to whoever asked, listings, signals, and an archive that lies or goes away.
#include "scripted_archive.h"

using namespace fulmar;
using namespace fulmar::archive_client::test;
using archive::ControlResponseCode;

TEST_CASE("archive client: responses find their requests in any order") {
    Stage at;
    ArchiveClient& session = at.connected();
    const std::int64_t first = session.async_start_position(1).value();
    const std::int64_t second = session.async_stop_position(2).value();
    CHECK(first != second);
    REQUIRE(at.run_until([&] { return at.archive.requests.size() == 2; }));
    CHECK_FALSE(session.find_response(first).value());
    at.archive.respond_ok(second, 22);
    at.archive.respond_ok(first, 11);
    CHECK(at.await(first).value() == 11);
    CHECK(at.await(second).value() == 22);
    // Fetched once, forgotten.
    CHECK(session.find_response(first).error().archive_code == ArchiveErrorCode::kClient);
}

TEST_CASE("archive client: waiting functions wait, and give what the archive said") {
    Stage at;
    ArchiveClient& session = at.connected();
    at.archive.script = [&](const Request& request) {
        at.archive.respond_error(request.correlation_id(), 5, "recording 9 is not here");
        return true;
    };
    const auto refused = session.truncate_recording(9, 0);
    REQUIRE_FALSE(refused);
    CHECK(refused.error().archive_code == ArchiveErrorCode::kUnknownRecording);
    CHECK(refused.error().code == ErrorCode::kGeneric);
    CHECK(refused.error().message == "truncate recording: recording 9 is not here (UNKNOWN_RECORDING)");
    at.archive.script = [&](const Request& request) {
        at.archive.respond(request.correlation_id(), {9, ControlResponseCode::kRecordingUnknown, ""});
        return true;
    };
    CHECK(session.recording_position(9).error().archive_code == ArchiveErrorCode::kUnknownRecording);
    at.archive.script = [&](const Request& request) {
        at.archive.respond_error(request.correlation_id(), 11, "full");
        return true;
    };
    CHECK(session.start_recording("aeron:ipc", 1, SourceLocation::kLocal).error().code ==
          ErrorCode::kStorageSpace);
    at.archive.script = [&](const Request& request) {
        at.archive.respond(request.correlation_id(), {0, static_cast<ControlResponseCode>(77), ""});
        return true;
    };
    CHECK(session.recording_position(9).error().archive_code == ArchiveErrorCode::kBadResponse);
    CHECK(at.errors.empty());
    CHECK(session.is_connected());
}

TEST_CASE("archive client: no answer is a time-out that names the request; a late one does no harm") {
    Stage at;
    ArchiveClient& session = at.connected();
    const Instant before = at.now();
    const auto unanswered = session.purge_recording(3);
    REQUIRE_FALSE(unanswered);
    CHECK(unanswered.error().archive_code == ArchiveErrorCode::kTimeout);
    CHECK(unanswered.error().message == "purge recording: no answer from the archive within 2000 ms");
    CHECK((at.now() - before) < milliseconds(2100));

    const std::int64_t late = at.next_request().correlation_id();
    at.archive.respond_ok(late, 1);
    at.run(milliseconds(20));
    CHECK(at.errors.empty());
    // An error that comes late says something new.
    at.archive.respond_error(late, 0, "could not");
    REQUIRE(at.run_until([&] { return !at.errors.empty(); }));
    CHECK(at.errors[0].correlation_id == late);
    CHECK(at.errors[0].message == "archive: could not (GENERIC)");
    CHECK(session.is_connected());
}

TEST_CASE("archive client: the outcomes of several requests time out each at its own time") {
    Stage at;
    ArchiveClient& session = at.connected();
    const std::int64_t first = session.async_start_position(1).value();
    at.run(seconds(1));
    const std::int64_t second = session.async_start_position(2).value();
    at.run(milliseconds(1100));
    CHECK(session.find_response(first).error().archive_code == ArchiveErrorCode::kTimeout);
    CHECK_FALSE(session.find_response(second).value());
    at.run(seconds(1));
    CHECK(session.find_response(second).error().archive_code == ArchiveErrorCode::kTimeout);
}

TEST_CASE("archive client: a cancelled request is forgotten, whatever is answered") {
    Stage at;
    ArchiveClient& session = at.connected();
    const std::int64_t asked = session.async_start_position(1).value();
    session.cancel(asked);
    at.archive.respond_ok(at.next_request().correlation_id(), 1);
    at.run(milliseconds(20));
    CHECK_FALSE(session.find_response(asked));
    CHECK(at.errors.empty());
}

TEST_CASE("archive client: a listing ends with the count asked for or with the archive's word") {
    Stage at;
    ArchiveClient& session = at.connected();
    std::vector<std::int64_t> listed;
    const auto keep = [&](const RecordingDescriptor& each) { listed.push_back(each.recording_id); };
    SUBCASE("as many as asked for, and not one more") {
        const std::int64_t asked = session.async_list_recordings(0, 2, keep).value();
        for (const std::int64_t id : {4, 5, 6}) {
            at.archive.list(asked, id);
        }
        CHECK(at.await(asked).value() == 2);
        at.run(milliseconds(20));
        CHECK(listed == std::vector<std::int64_t>{4, 5});
    }
    SUBCASE("fewer") {
        const std::int64_t asked = session.async_list_recordings(0, 10, keep).value();
        at.archive.list(asked, 4);
        at.archive.respond(asked, {0, ControlResponseCode::kRecordingUnknown, ""});
        CHECK(at.await(asked).value() == 1);
    }
    SUBCASE("none") {
        const std::int64_t asked = session.async_list_recording(8, keep).value();
        at.archive.respond(asked, {8, ControlResponseCode::kRecordingUnknown, ""});
        CHECK(at.await(asked).value() == 0);
        CHECK(listed.empty());
    }
    SUBCASE("an error in the middle") {
        const std::int64_t asked = session.async_list_recordings(0, 10, keep).value();
        at.archive.list(asked, 4);
        at.archive.respond_error(asked, 1, "another listing");
        CHECK(at.await(asked).error().archive_code == ArchiveErrorCode::kActiveListing);
    }
    SUBCASE("an archive that says OK to a listing breaks the protocol") {
        const std::int64_t asked = session.async_list_recordings(0, 10, keep).value();
        at.archive.respond_ok(asked, 10);
        CHECK(at.await(asked).error().archive_code == ArchiveErrorCode::kBadResponse);
    }
    SUBCASE("what is listed for nobody, or is of another kind, is dropped") {
        const std::int64_t asked = session.async_list_recordings(0, 1, keep).value();
        const std::int64_t other = session.async_start_position(1).value();
        at.archive.list(asked + 1000, 1);
        at.archive.list(other, 2);
        at.archive.send<archive::RecordingSubscriptionDescriptor>([&](auto& encoder) {
            encoder.template set<"controlSessionId">(kControlSession);
            encoder.template set<"correlationId">(asked);
        });
        at.archive.list(asked, 3);
        CHECK(at.await(asked).value() == 1);
        CHECK(listed == std::vector<std::int64_t>{3});
    }
}

TEST_CASE("archive client: descriptors come whole, with padding behind them or not") {
    Stage at;
    ArchiveClient& session = at.connected();
    at.archive.script = [&](const Request& request) {
        std::vector<std::byte> buffer(1024);
        sbe::Encoder<archive::RecordingDescriptor> encoder(buffer);
        encoder.set<"controlSessionId">(kControlSession)
            .set<"correlationId">(request.correlation_id())
            .set<"recordingId">(1)
            .set<"startTimestamp">(2)
            .set<"stopTimestamp">(3)
            .set<"startPosition">(4)
            .set<"stopPosition">(5)
            .set<"initialTermId">(6)
            .set<"segmentFileLength">(7)
            .set<"termBufferLength">(8)
            .set<"mtuLength">(9)
            .set<"sessionId">(10)
            .set<"streamId">(11)
            .data<"strippedChannel">("a")
            .data<"originalChannel">("bc")
            .data<"sourceIdentity">("def");
        const std::size_t length = encoder.finish()->size();
        at.archive.send_raw(std::span(buffer).first(length + 60));  // as it lies in the catalog
        return true;
    };
    const RecordingDescriptor found = session.list_recording(1).value();
    CHECK(found.control_session_id == kControlSession);
    CHECK(found.recording_id == 1);
    CHECK(found.start_timestamp == 2);
    CHECK(found.stop_timestamp == 3);
    CHECK(found.start_position == 4);
    CHECK(found.stop_position == 5);
    CHECK(found.initial_term_id == 6);
    CHECK(found.segment_file_length == 7);
    CHECK(found.term_buffer_length == 8);
    CHECK(found.mtu_length == 9);
    CHECK(found.session_id == 10);
    CHECK(found.stream_id == 11);
    CHECK(found.stripped_channel == "a");
    CHECK(found.original_channel == "bc");
    CHECK(found.source_identity == "def");
}

TEST_CASE("archive client: a slow listing is alive as long as something comes") {
    Stage at;
    ArchiveClient& session = at.connected();
    const std::int64_t asked = session.async_list_recordings(0, 4, {}).value();
    for (int i = 0; i < 4; ++i) {
        at.run(milliseconds(1500));
        at.archive.list(asked, i);
    }
    CHECK(at.await(asked).value() == 4);
}

TEST_CASE("archive client: handlers may ask and cancel, but not wait") {
    Stage at;
    ArchiveClient& session = at.connected();
    std::int64_t listing = -1;
    std::int64_t asked = -1;
    int calls = 0;
    listing = session
                  .async_list_recordings(0, 10,
                      [&](const RecordingDescriptor&) {
                          ++calls;
                          CHECK(session.start_position(1).error().archive_code == ArchiveErrorCode::kClient);
                          CHECK(session.poll() == 0);
                          asked = session.async_start_position(1).value();
                          session.cancel(listing);
                      })
                  .value();
    at.archive.list(listing, 1);
    at.archive.list(listing, 2);
    REQUIRE(at.run_until([&] { return asked != -1; }));
    at.archive.respond_ok(asked, 8);
    CHECK(at.await(asked).value() == 8);
    CHECK(calls == 1);
    CHECK_FALSE(session.find_response(listing));
}

TEST_CASE("archive client: signals of this session reach the handler") {
    Stage at;
    at.connected();
    for (const std::int64_t session_id : {kControlSession + 1, kControlSession}) {
        at.archive.send<archive::RecordingSignalEvent>([&](auto& event) {
            event.template set<"controlSessionId">(session_id);
            event.template set<"correlationId">(1);
            event.template set<"recordingId">(2);
            event.template set<"subscriptionId">(3);
            event.template set<"position">(4);
            event.template set<"signal">(RecordingSignal::kSync);
        });
    }
    REQUIRE(at.run_until([&] { return !at.signals.empty(); }));
    at.run(milliseconds(20));
    REQUIRE(at.signals.size() == 1);
    CHECK(at.signals[0].correlation_id == 1);
    CHECK(at.signals[0].recording_id == 2);
    CHECK(at.signals[0].subscription_id == 3);
    CHECK(at.signals[0].position == 4);
    CHECK(at.signals[0].signal == RecordingSignal::kSync);
}

TEST_CASE("archive client: what is no message is reported, and the session goes on") {
    Stage at;
    ArchiveClient& session = at.connected();
    const auto broken = [&](std::span<const std::byte> bytes) {
        at.errors.clear();
        at.archive.send_raw(bytes);
        REQUIRE(at.run_until([&] { return !at.errors.empty(); }));
        CHECK(at.errors[0].archive_code == ArchiveErrorCode::kBadResponse);
    };
    std::vector<std::byte> response(256);
    sbe::Encoder<archive::ControlResponse> encoder(response);
    encoder.set<"controlSessionId">(kControlSession).data<"errorMessage">("some text");
    response.resize(encoder.finish()->size());
    // Cut anywhere, it is refused; so is another schema, and a text that says it is longer than the message.
    for (std::size_t length = 0; length < response.size(); ++length) {
        CAPTURE(length);
        broken(std::span(response).first(length));
    }
    auto other_schema = response;
    other_schema[4] = std::byte{0xEE};
    broken(other_schema);
    auto too_long = response;
    base::store_le<std::uint32_t>(too_long.data(), 40, 0xFFFF'FFFFU);
    broken(too_long);

    // A template that a later version may have is none of our business.
    at.errors.clear();
    auto unknown_template = response;
    base::store_le<std::uint16_t>(unknown_template.data(), 2, 999);
    at.archive.send_raw(unknown_template);
    const std::int64_t asked = session.async_start_position(1).value();
    at.archive.respond_ok(asked, 1);
    CHECK(at.await(asked).value() == 1);
    CHECK(at.errors.empty());
}

TEST_CASE("archive client: a response of any length is put together") {
    Stage at;
    ArchiveClient& session = at.connected();
    const std::int64_t asked = session.async_start_position(1).value();
    at.archive.respond_error(asked, 0, std::string(3000, 'x'));  // more than a datagram
    const auto refused = at.await(asked);
    REQUIRE_FALSE(refused);
    CHECK(refused.error().message == "start position: " + std::string(512, 'x') + " (GENERIC)");
}

TEST_CASE("archive client: an archive that goes away ends what waits, once and for all") {
    Stage at;
    ArchiveClient& session = at.connected();
    const std::int64_t asked = session.async_start_position(1).value();
    (void)at.next_request();
    at.options.message_timeout = seconds(60);
    at.archive.end_responses();
    REQUIRE(at.run_until([&] { return !session.is_connected(); }, seconds(20)));
    const auto lost = session.find_response(asked);
    REQUIRE_FALSE(lost);
    REQUIRE(at.errors.size() == 1);
    CHECK(at.errors[0].archive_code == ArchiveErrorCode::kNotConnected);
    CHECK(session.start_position(1).error().archive_code == ArchiveErrorCode::kNotConnected);
    CHECK(session.keep_alive().error().archive_code == ArchiveErrorCode::kNotConnected);
    at.run(milliseconds(100));
    CHECK(at.errors.size() == 1);
}

TEST_CASE("archive client: a client that ends takes the session with it") {
    Stage at;
    ArchiveClient& session = at.connected();
    const std::int64_t asked = session.async_start_position(1).value();
    at.client->close();
    CHECK(session.start_position(1).error().archive_code == ArchiveErrorCode::kNotConnected);
    CHECK_FALSE(session.is_connected());
    CHECK_FALSE(session.find_response(asked));
}

TEST_CASE("archive client: closing tells the archive, and ends what waits") {
    Stage at;
    ArchiveClient& session = at.connected();
    const std::int64_t asked = session.async_start_position(1).value();
    session.close();
    session.close();
    CHECK(session.find_response(asked).error().archive_code == ArchiveErrorCode::kNotConnected);
    REQUIRE(at.run_until([&] { return at.archive.count(archive::CloseSessionRequest::kId) == 1; }));
    CHECK(at.archive.requests.back().as<archive::CloseSessionRequest>().get<"controlSessionId">() ==
          kControlSession);
}

TEST_CASE("archive client: requests that find no room wait their turn and go out in order") {
    Stage at;
    ArchiveClient& session = at.connected();
    at.archive.reads_requests = false;
    std::vector<std::int64_t> asked;
    const std::string channel = "aeron:udp?endpoint=localhost:1|alias=" + std::string(2000, 'a');
    for (int i = 0; i < 200; ++i) {  // 400 kB into a stream of 64 KiB terms
        asked.push_back(session.async_update_channel(i, channel).value());
    }
    at.run(milliseconds(500));
    at.archive.reads_requests = true;
    for (int i = 0; i < 50; ++i) {
        at.step();  // room comes, but nobody polls the session
    }
    CHECK(at.archive.requests.size() < asked.size());
    asked.push_back(session.async_update_channel(200, channel).value());
    REQUIRE(at.run_until([&] { return at.archive.requests.size() == asked.size(); }));
    for (std::size_t i = 0; i < asked.size(); ++i) {
        const auto update = at.archive.requests[i].as<archive::UpdateChannelRequest>();
        CHECK(update.get<"correlationId">() == asked[i]);
        CHECK(update.data<"channel">() == channel);
        at.archive.respond_ok(asked[i], 0);
    }
    for (const std::int64_t id : asked) {
        CHECK(at.await(id));
    }
}

TEST_CASE("archive client: an archive that reads nothing is a time-out that says so") {
    Stage at;
    ArchiveClient& session = at.connected();
    at.archive.reads_requests = false;
    const std::string channel(4000, 'a');
    for (int i = 0; i < 30; ++i) {
        REQUIRE(session.async_update_channel(i, channel));
    }
    const auto unsent = session.start_position(1);
    REQUIRE_FALSE(unsent);
    CHECK(unsent.error().message.find("requests wait for room in the control stream") != std::string::npos);
}

TEST_CASE("archive client: too many open requests and too long ones are refused, not queued") {
    Stage at;
    ArchiveClient& session = at.connected();
    const auto long_one = session.async_update_channel(1, std::string(9000, 'a'));
    REQUIRE_FALSE(long_one);
    CHECK(long_one.error().message.find("8192 bytes") != std::string::npos);
    std::size_t open = 0;
    while (session.async_start_position(1)) {
        REQUIRE(++open <= 5000);
    }
    CHECK(open == 4096);
    CHECK(session.async_start_position(1).error().code == ErrorCode::kResourceTemporarilyUnavailable);
    CHECK(session.is_connected());
}

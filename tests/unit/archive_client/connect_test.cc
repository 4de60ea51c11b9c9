// Connecting, and every way in which an archive may spoil it.
#include "scripted_archive.h"

using namespace fulmar;
using namespace fulmar::archive_client::test;
using archive::ControlResponseCode;

namespace {

/// Why there is no session.
ArchiveError refusal(Stage& at) {
    const auto session = at.try_connect();
    REQUIRE_FALSE(session);
    return session.error();
}

bool says(const ArchiveError& error, const std::string& part) {
    return error.message.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("archive client: connecting names the response channel, the version and the client") {
    Stage at;
    std::vector<Request> connects;
    at.archive.script = [&](const Request& request) {
        if (request.is<archive::AuthConnectRequest>()) {
            connects.push_back(request);
        }
        return false;
    };
    const ArchiveClient& session = at.connected();
    CHECK(session.control_session_id() == kControlSession);
    CHECK(session.archive_id() == kArchiveId);
    CHECK(session.protocol_version() == archive::kControlProtocolVersion);
    CHECK(session.is_connected());

    REQUIRE(connects.size() == 1);
    const auto connect = connects[0].as<archive::AuthConnectRequest>();
    CHECK(connect.get<"version">() == archive::kControlProtocolVersion);
    CHECK(connect.get<"responseStreamId">() == 20);
    CHECK(connect.data<"encodedCredentials">().empty());
    CHECK(connect.data<"clientInfo">().starts_with("name=tester version="));
    // The port that the driver chose, and a session of its own beside other clients.
    const std::string channel(connect.data<"responseChannel">());
    CHECK(channel.starts_with("aeron:udp?endpoint=10.77.0.1:"));
    CHECK(channel.find("10.77.0.1:0") == std::string::npos);
    CHECK(channel.find("|term-length=65536|sparse=true|session-id=") != std::string::npos);
}

TEST_CASE("archive client: a session id in the channels is another session's, and is replaced") {
    Stage at;
    at.options.control_request_channel += "|session-id=77";
    at.options.control_response_channel += "|session-id=78";
    std::string channel;
    at.archive.script = [&](const Request& request) {
        if (request.is<archive::AuthConnectRequest>()) {
            channel = request.as<archive::AuthConnectRequest>().data<"responseChannel">();
        }
        return false;
    };
    (void)at.connected();
    CHECK(channel.find("session-id=") != std::string::npos);
    CHECK(channel.find("session-id=77") == std::string::npos);
    CHECK(channel.find("session-id=78") == std::string::npos);
}

TEST_CASE("archive client: over IPC responses come over IPC unless told otherwise") {
    Stage at("aeron:ipc");
    at.options.control_response_channel.clear();
    CHECK(at.connected().options().control_response_channel == "aeron:ipc");
}

TEST_CASE("archive client: a stream may carry other sessions, whose responses are not ours") {
    Stage at("aeron:ipc");
    at.options.control_response_channel = "aeron:ipc";
    ArchiveClient& first = at.connected();
    // Somebody else's response to our correlation id.
    const std::int64_t asked = first.async_start_position(1).value();
    (void)at.next_request();
    at.archive.respond(asked, {.relevant_id = 99, .control_session_id = kControlSession + 1});
    at.archive.respond_ok(asked, 5);
    CHECK(at.await(asked).value() == 5);
}

TEST_CASE("archive client: the archive repeats its acceptance, which disturbs nothing") {
    Stage at;
    at.archive.script = [&](const Request& request) {
        if (request.is<archive::AuthConnectRequest>()) {
            const std::int64_t id = request.correlation_id();
            for (int i = 0; i < 5; ++i) {
                at.archive.respond_ok(id, kControlSession);
            }
            return true;
        }
        return false;
    };
    ArchiveClient& session = at.connected();
    const std::int64_t asked = session.async_start_position(1).value();
    at.archive.respond_ok(at.next_request().correlation_id(), 3);
    CHECK(at.await(asked).value() == 3);
    CHECK(at.errors.empty());
}

TEST_CASE("archive client: an older archive is not asked for an id that it cannot tell") {
    Stage at;
    at.archive.version = 1 << 16 | 10 << 8;
    bool is_asked = false;
    at.archive.script = [&](const Request& request) {
        is_asked = is_asked || request.is<archive::ArchiveIdRequest>();
        return false;
    };
    CHECK(at.connected().archive_id() == -1);
    CHECK_FALSE(is_asked);
}

TEST_CASE("archive client: an archive of another major version is left, and told so") {
    Stage at;
    at.archive.version = 2 << 16;
    const ArchiveError error = refusal(at);
    CHECK(error.archive_code == ArchiveErrorCode::kBadResponse);
    CHECK(says(error, "version 2.0.0"));
    CHECK(says(error, "1.12.0"));
    CHECK(at.run_until([&] { return at.archive.count(archive::CloseSessionRequest::kId) == 1; }));
}

TEST_CASE("archive client: a rejection has the archive's code and words on one line") {
    Stage at;
    at.archive.script = [&](const Request& request) {
        at.archive.respond_error(request.correlation_id(), 10, "who are you?\nsay it again");
        return true;
    };
    const ArchiveError error = refusal(at);
    CHECK(error.archive_code == ArchiveErrorCode::kAuthenticationRejected);
    CHECK(error.message == "connect: who are you? say it again (AUTHENTICATION_REJECTED)");
}

TEST_CASE("archive client: an error code that only this side could know becomes a generic one") {
    for (const std::int64_t code : {std::int64_t{-1}, std::int64_t{-4}, INT64_MIN, INT64_MAX}) {
        CAPTURE(code);
        Stage at;
        at.archive.script = [&](const Request& request) {
            at.archive.respond_error(request.correlation_id(), code, "no");
            return true;
        };
        CHECK(refusal(at).archive_code == ArchiveErrorCode::kGeneric);
    }
}

TEST_CASE("archive client: credentials go with the request, and a challenge is answered") {
    const auto text = [](std::span<const std::byte> bytes) {
        return std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    };
    const auto bytes_of = [](std::string_view from) {
        const auto bytes = std::as_bytes(std::span(from));
        return std::vector<std::byte>(bytes.begin(), bytes.end());
    };
    Stage at;
    at.options.credentials.initial = [&] { return bytes_of("admin"); };
    at.options.credentials.on_challenge = [&](std::span<const std::byte> challenge) {
        return bytes_of("answer to " + text(challenge));
    };
    std::string initial;
    std::string answered;
    at.archive.script = [&](const Request& request) {
        if (request.is<archive::AuthConnectRequest>()) {
            const auto connect = request.as<archive::AuthConnectRequest>();
            initial = text(connect.data<"encodedCredentials">());
            at.archive.send<archive::Challenge>([&](auto& challenge) {
                challenge.template set<"controlSessionId">(kControlSession);
                challenge.template set<"correlationId">(connect.get<"correlationId">());
                challenge.template set<"version">(archive::kControlProtocolVersion);
                challenge.template data<"encodedChallenge">(std::span<const std::byte>(bytes_of("riddle")));
            });
            return true;
        }
        if (request.is<archive::ChallengeResponse>()) {
            const auto response = request.as<archive::ChallengeResponse>();
            CHECK(response.get<"controlSessionId">() == kControlSession);
            answered = text(response.data<"encodedCredentials">());
            at.archive.respond_ok(request.correlation_id(), kControlSession);
            return true;
        }
        return false;
    };
    CHECK(at.connected().archive_id() == kArchiveId);
    CHECK(initial == "admin");
    CHECK(answered == "answer to riddle");

    Stage mute;
    mute.archive.script = [&](const Request& request) {
        mute.archive.send<archive::Challenge>([&](auto& challenge) {
            challenge.template set<"controlSessionId">(kControlSession);
            challenge.template set<"correlationId">(request.correlation_id());
        });
        return request.is<archive::AuthConnectRequest>();
    };
    CHECK(refusal(mute).archive_code == ArchiveErrorCode::kAuthenticationRejected);
}

TEST_CASE("archive client: a time-out names the step that waited") {
    SUBCASE("nobody listens") {
        Stage at;
        at.archive.vanish();
        at.run(milliseconds(10));
        const ArchiveError error = refusal(at);
        CHECK(error.archive_code == ArchiveErrorCode::kTimeout);
        CHECK(says(error, "waited 2000 ms for an archive at the request channel"));
        CHECK(says(error, kControlChannel));
    }
    SUBCASE("no response stream comes") {
        Stage at;
        at.archive.accepts_streams = false;
        const ArchiveError error = refusal(at);
        CHECK(error.archive_code == ArchiveErrorCode::kTimeout);
        CHECK(
            says(error, "for the archive's response stream: nothing came to aeron:udp?endpoint=10.77.0.1:"));
    }
    SUBCASE("no response comes") {
        Stage at;
        at.archive.script = [](const Request& request) { return request.is<archive::AuthConnectRequest>(); };
        CHECK(says(refusal(at), "for the response to the connect request"));
    }
    SUBCASE("the response is somebody else's") {
        Stage at;
        at.archive.script = [&](const Request& request) {
            at.archive.respond_ok(request.correlation_id() + 1, kControlSession);
            return request.is<archive::AuthConnectRequest>();
        };
        CHECK(says(refusal(at), "for the response to the connect request"));
    }
    SUBCASE("the id is not told") {
        Stage at;
        at.archive.script = [](const Request& request) { return request.is<archive::ArchiveIdRequest>(); };
        CHECK(says(refusal(at), "for the archive's id"));
        // The archive shall not keep what nobody uses.
        CHECK(at.run_until([&] { return at.archive.count(archive::CloseSessionRequest::kId) == 1; }));
    }
}

TEST_CASE("archive client: an archive that goes away while one connects is noticed before the time-out") {
    Stage at;
    at.options.message_timeout = seconds(60);
    at.archive.script = [&](const Request& request) { return request.is<archive::AuthConnectRequest>(); };
    auto connecting = ArchiveClient::async_connect(*at.client, at.options).value();
    ArchiveResult<std::unique_ptr<ArchiveClient>> session(nullptr);
    const auto poll = [&] {
        session = connecting->poll();
        return !session;
    };
    REQUIRE(at.run_until([&] {
        (void)poll();
        return connecting->step() == "the response to the connect request";
    }));
    at.archive.end_responses();
    REQUIRE(at.run_until(poll, seconds(20)));
    CHECK(session.error().archive_code == ArchiveErrorCode::kNotConnected);
    CHECK_FALSE(connecting->poll());  // and stays so
}

TEST_CASE("archive client: garbage on the response stream does not keep one from connecting") {
    Stage at;
    at.archive.script = [&](const Request& request) {
        if (request.is<archive::AuthConnectRequest>()) {
            at.archive.send_raw({});
            at.archive.send_raw(std::vector<std::byte>(7, std::byte{0xFF}));
            at.archive.send_raw(std::vector<std::byte>(100, std::byte{0xFF}));
            at.archive.send<archive::Ping>([](auto&) {});
        }
        return false;
    };
    CHECK(at.connected().is_connected());
}

TEST_CASE("archive client: giving up at any step leaves nothing behind") {
    Stage at;
    at.run(milliseconds(10));
    const std::size_t before = at.stream_count();
    // A step more each time.
    int finished = 0;
    for (int steps = 0; finished == 0; ++steps) {
        auto connecting = ArchiveClient::async_connect(*at.client, at.options).value();
        for (int i = 0; i < steps && finished == 0; ++i) {
            auto session = connecting->poll();
            REQUIRE(session);
            finished += *session != nullptr;
            at.run(milliseconds(1));
        }
        CAPTURE(steps);
        CAPTURE(connecting->step());
        connecting.reset();
        at.archive.end_responses();
        at.run(seconds(8));  // lingering, and what arrives after it was given up
        CHECK(at.stream_count() == before);
        REQUIRE(steps < 100);
    }
}

TEST_CASE("archive client: options that cannot be are refused at once") {
    Stage at;
    const auto code = [&] {
        const auto connecting = ArchiveClient::async_connect(*at.client, at.options);
        return connecting ? ErrorCode::kNone : connecting.error().code;
    };
    at.options.control_request_channel = "";
    CHECK(code() == ErrorCode::kInvalidChannel);
    at.options.control_request_channel = "aeron-spy:aeron:udp?endpoint=localhost:1";
    CHECK(code() == ErrorCode::kInvalidChannel);
    at.options.control_request_channel = kControlChannel;
    at.options.control_response_channel = "udp";
    CHECK(code() == ErrorCode::kInvalidChannel);
    at.options.control_response_channel = kResponseChannel;
    at.options.client_name = std::string(101, 'x');
    CHECK(code() == ErrorCode::kGeneric);
    // What the driver refuses comes from polling.
    at.options.client_name.clear();
    at.options.control_request_channel = "aeron:udp?endpoint=10.77.0.1:8010|mtu=7";
    CHECK(refusal(at).code == ErrorCode::kInvalidChannel);
}

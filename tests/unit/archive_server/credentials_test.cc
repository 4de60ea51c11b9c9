// Who may connect, by a list of secrets.
#include "archive_server/credentials.h"

#include <cstring>

#include "server_rig.h"

using namespace fulmar;
using namespace fulmar::archive_server::test;
using Kind = Authenticator::Decision::Kind;

namespace {

std::vector<std::byte> bytes(const std::string& text) {
    std::vector<std::byte> made(text.size());
    std::memcpy(made.data(), text.data(), text.size());
    return made;
}

std::string text(const std::vector<std::byte>& bytes) {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

std::string error_of(const std::string& text) {
    const auto parsed = Credentials::parse(text);
    REQUIRE_FALSE(parsed);
    return parsed.error().message;
}

constexpr const char* kList =
    "# who may connect\n"
    "\n"
    "alice  wonder   # by her secret\n"
    "\talice land deeper\r\n"
    "bob builds";

}  // namespace

TEST_CASE("archive credentials: a secret is the whole of what is shown") {
    auto credentials = Credentials::parse(kList);
    REQUIRE(credentials);
    CHECK((*credentials)->size() == 3);
    const auto kind = [&](const std::string& shown) {
        return (*credentials)->on_connect(7, bytes(shown), Instant{}).kind;
    };
    const auto accepted = (*credentials)->on_connect(7, bytes("alice:wonder"), Instant{});
    CHECK(accepted.kind == Kind::kAccept);
    CHECK(text(accepted.bytes) == "alice");
    CHECK(kind("bob:builds") == Kind::kAccept);
    for (const char* shown : {"", "alice", "alice:", "alice:wonde", "alice:wonderl", "Alice:wonder",
             "bob:wonder", "bob:builds\n", "alice:deeper", "# who may connect"}) {
        CAPTURE(shown);
        CHECK(kind(shown) == Kind::kReject);
    }
    CHECK((*credentials)->challenged_count() == 0);
}

TEST_CASE("archive credentials: a challenge takes one answer, of the session that was challenged") {
    auto credentials = Credentials::parse(kList);
    REQUIRE(credentials);
    const auto challenge = [&](std::int64_t session) {
        return (*credentials)->on_connect(session, bytes("alice:land"), Instant{}).kind;
    };
    const auto answer = [&](std::int64_t session, const std::string& shown) {
        return (*credentials)->on_challenge_response(session, bytes(shown), Instant{});
    };
    REQUIRE(challenge(1) == Kind::kChallenge);
    CHECK(answer(2, "alice:deeper").kind == Kind::kReject);
    CHECK(text(answer(1, "alice:deeper").bytes) == "alice");
    CHECK(answer(1, "alice:deeper").kind == Kind::kReject);
    REQUIRE(challenge(1) == Kind::kChallenge);
    CHECK(answer(1, "alice:land").kind == Kind::kReject);
    CHECK(answer(1, "alice:deeper").kind == Kind::kReject);

    REQUIRE(challenge(3) == Kind::kChallenge);
    CHECK((*credentials)->challenged_count() == 1);
    (*credentials)->on_end(3);
    CHECK((*credentials)->challenged_count() == 0);
}

TEST_CASE("archive credentials: a list that cannot be read names the line") {
    CHECK(error_of("alice a\nbob\n").starts_with("line 2: write PRINCIPAL SECRET"));
    CHECK(error_of("a b c d").starts_with("line 1: "));
    CHECK(error_of("a:b c") == "line 1: a principal may not have a colon");
    CHECK(error_of("a b\na b c") == "line 2: this secret of a was there before");
    CHECK(error_of("a " + std::string(5000, 'x')).find("4096") != std::string::npos);
}

TEST_CASE("archive credentials: clients connect with theirs, and are told when they are not good enough") {
    auto credentials = Credentials::parse(kList);
    REQUIRE(credentials);
    Rig at;
    at.options.authenticator = credentials->get();
    at.options.connect_timeout = seconds(1);
    at.start();
    const auto with = [&](const std::string& shown, const std::string& answered) {
        ArchiveClientOptions options = at.session_options();
        options.credentials.initial = [=] { return bytes(shown); };
        if (!answered.empty()) {
            options.credentials.on_challenge = [=](std::span<const std::byte> challenge) {
                CHECK(text({challenge.begin(), challenge.end()}) == "response of alice");
                return bytes(answered);
            };
        }
        return at.try_connect(std::move(options));
    };
    CHECK(with("alice:wonder", ""));
    CHECK(with("alice:land", "alice:deeper"));
    for (const auto& [shown, answered] :
        {std::pair("alice:wander", ""), std::pair("", ""), std::pair("alice:land", "alice:wonder")}) {
        CAPTURE(shown);
        const auto refused = with(shown, answered);
        REQUIRE_FALSE(refused);
        CHECK(refused.error().archive_code == ArchiveErrorCode::kAuthenticationRejected);
        CHECK(refused.error().message.find("authentication rejected") != std::string::npos);
    }
    // One that goes away in the middle leaves nothing behind.
    const auto silent = with("alice:land", "");
    CHECK_FALSE(silent);
    CHECK(at.run_until([&] { return (*credentials)->challenged_count() == 0; }));
}

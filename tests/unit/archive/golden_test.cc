/// The archive's messages against bytes of the reference codecs, and against what a stock archive and its
/// client said and wrote (tests/golden/README.md tells how they were made).
#include "archive/mark_file.h"
#include "archive/messages.h"
#include "tests/unit/recorded_messages.h"
#include "tests/unit/sbe_golden.h"

namespace fulmar::archive {

namespace {

std::vector<std::byte> file(const std::string& name) {
    const std::string content = test::read_golden("sbe/" + name);
    const auto bytes = std::as_bytes(std::span(content));
    return {bytes.begin(), bytes.end()};
}

/// The n-th message of the recording of every fifth of archive.json.
std::string encoded(std::size_t index) {
    static const test::Json golden = test::golden_sbe("archive");
    return golden["messages"][index]["hex"];
}

}  // namespace

TEST_CASE("control schema: every message of the reference codecs, both ways") {
    test::check_codecs("archive", Messages{});
}

TEST_CASE("mark file: every version of the reference codecs, both ways") {
    test::check_codecs("archive_mark", sbe::Messages<MarkFileHeader>{});
}

TEST_CASE("control sessions of a stock client with a stock archive") {
    const std::set<std::string> seen = test::check_session("archive_session", Messages{});
    for (const std::string message :
        {"request AuthConnectRequest", "request ChallengeResponse", "request KeepAliveRequest",
            "request ArchiveIdRequest", "request StartRecordingRequest", "request StartRecordingRequest2",
            "request ListRecordingsRequest", "request ReplayRequest", "request BoundedReplayRequest",
            "request ReplicateRequest2", "request UpdateChannelRequest", "request CloseSessionRequest",
            "response ControlResponse", "response Challenge", "response RecordingDescriptor",
            "response RecordingSubscriptionDescriptor", "response RecordingSignalEvent", "response Ping",
            "events RecordingStarted", "events RecordingProgress", "events RecordingStopped"}) {
        CHECK_MESSAGE(seen.count(message) == 1, message);
    }
}

TEST_CASE("a stock recording holds the messages that were published") {
    const auto messages = test::recorded_messages(file("recording_0-0.rec"));
    REQUIRE(messages.size() == 13);
    for (std::size_t i = 0; i < 12; ++i) {
        CHECK(test::to_hex(messages[i]) == encoded(5 * i));
    }
    CHECK(messages[12].size() == 3000);
    const auto fragmented = sbe::Decoder<StartRecordingRequest>::decode(messages[12]);
    REQUIRE(fragmented);
    CHECK(fragmented->get<"sourceLocation">() == SourceLocation::kRemote);
    CHECK(fragmented->data<"channel">() == "aeron:ipc?alias=" + std::string(2948, 'x'));

    const auto segment = file("recording_1-196608.rec");
    const auto truncated = test::recorded_messages(std::span(segment).subspan(4096));
    REQUIRE(truncated.size() == 1);
    CHECK(test::to_hex(truncated[0]) == encoded(60));
}

TEST_CASE("a stock catalog") {
    const auto bytes = file("archive.catalog");
    const auto header =
        sbe::Decoder<CatalogHeader>::wrap(bytes, sbe::block_length<CatalogHeader>, ControlSchema::kVersion);
    REQUIRE(header);
    CHECK(header->get<"version">() == (3 << 16 | 1 << 8));
    CHECK(header->get<"length">() == 32);
    CHECK(header->get<"nextRecordingId">() == 3);
    CHECK(header->get<"alignment">() == 64);

    const std::array<RecordingState, 3> states{
        RecordingState::kValid, RecordingState::kValid, RecordingState::kDeleted};
    const std::array<std::int64_t, 3> start{0, 200704, 0};
    const std::array<std::int64_t, 3> stop{4352, 200960, 4352};
    std::span<const std::byte> rest = std::span(bytes).subspan(32);
    for (std::size_t id = 0; id < states.size(); ++id) {
        CAPTURE(id);
        const auto entry = sbe::Decoder<RecordingDescriptorHeader>::wrap(
            rest, sbe::block_length<RecordingDescriptorHeader>, ControlSchema::kVersion);
        REQUIRE(entry);
        CHECK(entry->get<"state">() == states[id]);
        CHECK(entry->get<"checksum">() == 0);
        const auto length = static_cast<std::size_t>(entry->get<"length">());
        REQUIRE(length <= rest.size() - 32);
        const auto descriptor = sbe::Decoder<RecordingDescriptor>::wrap(
            rest.subspan(32, length), sbe::block_length<RecordingDescriptor>, ControlSchema::kVersion);
        REQUIRE(descriptor);
        CHECK(descriptor->get<"recordingId">() == static_cast<std::int64_t>(id));
        CHECK(descriptor->get<"startPosition">() == start[id]);
        CHECK(descriptor->get<"stopPosition">() == stop[id]);
        CHECK(descriptor->get<"segmentFileLength">() == 65536);
        CHECK(descriptor->get<"mtuLength">() == 1408);
        if (id == 1) {
            CHECK(descriptor->get<"streamId">() == 1002);
            CHECK(descriptor->get<"sessionId">() == 22136);
            CHECK(
                descriptor->data<"strippedChannel">() == "aeron:udp?endpoint=localhost:24820|alias=renamed");
            CHECK(descriptor->data<"originalChannel">() ==
                  "aeron:udp?endpoint=localhost:24820|alias=renamed|term-length=64k|mtu=1408");
            CHECK(descriptor->data<"sourceIdentity">().starts_with("127.0.0.1:"));
        }
        // Entries stand on the alignment, header and descriptor together.
        CHECK((32 + length) % 64 == 0);
        rest = rest.subspan(32 + length);
    }
    // An entry without a length ends the catalog.
    const auto end = sbe::Decoder<RecordingDescriptorHeader>::wrap(
        rest, sbe::block_length<RecordingDescriptorHeader>, ControlSchema::kVersion);
    REQUIRE(end);
    CHECK(end->get<"length">() == 0);
}

TEST_CASE("a stock archive's mark file") {
    const auto bytes = file("archive-mark.dat");
    const auto mark = sbe::Decoder<MarkFileHeader>::decode(bytes);
    REQUIRE(mark);
    CHECK(mark->acting_version() == 2);
    CHECK(mark->get<"version">() == (3 << 16 | 1 << 8));
    CHECK(mark->get<"activityTimestamp">() == -1);
    CHECK(mark->get<"controlStreamId">() == 10);
    CHECK(mark->get<"localControlStreamId">() == 10);
    CHECK(mark->get<"eventsStreamId">() == 30);
    CHECK(mark->get<"headerLength">() == 8192);
    CHECK(mark->get<"errorBufferLength">() == 1024 * 1024);
    CHECK(mark->get<"archiveId">() == 42);
    CHECK(mark->data<"controlChannel">() == "aeron:udp?endpoint=localhost:24810");
    CHECK(mark->data<"localControlChannel">() == "aeron:ipc?term-length=64k");
    CHECK(mark->data<"eventsChannel">() == "aeron:udp?control-mode=dynamic|control=localhost:24813");
    CHECK(mark->data<"aeronDirectory">() == "/dev/shm/sbecap-aeron");
}

}  // namespace fulmar::archive

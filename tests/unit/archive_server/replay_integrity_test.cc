// Replays send what was recorded, or say why not.
#include <algorithm>

#include "archive/checksum.h"
#include "archive/segment.h"
#include "archive/sidecar.h"
#include "server_rig.h"
#include "wire/frame.h"

using namespace fulmar;
using namespace fulmar::archive_server::test;

namespace {

constexpr std::int32_t kMessageLength = 1000;
constexpr std::int64_t kFrameLength = 1056;
constexpr std::int32_t kSegmentLength = 64 * 1024;

/// Each byte of the message with this number.
std::byte byte_of(std::int64_t number) {
    return static_cast<std::byte>(number * 31 + 7);
}

/// Recordings on a server, and replays of them.
struct Bench {
    Rig at;
    ArchiveClient* session = nullptr;

    explicit Bench(std::int32_t file_io_max_length = 1024 * 1024, bool frame_checksums = false) {
        at.options.writer.checksum_frames = at.options.checks_replayed_frames = frame_checksums;
        at.options.segment_file_length = kSegmentLength;
        at.options.file_io_max_length = file_io_max_length;
        at.start();
        session = &at.connected();
    }

    std::unique_ptr<ExclusivePublication> publish(std::int64_t messages, std::int32_t stream_id = kStream) {
        auto publication =
            session->add_recorded_exclusive_publication("aeron:ipc?term-length=64k", stream_id);
        REQUIRE(publication);
        send(**publication, 0, messages);
        return *std::move(publication);
    }
    void send(ExclusivePublication& publication, std::int64_t from, std::int64_t to) {
        for (std::int64_t number = from; number < to;) {
            const std::vector<std::byte> message(kMessageLength, byte_of(number));
            number += publication.offer(message).is_ok() ? 1 : 0;
            at.run(milliseconds(1));
        }
    }
    /// Records so many messages and stops. Returns where.
    std::int64_t record(std::int64_t messages, std::int32_t stream_id = kStream) {
        auto publication = publish(messages, stream_id);
        const std::int64_t end = publication->position();
        const std::int64_t id = next_id++;
        REQUIRE(at.run_until([&] { return session->recording_position(id).value() == end; }));
        REQUIRE(session->stop_recording(*publication));
        return end;
    }
    void flip(std::int64_t position, std::int64_t recording_id = 0) {
        const std::int64_t base = position - position % kSegmentLength;
        const auto opened = at.disk.open(archive::segment_name(recording_id, base));
        REQUIRE(opened.code == drivers::MemoryDisk::Code::kOk);
        std::byte byte{};
        const auto offset = static_cast<std::uint64_t>(position - base);
        REQUIRE(at.disk.read(opened.file, offset, {&byte, 1}) == 1);
        byte ^= std::byte{4};
        REQUIRE(at.disk.write(opened.file, offset, {&byte, 1}) == drivers::MemoryDisk::Code::kOk);
        at.disk.close(opened.file);
    }
    void remove_sidecars() {
        for (const port::DirectoryEntry& entry : at.disk.list()) {
            if (archive::parse_sidecar_name(entry.name)) {
                REQUIRE(at.disk.remove(entry.name) == drivers::MemoryDisk::Code::kOk);
            }
        }
    }

    struct Received {
        std::int64_t messages = 0;
        bool is_wrong = false;
        std::int64_t position = -1;
    };
    void take(Subscription& replay, Received& received, std::int64_t first) {
        replay.poll(
            [&](std::span<const std::byte> message, const Header& header) {
                received.is_wrong = received.is_wrong || message.size() != kMessageLength ||
                                    std::any_of(message.begin(), message.end(), [&](std::byte byte) {
                                        return byte != byte_of(first + received.messages);
                                    });
                ++received.messages;
                received.position = header.position();
            },
            100);
    }
    /// Until it has `messages`, or an error came.
    Received replay(std::int64_t messages, ReplayParams params = {}, std::int64_t recording_id = 0) {
        Received received;
        const auto first = std::max<std::int64_t>(params.position, 0) / kFrameLength;
        auto subscription = session->replay(recording_id, "aeron:ipc", kStream + 1, params);
        if (!subscription) {
            at.errors.push_back(subscription.error());
            return received;
        }
        (void)at.run_until([&] {
            take(**subscription, received, first);
            return received.messages >= messages || !at.errors.empty();
        });
        return received;
    }

    std::int64_t next_id = 0;
};

bool has(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("archive replay: a spoilt block ends the replay, with one error that says where and how to mend") {
    Bench with;
    with.record(150);
    with.record(100, kStream + 5);
    with.flip(100'000);
    const auto received = with.replay(150);
    CHECK_FALSE(received.is_wrong);
    CHECK(received.messages * kFrameLength <= 100'000);
    REQUIRE(with.at.errors.size() == 1);
    const std::string& why = with.at.errors[0].message;
    CAPTURE(why);
    CHECK(has(why, "replay of recording 0: positions "));
    CHECK(has(why, "0-65536.rec"));
    CHECK(has(why, "fulmar archive repair --recording 0"));
    REQUIRE(with.at.server_errors.size() == 1);
    CHECK(has(why, with.at.server_errors[0]));

    // Another one is served, and so is the damaged one up to the damage and behind it.
    with.at.errors.clear();
    const auto other = with.replay(100, {}, 1);
    CHECK(other.messages == 100);
    CHECK_FALSE(other.is_wrong);
    CHECK(with.replay(40, {.length = 40 * kFrameLength}).messages == 40);
    CHECK(with.at.errors.empty());
    with.flip(100'000);
    const auto mended = with.replay(150);
    CHECK(mended.messages == 150);
    CHECK_FALSE(mended.is_wrong);
    CHECK(with.at.errors.empty());
}

TEST_CASE("archive replay: frames that were given Aeron's checksums afterwards are replayed and checked") {
    Bench with;
    const std::int64_t end = with.record(150);
    for (std::int64_t base = 0; base < end; base += kSegmentLength) {
        const auto opened = with.at.disk.open(archive::segment_name(0, base));
        REQUIRE(opened.code == drivers::MemoryDisk::Code::kOk);
        std::vector<std::byte> bytes(with.at.disk.length(opened.file));
        REQUIRE(with.at.disk.read(opened.file, 0, bytes) == bytes.size());
        archive::checksum_frames(bytes);
        REQUIRE(with.at.disk.write(opened.file, 0, bytes) == drivers::MemoryDisk::Code::kOk);
        with.at.disk.close(opened.file);
    }
    const auto received = with.replay(150);
    CHECK(received.messages == 150);
    CHECK_FALSE(received.is_wrong);
    CHECK(with.at.errors.empty());
    with.flip(100'000);
    CHECK_FALSE(with.replay(150).is_wrong);
    CHECK(with.at.errors.size() == 1);
}

TEST_CASE("archive replay: a replay from within a block, with short reads, has that block checked") {
    Bench with(64 * 1024);
    with.record(60);
    const ReplayParams params{.position = 50 * kFrameLength, .file_io_max_length = 2048};
    const auto sound = with.replay(10, params);
    CHECK(sound.messages == 10);
    CHECK_FALSE(sound.is_wrong);
    CHECK(with.at.errors.empty());
    // Before the position, in the block that holds it or in another: only the former is noticed.
    for (const std::int64_t flipped : {std::int64_t{40}, 55 * kFrameLength + 500}) {
        CAPTURE(flipped);
        with.flip(flipped);
        const auto received = with.replay(10, params);
        CHECK_FALSE(received.is_wrong);
        CHECK((received.messages == 10) != (with.at.errors.size() == 1));
        with.flip(flipped);
        with.at.errors.clear();
    }
}

TEST_CASE("archive replay: what is recorded while it is replayed is checked as well") {
    Bench with;
    auto publication = with.publish(20);
    auto replay = with.session->replay(0, "aeron:ipc", kStream + 1, {});
    REQUIRE(replay);
    Bench::Received received;
    CHECK(with.at.run_until([&] {
        with.take(**replay, received, 0);
        return received.messages == 20;
    }));
    // Behind what was read already: the recorder comes back to it never, the replay will.
    bool is_flipped = false;
    with.at.on_step = [&] {
        if (!is_flipped && publication->position() > 130 * kFrameLength && received.messages < 100) {
            is_flipped = true;
            with.flip(110 * kFrameLength + 64);
        }
    };
    with.send(*publication, 20, 150);
    (void)with.at.run_until([&] {
        with.take(**replay, received, 0);
        return received.messages == 150 || !with.at.errors.empty();
    });
    CHECK_FALSE(received.is_wrong);
    CHECK(received.messages <= 110);
    CHECK(with.at.errors.size() == 1);
}

TEST_CASE("archive replay: without a sidecar frames are replayed as they are") {
    Bench with;
    with.record(100);
    with.remove_sidecars();
    CHECK(with.replay(100).messages == 100);
    with.flip(50 * kFrameLength + 100);
    const auto received = with.replay(100);
    CHECK(received.messages == 100);
    CHECK(received.is_wrong);  // nothing can tell
    CHECK(with.at.errors.empty());
}

TEST_CASE("archive replay: without a sidecar Aeron's frame checksums are checked when that is asked for") {
    Bench with(64 * 1024, true);
    with.record(100);
    with.remove_sidecars();
    const auto sound = with.replay(100);
    CHECK(sound.messages == 100);
    CHECK_FALSE(sound.is_wrong);
    CHECK(with.at.errors.empty());
    with.flip(50 * kFrameLength + 100);
    const auto received = with.replay(100);
    CHECK(received.messages <= 50);
    CHECK_FALSE(received.is_wrong);
    REQUIRE(with.at.errors.size() == 1);
    CHECK(has(with.at.errors[0].message, "whose checksum does not match"));
}

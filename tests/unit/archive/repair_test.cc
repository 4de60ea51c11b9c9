#include <doctest/doctest.h>

#include "archive/checksum.h"
#include "archive/replica_bytes.h"
#include "archive/segment_check.h"
#include "archive/segment_rebuild.h"
#include "archive/segment_repair.h"
#include "recording_rig.h"

namespace fulmar::test {

namespace {

using archive::ReplicaBytes;
using archive::segment_name;
using archive::SegmentCheck;
using archive::SegmentRepair;
using archive::sidecar_name;

/// A recording and a copy of it elsewhere, in segments of another length and with ids of its own.
struct Copies {
    RecordingRig rig;
    RecordingRig other{7};
    RecordedStream stream{kShape, 0, 3, kStreamMax};
    SegmentShape other_shape = kShape;

    explicit Copies(bool own_ids) {
        REQUIRE(stream.grow(125'000));
        record(rig, kShape, false);
        other_shape.segment_length = 65'536;
        record(other, other_shape, own_ids);
    }
    void record(RecordingRig& where, const SegmentShape& shape, bool own_ids) {
        RecordingWriter writer(where.hub(), kId, shape, 0, 0, {});
        Bytes copy;
        where.turn_until(writer, [&] {
            if (writer.submitted_position() < stream.end() &&
                writer.submitted_position() == writer.written_position()) {
                const auto block = stream.block(writer.submitted_position(), 3'000);
                copy.assign(block.begin(), block.end());
                for (std::size_t at = 0; own_ids && at < copy.size();) {
                    base::store_le(copy.data() + at, wire::field::kSessionId, 4'711);
                    base::store_le(copy.data() + at, wire::field::kStreamId, 23);
                    at += static_cast<std::size_t>(
                        wire::align_frame(wire::read_data_header(copy.data() + at).frame_length));
                }
                (void)writer.write(copy, writer.submitted_position());
            }
            return writer.written_position() == stream.end();
        });
        where.finish(writer);
    }
    [[nodiscard]] std::int32_t session_id() {
        return wire::read_data_header(stream.recorded(0, wire::kDataHeaderLength).data()).session_id;
    }
    [[nodiscard]] std::vector<SegmentCheck::Fault> faults() {
        SegmentCheck check(
            rig.hub(), {.recording_id = kId, .shape = kShape, .base = 0, .from = 0, .until = stream.end()});
        rig.run(check);
        return check.faults();
    }
    [[nodiscard]] std::vector<archive::Damage> repair(std::uint64_t& bytes, std::uint64_t& checksums) {
        ReplicaBytes good(other.hub(), kId, other_shape, 0, stream.end());
        SegmentRepair repair(rig.hub(),
            {.recording_id = kId,
                .shape = kShape,
                .session_id = 77,
                .base = 0,
                .from = 0,
                .until = stream.end()},
            good);
        while (!repair.is_done()) {
            other.turn([](Instant) {});
            rig.turn([&](Instant) { repair.poll(); });
        }
        CHECK_FALSE(repair.error());
        CHECK(rig.hub().under_way() == 0);
        CHECK(other.hub().under_way() == 0);
        bytes = repair.repaired_bytes();
        checksums = repair.repaired_checksums();
        return repair.remaining();
    }
};

}  // namespace

TEST_CASE("check: frames that were given Aeron's checksums afterwards are as they were recorded") {
    Copies copies(false);
    const std::string name = segment_name(kId, 0);
    Bytes bytes = copies.rig.content(name);
    const std::int32_t session_id = wire::read_data_header(bytes.data()).session_id;
    const auto faults = [&](std::optional<std::int32_t> session) {
        SegmentCheck check(copies.rig.hub(), {.recording_id = kId,
                                                 .shape = kShape,
                                                 .base = 0,
                                                 .from = 0,
                                                 .until = copies.stream.end(),
                                                 .session_id = session});
        copies.rig.run(check);
        return check.faults().size();
    };
    archive::checksum_frames(bytes);
    copies.rig.spoil(name, 0, bytes);
    CHECK(faults(session_id) == 0);
    CHECK(faults(std::nullopt) > 10);
    CHECK(faults(session_id + 1) > 10);
    // Damage shows as before, in payload and headers.
    copies.rig.flip(name, 5'000);
    CHECK(faults(session_id) == 1);
    copies.rig.flip(name, static_cast<std::uint64_t>(copies.stream.frames()[60]) + 24);  // reserved value
    CHECK(faults(session_id) == 2);
}

TEST_CASE("repair: damaged blocks are replaced out of another copy, whatever ids its frames have") {
    for (const bool own_ids : {false, true}) {
        CAPTURE(own_ids);
        Copies copies(own_ids);
        copies.rig.flip(segment_name(kId, 0), 5'000);
        copies.rig.flip(segment_name(kId, 0), 64'000);
        copies.rig.spoil(segment_name(kId, 0), 100'352, Bytes(512, std::byte{1}));
        copies.rig.flip(segment_name(kId, 0), 12);  // a session id
        CHECK(copies.faults().size() >= 3);
        std::uint64_t bytes = 0;
        std::uint64_t checksums = 0;
        CHECK(copies.repair(bytes, checksums).empty());
        CHECK(bytes > 0);
        CHECK(bytes < 30'000);
        CHECK(copies.faults().empty());
        copies.rig.power_cut(false);  // and it is durable
        copies.rig.check_recorded(copies.stream, copies.stream.end());
    }
}

TEST_CASE("repair: a segment that is gone is made again, and has its name when all of it is on disk") {
    for (const bool own_ids : {false, true}) {
        for (const bool keeps_sidecar : {false, true}) {
            CAPTURE(own_ids);
            CAPTURE(keeps_sidecar);
            Copies copies(own_ids);
            const Bytes sidecar = copies.rig.content(sidecar_name(kId, 0));
            REQUIRE(copies.rig.disk().remove(segment_name(kId, 0)) == drivers::MemoryDisk::Code::kOk);
            if (!keeps_sidecar) {
                REQUIRE(copies.rig.disk().remove(sidecar_name(kId, 0)) == drivers::MemoryDisk::Code::kOk);
            }
            copies.rig.disk().sync_directory();
            ReplicaBytes good(copies.other.hub(), kId, copies.other_shape, 0, copies.stream.end());
            archive::SegmentRebuild rebuild(copies.rig.hub(),
                {.recording_id = kId,
                    .shape = kShape,
                    .session_id = copies.session_id(),
                    .base = 0,
                    .from = 0,
                    .until = copies.stream.end()},
                good);
            while (!rebuild.is_done()) {
                copies.other.turn([](Instant) {});
                copies.rig.turn([&](Instant) { rebuild.poll(); });
            }
            REQUIRE_FALSE(rebuild.error());
            CHECK(rebuild.bytes() == static_cast<std::uint64_t>(copies.stream.end()));
            CHECK((rebuild.checksums() == 0) == keeps_sidecar);
            CHECK(copies.rig.hub().under_way() == 0);
            copies.rig.power_cut(true);
            copies.rig.start();
            CHECK(copies.faults().empty());
            copies.rig.check_recorded(copies.stream, copies.stream.end());
            CHECK((copies.rig.content(sidecar_name(kId, 0)) == sidecar || !keeps_sidecar));
            // Its checksums are of what it holds.
            copies.rig.flip(segment_name(kId, 0), 7'000);
            CHECK(copies.faults().size() == 1);
        }
    }
}

TEST_CASE("repair: no segment is made of another stream's bytes, or of fewer than it had") {
    Copies copies(false);
    REQUIRE(copies.rig.disk().remove(segment_name(kId, 0)) == drivers::MemoryDisk::Code::kOk);
    std::int64_t until = copies.stream.end();
    SUBCASE("a frame is damaged") {
        copies.other.flip(segment_name(kId, 65'536), 8);
    }
    SUBCASE("it ends early") {
        until += 32;
    }
    ReplicaBytes good(copies.other.hub(), kId, copies.other_shape, 0, copies.stream.end());
    archive::SegmentRebuild rebuild(
        copies.rig.hub(), {.recording_id = kId, .shape = kShape, .base = 0, .from = 0, .until = until}, good);
    while (!rebuild.is_done()) {
        copies.other.turn([](Instant) {});
        copies.rig.turn([&](Instant) { rebuild.poll(); });
    }
    CHECK(rebuild.error());
    CHECK_FALSE(copies.rig.names().contains(segment_name(kId, 0)));
}

TEST_CASE("repair: a lost checksum is made again where both copies are the same") {
    Copies copies(true);
    copies.rig.flip(sidecar_name(kId, 0), 3 * 32 + 1);
    copies.rig.flip(sidecar_name(kId, 0), 4 * 32 + 1);
    CHECK(copies.faults().size() == 1);
    std::uint64_t bytes = 0;
    std::uint64_t checksums = 0;
    CHECK(copies.repair(bytes, checksums).empty());
    CHECK(bytes == 0);
    CHECK(checksums == 1);
    CHECK(copies.faults().empty());
}

TEST_CASE("repair: what the other copy does not have, or has wrong as well, stays named") {
    Copies copies(false);
    const std::int64_t frame = copies.stream.frames()[10];
    copies.rig.flip(segment_name(kId, 0), static_cast<std::uint64_t>(frame) + 40);
    std::uint64_t bytes = 0;
    std::uint64_t checksums = 0;
    SUBCASE("wrong as well") {
        copies.other.flip(segment_name(kId, 0), static_cast<std::uint64_t>(frame) + 50);
        const auto remaining = copies.repair(bytes, checksums);
        REQUIRE(remaining.size() == 1);
        CHECK(remaining[0].begin <= frame);
        CHECK(remaining[0].why.find("checksum") != std::string::npos);
    }
    SUBCASE("gone") {
        REQUIRE(copies.other.disk().remove(segment_name(kId, 0)) == drivers::MemoryDisk::Code::kOk);
        const auto remaining = copies.repair(bytes, checksums);
        REQUIRE(remaining.size() == 1);
        CHECK(remaining[0].why.find("no such file") != std::string::npos);
    }
    SUBCASE("a checksum is lost, and the copies differ") {
        copies.rig.flip(sidecar_name(kId, 0), 3 * 32 + 1);
        copies.other.flip(segment_name(kId, 0), 12'000);
        copies.other.flip(segment_name(kId, 0), 6'000);
        const auto remaining = copies.repair(bytes, checksums);
        CHECK(std::any_of(remaining.begin(), remaining.end(), [](const archive::Damage& damage) {
            return damage.why.find("nothing says which one is right") != std::string::npos;
        }));
    }
    CHECK(bytes == 0);
    CHECK_FALSE(copies.faults().empty());
}

}  // namespace fulmar::test

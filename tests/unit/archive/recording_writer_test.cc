#include "archive/recording_writer.h"

#include <doctest/doctest.h>

#include "archive/checksum.h"
#include "recording_rig.h"

namespace fulmar::test {

namespace {

using archive::segment_name;
using archive::sidecar_name;

constexpr SyncPolicy kPolicies[] = {SyncPolicy::kBatch, SyncPolicy::kInterval, SyncPolicy::kNone};

RecordedStream stream_of(std::int64_t start, std::int64_t bytes, std::uint64_t seed = 5) {
    RecordedStream stream(kShape, start, seed, kStreamMax);
    REQUIRE(stream.grow(bytes));
    return stream;
}

}  // namespace

TEST_CASE("recording_writer: whatever the policy, a finished recording is on disk, durably") {
    for (const SyncPolicy policy : kPolicies) {
        for (const std::int64_t start : {0, 96, 65'536, 65'536 + 4'096}) {
            CAPTURE(static_cast<int>(policy));
            CAPTURE(start);
            RecordingRig rig;
            const RecordedStream stream = stream_of(start, 400'000);
            RecordingWriter writer(rig.hub(), kId, kShape, start, start, {.sync = policy});
            rig.write_all(writer, stream);
            rig.finish(writer);
            CHECK_FALSE(writer.error());
            CHECK(writer.durable_position() == stream.end());
            CHECK(writer.end_position() == stream.end());
            rig.power_cut(false);
            rig.check_recorded(stream, stream.end());
            for (const auto& [name, length] : rig.names()) {
                CHECK((archive::parse_segment_name(name) || archive::parse_sidecar_name(name)));
            }
        }
    }
}

TEST_CASE("recording_writer: positions follow one another, and batch makes all durable without being asked") {
    constexpr std::int64_t kStart = 7'360;
    RecordingRig rig;
    const RecordedStream stream = stream_of(kStart, 300'000);
    RecordingWriter writer(rig.hub(), kId, kShape, kStart, kStart, {});
    CHECK_FALSE(writer.is_ready());
    CHECK(writer.room() == 0);
    std::int64_t durable = kStart;
    std::int64_t written = kStart;
    rig.turn_until(writer, [&] {
        if (writer.submitted_position() < stream.end()) {
            (void)writer.write(stream.block(writer.submitted_position(), 1'024), writer.submitted_position());
        }
        CHECK(writer.durable_position() <= writer.written_position());
        CHECK(writer.written_position() <= writer.submitted_position());
        CHECK(durable <= writer.durable_position());
        CHECK(written <= writer.written_position());
        CHECK(writer.recorded_position() == writer.durable_position());
        durable = writer.durable_position();
        written = writer.written_position();
        return durable == stream.end();
    });
    CHECK(writer.counts().bytes > 290'000);
    CHECK(writer.counts().syncs > 1);
    CHECK(writer.counts().syncs < writer.counts().writes);
    CHECK(writer.counts().write_ns_max > 0);
    rig.finish(writer);
}

TEST_CASE("recording_writer: what a power cut leaves holds everything durable, under every policy") {
    for (const SyncPolicy policy : kPolicies) {
        RecordingRig rig;
        const RecordedStream stream = stream_of(0, 300'000);
        auto writer = std::make_unique<RecordingWriter>(
            rig.hub(), kId, kShape, 0, 0, WriterOptions{.sync = policy, .sync_interval = microseconds(500)});
        rig.write_all(*writer, stream, 2'048);
        if (policy != SyncPolicy::kNone) {
            rig.turn_until(*writer, [&] { return writer->durable_position() > 0; });
        }
        const std::int64_t durable = writer->durable_position();
        rig.power_cut(false);
        writer.reset();
        if (durable > 0) {
            const Bytes first = rig.content(segment_name(kId, 0));
            const auto expected = stream.recorded(0, std::min<std::int64_t>(durable, kShape.segment_length));
            CHECK(std::equal(expected.begin(), expected.end(), first.begin()));
        }
    }
}

TEST_CASE("recording_writer: interval waits for its time") {
    RecordingRig rig;
    const RecordedStream stream = stream_of(0, 20'000);
    RecordingWriter writer(
        rig.hub(), kId, kShape, 0, 0, {.sync = SyncPolicy::kInterval, .sync_interval = milliseconds(50)});
    rig.turn_until(writer, [&] { return writer.is_ready(); });
    while (rig.now() < Instant{60'000'000}) {
        rig.turn(writer);
    }
    const Instant begin = rig.now();
    rig.write_all(writer, stream);
    rig.turn_until(writer, [&] { return writer.durable_position() > 0; });
    const std::int64_t first = writer.durable_position();
    CHECK(writer.recorded_position() == writer.written_position());
    CHECK(rig.now() - begin < milliseconds(10));  // the one before is long ago
    rig.turn_until(writer, [&] { return writer.durable_position() == stream.end(); });
    CHECK((first == stream.end() || rig.now() - begin >= milliseconds(50)));
    rig.finish(writer);
}

TEST_CASE("recording_writer: none never syncs content before the end") {
    RecordingRig rig;
    const RecordedStream stream = stream_of(0, 400'000);
    RecordingWriter writer(rig.hub(), kId, kShape, 0, 0, {.sync = SyncPolicy::kNone});
    rig.write_all(writer, stream);
    rig.turn_until(writer, [&] { return writer.written_position() == stream.end(); });
    CHECK(writer.durable_position() == 0);
    CHECK(rig.disk().unsynced_bytes() > 400'000);
    CHECK(writer.counts().syncs == 0);
    rig.finish(writer);
    CHECK(writer.durable_position() == stream.end());
    CHECK(rig.disk().unsynced_bytes() == 0);
}

TEST_CASE("recording_writer: a segment shows itself when the stream comes to it, not before") {
    RecordingRig rig;
    RecordedStream stream = stream_of(0, 100'000);
    RecordingWriter writer(rig.hub(), kId, kShape, 0, 0, {});
    rig.write_all(writer, stream);
    for (int i = 0; i < 2'000; ++i) {
        rig.turn(writer);
    }
    CHECK(rig.names().contains(segment_name(kId, 131'072) + ".new"));
    CHECK_FALSE(rig.names().contains(segment_name(kId, 131'072)));
    REQUIRE(stream.grow(131'072 - stream.end()));
    rig.write_all(writer, stream);
    CHECK(stream.end() >= 131'072);
    rig.turn_until(writer, [&] { return writer.durable_position() == stream.end(); });
    CHECK(rig.names().contains(segment_name(kId, 131'072)) == (stream.end() > 131'072));
    rig.finish(writer);
    CHECK_FALSE(rig.names().contains(segment_name(kId, 131'072) + ".new"));
    CHECK_FALSE(rig.names().contains(segment_name(kId, 262'144) + ".new"));
    CHECK_FALSE(rig.names().contains(sidecar_name(kId, 262'144)));
}

TEST_CASE("recording_writer: a recording goes on where it stopped, within a term and at each kind of end") {
    for (const std::int64_t first : {0, 5'000, 65'536, 100'000, 131'072}) {
        CAPTURE(first);
        RecordingRig rig;
        RecordedStream stream = stream_of(0, std::max<std::int64_t>(first, 1));
        if (first == 0) {
            stream.cut(0);
        }
        {
            RecordingWriter writer(rig.hub(), kId, kShape, 0, 0, {});
            rig.write_all(writer, stream);
            rig.finish(writer);
        }
        const std::int64_t stop = stream.end();
        REQUIRE(stream.grow(200'000));
        RecordingWriter writer(rig.hub(), kId, kShape, 0, stop, {.extends = true});
        CHECK(writer.written_position() == stop);
        rig.write_all(writer, stream, 3'000);
        rig.finish(writer);
        CHECK_FALSE(writer.error());
        rig.power_cut(false);
        rig.check_recorded(stream, stream.end());
    }
}

TEST_CASE("recording_writer: going on wipes what an earlier writer left behind the stop position") {
    RecordingRig rig;
    RecordedStream stream = stream_of(0, 120'000);
    {
        RecordingWriter writer(rig.hub(), kId, kShape, 0, 0, {});
        rig.write_all(writer, stream);
        rig.finish(writer);
    }
    stream.cut(stream.frames()[10]);
    REQUIRE(stream.grow(10'000));
    RecordingWriter writer(rig.hub(), kId, kShape, 0, stream.frames()[10], {.extends = true});
    rig.write_all(writer, stream);
    rig.finish(writer);
    CHECK_FALSE(writer.error());
    rig.check_recorded(stream, stream.end());
}

TEST_CASE("recording_writer: a file that is in the way is an error, and stays") {
    RecordingRig rig;
    const auto made = rig.disk().create(segment_name(kId, 0), 10);
    rig.disk().close(made.file);
    RecordingWriter writer(rig.hub(), kId, kShape, 0, 0, {});
    rig.turn_until(writer, [&] { return writer.error().has_value(); });
    CHECK(writer.error()->message.find("recording 0") != std::string::npos);
    CHECK(writer.error()->message.find("0-0.rec") != std::string::npos);
    CHECK(writer.error()->message.find("file exists") != std::string::npos);
    rig.finish(writer);
    CHECK(rig.names() == std::map<std::string, std::uint64_t>{{segment_name(kId, 0), 10}});
}

TEST_CASE("recording_writer: a failed sync ends the recording, and what follows is not believed") {
    for (const char* fault : {"hold-unsynced,sync:1", "hold-unsynced,sync-lost:1"}) {
        CAPTURE(fault);
        RecordingRig rig;
        rig.start("hold-unsynced");
        RecordedStream stream = stream_of(0, 50'000);
        auto writer = std::make_unique<RecordingWriter>(rig.hub(), kId, kShape, 0, 0, WriterOptions{});
        rig.write_all(*writer, stream);
        rig.turn_until(*writer, [&] { return writer->durable_position() == stream.end(); });
        const std::int64_t durable = stream.end();
        rig.set_faults(fault);
        REQUIRE(stream.grow(10'000));
        rig.write_all(*writer, stream);
        rig.turn_until(*writer, [&] { return writer->error().has_value(); });
        CHECK(writer->error()->message.find("cannot sync") != std::string::npos);
        CHECK(writer->error()->message.find("storage-fault") != std::string::npos);
        rig.set_faults("hold-unsynced");
        for (int i = 0; i < 3'000; ++i) {
            rig.turn(*writer);
        }
        CHECK(writer->durable_position() == durable);
        CHECK(writer->room() == 0);
        rig.finish(*writer);
        CHECK(writer->end_position() == durable);
    }
}

TEST_CASE("recording_writer: a full disk is named, and does not stop what has its segment already") {
    // Room for a segment, its sidecar, and not for the next.
    RecordingRig rig(1, 131'072 + 4'096 + 60'000);
    RecordedStream stream = stream_of(0, 200'000);
    RecordingWriter writer(rig.hub(), kId, kShape, 0, 0, {});
    rig.write_all(writer, stream);
    rig.turn_until(writer, [&] { return writer.error().has_value(); });
    CHECK(writer.submitted_position() == 131'072);
    CHECK(writer.error()->code == ErrorCode::kStorageSpace);
    CHECK(writer.error()->message.find("0-131072.rec") != std::string::npos);
    rig.finish(writer);
    CHECK(rig.names().size() == 2);
}

TEST_CASE("recording_writer: space that is freed in time is used") {
    RecordingRig rig(1, 131'072 + 4'096 + 60'000);
    RecordedStream stream = stream_of(0, 100'000);
    RecordingWriter writer(rig.hub(), kId, kShape, 0, 0, {});
    const auto other = rig.disk().create("other", 40'000);
    rig.disk().close(other.file);
    rig.write_all(writer, stream);
    for (int i = 0; i < 1'000; ++i) {
        rig.turn(writer);
    }
    CHECK_FALSE(writer.error());
    REQUIRE(rig.disk().remove("other") == drivers::MemoryDisk::Code::kOk);
    rig.disk().sync_directory();
    CHECK(writer.durable_position() == stream.end());
    rig.finish(writer);
}

TEST_CASE("recording_writer: no space in the middle of a segment ends the recording behind what is durable") {
    RecordingRig rig;
    rig.start("space:200k");
    const RecordedStream stream = stream_of(0, 120'000);
    RecordingWriter writer(rig.hub(), kId, kShape, 0, 0, {});
    rig.write_all(writer, stream);
    rig.turn_until(writer, [&] { return writer.error().has_value(); });
    CHECK(writer.error()->code == ErrorCode::kStorageSpace);
    rig.finish(writer);
    CHECK(writer.end_position() == writer.durable_position());
    CHECK(writer.end_position() < stream.end());
}

TEST_CASE("recording_writer: frame checksums go into the file, not into the stream") {
    RecordingRig rig;
    const RecordedStream stream = stream_of(0, 140'000);
    RecordingWriter writer(rig.hub(), kId, kShape, 0, 0, {.checksum_frames = true});
    rig.write_all(writer, stream, 8'192);
    rig.finish(writer);
    const Bytes bytes = rig.content(segment_name(kId, 0));
    for (const std::int64_t position : stream.frames()) {
        if (position >= 131'072) {
            break;
        }
        const auto header = wire::read_data_header(bytes.data() + position);
        const auto length = static_cast<std::size_t>(wire::align_frame(header.frame_length));
        CHECK(archive::frame_checksum_matches(
            std::span(bytes).subspan(static_cast<std::size_t>(position), length)));
        CHECK((header.type == wire::FrameType::kPad || header.session_id != 77));
        CHECK(wire::read_data_header(stream.block(position, 1).data()).session_id == 77);
    }
}

}  // namespace fulmar::test

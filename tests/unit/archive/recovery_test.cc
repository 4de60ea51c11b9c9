#include "archive/recovery.h"

#include <chrono>

#include <doctest/doctest.h>

#include "archive/segment_check.h"
#include "recording_rig.h"

namespace fulmar::test {

namespace {

using archive::Catalog;
using archive::Damage;
using archive::kNullValue;
using archive::Recording;
using archive::Recovery;
using archive::segment_name;
using archive::sidecar_name;

constexpr std::int64_t kNowMs = 1'234;

Recording recording_of(std::int64_t start, std::int64_t stop) {
    return {.start_position = start,
        .stop_position = stop,
        .initial_term_id = kShape.initial_term_id,
        .segment_file_length = kShape.segment_length,
        .term_buffer_length = kShape.term_length,
        .mtu_length = kShape.mtu,
        .stream_id = kShape.stream_id,
        .stripped_channel = "aeron:ipc"};
}

Catalog catalog_of(std::int64_t start, std::int64_t stop = kNullValue) {
    Catalog catalog = Catalog::create(4'096);
    REQUIRE(catalog.add(recording_of(start, stop)).has_value());
    return catalog;
}

struct Outcome {
    std::int64_t stop = kNullValue;
    std::vector<Damage> damages;
    bool extendable = false;
    std::vector<std::string> notes;
};

Outcome recover(RecordingRig& rig, Catalog& catalog, bool checksum_frames = false) {
    Recovery recovery(rig.hub(), catalog, {.checksum_frames = checksum_frames, .now_ms = kNowMs});
    rig.run(recovery);
    REQUIRE_FALSE(recovery.error());
    CHECK(rig.hub().under_way() == 0);
    const std::int64_t stop = catalog.at(0).stop_position;
    return {stop != kNullValue ? stop : recovery.stop_position(kId), recovery.damages(),
        recovery.is_extendable(kId), recovery.notes()};
}

/// A stream recorded up to `bytes`, all of it durable, and the power gone before anybody stopped it.
struct Recorded {
    RecordingRig rig;
    RecordedStream stream;

    explicit Recorded(std::int64_t bytes, bool marked = true, std::int64_t start = 0)
        : stream(kShape, start, 3, kStreamMax) {
        REQUIRE(stream.grow(bytes));
        RecordingWriter writer(rig.hub(), kId, kShape, start, start, {});
        rig.write_all(writer, stream, 4'096);
        rig.turn_until(writer, [&] { return writer.durable_position() == stream.end(); });
        if (marked) {
            for (int i = 0; i < 1'500; ++i) {
                rig.turn(writer);  // past WriterOptions::idle_mark
            }
        }
        rig.power_cut(false);
        rig.start();
    }
    /// In the middle of the frame that holds `position`.
    [[nodiscard]] std::int64_t inside(std::int64_t position) const {
        const auto& frames = stream.frames();
        return *std::prev(std::upper_bound(frames.begin(), frames.end(), position)) + 40;
    }
};

/// As another archive would have left it: without sidecars, all in the first segment.
void forget_sidecars(RecordingRig& rig) {
    for (const auto& [name, length] : rig.names()) {
        if (archive::parse_sidecar_name(name)) {
            REQUIRE(rig.disk().remove(name) == drivers::MemoryDisk::Code::kOk);
        }
    }
    rig.disk().sync_directory();
}

}  // namespace

TEST_CASE("recovery: a recording that nobody stopped ends behind what was durable") {
    for (const std::int64_t bytes : {1, 30'000, 131'072, 300'000}) {
        for (const bool marked : {false, true}) {
            CAPTURE(bytes);
            Recorded recorded(bytes, marked);
            Catalog catalog = catalog_of(0);
            const Outcome outcome = recover(recorded.rig, catalog);
            CHECK(outcome.damages.empty());
            CHECK(outcome.extendable);
            CHECK(outcome.stop == recorded.stream.end());
            CHECK(catalog.at(0).stop_timestamp == kNowMs);
            recorded.rig.check_recorded(recorded.stream, outcome.stop);
            for (const auto& [name, length] : recorded.rig.names()) {
                CHECK_FALSE(name.ends_with(".new"));
            }
            // What is told to others is durable: the next power cut takes none of it.
            recorded.rig.power_cut(false);
            recorded.rig.check_recorded(recorded.stream, outcome.stop);
        }
    }
}

TEST_CASE("recovery: nothing durable is lost, and nothing torn is kept, wherever the power goes") {
    for (std::uint64_t seed = 1; seed <= 150; ++seed) {
        CAPTURE(seed);
        RecordingRig rig(seed);
        RecordedStream stream(kShape, 0, seed, kStreamMax);
        REQUIRE(stream.grow(320'000));
        base::Prng draws(seed, 5);
        const auto policy = static_cast<SyncPolicy>(draws.below(3));
        const std::size_t limit = std::size_t{1} << draws.between(8, 16);
        auto writer = std::make_unique<RecordingWriter>(
            rig.hub(), kId, kShape, 0, 0, WriterOptions{.sync = policy, .sync_interval = microseconds(300)});
        const std::uint64_t turns = draws.below(500);
        for (std::uint64_t i = 0; i < turns; ++i) {
            if (writer->submitted_position() < stream.end()) {
                (void)writer->write(
                    stream.block(writer->submitted_position(), limit), writer->submitted_position());
            }
            rig.turn(*writer);
        }
        const std::int64_t durable = writer->durable_position();
        const std::int64_t submitted = writer->submitted_position();
        rig.power_cut(seed % 3 != 0);
        writer.reset();
        rig.start();
        Catalog catalog = catalog_of(0);
        const Outcome outcome = recover(rig, catalog);
        CHECK(outcome.damages.empty());
        CHECK(outcome.stop >= durable);
        CHECK(outcome.stop <= submitted);
        rig.check_recorded(stream, outcome.stop);
        stream.cut(outcome.stop);
        REQUIRE(stream.grow(150'000));
        RecordingWriter again(rig.hub(), kId, kShape, 0, outcome.stop, {.extends = true});
        rig.write_all(again, stream, limit);
        rig.finish(again);
        CHECK_FALSE(again.error());
        rig.power_cut(false);
        rig.check_recorded(stream, stream.end());
    }
}

TEST_CASE("recovery: a process that is killed loses nothing that it wrote, also without syncs") {
    RecordingRig rig;
    RecordedStream stream(kShape, 0, 3, kStreamMax);
    REQUIRE(stream.grow(300'000));
    auto writer = std::make_unique<RecordingWriter>(
        rig.hub(), kId, kShape, 0, 0, WriterOptions{.sync = SyncPolicy::kNone});
    rig.write_all(*writer, stream, 1'408);
    const std::int64_t written = writer->written_position();
    CHECK(written > 200'000);
    rig.start();
    writer.reset();
    Catalog catalog = catalog_of(0);
    const Outcome outcome = recover(rig, catalog);
    CHECK(outcome.stop >= written);
    rig.power_cut(false);
    rig.check_recorded(stream, outcome.stop);
}

TEST_CASE("recovery: a block spoilt before the last completed epoch is damage, and nothing is cut") {
    for (const std::int64_t where : {0, 50'000, 99'000, 150'000, 295'000}) {
        CAPTURE(where);
        Recorded recorded(300'000);
        const std::int64_t at = recorded.inside(where);
        const std::int64_t base = at - at % kShape.segment_length;
        recorded.rig.flip(segment_name(kId, base), static_cast<std::uint64_t>(at - base));
        Catalog catalog = catalog_of(0);
        const Outcome outcome = recover(recorded.rig, catalog);
        CHECK(outcome.stop == recorded.stream.end());
        const bool is_read = base == 262'144;  // the segment of the last epoch
        CHECK(outcome.damages.empty() != is_read);
        CHECK(outcome.extendable != is_read);
        CHECK(catalog.at(0).stop_position == (is_read ? kNullValue : outcome.stop));
        if (is_read) {
            CHECK(outcome.damages[0].begin <= at);
            CHECK(outcome.damages[0].end > at);
            CHECK(outcome.damages[0].end - outcome.damages[0].begin <= archive::kSidecarSpan);
            CHECK(to_string(outcome.damages[0]).find("recording 0: damaged from") == 0);
            CHECK(to_string(outcome.damages[0]).find("0-262144.rec") != std::string::npos);
            // Again: it is not forgotten.
            CHECK(recover(recorded.rig, catalog).damages == outcome.damages);
        }
    }
}

TEST_CASE("recovery: a write that went astray is damage where it went and where it should have gone") {
    Recorded recorded(100'000);
    const Bytes whole = recorded.rig.content(segment_name(kId, 0));
    recorded.rig.spoil(segment_name(kId, 0), 70'144, Bytes(whole.begin() + 20'480, whole.begin() + 21'504));
    recorded.rig.spoil(segment_name(kId, 0), 20'480, Bytes(1'024));
    Catalog catalog = catalog_of(0);
    const Outcome outcome = recover(recorded.rig, catalog);
    CHECK(outcome.damages.size() == 2);
    CHECK(outcome.damages[0].begin <= 20'480);
    CHECK(outcome.damages[1].end >= 71'168);
    CHECK(outcome.stop == recorded.stream.end());
}

TEST_CASE("recovery: a checksum that is lost is told, and the bytes are not called bad for it") {
    Recorded recorded(100'000);
    recorded.rig.flip(sidecar_name(kId, 0), 32 * 2 + 9);
    Catalog catalog = catalog_of(0);
    const Outcome outcome = recover(recorded.rig, catalog);
    REQUIRE(outcome.damages.size() == 1);
    CHECK(outcome.damages[0].why.find("checksums are lost") != std::string::npos);
    CHECK(outcome.damages[0].why.find("frames are sound") != std::string::npos);
    CHECK_FALSE(outcome.extendable);
}

TEST_CASE("recovery: without the mark, the window that remains is the last epoch and no more") {
    RecordingRig rig;
    RecordedStream stream(kShape, 0, 3, kStreamMax);
    REQUIRE(stream.grow(30'000));
    auto writer = std::make_unique<RecordingWriter>(rig.hub(), kId, kShape, 0, 0, WriterOptions{});
    rig.write_all(*writer, stream);
    rig.turn_until(*writer, [&] { return writer->durable_position() == stream.end(); });
    const std::int64_t first = stream.end();
    REQUIRE(stream.grow(10'000));
    rig.write_all(*writer, stream, 64'000);
    rig.turn_until(*writer, [&] { return writer->durable_position() == stream.end(); });
    rig.power_cut(false);
    writer.reset();
    rig.start();
    SUBCASE("spoilt in the last epoch: cut there") {
        rig.flip(segment_name(kId, 0), static_cast<std::uint64_t>(first) + 40);
        Catalog catalog = catalog_of(0);
        const Outcome outcome = recover(rig, catalog);
        CHECK(outcome.damages.empty());
        CHECK(outcome.stop == first);
        rig.check_recorded(stream, first);
    }
    SUBCASE("spoilt before it: damage") {
        rig.flip(segment_name(kId, 0), static_cast<std::uint64_t>(first) - 40);
        Catalog catalog = catalog_of(0);
        const Outcome outcome = recover(rig, catalog);
        CHECK(outcome.damages.size() == 1);
        CHECK(outcome.stop == stream.end());
    }
}

TEST_CASE("recovery: a directory of another archive is judged by its frames") {
    Recorded recorded(100'000);
    RecordingRig& rig = recorded.rig;
    forget_sidecars(rig);
    Catalog catalog = catalog_of(0);
    SUBCASE("sound") {
        CHECK(recover(rig, catalog).stop == recorded.stream.end());
        CHECK(catalog.at(0).stop_position == recorded.stream.end());
    }
    SUBCASE("the last frame lacks a page") {
        // A frame across a page of the file, nothing behind it, and only its first page.
        const auto crosses = [](std::int64_t frame) { return frame / 4'096 != (frame + 1'407) / 4'096; };
        const auto& frames = recorded.stream.frames();
        std::size_t i = 20;
        while (!crosses(frames[i]) || frames[i + 1] - frames[i] != 1'408) {
            ++i;
        }
        const std::int64_t page = (frames[i] / 4'096 + 1) * 4'096;
        rig.spoil(segment_name(kId, 0), static_cast<std::uint64_t>(page),
            Bytes(static_cast<std::size_t>(kShape.segment_length - page)));
        const Outcome outcome = recover(rig, catalog);
        CHECK(outcome.damages.empty());
        CHECK(outcome.stop == frames[i]);
        rig.check_recorded(recorded.stream, frames[i]);
    }
    SUBCASE("a frame that cannot be") {
        const std::int64_t frame = recorded.stream.frames()[30];
        rig.flip(segment_name(kId, 0), static_cast<std::uint64_t>(frame) + 20);
        const Bytes before = rig.content(segment_name(kId, 0));
        const Outcome outcome = recover(rig, catalog);
        REQUIRE(outcome.damages.size() == 1);
        CHECK(outcome.damages[0].begin == frame);
        CHECK(outcome.damages[0].why.find("another term") != std::string::npos);
        CHECK(outcome.stop == frame);
        CHECK_FALSE(outcome.extendable);
        CHECK(catalog.at(0).stop_position == kNullValue);
        CHECK(rig.content(segment_name(kId, 0)) == before);
    }
    SUBCASE("an empty segment behind a full one, made early") {
        const auto made = rig.disk().create(segment_name(kId, 131'072), 131'072);
        rig.disk().close(made.file);
        CHECK(recover(rig, catalog).stop == 131'072);
    }
}

TEST_CASE("recovery: frame checksums are looked at where there is no sidecar") {
    RecordingRig rig;
    RecordedStream stream(kShape, 0, 3, kStreamMax);
    REQUIRE(stream.grow(60'000));
    RecordingWriter writer(rig.hub(), kId, kShape, 0, 0, {.checksum_frames = true});
    rig.write_all(writer, stream);
    rig.finish(writer);
    forget_sidecars(rig);
    Catalog catalog = catalog_of(0);
    SUBCASE("sound") {
        const Outcome outcome = recover(rig, catalog, true);
        CHECK(outcome.stop == stream.end());
        CHECK(outcome.damages.empty());
    }
    SUBCASE("in the middle: damage") {
        rig.flip(segment_name(kId, 0), static_cast<std::uint64_t>(stream.frames()[9]) + 33);
        const Outcome outcome = recover(rig, catalog, true);
        REQUIRE(outcome.damages.size() == 1);
        CHECK(outcome.damages[0].begin == stream.frames()[9]);
        CHECK(outcome.damages[0].end == stream.frames()[10]);
    }
    SUBCASE("in the last frame: it was on its way") {
        rig.flip(segment_name(kId, 0), static_cast<std::uint64_t>(stream.frames().back()) + 33);
        const Outcome outcome = recover(rig, catalog, true);
        CHECK(outcome.damages.empty());
        CHECK(outcome.stop == stream.frames().back());
    }
}

TEST_CASE("recovery: what was half made or half deleted goes, what nobody knows is named and stays") {
    RecordingRig rig;
    for (const char* name : {"0-0.rec.new", "0-0.crc", "4-0.rec.del", "4-65536.crc.del", "9-0.rec", "9-0.crc",
             "archive-mark.dat", "notes.new"}) {
        const auto made = rig.disk().create(name, 100);
        REQUIRE(made.code == drivers::MemoryDisk::Code::kOk);
        rig.disk().close(made.file);
    }
    Catalog catalog = catalog_of(0);
    const Outcome outcome = recover(rig, catalog);
    CHECK(outcome.stop == 0);
    CHECK(rig.names().size() == 4);
    CHECK(rig.names().contains("9-0.rec"));
    CHECK(rig.names().contains("9-0.crc"));
    CHECK(std::any_of(outcome.notes.begin(), outcome.notes.end(),
        [](const std::string& note) { return note.find("recording 9") != std::string::npos; }));
}

TEST_CASE("recovery: recordings that were stopped have their last segment, whole") {
    Recorded recorded(200'000);
    RecordingRig& rig = recorded.rig;
    Catalog catalog = catalog_of(0, recorded.stream.end());
    SUBCASE("it is") {
        CHECK(recover(rig, catalog).extendable);
    }
    SUBCASE("missing") {
        REQUIRE(rig.disk().remove(segment_name(kId, 131'072)) == drivers::MemoryDisk::Code::kOk);
        const Outcome outcome = recover(rig, catalog);
        REQUIRE(outcome.damages.size() == 1);
        CHECK(outcome.damages[0].why.find("0-131072.rec is missing") != std::string::npos);
        CHECK_FALSE(outcome.extendable);
    }
    SUBCASE("short") {
        const auto opened = rig.disk().open(segment_name(kId, 131'072));
        REQUIRE(rig.disk().resize(opened.file, 1'000) == drivers::MemoryDisk::Code::kOk);
        rig.disk().close(opened.file);
        CHECK(recover(rig, catalog).damages[0].why.find("1000 bytes") != std::string::npos);
    }
    SUBCASE("a truncation that was interrupted goes on") {
        const std::int64_t stop = recorded.stream.frames()[12];
        catalog.set_stop(0, stop, 1);
        const Outcome outcome = recover(rig, catalog);
        CHECK(outcome.stop == stop);
        CHECK_FALSE(rig.names().contains(segment_name(kId, 131'072)));
        CHECK_FALSE(rig.names().contains(sidecar_name(kId, 131'072)));
        rig.check_recorded(recorded.stream, stop);
    }
}

TEST_CASE("recovery: a disk that cannot be read is no reason to cut") {
    Recorded recorded(100'000, false);
    recorded.rig.start("read:1");
    Catalog catalog = catalog_of(0);
    const Outcome outcome = recover(recorded.rig, catalog);
    CHECK_FALSE(outcome.damages.empty());
    CHECK_FALSE(outcome.extendable);
    CHECK(catalog.at(0).stop_position == kNullValue);
    recorded.rig.start();
    CHECK(recover(recorded.rig, catalog).stop == recorded.stream.end());
}

TEST_CASE("recovery: a disk that misreads now and then finds nothing bad") {
    Recorded recorded(250'000);
    recorded.rig.start("flip-read:0.2,read:0.1,seed:5");
    Catalog catalog = catalog_of(0);
    const Outcome outcome = recover(recorded.rig, catalog);
    CHECK(outcome.damages.empty());
    CHECK(outcome.stop == recorded.stream.end());
}

TEST_CASE("recovery: a hundred thousand recordings that were stopped take no reading") {
    RecordingRig rig;
    Catalog catalog = Catalog::create();
    for (int i = 0; i < 100'000; ++i) {
        REQUIRE(catalog.add(recording_of(0, 0)).has_value());
    }
    Recovery recovery(rig.hub(), catalog, {});
    int turns = 0;
    while (!recovery.is_done()) {
        rig.turn([&](Instant) { recovery.poll(); });
        ++turns;
    }
    CHECK(recovery.damages().empty());
    CHECK(turns < 1'000);
}

TEST_CASE("truncation: an entry across the cut still vouches for what is kept") {
    Recorded recorded(100'000);
    RecordingRig& rig = recorded.rig;
    const std::int64_t cut = recorded.stream.frames()[45];
    archive::Truncation truncation(
        rig.hub(), {.recording_id = kId, .shape = kShape, .start_position = 0, .position = cut, .bases = {}});
    rig.run(truncation);
    REQUIRE_FALSE(truncation.error());
    rig.check_recorded(recorded.stream, cut);
    const auto faults = [&] {
        archive::SegmentCheck check(
            rig.hub(), {.recording_id = kId, .shape = kShape, .base = 0, .from = 0, .until = cut});
        rig.run(check);
        return check.faults();
    };
    CHECK(faults().empty());
    // Not a header's field, so only a checksum can tell.
    rig.flip(segment_name(kId, 0), static_cast<std::uint64_t>(recorded.inside(cut - 1)));
    CHECK(faults().size() == 1);
}

TEST_CASE("truncation: what was damaged before stays damaged") {
    Recorded recorded(100'000);
    RecordingRig& rig = recorded.rig;
    const std::int64_t cut = recorded.stream.frames()[45];
    rig.flip(segment_name(kId, 0), static_cast<std::uint64_t>(recorded.inside(cut - 1)));
    archive::Truncation truncation(
        rig.hub(), {.recording_id = kId, .shape = kShape, .start_position = 0, .position = cut, .bases = {}});
    rig.run(truncation);
    archive::SegmentCheck check(
        rig.hub(), {.recording_id = kId, .shape = kShape, .base = 0, .from = 0, .until = cut});
    rig.run(check);
    CHECK(check.faults().size() == 1);
}

}  // namespace fulmar::test

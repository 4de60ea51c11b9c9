/// archive::Catalog::open and walk_segment over any bytes: a catalog is refused in one line, or every entry
/// of it can be read, changed and read again; a walk stays inside the bytes and goes forward.
#include <limits>

#include "archive/catalog.h"
#include "archive/segment.h"
#include "fuzz.h"

namespace {

using namespace fulmar::archive;

void check_walk(const Recording& recording, std::span<const std::byte> bytes) {
    const auto shape = SegmentShape::of(recording);
    if (!shape) {
        FUZZ_CHECK(shape.error().message.find('\n') == std::string::npos);
        return;
    }
    const std::int64_t base = segment_base(
        recording.start_position, recording.start_position, shape->term_length, shape->segment_length);
    FUZZ_CHECK(base <= recording.start_position);
    FUZZ_CHECK(recording.start_position - base < shape->segment_length);
    const SegmentWalk walk = walk_segment(*shape, base, recording.start_position, bytes);
    FUZZ_CHECK(walk.position >= recording.start_position);
    FUZZ_CHECK(walk.last_frame <= walk.position);
    FUZZ_CHECK(walk.position - recording.start_position ==
               static_cast<std::int64_t>(walk.data_bytes + walk.padding_bytes));
    FUZZ_CHECK((walk.frames == 0) == (walk.position == recording.start_position));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto bytes = fulmar::fuzz::copy_of(data, size);
    auto catalog = Catalog::open(bytes);
    if (!catalog) {
        FUZZ_CHECK(catalog.error().message.find('\n') == std::string::npos);
        return 0;
    }
    for (std::size_t i = 0; i < catalog->size(); ++i) {
        const Recording recording = catalog->at(i);
        FUZZ_CHECK(recording.id == catalog->id_at(i));
        fulmar::fuzz::touch(catalog->descriptor(i));
        check_walk(recording, bytes);
        catalog->set_stop(i, 64, 1);
        FUZZ_CHECK(catalog->at(i).stop_position == 64);
        FUZZ_CHECK(catalog->at(i).source_identity == recording.source_identity);
    }
    const std::size_t before = catalog->size();
    const bool added = catalog->add(Recording{}).has_value();
    FUZZ_CHECK(added || catalog->next_recording_id() == std::numeric_limits<std::int64_t>::max());
    FUZZ_CHECK(catalog->size() == before + (added ? 1 : 0));
    // What was changed is still a catalog, of the same recordings.
    const auto again = Catalog::open({catalog->bytes().begin(), catalog->bytes().end()});
    FUZZ_CHECK(again.has_value());
    FUZZ_CHECK(again->size() == catalog->size());
    return 0;
}

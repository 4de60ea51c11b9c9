/// observe::for_each_counter on foreign buffers: four fifths of the input are metadata, the rest values.
#include "fuzz.h"
#include "observe/counters.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::size_t metadata_length = size / 5 * 4;
    const auto metadata = fulmar::fuzz::copy_of(data, metadata_length);
    const auto values = fulmar::fuzz::copy_of(data + metadata_length, size - metadata_length);
    std::int32_t last_id = -1;
    fulmar::observe::for_each_counter(metadata, values, [&](const fulmar::observe::CounterView& view) {
        FUZZ_CHECK(view.id > last_id);
        last_id = view.id;
        FUZZ_CHECK(view.label.size() <= fulmar::layout::kCounterLabelMax);
        fulmar::fuzz::touch(view.label);
        fulmar::fuzz::touch(view.key);
    });
    return 0;
}

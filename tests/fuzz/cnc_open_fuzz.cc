/// layout::CncFile::open on a whole foreign file: what it accepts has all its sections inside the file.
#include "fuzz.h"
#include "layout/cnc.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace fulmar::layout;
    auto copy = fulmar::fuzz::copy_of(data, size);
    const auto file = CncFile::open(copy);
    if (!file) {
        FUZZ_CHECK(!file.error().message.empty());
        return 0;
    }
    const std::byte* end = copy.data() + kCncHeaderLength;
    for (const auto section : {file->to_driver(), file->to_clients(), file->counter_metadata(),
             file->counter_values(), file->error_log()}) {
        FUZZ_CHECK(section.data() == end);
        FUZZ_CHECK(reinterpret_cast<std::uintptr_t>(section.data()) % sizeof(std::int64_t) == 0);
        end = section.data() + section.size();
        fulmar::fuzz::touch(section);
    }
    FUZZ_CHECK(end <= copy.data() + copy.size());
    return 0;
}

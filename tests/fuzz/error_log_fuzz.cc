/// layout::ErrorLogCursor over a foreign log: every record inside it, and an end to the walk.
#include "fuzz.h"
#include "layout/error_log.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace fulmar::layout;
    const auto log = fulmar::fuzz::copy_of(data, size);
    ErrorLogCursor cursor(log);
    ErrorRecord record;
    for (std::size_t count = 0; cursor.next(record); ++count) {
        FUZZ_CHECK(count <= size / kErrorRecordHeaderLength);
        fulmar::fuzz::touch(record.text);
    }
    return 0;
}

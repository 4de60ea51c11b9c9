/// layout::LossReportCursor over a foreign report: every entry inside it, and an end to the walk.
#include "fuzz.h"
#include "layout/loss_report.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace fulmar::layout;
    const auto report = fulmar::fuzz::copy_of(data, size);
    LossReportCursor cursor(report);
    LossRecord record;
    for (std::size_t count = 0; cursor.next(record); ++count) {
        FUZZ_CHECK(count <= size / kLossEntryAlignment);
        fulmar::fuzz::touch(record.channel);
        fulmar::fuzz::touch(record.source);
    }
    return 0;
}

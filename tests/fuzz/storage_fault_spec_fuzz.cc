/// drivers::parse_storage_fault: what it accepts survives being printed; what it refuses gets one line of
/// reason.
#include <string_view>

#include "drivers/storage_fault/storage_fault_spec.h"
#include "fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace fulmar::drivers;
    const auto copy = fulmar::fuzz::copy_of(data, size);
    const std::string_view text(reinterpret_cast<const char*>(copy.data()), copy.size());
    const auto spec = parse_storage_fault(text);
    if (!spec) {
        FUZZ_CHECK(!spec.error().message.empty());
        FUZZ_CHECK(spec.error().message.size() < 256);
        for (const char c : spec.error().message) {
            FUZZ_CHECK(c >= ' ' && c <= '~');
        }
        return 0;
    }
    FUZZ_CHECK(spec->read_error >= 0.0 && spec->read_error <= 1.0);
    FUZZ_CHECK(spec->delay.ns >= 0 && spec->delay <= kStorageDelayMax);
    FUZZ_CHECK(spec->hold_unsynced || (!spec->torn && !(spec->sync_lost > 0)));
    const auto again = parse_storage_fault(to_string(*spec));
    FUZZ_CHECK(again.has_value());
    FUZZ_CHECK(*again == *spec);
    return 0;
}

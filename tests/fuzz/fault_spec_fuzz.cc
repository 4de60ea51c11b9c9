/// net::parse_fault_spec: what it accepts is within its limits and survives being printed; what it refuses
/// gets one line of reason.
#include <string_view>

#include "fuzz.h"
#include "net/fault_spec.h"

namespace {

bool is_probability(double value) {
    return value >= 0.0 && value <= 1.0;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace fulmar::net;
    const auto copy = fulmar::fuzz::copy_of(data, size);
    const std::string_view text(reinterpret_cast<const char*>(copy.data()), copy.size());
    const auto spec = parse_fault_spec(text);
    if (!spec) {
        FUZZ_CHECK(!spec.error().message.empty());
        FUZZ_CHECK(spec.error().message.size() < 256);
        for (const char c : spec.error().message) {
            FUZZ_CHECK(c >= ' ' && c <= '~');
        }
        return 0;
    }
    FUZZ_CHECK(is_probability(spec->loss));
    FUZZ_CHECK(is_probability(spec->duplicate));
    FUZZ_CHECK(is_probability(spec->reorder));
    FUZZ_CHECK(is_probability(spec->corrupt));
    FUZZ_CHECK(spec->delay.ns >= 0);
    FUZZ_CHECK(spec->delay <= kFaultDelayMax);
    const auto again = parse_fault_spec(to_string(*spec));
    FUZZ_CHECK(again.has_value());
    FUZZ_CHECK(*again == *spec);
    return 0;
}

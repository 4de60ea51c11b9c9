/// config::parse_port_spec over any text: an error of one line, or a port that could be opened.
#include "config/port_spec.h"
#include "fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace fulmar::config;
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    const auto spec = parse_port_spec(text);
    if (!spec) {
        FUZZ_CHECK(!spec.error().message.empty());
        FUZZ_CHECK(spec.error().message.find('\n') == std::string::npos);
        return 0;
    }
    const bool has_ip = spec->ip.family != fulmar::port::IpAddress::Family::kNone;
    FUZZ_CHECK(has_ip || spec->kind == DeviceKind::kUdp);
    FUZZ_CHECK(spec->prefix_length >= 0 && spec->prefix_length <= (spec->ip.is_v4() ? 32 : 128));
    FUZZ_CHECK(spec->mtu == 0 || spec->mtu >= 576);
    FUZZ_CHECK(spec->queues >= 0 && spec->queues <= 64);
    FUZZ_CHECK(spec->text == text);
    FUZZ_CHECK(parse_port_spec(spec->text).has_value());
    return 0;
}

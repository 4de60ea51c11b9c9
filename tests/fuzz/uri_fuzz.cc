/// config::parse_channel over any text: an error of one line, or a channel whose canonical form means the
/// same.
#include "config/channel_params.h"
#include "config/protocol_limits.h"
#include "fuzz.h"

namespace {

using fulmar::Error;
using fulmar::ErrorCode;

void check_line(const Error& error, ErrorCode code) {
    FUZZ_CHECK(error.code == code);
    FUZZ_CHECK(!error.message.empty());
    FUZZ_CHECK(error.message.find('\n') == std::string::npos);
}

void check_limits(const fulmar::config::ChannelParams& params) {
    using namespace fulmar::config;
    FUZZ_CHECK(!params.mtu || (*params.mtu >= kMtuMin && *params.mtu <= kMtuMax && *params.mtu % 32 == 0));
    FUZZ_CHECK(!params.term_length ||
               (*params.term_length >= kTermLengthMin && *params.term_length <= kTermLengthMax));
    FUZZ_CHECK(!params.linger || params.linger->ns >= 0);
    FUZZ_CHECK(!params.initial_position || params.initial_position->term_offset % 32 == 0);
    FUZZ_CHECK(!params.endpoint || !params.endpoint->host.empty());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace fulmar::config;
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    const auto uri = ChannelUri::parse(text);
    if (!uri) {
        check_line(uri.error(), ErrorCode::kInvalidChannel);
        return 0;
    }
    const std::string canonical = uri->canonical();
    const auto again = ChannelUri::parse(canonical);
    FUZZ_CHECK(again.has_value());
    FUZZ_CHECK(again->canonical() == canonical);

    const auto params = interpret_channel(*uri);
    FUZZ_CHECK(params.has_value() == interpret_channel(*again).has_value());
    if (!params) {
        check_line(params.error(), ErrorCode::kInvalidChannel);
        return 0;
    }
    check_limits(*params);
    if (const auto status = check_supported(*params); !status) {
        check_line(status.error(), ErrorCode::kNotSupported);
    }
    if (const auto status = check_strict(*params); !status) {
        check_line(status.error(), ErrorCode::kInvalidChannel);
    }
    return 0;
}

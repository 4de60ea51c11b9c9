#include "config/channel_params.h"

#include <array>

#include "base/bytes.h"
#include "base/position.h"
#include "config/channel_values.h"
#include "config/protocol_limits.h"
#include "config/size.h"
#include "config/text.h"

namespace fulmar::config {
namespace {

using Value = std::string_view;

/// The three keys of a position, collected before they can be judged together.
struct PositionKeys {
    std::optional<std::int32_t> initial_term_id;
    std::optional<std::int32_t> term_id;
    std::optional<std::int32_t> term_offset;
};

struct Context {
    ChannelParams params;
    PositionKeys position;
};

template <auto kMember, auto kParse>
Status store(Value text, Context& context) {
    FULMAR_TRY(value, kParse(text));
    context.params.*kMember = std::move(value);
    return Done{};
}

template <auto kMember>
Status store_bool(Value text, Context& context) {
    return store<kMember, detail::bool_value>(text, context);
}

template <auto kMember>
Status store_duration(Value text, Context& context) {
    return store<kMember, detail::duration_value>(text, context);
}

template <auto kMember, std::int32_t kMin, std::int32_t kMax>
Status store_int(Value text, Context& context) {
    FULMAR_TRY(value, detail::int32_value(text, kMin, kMax));
    context.params.*kMember = value;
    return Done{};
}

template <auto kMember, std::int32_t kMin, std::int32_t kMax>
Status store_size(Value text, Context& context) {
    FULMAR_TRY(value, detail::size_value(text, kMin, kMax));
    context.params.*kMember = value;
    return Done{};
}

template <auto kMember>
Status store_position(Value text, Context& context) {
    FULMAR_TRY(value, detail::int32_value(text));
    context.position.*kMember = value;
    return Done{};
}

Status store_term_length(Value text, Context& context) {
    FULMAR_TRY(value, detail::size_value(text, kTermLengthMin, kTermLengthMax));
    if (!base::is_power_of_two(value)) {
        return fail(ErrorCode::kInvalidChannel, "must be a power of two");
    }
    context.params.term_length = value;
    return Done{};
}

Status store_mtu(Value text, Context& context) {
    FULMAR_TRY(value, detail::size_value(text, kMtuMin, kMtuMax));
    if (!base::is_aligned(value, kFrameAlignment)) {
        return fail(ErrorCode::kInvalidChannel, "must be a multiple of 32");
    }
    context.params.mtu = value;
    return Done{};
}

Status store_session_id(Value text, Context& context) {
    constexpr std::string_view kTag = "tag:";
    if (text.starts_with(kTag)) {
        FULMAR_TRY(tag, detail::int64_value(text.substr(kTag.size())));
        context.params.session_id_tag = tag;
        return Done{};
    }
    FULMAR_TRY(id, detail::int32_value(text));
    context.params.session_id = id;
    return Done{};
}

Status store_control_mode(Value text, Context& context) {
    if (text == "dynamic") {
        context.params.control_mode = ControlMode::kDynamic;
    } else if (text == "manual") {
        context.params.control_mode = ControlMode::kManual;
    } else if (text == "response") {
        context.params.control_mode = ControlMode::kResponse;
    } else {
        return fail(ErrorCode::kInvalidChannel, "must be dynamic, manual or response");
    }
    return Done{};
}

Status store_congestion_control(Value text, Context& context) {
    if (text == "static") {
        context.params.congestion_control = CongestionControlKind::kStatic;
    } else if (text == "cubic") {
        context.params.congestion_control = CongestionControlKind::kCubic;
    } else {
        return fail(ErrorCode::kInvalidChannel, "must be static or cubic");
    }
    return Done{};
}

Status store_response_correlation_id(Value text, Context& context) {
    if (text == "prototype") {
        context.params.response_correlation_id = ChannelParams::kResponsePrototype;
        return Done{};
    }
    FULMAR_TRY(id, detail::int64_value(text));
    if (id < -1) {
        return fail(ErrorCode::kInvalidChannel, "must be at least -1, or prototype");
    }
    if (id >= 0) {
        context.params.response_correlation_id = id;
    }
    return Done{};
}

Status store_alias(Value text, Context& context) {
    context.params.alias = std::string(text);
    return Done{};
}

/// Timestamp offsets: a byte offset or `reserved`.
Status check_timestamp_offset(Value text, Context&) {
    if (text != "reserved") {
        FULMAR_TRY_VOID(detail::int32_value(text, 0));
    }
    return Done{};
}

Status check_host_port(Value text, Context&) {
    FULMAR_TRY_VOID(detail::host_port_value(text));
    return Done{};
}

/// What this release does with a key.
enum class Support : std::uint8_t { kBuilt, kNotYet };

struct KeyRow {
    std::string_view key;
    Status (*parse)(Value, Context&);
    Support support = Support::kBuilt;
};

using P = ChannelParams;
constexpr std::int32_t kWindowMax = kTermLengthMax / 2;

constexpr std::array kKeys{
    KeyRow{"endpoint", store<&P::endpoint, detail::host_port_value>},
    KeyRow{"interface", store<&P::network_interface, detail::interface_value>},
    KeyRow{"control", store<&P::control, detail::host_port_value>},
    KeyRow{"control-mode", store_control_mode},
    KeyRow{"tags", store<&P::tags, detail::tags_value>},
    KeyRow{"alias", store_alias},
    KeyRow{"session-id", store_session_id},
    KeyRow{"stream-id", store_int<&P::stream_id, INT32_MIN, INT32_MAX>},
    KeyRow{"init-term-id", store_position<&PositionKeys::initial_term_id>},
    KeyRow{"term-id", store_position<&PositionKeys::term_id>},
    KeyRow{"term-offset", store_position<&PositionKeys::term_offset>},
    KeyRow{"term-length", store_term_length},
    KeyRow{"mtu", store_mtu},
    KeyRow{"ttl", store_int<&P::ttl, 0, 255>},
    KeyRow{"linger", store_duration<&P::linger>},
    KeyRow{"sparse", store_bool<&P::sparse>},
    KeyRow{"eos", store_bool<&P::eos>},
    KeyRow{"ssc", store_bool<&P::spies_simulate_connection>},
    KeyRow{"pub-wnd", store_size<&P::publication_window_length, kMtuMin, kWindowMax>},
    KeyRow{"max-resend", store_int<&P::max_resend, 1, 256>},
    KeyRow{"reliable", store_bool<&P::reliable>},
    KeyRow{"tether", store_bool<&P::tether>},
    KeyRow{"group", store_bool<&P::group>},
    KeyRow{"rejoin", store_bool<&P::rejoin>},
    KeyRow{"rcv-wnd", store_size<&P::receiver_window_length, kMtuMin, kWindowMax>},
    KeyRow{"nak-delay", store_duration<&P::nak_delay>},
    KeyRow{"untethered-window-limit-timeout", store_duration<&P::untethered_window_limit_timeout>},
    KeyRow{"untethered-linger-timeout", store_duration<&P::untethered_linger_timeout>},
    KeyRow{"untethered-resting-timeout", store_duration<&P::untethered_resting_timeout>},
    KeyRow{"so-sndbuf", store_size<&P::socket_sndbuf_length, 0, INT32_MAX>},
    KeyRow{"so-rcvbuf", store_size<&P::socket_rcvbuf_length, 0, INT32_MAX>},
    KeyRow{"fc", store<&P::flow_control, detail::flow_control_value>},
    KeyRow{"gtag", store<&P::group_tag, detail::int64_value>},
    KeyRow{"cc", store_congestion_control},
    KeyRow{"ats", store_bool<&P::ats>},
    KeyRow{"response-correlation-id", store_response_correlation_id},
    KeyRow{"response-endpoint", check_host_port},  // of clients among themselves
    KeyRow{"media-rcv-ts-offset", check_timestamp_offset, Support::kNotYet},
    KeyRow{"channel-rcv-ts-offset", check_timestamp_offset, Support::kNotYet},
    KeyRow{"channel-snd-ts-offset", check_timestamp_offset, Support::kNotYet},
};

constexpr auto kKeyNames = [] {
    std::array<std::string_view, kKeys.size()> names;
    for (std::size_t i = 0; i < names.size(); ++i) {
        names[i] = kKeys[i].key;
    }
    return names;
}();

const KeyRow* find_key(std::string_view key) {
    for (const KeyRow& row : kKeys) {
        if (row.key == key) {
            return &row;
        }
    }
    return nullptr;
}

Unexpected<Error> invalid(std::string message) {
    return fail(ErrorCode::kInvalidChannel, std::move(message));
}

Status interpret_param(const UriParam& param, Context& context) {
    const KeyRow* row = find_key(param.key);
    if (row == nullptr) {
        context.params.unknown.push_back(param.key);
        return Done{};
    }
    auto status = row->parse(param.value, context);
    if (!status) {
        return invalid(
            "channel key " + param.key + "=" + quoted(param.value) + ": " + status.error().message);
    }
    if (row->support == Support::kNotYet) {
        context.params.unsupported.push_back(param.key + "=" + param.value);
    }
    return Done{};
}

Status interpret_position(Context& context) {
    const PositionKeys& keys = context.position;
    const int given = int{keys.initial_term_id.has_value()} + int{keys.term_id.has_value()} +
                      int{keys.term_offset.has_value()};
    if (given == 0) {
        return Done{};
    }
    if (given != 3) {
        return invalid("channel keys init-term-id, term-id and term-offset must be given all three or none");
    }
    const std::int32_t offset = *keys.term_offset;
    const std::int32_t offset_max = context.params.term_length.value_or(kTermLengthMax);
    if (offset < 0 || offset > offset_max || !base::is_aligned(offset, kFrameAlignment)) {
        return invalid("channel key term-offset=" + std::to_string(offset) +
                       ": must be a multiple of 32 from 0 to " + std::to_string(offset_max));
    }
    if (base::wrapping_subtract(*keys.term_id, *keys.initial_term_id) < 0) {
        return invalid("channel key term-id=" + std::to_string(*keys.term_id) +
                       ": lies before init-term-id=" + std::to_string(*keys.initial_term_id));
    }
    context.params.initial_position = {*keys.initial_term_id, *keys.term_id, offset};
    return Done{};
}

Status check_publication_window(const ChannelParams& params) {
    const auto window = params.publication_window_length;
    if (window && params.term_length && *window > *params.term_length / 2) {
        return invalid("channel key pub-wnd=" + format_size(*window) +
                       ": must be at most half of term-length=" + format_size(*params.term_length));
    }
    if (window && params.mtu && *window < *params.mtu) {
        return invalid("channel key pub-wnd=" + format_size(*window) +
                       ": must be at least mtu=" + format_size(*params.mtu));
    }
    if (params.receiver_window_length && params.mtu && *params.receiver_window_length < *params.mtu) {
        return invalid("channel key rcv-wnd=" + format_size(*params.receiver_window_length) +
                       ": must be at least mtu=" + format_size(*params.mtu));
    }
    return Done{};
}

/// Keys that are built for some of their values only.
void collect_unsupported_values(ChannelParams& params) {
    auto& list = params.unsupported;
    if (params.ats == true) {
        list.emplace_back("ats=true");
    }
    if (params.congestion_control == CongestionControlKind::kCubic) {
        list.emplace_back("cc=cubic");
    }
}

Status check_addresses(const ChannelParams& params) {
    const bool addressed =
        params.endpoint || params.control || params.tags || params.control_mode != ControlMode::kNone;
    if (params.media == Media::kUdp && !addressed) {
        return invalid("channel aeron:udp needs an endpoint, such as aeron:udp?endpoint=host:port");
    }
    if (params.control_mode == ControlMode::kDynamic && !params.control) {
        return invalid("channel key control-mode=dynamic: needs control=host:port");
    }
    return Done{};
}

std::string join(const std::vector<std::string>& words) {
    std::string out;
    for (const std::string& word : words) {
        out += (out.empty() ? "" : ", ") + quoted(word);
    }
    return out;
}

}  // namespace

std::string HostPort::text() const {
    const bool v6 = host.find(':') != std::string::npos;
    return (v6 ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

Result<ChannelParams> interpret_channel(const ChannelUri& uri) {
    Context context;
    context.params.media = uri.media();
    context.params.is_spy = uri.is_spy();
    for (const UriParam& param : uri.params()) {
        FULMAR_TRY_VOID(interpret_param(param, context));
    }
    FULMAR_TRY_VOID(interpret_position(context));
    FULMAR_TRY_VOID(check_publication_window(context.params));
    FULMAR_TRY_VOID(check_addresses(context.params));
    collect_unsupported_values(context.params);
    return std::move(context.params);
}

Result<ChannelParams> parse_channel(std::string_view text) {
    FULMAR_TRY(uri, ChannelUri::parse(text));
    return interpret_channel(uri);
}

Status check_supported(const ChannelParams& params) {
    if (params.unsupported.empty()) {
        return Done{};
    }
    return fail(ErrorCode::kNotSupported,
        "this driver does not support " + join(params.unsupported) + " in a channel yet; leave it out");
}

Status check_destination(const ChannelParams& params) {
    const char* key = params.mtu                       ? "mtu"
                      : params.receiver_window_length  ? "rcv-wnd"
                      : params.socket_rcvbuf_length    ? "so-rcvbuf"
                      : params.socket_sndbuf_length    ? "so-sndbuf"
                      : params.response_correlation_id ? "response-correlation-id"
                      : params.is_response()           ? "control-mode=response"
                                                       : nullptr;
    if (key != nullptr) {
        return invalid(std::string("a destination cannot have ") + key);
    }
    return Done{};
}

Status check_strict(const ChannelParams& params) {
    if (params.unknown.empty()) {
        return Done{};
    }
    const std::string& key = params.unknown.front();
    return fail(ErrorCode::kInvalidChannel,
        "channel key " + quoted(key) + " is unknown" + suggestion(key, kKeyNames));
}

}  // namespace fulmar::config

#include "archive_server/channels.h"

#include <algorithm>
#include <array>
#include <span>

#include "base/position.h"
#include "config/channel_uri.h"

namespace fulmar::archive {
namespace {

using config::ChannelUri;

constexpr std::array<std::string_view, 23> kKept = {"endpoint", "interface", "control", "control-mode",
    "tags", "rejoin", "group", "tether", "fc", "gtag", "cc", "so-rcvbuf", "so-sndbuf", "rcv-wnd",
    "media-rcv-ts-offset", "channel-rcv-ts-offset", "channel-snd-ts-offset", "session-id", "alias",
    "response-correlation-id", "response-endpoint", "ttl", "stream-id"};
/// What tells recording subscriptions apart.
constexpr std::array<std::string_view, 5> kKeyed = {"endpoint", "interface", "control", "session-id", "tags"};

ChannelUri only(const ChannelUri& uri, std::span<const std::string_view> keys) {
    ChannelUri kept = uri;
    for (const config::UriParam& param : uri.params()) {
        if (std::find(keys.begin(), keys.end(), param.key) == keys.end()) {
            kept.erase(param.key);
        }
    }
    return kept;
}

void answer_over_request(ChannelUri& uri, std::int64_t image_correlation_id) {
    if (uri.find("control-mode") == "response") {
        uri.set("response-correlation-id", std::to_string(image_correlation_id));
    }
}

}  // namespace

Result<RecordingChannel> recording_channel(
    std::string_view channel, std::int32_t stream_id, SourceLocation source) {
    FULMAR_TRY(uri, ChannelUri::parse(channel));
    RecordingChannel made;
    made.stripped = only(uri, kKept).text();
    const bool spies =
        source == SourceLocation::kLocal && uri.media() == config::Media::kUdp && !uri.is_spy();
    made.subscribed = (spies ? "aeron-spy:" : "") + made.stripped;
    made.key = std::to_string(stream_id) + (uri.media() == config::Media::kUdp ? ":udp" : ":ipc");
    for (const std::string_view key : kKeyed) {
        if (const auto value = uri.find(key)) {
            made.key += "|" + std::string(key) + "=" + std::string(*value);
        }
    }
    return made;
}

Result<std::string> response_channel(
    std::string_view channel, std::int64_t image_correlation_id, const ServerOptions& options) {
    FULMAR_TRY(asked, ChannelUri::parse(channel));
    ChannelUri uri = only(asked, kKept);
    answer_over_request(uri, image_correlation_id);
    const auto of_client = [&](std::string_view key, const std::string& ours) {
        const auto value = asked.find(key);
        uri.set(key, value ? std::string(*value) : ours);
    };
    of_client("term-length", std::to_string(options.control_term_length));
    of_client("sparse", options.is_control_term_sparse ? "true" : "false");
    if (asked.find("mtu") || options.control_mtu > 0) {
        of_client("mtu", std::to_string(options.control_mtu));
    }
    return uri.text();
}

Result<std::string> replay_channel(std::string_view channel, const Recording& recording,
    std::int64_t position, std::int64_t image_correlation_id, const ServerOptions& options) {
    FULMAR_TRY(asked, ChannelUri::parse(channel));
    ChannelUri uri = only(asked, kKept);
    answer_over_request(uri, image_correlation_id);
    for (const char* key : {"eos", "sparse"}) {
        if (const auto value = asked.find(key)) {
            uri.set(key, *value);
        }
    }
    const std::int32_t term_length = recording.term_buffer_length;
    const auto term_id = static_cast<std::int32_t>(static_cast<std::uint32_t>(recording.initial_term_id) +
                                                   static_cast<std::uint32_t>(position / term_length));
    uri.set("init-term-id", std::to_string(recording.initial_term_id));
    uri.set("term-id", std::to_string(term_id));
    uri.set("term-offset", std::to_string(position % term_length));
    uri.set("term-length", std::to_string(term_length));
    uri.set("mtu", std::to_string(recording.mtu_length));
    const auto linger = asked.find("linger");
    uri.set(
        "linger", linger ? std::string(*linger) : std::to_string(options.replay_linger_timeout.ns) + "ns");
    return uri.text();
}

}  // namespace fulmar::archive

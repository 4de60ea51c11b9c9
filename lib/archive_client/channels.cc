#include "archive_client/channels.h"

namespace fulmar::archive_client {

using config::ChannelUri;

bool is_response_mode(const ChannelUri& channel) {
    return channel.find("control-mode") == "response";
}

bool has_wildcard_port(const ChannelUri& channel) {
    const auto endpoint = channel.find("endpoint");
    return endpoint && endpoint->ends_with(":0");
}

std::string with_port_of(std::string_view endpoint, std::string_view address) {
    std::string resolved(endpoint.substr(0, endpoint.rfind(':')));
    return resolved += address.substr(address.rfind(':'));
}

std::optional<std::string> resolve_port(const ChannelUri& channel, const Subscription& subscription) {
    if (!has_wildcard_port(channel)) {
        return channel.text();
    }
    const auto addresses = subscription.local_socket_addresses();
    if (addresses.empty() || addresses.front().find(':') == std::string::npos) {
        return std::nullopt;
    }
    ChannelUri resolved = channel;
    resolved.set("endpoint", with_port_of(*channel.find("endpoint"), addresses.front()));
    return resolved.text();
}

void apply_control_defaults(ChannelUri& channel, const ArchiveClientOptions& options) {
    if (!channel.find("term-length")) {
        set_number(channel, "term-length", options.control_term_length);
    }
    if (!channel.find("mtu") && options.control_mtu != 0) {
        set_number(channel, "mtu", options.control_mtu);
    }
    if (!channel.find("sparse")) {
        channel.set("sparse", options.is_control_term_sparse ? "true" : "false");
    }
}

void set_number(ChannelUri& channel, std::string_view key, std::int64_t value) {
    channel.set(key, std::to_string(value));
}

std::string response_request_channel(
    ChannelUri request_channel, std::int64_t subscription_registration_id, std::int32_t term_length) {
    for (const std::string_view key : {"session-id", "term-id", "init-term-id", "term-offset"}) {
        request_channel.erase(key);
    }
    set_number(request_channel, "response-correlation-id", subscription_registration_id);
    set_number(request_channel, "term-length", term_length);
    request_channel.set("ssc", "false");
    return request_channel.text();
}

}  // namespace fulmar::archive_client

/// What an archive's client does to channels before it sends or opens them.
/// threads: pure functions.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "config/channel_uri.h"
#include "fulmar/archive/options.h"
#include "fulmar/subscription.h"

namespace fulmar::archive_client {

/// `control-mode=response`: the stream comes back the way that another one goes.
[[nodiscard]] bool is_response_mode(const config::ChannelUri& channel);

/// The endpoint's port is 0 and has to be learnt from the driver.
[[nodiscard]] bool has_wildcard_port(const config::ChannelUri& channel);

/// The channel with the port that the subscription listens on instead of 0; nothing while the driver has not
/// said which. Other channels come back as they are.
[[nodiscard]] std::optional<std::string> resolve_port(
    const config::ChannelUri& channel, const Subscription& subscription);

/// `host:0` with the port of `address`.
[[nodiscard]] std::string with_port_of(std::string_view endpoint, std::string_view address);

/// Terms, MTU and sparseness of a control stream, where the channel does not say.
void apply_control_defaults(config::ChannelUri& channel, const ArchiveClientOptions& options);

void set_number(config::ChannelUri& channel, std::string_view key, std::int64_t value);

/// The request channel for a second request stream, whose responses are what comes to this subscription.
[[nodiscard]] std::string response_request_channel(
    config::ChannelUri request_channel, std::int64_t subscription_registration_id, std::int32_t term_length);

}  // namespace fulmar::archive_client

/// Keys and labels of the counters that tools and clients parse: the grammar is part of the protocol.
/// Our driver never parses one back: labels live in memory that clients may write.
/// threads: pure functions, no allocation.  source: Aeron counters, stream position and channel status keys.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "layout/counters.h"

namespace fulmar::layout {

inline constexpr std::size_t kStreamKeyChannelMax = 92;
inline constexpr std::size_t kChannelStatusKeyChannelMax = 108;
inline constexpr std::size_t kLocalSockaddrKeyTextMax = 103;

/// A key with the length its kind has; unused bytes are zero.
struct CounterKey {
    std::array<std::byte, kCounterKeyMax> bytes{};
    std::size_t length = 0;

    [[nodiscard]] std::span<const std::byte> span() const { return {bytes.data(), length}; }
};

/// A label cut at what a counter holds.
struct CounterLabel {
    std::array<char, kCounterLabelMax> text{};
    std::size_t length = 0;

    [[nodiscard]] std::string_view view() const { return {text.data(), length}; }
    CounterLabel& append(std::string_view part);
    CounterLabel& append(std::int64_t number);
};

[[nodiscard]] CounterKey system_counter_key(std::int32_t id);

/// A channel longer than the key holds is cut there; the label keeps more of it.
[[nodiscard]] CounterKey stream_counter_key(
    std::int64_t registration_id, std::int32_t session_id, std::int32_t stream_id, std::string_view channel);
/// `<name>: <registration> <session> <stream> <channel><suffix>`
[[nodiscard]] CounterLabel stream_counter_label(std::string_view name, std::int64_t registration_id,
    std::int32_t session_id, std::int32_t stream_id, std::string_view channel, std::string_view suffix = {});
/// A subscriber position's label ends in ` @<join position>`.
[[nodiscard]] CounterLabel subscriber_position_label(std::int64_t registration_id, std::int32_t session_id,
    std::int32_t stream_id, std::string_view channel, std::int64_t join_position);

[[nodiscard]] CounterKey channel_status_key(std::string_view channel);
/// `<name>: <channel>` or, once bound, `<name>: <channel> <address>`
[[nodiscard]] CounterLabel channel_status_label(
    std::string_view name, std::string_view channel, std::string_view bound_address = {});

/// Clients find the port behind a wildcard here.
[[nodiscard]] CounterKey local_sockaddr_key(std::int32_t channel_status_counter_id, std::string_view address);
/// `<name>: <channel status counter id> <address>`
[[nodiscard]] CounterLabel local_sockaddr_label(
    std::string_view name, std::int32_t channel_status_counter_id, std::string_view address);

[[nodiscard]] CounterKey client_heartbeat_key(std::int64_t client_id);
/// `client-heartbeat: id=<id>`; the client appends to it.
[[nodiscard]] CounterLabel client_heartbeat_label(std::int64_t client_id);

/// The names that go with counter_type.
namespace counter_name {
inline constexpr std::string_view kPublisherLimit = "pub-lmt";
inline constexpr std::string_view kSenderPosition = "snd-pos";
inline constexpr std::string_view kSenderLimit = "snd-lmt";
inline constexpr std::string_view kSenderBackPressure = "snd-bpe";
inline constexpr std::string_view kSenderNaksReceived = "snd-naks-received";
inline constexpr std::string_view kPublisherPositionConcurrent = "pub-pos (concurrent)";
inline constexpr std::string_view kPublisherPositionExclusive = "pub-pos (exclusive)";
inline constexpr std::string_view kReceiverHwm = "rcv-hwm";
inline constexpr std::string_view kReceiverPosition = "rcv-pos";
inline constexpr std::string_view kReceiverNaksSent = "rcv-naks-sent";
inline constexpr std::string_view kSubscriberPosition = "sub-pos";
inline constexpr std::string_view kSendChannelStatus = "snd-channel";
inline constexpr std::string_view kReceiveChannelStatus = "rcv-channel";
inline constexpr std::string_view kSendLocalSockaddr = "snd-local-sockaddr";
inline constexpr std::string_view kReceiveLocalSockaddr = "rcv-local-sockaddr";
inline constexpr std::string_view kFlowControlReceivers = "fc-receivers";
inline constexpr std::string_view kMdcDestinations = "mdc-num-dest";
inline constexpr std::string_view kClientHeartbeat = "client-heartbeat";
}  // namespace counter_name

}  // namespace fulmar::layout

/// What the keys of a channel mean: every key Aeron knows, checked and typed. A key that this release does
/// not act on is listed in `unsupported`, so that the driver refuses it by name instead of ignoring it; a
/// key nobody knows is listed in `unknown` and otherwise left alone.
/// threads: values, no sharing.  units: lengths in bytes.  source: Aeron channel parameters.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/channel_uri.h"
#include "fulmar/result.h"
#include "fulmar/time.h"

namespace fulmar::config {

/// `host:port` as written. The host may be a name: resolving blocks and is the resource agent's work.
struct HostPort {
    std::string host;  ///< without the brackets of IPv6
    std::uint16_t port = 0;

    bool operator==(const HostPort&) const = default;
    [[nodiscard]] std::string text() const;
};

/// `addr[:port][/prefix]` or `{ifname}`.
struct NetworkInterface {
    std::string host;
    int prefix_length = -1;  ///< -1: the whole address
    std::uint16_t port = 0;
    bool is_name = false;  ///< host is an interface name
};

enum class ControlMode : std::uint8_t { kNone, kDynamic, kManual, kResponse };
enum class FlowControlKind : std::uint8_t { kDefault, kMax, kMin, kTagged };
enum class CongestionControlKind : std::uint8_t { kDefault, kStatic, kCubic };

/// `min,t:5s,g:7/3,rrwm:4`
struct FlowControl {
    FlowControlKind kind = FlowControlKind::kDefault;
    std::optional<Duration> receiver_timeout;
    std::optional<std::int64_t> group_tag;
    std::optional<std::int32_t> group_min_size;
    std::optional<std::int32_t> retransmit_window_multiple;
};

/// Where a publication begins; given whole or not at all.
struct InitialPosition {
    std::int32_t initial_term_id = 0;
    std::int32_t term_id = 0;
    std::int32_t term_offset = 0;
};

struct Tags {
    std::optional<std::int64_t> channel;
    std::optional<std::int64_t> entity;
};

/// Absent means: the driver's setting decides.
struct ChannelParams {
    Media media = Media::kUdp;
    bool is_spy = false;

    std::optional<HostPort> endpoint;
    std::optional<HostPort> control;
    ControlMode control_mode = ControlMode::kNone;
    std::optional<NetworkInterface> network_interface;
    std::optional<Tags> tags;
    std::optional<std::string> alias;

    std::optional<std::int32_t> session_id;
    std::optional<std::int64_t> session_id_tag;  ///< session-id=tag:<n>
    std::optional<std::int32_t> stream_id;       ///< informative, commands carry the real one
    std::optional<InitialPosition> initial_position;
    std::optional<std::int32_t> term_length;
    std::optional<std::int32_t> mtu;
    std::optional<std::int32_t> ttl;
    std::optional<Duration> linger;
    std::optional<bool> sparse;
    std::optional<bool> eos;
    std::optional<bool> spies_simulate_connection;
    std::optional<std::int32_t> publication_window_length;
    std::optional<std::int32_t> max_resend;

    std::optional<bool> reliable;
    std::optional<bool> tether;
    std::optional<bool> group;
    std::optional<bool> rejoin;
    std::optional<std::int32_t> receiver_window_length;
    std::optional<Duration> nak_delay;
    std::optional<Duration> untethered_window_limit_timeout;
    std::optional<Duration> untethered_linger_timeout;
    std::optional<Duration> untethered_resting_timeout;

    std::optional<std::int32_t> socket_sndbuf_length;
    std::optional<std::int32_t> socket_rcvbuf_length;

    FlowControl flow_control;
    std::optional<std::int64_t> group_tag;
    CongestionControlKind congestion_control = CongestionControlKind::kDefault;
    std::optional<std::int64_t> response_correlation_id;  ///< kResponsePrototype for `prototype`
    std::optional<bool> ats;

    std::vector<std::string> unsupported;  ///< `key=value` of what this release does not do
    std::vector<std::string> unknown;      ///< keys Aeron does not know either

    static constexpr std::int64_t kResponsePrototype = -2;

    /// The answering side of a pair of streams, or who waits for the answers.
    [[nodiscard]] bool is_response() const { return control_mode == ControlMode::kResponse; }
    /// A publication's packets go to, or a subscription's come by, addresses that are given or learned later.
    [[nodiscard]] bool is_multi_destination() const {
        return control_mode == ControlMode::kDynamic || control_mode == ControlMode::kManual;
    }
    /// Both ends of the pipe are this host's: `aeron:ipc`.
    [[nodiscard]] bool is_ipc() const { return media == Media::kIpc; }
};

/// errors: kInvalidChannel naming key, value and limit. Unsupported and unknown keys are not errors here,
/// but a known key must be well formed even if it is not supported.
[[nodiscard]] Result<ChannelParams> interpret_channel(const ChannelUri& uri);
/// Grammar and meaning in one step.
[[nodiscard]] Result<ChannelParams> parse_channel(std::string_view text);

/// errors: kNotSupported naming each entry of `unsupported`.
[[nodiscard]] Status check_supported(const ChannelParams& params);
/// A destination says where, and nothing of what belongs to the whole subscription or publication.
/// errors: kInvalidChannel naming the key.
[[nodiscard]] Status check_destination(const ChannelParams& params);
/// What `--strict-uri` asks for. errors: kInvalidChannel for an unknown key, with the nearest known one.
[[nodiscard]] Status check_strict(const ChannelParams& params);

}  // namespace fulmar::config

/// Events the driver broadcasts to its clients: one plain struct each, decode and encode.
/// Views point into the record: copy what must outlive it.
/// threads: values, no sharing.  errors: DecodeFault.  source: Aeron control protocol 1.0.0, responses.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "layout/decode.h"

namespace fulmar::layout {

enum class EventType : std::int32_t {
    kError = 0x0F01,
    kAvailableImage = 0x0F02,
    kPublicationReady = 0x0F03,
    kOperationSuccess = 0x0F04,
    kUnavailableImage = 0x0F05,
    kExclusivePublicationReady = 0x0F06,
    kSubscriptionReady = 0x0F07,
    kCounterReady = 0x0F08,
    kUnavailableCounter = 0x0F09,
    kClientTimeout = 0x0F0A,
    kStaticCounter = 0x0F0B,
    kPublicationError = 0x0F0C,
    kNextAvailableSessionId = 0x0F0D,
};

/// Every struct below has decode, encoded_length and encode, as in layout/commands.h.

/// ON_ERROR. For kChannelEndpoint the offending id is a channel status counter id.
struct ErrorEvent {
    std::int64_t offending_correlation_id = 0;
    std::int32_t error_code = 0;
    std::string_view message;

    static Decoded<ErrorEvent> decode(std::span<const std::byte> record);
    [[nodiscard]] std::size_t encoded_length() const;
    std::size_t encode(std::span<std::byte> record) const;
};

/// ON_AVAILABLE_IMAGE.
struct AvailableImage {
    std::int64_t image_correlation_id = 0;
    std::int32_t session_id = 0;
    std::int32_t stream_id = 0;
    std::int64_t subscription_registration_id = 0;
    std::int32_t subscriber_position_counter_id = 0;
    std::string_view log_file_name;
    std::string_view source_identity;

    static Decoded<AvailableImage> decode(std::span<const std::byte> record);
    [[nodiscard]] std::size_t encoded_length() const;
    std::size_t encode(std::span<std::byte> record) const;
};

/// ON_PUBLICATION_READY, ON_EXCLUSIVE_PUBLICATION_READY.
struct PublicationReady {
    std::int64_t correlation_id = 0;
    std::int64_t registration_id = 0;
    std::int32_t session_id = 0;
    std::int32_t stream_id = 0;
    std::int32_t publisher_limit_counter_id = 0;
    std::int32_t channel_status_counter_id = -1;  ///< -1 for IPC
    std::string_view log_file_name;

    static Decoded<PublicationReady> decode(std::span<const std::byte> record);
    [[nodiscard]] std::size_t encoded_length() const;
    std::size_t encode(std::span<std::byte> record) const;
};

/// ON_OPERATION_SUCCESS.
struct OperationSuccess {
    std::int64_t correlation_id = 0;

    static Decoded<OperationSuccess> decode(std::span<const std::byte> record);
    [[nodiscard]] std::size_t encoded_length() const;
    std::size_t encode(std::span<std::byte> record) const;
};

/// ON_UNAVAILABLE_IMAGE.
struct UnavailableImage {
    std::int64_t image_correlation_id = 0;
    std::int64_t subscription_registration_id = 0;
    std::int32_t stream_id = 0;
    std::string_view channel;

    static Decoded<UnavailableImage> decode(std::span<const std::byte> record);
    [[nodiscard]] std::size_t encoded_length() const;
    std::size_t encode(std::span<std::byte> record) const;
};

/// ON_SUBSCRIPTION_READY.
struct SubscriptionReady {
    std::int64_t correlation_id = 0;
    std::int32_t channel_status_counter_id = -1;  ///< -1 for IPC and spies

    static Decoded<SubscriptionReady> decode(std::span<const std::byte> record);
    [[nodiscard]] std::size_t encoded_length() const;
    std::size_t encode(std::span<std::byte> record) const;
};

/// ON_COUNTER_READY, ON_UNAVAILABLE_COUNTER, ON_STATIC_COUNTER. For a client's heartbeat counter the
/// correlation id is the client id.
struct CounterEvent {
    std::int64_t correlation_id = 0;
    std::int32_t counter_id = 0;

    static Decoded<CounterEvent> decode(std::span<const std::byte> record);
    [[nodiscard]] std::size_t encoded_length() const;
    std::size_t encode(std::span<std::byte> record) const;
};

/// ON_CLIENT_TIMEOUT.
struct ClientTimeout {
    std::int64_t client_id = 0;

    static Decoded<ClientTimeout> decode(std::span<const std::byte> record);
    [[nodiscard]] std::size_t encoded_length() const;
    std::size_t encode(std::span<std::byte> record) const;
};

/// ON_PUBLICATION_ERROR. Encoded to at least 72 bytes, which Aeron's C client demands.
struct PublicationError {
    static constexpr std::int16_t kAddressIpv4 = 1;
    static constexpr std::int16_t kAddressIpv6 = 2;

    std::int64_t registration_id = 0;
    std::int64_t destination_registration_id = -1;
    std::int32_t session_id = 0;
    std::int32_t stream_id = 0;
    std::int64_t receiver_id = 0;
    std::int64_t group_tag = -1;
    std::int16_t address_type = kAddressIpv4;
    std::uint16_t source_port = 0;
    std::array<std::byte, 16> source_address{};  ///< network order; IPv4 in the first four
    std::int32_t error_code = 0;
    std::string_view message;

    static Decoded<PublicationError> decode(std::span<const std::byte> record);
    [[nodiscard]] std::size_t encoded_length() const;
    std::size_t encode(std::span<std::byte> record) const;
};

/// ON_NEXT_AVAILABLE_SESSION_ID.
struct NextAvailableSessionId {
    std::int64_t correlation_id = 0;
    std::int32_t session_id = 0;

    static Decoded<NextAvailableSessionId> decode(std::span<const std::byte> record);
    [[nodiscard]] std::size_t encoded_length() const;
    std::size_t encode(std::span<std::byte> record) const;
};

}  // namespace fulmar::layout

/// Commands a client writes into the to-driver ring: one plain struct each, decode and encode.
/// Views (string_view, span) point into the record: copy what must outlive it, and decode from a private
/// copy where another process could still write.
/// threads: values, no sharing.  errors: DecodeFault.  source: Aeron control protocol 1.0.0, commands.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "layout/decode.h"

namespace fulmar::layout {

enum class CommandType : std::int32_t {
    kAddPublication = 0x01,
    kRemovePublication = 0x02,
    kAddExclusivePublication = 0x03,
    kAddSubscription = 0x04,
    kRemoveSubscription = 0x05,
    kClientKeepalive = 0x06,
    kAddDestination = 0x07,
    kRemoveDestination = 0x08,
    kAddCounter = 0x09,
    kRemoveCounter = 0x0A,
    kClientClose = 0x0B,
    kAddReceiveDestination = 0x0C,
    kRemoveReceiveDestination = 0x0D,
    kTerminateDriver = 0x0E,
    kAddStaticCounter = 0x0F,
    kRejectImage = 0x10,
    kRemoveDestinationById = 0x11,
    kGetNextAvailableSessionId = 0x12,
};

/// Every struct below has
///   static Decoded<T> decode(std::span<const std::byte> record);
///   std::size_t encoded_length() const;               // claim this much of the ring
///   std::size_t encode(std::span<std::byte> record) const;  // bytes written; 0 if the room is too short

/// CLIENT_KEEPALIVE, CLIENT_CLOSE, and the opening of every other command, so that a malformed one can
/// still be answered.
struct ClientCommand {
    std::int64_t client_id = 0;
    std::int64_t correlation_id = 0;

    static Decoded<ClientCommand> decode(std::span<const std::byte> record);
    [[nodiscard]] std::size_t encoded_length() const;
    std::size_t encode(std::span<std::byte> record) const;
};

/// ADD_PUBLICATION, ADD_EXCLUSIVE_PUBLICATION.
struct AddPublication {
    std::int64_t client_id = 0;
    std::int64_t correlation_id = 0;
    std::int32_t stream_id = 0;
    std::string_view channel;

    static Decoded<AddPublication> decode(std::span<const std::byte> record);
    [[nodiscard]] std::size_t encoded_length() const;
    std::size_t encode(std::span<std::byte> record) const;
};

inline constexpr std::uint64_t kRemovePublicationFlagRevoke = 1;

/// REMOVE_PUBLICATION. Older clients leave the flags out; decode reads those as 0.
struct RemovePublication {
    std::int64_t client_id = 0;
    std::int64_t correlation_id = 0;
    std::int64_t registration_id = 0;
    std::uint64_t flags = 0;

    static Decoded<RemovePublication> decode(std::span<const std::byte> record);
    [[nodiscard]] std::size_t encoded_length() const;
    std::size_t encode(std::span<std::byte> record) const;
};

/// ADD_SUBSCRIPTION. registration_correlation_id is ignored by drivers; Aeron's clients send -1.
struct AddSubscription {
    std::int64_t client_id = 0;
    std::int64_t correlation_id = 0;
    std::int64_t registration_correlation_id = -1;
    std::int32_t stream_id = 0;
    std::string_view channel;

    static Decoded<AddSubscription> decode(std::span<const std::byte> record);
    [[nodiscard]] std::size_t encoded_length() const;
    std::size_t encode(std::span<std::byte> record) const;
};

/// REMOVE_SUBSCRIPTION, REMOVE_COUNTER.
struct RemoveResource {
    std::int64_t client_id = 0;
    std::int64_t correlation_id = 0;
    std::int64_t registration_id = 0;

    static Decoded<RemoveResource> decode(std::span<const std::byte> record);
    [[nodiscard]] std::size_t encoded_length() const;
    std::size_t encode(std::span<std::byte> record) const;
};

/// ADD_/REMOVE_DESTINATION (registration of a publication), ADD_/REMOVE_RCV_DESTINATION (of a subscription).
struct DestinationCommand {
    std::int64_t client_id = 0;
    std::int64_t correlation_id = 0;
    std::int64_t registration_id = 0;
    std::string_view channel;

    static Decoded<DestinationCommand> decode(std::span<const std::byte> record);
    [[nodiscard]] std::size_t encoded_length() const;
    std::size_t encode(std::span<std::byte> record) const;
};

/// ADD_COUNTER. Key and label may exceed what a counter holds; who allocates cuts them.
struct AddCounter {
    std::int64_t client_id = 0;
    std::int64_t correlation_id = 0;
    std::int32_t type_id = 0;
    std::span<const std::byte> key;
    std::string_view label;

    static Decoded<AddCounter> decode(std::span<const std::byte> record);
    [[nodiscard]] std::size_t encoded_length() const;
    std::size_t encode(std::span<std::byte> record) const;
};

/// ADD_STATIC_COUNTER: outlives its client; found again by type and registration.
struct AddStaticCounter {
    std::int64_t client_id = 0;
    std::int64_t correlation_id = 0;
    std::int64_t registration_id = 0;
    std::int32_t type_id = 0;
    std::span<const std::byte> key;
    std::string_view label;

    static Decoded<AddStaticCounter> decode(std::span<const std::byte> record);
    [[nodiscard]] std::size_t encoded_length() const;
    std::size_t encode(std::span<std::byte> record) const;
};

/// TERMINATE_DRIVER.
struct TerminateDriver {
    std::int64_t client_id = 0;
    std::int64_t correlation_id = 0;
    std::span<const std::byte> token;

    static Decoded<TerminateDriver> decode(std::span<const std::byte> record);
    [[nodiscard]] std::size_t encoded_length() const;
    std::size_t encode(std::span<std::byte> record) const;
};

/// REJECT_IMAGE. Encoded to at least 40 bytes, which stock drivers demand of short reasons too.
struct RejectImage {
    std::int64_t client_id = 0;
    std::int64_t correlation_id = 0;
    std::int64_t image_correlation_id = 0;
    std::int64_t position = 0;
    std::string_view reason;

    static Decoded<RejectImage> decode(std::span<const std::byte> record);
    [[nodiscard]] std::size_t encoded_length() const;
    std::size_t encode(std::span<std::byte> record) const;
};

/// REMOVE_DESTINATION_BY_ID. The destination's registration id is the correlation id of its add command.
struct RemoveDestinationById {
    std::int64_t client_id = 0;
    std::int64_t correlation_id = 0;
    std::int64_t resource_registration_id = 0;
    std::int64_t destination_registration_id = 0;

    static Decoded<RemoveDestinationById> decode(std::span<const std::byte> record);
    [[nodiscard]] std::size_t encoded_length() const;
    std::size_t encode(std::span<std::byte> record) const;
};

/// GET_NEXT_AVAILABLE_SESSION_ID.
struct GetNextAvailableSessionId {
    std::int64_t client_id = 0;
    std::int64_t correlation_id = 0;
    std::int32_t stream_id = 0;

    static Decoded<GetNextAvailableSessionId> decode(std::span<const std::byte> record);
    [[nodiscard]] std::size_t encoded_length() const;
    std::size_t encode(std::span<std::byte> record) const;
};

}  // namespace fulmar::layout

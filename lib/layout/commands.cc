#include "layout/commands.h"

#include <algorithm>

#include "layout/internal/record_text.h"

namespace fulmar::layout {
namespace {

using base::load_le;
using base::store_le;
using namespace internal;

constexpr std::size_t kClientIdField = 0;
constexpr std::size_t kCorrelationIdField = 8;
constexpr std::size_t kClientCommandLength = 16;
constexpr std::size_t kRejectImageLengthMin = 40;

template <class T>
T opened(std::span<const std::byte> record) {
    T value;
    value.client_id = load_le<std::int64_t>(record.data(), kClientIdField);
    value.correlation_id = load_le<std::int64_t>(record.data(), kCorrelationIdField);
    return value;
}

template <class T>
void open_with(std::span<std::byte> record, const T& value) {
    store_le(record.data(), kClientIdField, value.client_id);
    store_le(record.data(), kCorrelationIdField, value.correlation_id);
}

/// Key and label of a counter, whose key's length field is at `offset`.
template <class T>
Decoded<T> with_key_and_label(std::span<const std::byte> record, std::size_t offset, T value) {
    FULMAR_TRY(key, read_bytes(record, offset));
    FULMAR_TRY(label, read_text(record, second_text_offset(offset, key.size())));
    value.key = key;
    value.label = label;
    return value;
}

template <class T>
void write_key_and_label(std::span<std::byte> record, std::size_t offset, const T& value) {
    const std::size_t label_offset = second_text_offset(offset, value.key.size());
    write_bytes(record, offset, value.key);
    zero(record, offset + kLengthField + value.key.size(), label_offset);
    write_text(record, label_offset, value.label);
}

template <class T>
std::size_t key_and_label_end(std::size_t offset, const T& value) {
    return second_text_offset(offset, value.key.size()) + kLengthField + value.label.size();
}

}  // namespace

Decoded<ClientCommand> ClientCommand::decode(std::span<const std::byte> record) {
    if (record.size() < kClientCommandLength) {
        return Unexpected{DecodeFault::kTooShort};
    }
    return opened<ClientCommand>(record);
}

std::size_t ClientCommand::encoded_length() const {
    return kClientCommandLength;
}

std::size_t ClientCommand::encode(std::span<std::byte> record) const {
    if (record.size() < encoded_length()) {
        return 0;
    }
    open_with(record, *this);
    return encoded_length();
}

Decoded<AddPublication> AddPublication::decode(std::span<const std::byte> record) {
    FULMAR_TRY(channel, read_channel(record, 20));
    auto value = opened<AddPublication>(record);
    value.stream_id = load_le<std::int32_t>(record.data(), 16);
    value.channel = channel;
    return value;
}

std::size_t AddPublication::encoded_length() const {
    return 24 + channel.size();
}

std::size_t AddPublication::encode(std::span<std::byte> record) const {
    if (record.size() < encoded_length()) {
        return 0;
    }
    open_with(record, *this);
    store_le(record.data(), 16, stream_id);
    write_text(record, 20, channel);
    return encoded_length();
}

Decoded<RemovePublication> RemovePublication::decode(std::span<const std::byte> record) {
    constexpr std::size_t kLengthWithoutFlags = 24;
    if (record.size() != kLengthWithoutFlags && record.size() < 32) {
        return Unexpected{DecodeFault::kTooShort};
    }
    auto value = opened<RemovePublication>(record);
    value.registration_id = load_le<std::int64_t>(record.data(), 16);
    value.flags = record.size() == kLengthWithoutFlags ? 0 : load_le<std::uint64_t>(record.data(), 24);
    return value;
}

std::size_t RemovePublication::encoded_length() const {
    return 32;
}

std::size_t RemovePublication::encode(std::span<std::byte> record) const {
    if (record.size() < encoded_length()) {
        return 0;
    }
    open_with(record, *this);
    store_le(record.data(), 16, registration_id);
    store_le(record.data(), 24, flags);
    return encoded_length();
}

Decoded<AddSubscription> AddSubscription::decode(std::span<const std::byte> record) {
    FULMAR_TRY(channel, read_channel(record, 28));
    auto value = opened<AddSubscription>(record);
    value.registration_correlation_id = load_le<std::int64_t>(record.data(), 16);
    value.stream_id = load_le<std::int32_t>(record.data(), 24);
    value.channel = channel;
    return value;
}

std::size_t AddSubscription::encoded_length() const {
    return 32 + channel.size();
}

std::size_t AddSubscription::encode(std::span<std::byte> record) const {
    if (record.size() < encoded_length()) {
        return 0;
    }
    open_with(record, *this);
    store_le(record.data(), 16, registration_correlation_id);
    store_le(record.data(), 24, stream_id);
    write_text(record, 28, channel);
    return encoded_length();
}

Decoded<RemoveResource> RemoveResource::decode(std::span<const std::byte> record) {
    if (record.size() < 24) {
        return Unexpected{DecodeFault::kTooShort};
    }
    auto value = opened<RemoveResource>(record);
    value.registration_id = load_le<std::int64_t>(record.data(), 16);
    return value;
}

std::size_t RemoveResource::encoded_length() const {
    return 24;
}

std::size_t RemoveResource::encode(std::span<std::byte> record) const {
    if (record.size() < encoded_length()) {
        return 0;
    }
    open_with(record, *this);
    store_le(record.data(), 16, registration_id);
    return encoded_length();
}

Decoded<DestinationCommand> DestinationCommand::decode(std::span<const std::byte> record) {
    FULMAR_TRY(channel, read_channel(record, 24));
    auto value = opened<DestinationCommand>(record);
    value.registration_id = load_le<std::int64_t>(record.data(), 16);
    value.channel = channel;
    return value;
}

std::size_t DestinationCommand::encoded_length() const {
    return 28 + channel.size();
}

std::size_t DestinationCommand::encode(std::span<std::byte> record) const {
    if (record.size() < encoded_length()) {
        return 0;
    }
    open_with(record, *this);
    store_le(record.data(), 16, registration_id);
    write_text(record, 24, channel);
    return encoded_length();
}

Decoded<AddCounter> AddCounter::decode(std::span<const std::byte> record) {
    if (record.size() < 20) {
        return Unexpected{DecodeFault::kTooShort};
    }
    auto value = opened<AddCounter>(record);
    value.type_id = load_le<std::int32_t>(record.data(), 16);
    return with_key_and_label(record, 20, value);
}

std::size_t AddCounter::encoded_length() const {
    return key_and_label_end(20, *this);
}

std::size_t AddCounter::encode(std::span<std::byte> record) const {
    if (record.size() < encoded_length()) {
        return 0;
    }
    open_with(record, *this);
    store_le(record.data(), 16, type_id);
    write_key_and_label(record, 20, *this);
    return encoded_length();
}

Decoded<AddStaticCounter> AddStaticCounter::decode(std::span<const std::byte> record) {
    if (record.size() < 28) {
        return Unexpected{DecodeFault::kTooShort};
    }
    auto value = opened<AddStaticCounter>(record);
    value.registration_id = load_le<std::int64_t>(record.data(), 16);
    value.type_id = load_le<std::int32_t>(record.data(), 24);
    return with_key_and_label(record, 28, value);
}

std::size_t AddStaticCounter::encoded_length() const {
    return key_and_label_end(28, *this);
}

std::size_t AddStaticCounter::encode(std::span<std::byte> record) const {
    if (record.size() < encoded_length()) {
        return 0;
    }
    open_with(record, *this);
    store_le(record.data(), 16, registration_id);
    store_le(record.data(), 24, type_id);
    write_key_and_label(record, 28, *this);
    return encoded_length();
}

Decoded<TerminateDriver> TerminateDriver::decode(std::span<const std::byte> record) {
    FULMAR_TRY(token, read_bytes(record, 16));
    auto value = opened<TerminateDriver>(record);
    value.token = token;
    return value;
}

std::size_t TerminateDriver::encoded_length() const {
    return 20 + token.size();
}

std::size_t TerminateDriver::encode(std::span<std::byte> record) const {
    if (record.size() < encoded_length()) {
        return 0;
    }
    open_with(record, *this);
    write_bytes(record, 16, token);
    return encoded_length();
}

Decoded<RejectImage> RejectImage::decode(std::span<const std::byte> record) {
    FULMAR_TRY(reason, read_reason(record, 32));
    auto value = opened<RejectImage>(record);
    value.image_correlation_id = load_le<std::int64_t>(record.data(), 16);
    value.position = load_le<std::int64_t>(record.data(), 24);
    value.reason = reason;
    return value;
}

std::size_t RejectImage::encoded_length() const {
    return std::max(36 + reason.size(), kRejectImageLengthMin);
}

std::size_t RejectImage::encode(std::span<std::byte> record) const {
    if (record.size() < encoded_length()) {
        return 0;
    }
    open_with(record, *this);
    store_le(record.data(), 16, image_correlation_id);
    store_le(record.data(), 24, position);
    write_text(record, 32, reason);
    zero(record, 36 + reason.size(), encoded_length());
    return encoded_length();
}

Decoded<RemoveDestinationById> RemoveDestinationById::decode(std::span<const std::byte> record) {
    if (record.size() < 32) {
        return Unexpected{DecodeFault::kTooShort};
    }
    auto value = opened<RemoveDestinationById>(record);
    value.resource_registration_id = load_le<std::int64_t>(record.data(), 16);
    value.destination_registration_id = load_le<std::int64_t>(record.data(), 24);
    return value;
}

std::size_t RemoveDestinationById::encoded_length() const {
    return 32;
}

std::size_t RemoveDestinationById::encode(std::span<std::byte> record) const {
    if (record.size() < encoded_length()) {
        return 0;
    }
    open_with(record, *this);
    store_le(record.data(), 16, resource_registration_id);
    store_le(record.data(), 24, destination_registration_id);
    return encoded_length();
}

Decoded<GetNextAvailableSessionId> GetNextAvailableSessionId::decode(std::span<const std::byte> record) {
    if (record.size() < 20) {
        return Unexpected{DecodeFault::kTooShort};
    }
    auto value = opened<GetNextAvailableSessionId>(record);
    value.stream_id = load_le<std::int32_t>(record.data(), 16);
    return value;
}

std::size_t GetNextAvailableSessionId::encoded_length() const {
    return 20;
}

std::size_t GetNextAvailableSessionId::encode(std::span<std::byte> record) const {
    if (record.size() < encoded_length()) {
        return 0;
    }
    open_with(record, *this);
    store_le(record.data(), 16, stream_id);
    return encoded_length();
}

}  // namespace fulmar::layout

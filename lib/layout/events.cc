#include "layout/events.h"

#include <algorithm>

#include "layout/internal/record_text.h"

namespace fulmar::layout {
namespace {

using base::load_le;
using base::store_le;
using namespace internal;

constexpr std::size_t kPublicationErrorLengthMin = 72;
constexpr std::size_t kSourceAddressField = 44;

}  // namespace

Decoded<ErrorEvent> ErrorEvent::decode(std::span<const std::byte> record) {
    FULMAR_TRY(message, read_text(record, 12));
    return ErrorEvent{
        .offending_correlation_id = load_le<std::int64_t>(record.data(), 0),
        .error_code = load_le<std::int32_t>(record.data(), 8),
        .message = message,
    };
}

std::size_t ErrorEvent::encoded_length() const {
    return 16 + message.size();
}

std::size_t ErrorEvent::encode(std::span<std::byte> record) const {
    if (record.size() < encoded_length()) {
        return 0;
    }
    store_le(record.data(), 0, offending_correlation_id);
    store_le(record.data(), 8, error_code);
    write_text(record, 12, message);
    return encoded_length();
}

Decoded<AvailableImage> AvailableImage::decode(std::span<const std::byte> record) {
    FULMAR_TRY(log_file_name, read_text(record, 28));
    FULMAR_TRY(source_identity, read_text(record, second_text_offset(28, log_file_name.size())));
    return AvailableImage{
        .image_correlation_id = load_le<std::int64_t>(record.data(), 0),
        .session_id = load_le<std::int32_t>(record.data(), 8),
        .stream_id = load_le<std::int32_t>(record.data(), 12),
        .subscription_registration_id = load_le<std::int64_t>(record.data(), 16),
        .subscriber_position_counter_id = load_le<std::int32_t>(record.data(), 24),
        .log_file_name = log_file_name,
        .source_identity = source_identity,
    };
}

std::size_t AvailableImage::encoded_length() const {
    return second_text_offset(28, log_file_name.size()) + kLengthField + source_identity.size();
}

std::size_t AvailableImage::encode(std::span<std::byte> record) const {
    if (record.size() < encoded_length()) {
        return 0;
    }
    store_le(record.data(), 0, image_correlation_id);
    store_le(record.data(), 8, session_id);
    store_le(record.data(), 12, stream_id);
    store_le(record.data(), 16, subscription_registration_id);
    store_le(record.data(), 24, subscriber_position_counter_id);
    write_text(record, 28, log_file_name);
    const std::size_t source_offset = second_text_offset(28, log_file_name.size());
    zero(record, 28 + kLengthField + log_file_name.size(), source_offset);
    write_text(record, source_offset, source_identity);
    return encoded_length();
}

Decoded<PublicationReady> PublicationReady::decode(std::span<const std::byte> record) {
    FULMAR_TRY(log_file_name, read_text(record, 32));
    return PublicationReady{
        .correlation_id = load_le<std::int64_t>(record.data(), 0),
        .registration_id = load_le<std::int64_t>(record.data(), 8),
        .session_id = load_le<std::int32_t>(record.data(), 16),
        .stream_id = load_le<std::int32_t>(record.data(), 20),
        .publisher_limit_counter_id = load_le<std::int32_t>(record.data(), 24),
        .channel_status_counter_id = load_le<std::int32_t>(record.data(), 28),
        .log_file_name = log_file_name,
    };
}

std::size_t PublicationReady::encoded_length() const {
    return 36 + log_file_name.size();
}

std::size_t PublicationReady::encode(std::span<std::byte> record) const {
    if (record.size() < encoded_length()) {
        return 0;
    }
    store_le(record.data(), 0, correlation_id);
    store_le(record.data(), 8, registration_id);
    store_le(record.data(), 16, session_id);
    store_le(record.data(), 20, stream_id);
    store_le(record.data(), 24, publisher_limit_counter_id);
    store_le(record.data(), 28, channel_status_counter_id);
    write_text(record, 32, log_file_name);
    return encoded_length();
}

Decoded<OperationSuccess> OperationSuccess::decode(std::span<const std::byte> record) {
    if (record.size() < 8) {
        return Unexpected{DecodeFault::kTooShort};
    }
    return OperationSuccess{.correlation_id = load_le<std::int64_t>(record.data(), 0)};
}

std::size_t OperationSuccess::encoded_length() const {
    return 8;
}

std::size_t OperationSuccess::encode(std::span<std::byte> record) const {
    if (record.size() < encoded_length()) {
        return 0;
    }
    store_le(record.data(), 0, correlation_id);
    return encoded_length();
}

Decoded<UnavailableImage> UnavailableImage::decode(std::span<const std::byte> record) {
    FULMAR_TRY(channel, read_channel(record, 20));
    return UnavailableImage{
        .image_correlation_id = load_le<std::int64_t>(record.data(), 0),
        .subscription_registration_id = load_le<std::int64_t>(record.data(), 8),
        .stream_id = load_le<std::int32_t>(record.data(), 16),
        .channel = channel,
    };
}

std::size_t UnavailableImage::encoded_length() const {
    return 24 + channel.size();
}

std::size_t UnavailableImage::encode(std::span<std::byte> record) const {
    if (record.size() < encoded_length()) {
        return 0;
    }
    store_le(record.data(), 0, image_correlation_id);
    store_le(record.data(), 8, subscription_registration_id);
    store_le(record.data(), 16, stream_id);
    write_text(record, 20, channel);
    return encoded_length();
}

Decoded<SubscriptionReady> SubscriptionReady::decode(std::span<const std::byte> record) {
    if (record.size() < 12) {
        return Unexpected{DecodeFault::kTooShort};
    }
    return SubscriptionReady{
        .correlation_id = load_le<std::int64_t>(record.data(), 0),
        .channel_status_counter_id = load_le<std::int32_t>(record.data(), 8),
    };
}

std::size_t SubscriptionReady::encoded_length() const {
    return 12;
}

std::size_t SubscriptionReady::encode(std::span<std::byte> record) const {
    if (record.size() < encoded_length()) {
        return 0;
    }
    store_le(record.data(), 0, correlation_id);
    store_le(record.data(), 8, channel_status_counter_id);
    return encoded_length();
}

Decoded<CounterEvent> CounterEvent::decode(std::span<const std::byte> record) {
    if (record.size() < 12) {
        return Unexpected{DecodeFault::kTooShort};
    }
    return CounterEvent{
        .correlation_id = load_le<std::int64_t>(record.data(), 0),
        .counter_id = load_le<std::int32_t>(record.data(), 8),
    };
}

std::size_t CounterEvent::encoded_length() const {
    return 12;
}

std::size_t CounterEvent::encode(std::span<std::byte> record) const {
    if (record.size() < encoded_length()) {
        return 0;
    }
    store_le(record.data(), 0, correlation_id);
    store_le(record.data(), 8, counter_id);
    return encoded_length();
}

Decoded<ClientTimeout> ClientTimeout::decode(std::span<const std::byte> record) {
    if (record.size() < 8) {
        return Unexpected{DecodeFault::kTooShort};
    }
    return ClientTimeout{.client_id = load_le<std::int64_t>(record.data(), 0)};
}

std::size_t ClientTimeout::encoded_length() const {
    return 8;
}

std::size_t ClientTimeout::encode(std::span<std::byte> record) const {
    if (record.size() < encoded_length()) {
        return 0;
    }
    store_le(record.data(), 0, client_id);
    return encoded_length();
}

Decoded<PublicationError> PublicationError::decode(std::span<const std::byte> record) {
    FULMAR_TRY(message, read_text(record, 64));
    PublicationError value{
        .registration_id = load_le<std::int64_t>(record.data(), 0),
        .destination_registration_id = load_le<std::int64_t>(record.data(), 8),
        .session_id = load_le<std::int32_t>(record.data(), 16),
        .stream_id = load_le<std::int32_t>(record.data(), 20),
        .receiver_id = load_le<std::int64_t>(record.data(), 24),
        .group_tag = load_le<std::int64_t>(record.data(), 32),
        .address_type = load_le<std::int16_t>(record.data(), 40),
        .source_port = load_le<std::uint16_t>(record.data(), 42),
        .error_code = load_le<std::int32_t>(record.data(), 60),
        .message = message,
    };
    const auto address = record.subspan(kSourceAddressField, value.source_address.size());
    std::copy(address.begin(), address.end(), value.source_address.begin());
    return value;
}

std::size_t PublicationError::encoded_length() const {
    return std::max(68 + message.size(), kPublicationErrorLengthMin);
}

std::size_t PublicationError::encode(std::span<std::byte> record) const {
    if (record.size() < encoded_length()) {
        return 0;
    }
    store_le(record.data(), 0, registration_id);
    store_le(record.data(), 8, destination_registration_id);
    store_le(record.data(), 16, session_id);
    store_le(record.data(), 20, stream_id);
    store_le(record.data(), 24, receiver_id);
    store_le(record.data(), 32, group_tag);
    store_le(record.data(), 40, address_type);
    store_le(record.data(), 42, source_port);
    store_le(record.data(), kSourceAddressField, source_address);
    store_le(record.data(), 60, error_code);
    write_text(record, 64, message);
    zero(record, 68 + message.size(), encoded_length());
    return encoded_length();
}

Decoded<NextAvailableSessionId> NextAvailableSessionId::decode(std::span<const std::byte> record) {
    if (record.size() < 12) {
        return Unexpected{DecodeFault::kTooShort};
    }
    return NextAvailableSessionId{
        .correlation_id = load_le<std::int64_t>(record.data(), 0),
        .session_id = load_le<std::int32_t>(record.data(), 8),
    };
}

std::size_t NextAvailableSessionId::encoded_length() const {
    return 12;
}

std::size_t NextAvailableSessionId::encode(std::span<std::byte> record) const {
    if (record.size() < encoded_length()) {
        return 0;
    }
    store_le(record.data(), 0, correlation_id);
    store_le(record.data(), 8, session_id);
    return encoded_length();
}

}  // namespace fulmar::layout

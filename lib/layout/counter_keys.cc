#include "layout/counter_keys.h"

#include <algorithm>
#include <charconv>
#include <limits>

#include "base/bytes.h"

namespace fulmar::layout {
namespace {

using base::store_le;

/// Writes a length field and the text, cut at `text_max`.
void put_text(CounterKey& key, std::size_t offset, std::string_view text, std::size_t text_max) {
    const std::size_t length = std::min(text.size(), text_max);
    store_le(key.bytes.data(), offset, static_cast<std::int32_t>(length));
    std::copy_n(
        text.data(), length, reinterpret_cast<char*>(key.bytes.data()) + offset + sizeof(std::int32_t));
}

}  // namespace

CounterLabel& CounterLabel::append(std::string_view part) {
    const std::size_t count = std::min(part.size(), text.size() - length);
    std::copy_n(part.data(), count, text.data() + length);
    length += count;
    return *this;
}

CounterLabel& CounterLabel::append(std::int64_t number) {
    std::array<char, std::numeric_limits<std::int64_t>::digits10 + 3> digits;
    const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number).ptr;
    return append(std::string_view(digits.data(), static_cast<std::size_t>(end - digits.data())));
}

CounterKey system_counter_key(std::int32_t id) {
    CounterKey key;
    key.length = sizeof id;
    store_le(key.bytes.data(), 0, id);
    return key;
}

CounterKey stream_counter_key(
    std::int64_t registration_id, std::int32_t session_id, std::int32_t stream_id, std::string_view channel) {
    CounterKey key;
    key.length = kCounterKeyMax;
    store_le(key.bytes.data(), 0, registration_id);
    store_le(key.bytes.data(), 8, session_id);
    store_le(key.bytes.data(), 12, stream_id);
    put_text(key, 16, channel, kStreamKeyChannelMax);
    return key;
}

CounterLabel stream_counter_label(std::string_view name, std::int64_t registration_id,
    std::int32_t session_id, std::int32_t stream_id, std::string_view channel, std::string_view suffix) {
    CounterLabel label;
    label.append(name).append(": ").append(registration_id).append(" ");
    label.append(session_id).append(" ").append(stream_id).append(" ");
    label.append(channel).append(suffix);
    return label;
}

CounterLabel subscriber_position_label(std::int64_t registration_id, std::int32_t session_id,
    std::int32_t stream_id, std::string_view channel, std::int64_t join_position) {
    CounterLabel label = stream_counter_label(
        counter_name::kSubscriberPosition, registration_id, session_id, stream_id, channel, " @");
    label.append(join_position);
    return label;
}

CounterKey channel_status_key(std::string_view channel) {
    CounterKey key;
    key.length = kCounterKeyMax;
    put_text(key, 0, channel, kChannelStatusKeyChannelMax);
    return key;
}

CounterLabel channel_status_label(
    std::string_view name, std::string_view channel, std::string_view bound_address) {
    CounterLabel label;
    label.append(name).append(": ").append(channel);
    if (!bound_address.empty()) {
        label.append(" ").append(bound_address);
    }
    return label;
}

CounterKey local_sockaddr_key(std::int32_t channel_status_counter_id, std::string_view address) {
    CounterKey key;
    key.length = kCounterKeyMax;
    store_le(key.bytes.data(), 0, channel_status_counter_id);
    put_text(key, 4, address, kLocalSockaddrKeyTextMax);
    return key;
}

CounterLabel local_sockaddr_label(
    std::string_view name, std::int32_t channel_status_counter_id, std::string_view address) {
    CounterLabel label;
    label.append(name).append(": ").append(channel_status_counter_id).append(" ").append(address);
    return label;
}

CounterKey client_heartbeat_key(std::int64_t client_id) {
    CounterKey key;
    key.length = sizeof client_id;
    store_le(key.bytes.data(), 0, client_id);
    return key;
}

CounterLabel client_heartbeat_label(std::int64_t client_id) {
    CounterLabel label;
    label.append(counter_name::kClientHeartbeat).append(": id=").append(client_id);
    return label;
}

}  // namespace fulmar::layout

#include "archive_server/counters.h"

#include <algorithm>
#include <utility>

#include "base/bytes.h"
#include "client/heartbeat.h"
#include "layout/counters.h"

namespace fulmar::archive {
namespace {

using Key = std::vector<std::byte>;

template <class T>
void put(Key& key, T value) {
    key.resize(key.size() + sizeof value);
    base::store_le<T>(key.data(), key.size() - sizeof value, value);
}

Key archive_key(std::int64_t archive_id) {
    Key key;
    put(key, archive_id);
    return key;
}

std::string suffix(std::int64_t archive_id) {
    return " - archiveId=" + std::to_string(archive_id);
}

/// The suffix stays whole: people tell archives apart by it.
std::string label(std::string text, std::int64_t archive_id) {
    const std::string end = suffix(archive_id);
    text.resize(std::min(text.size(), layout::kCounterLabelMax - end.size()));
    return text + end;
}

Key recording_key(const Recording& recording, std::int64_t archive_id) {
    Key key;
    put(key, recording.id);
    put(key, recording.session_id);
    const std::size_t room = layout::kCounterKeyMax - key.size() - sizeof(std::int32_t) - sizeof archive_id;
    const std::string_view source = std::string_view(recording.source_identity).substr(0, room);
    put(key, static_cast<std::int32_t>(source.size()));
    for (const char c : source) {
        key.push_back(static_cast<std::byte>(c));
    }
    put(key, archive_id);
    return key;
}

PendingCounter recording_counter(Client& client, const Recording& recording, std::int64_t archive_id,
    std::int32_t type_id, std::string_view name) {
    const Key key = recording_key(recording, archive_id);
    const std::string text = label(std::string(name) + ": " + std::to_string(recording.id) + " " +
                                       std::to_string(recording.session_id) + " " +
                                       std::to_string(recording.stream_id) + " " + recording.stripped_channel,
        archive_id);
    return PendingCounter(client, {.type_id = type_id, .key = key, .label = text});
}

}  // namespace

PendingCounter::PendingCounter(Client& client, const CounterSpec& spec) : client_(&client) {
    auto request = client.async_add_counter(spec);
    if (request) {
        request_ = *request;
    } else {
        error_ = request.error().message;
    }
}

PendingCounter::~PendingCounter() {
    if (request_ >= 0) {
        client_->cancel(request_);
    }
}

PendingCounter::PendingCounter(PendingCounter&& other) noexcept
    : client_(other.client_),
      request_(std::exchange(other.request_, -1)),
      counter_(std::move(other.counter_)),
      error_(std::move(other.error_)) {}

PendingCounter& PendingCounter::operator=(PendingCounter&& other) noexcept {
    std::swap(client_, other.client_);
    std::swap(request_, other.request_);
    std::swap(counter_, other.counter_);
    std::swap(error_, other.error_);
    return *this;
}

bool PendingCounter::poll() {
    if (request_ < 0) {
        return counter_ != nullptr || !error_.empty();
    }
    auto found = client_->find_counter(request_);
    if (!found) {
        error_ = found.error().message;
        request_ = -1;
        return true;
    }
    if (*found == nullptr) {
        return false;
    }
    counter_ = *std::move(found);
    request_ = -1;
    return true;
}

PendingCounter recording_position_counter(
    Client& client, const Recording& recording, std::int64_t archive_id) {
    return recording_counter(client, recording, archive_id, counter_type::kRecordingPosition, "rec-pos");
}

PendingCounter recording_written_counter(
    Client& client, const Recording& recording, std::int64_t archive_id) {
    return recording_counter(client, recording, archive_id, counter_type::kRecordingWritten, "rec-written");
}

PendingCounter archive_counter(
    Client& client, std::int32_t type_id, std::string_view text, std::int64_t archive_id) {
    const Key key = archive_key(archive_id);
    return PendingCounter(
        client, {.type_id = type_id, .key = key, .label = label(std::string(text), archive_id)});
}

PendingCounter archive_errors_counter(Client& client, std::int64_t archive_id) {
    const Key key = archive_key(archive_id);
    const std::string text = "Archive Errors" + suffix(archive_id) + " " + client::version_text();
    return PendingCounter(client, {.type_id = counter_type::kErrors, .key = key, .label = text});
}

PendingCounter control_session_counter(
    Client& client, std::int64_t control_session_id, std::string_view who, std::int64_t archive_id) {
    Key key = archive_key(archive_id);
    put(key, control_session_id);
    return PendingCounter(client, {.type_id = counter_type::kControlSession,
                                      .key = key,
                                      .label = label("control-session: " + std::string(who), archive_id)});
}

}  // namespace fulmar::archive

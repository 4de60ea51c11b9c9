// Streams, their recordings, and what the archive says of them.
#include <algorithm>
#include <fmt/core.h>

#include "base/bytes.h"
#include "fulmar/archive/recording_position.h"
#include "tests/lab/archive_rounds.h"

namespace fulmar::lab {

Status Rounds::begin(Stream& stream) {
    const std::string terms = fmt::format("term-length={}", kTermLength);
    if (stream.recording_id == kNullRecordingId) {
        FULMAR_TRY(
            publication, client_->add_exclusive_publication(with(stream.channel, terms), stream.stream_id));
        stream.publication = std::move(publication);
        stream.initial_term_id = stream.publication->initial_term_id();
        FULMAR_TRY(
            subscription, archive_->start_recording(session_of(stream), stream.stream_id, stream.source));
        (void)subscription;
    } else {
        const std::int64_t position = stream.verified;
        const auto term_id = stream.initial_term_id + static_cast<std::int32_t>(position / kTermLength);
        FULMAR_TRY(publication,
            client_->add_exclusive_publication(
                with(stream.channel, fmt::format("{}|init-term-id={}|term-id={}|term-offset={}", terms,
                                         stream.initial_term_id, term_id, position % kTermLength)),
                stream.stream_id));
        stream.publication = std::move(publication);
        FULMAR_TRY(subscription, archive_->extend_recording(stream.recording_id, session_of(stream),
                                     stream.stream_id, stream.source));
        (void)subscription;
    }
    stream.next_message = stream.verified_messages;
    return wait("its position counter", [&] {
        const auto counter = find_recording_counter_by_session(
            client_->counters(), stream.publication->session_id(), archive_->archive_id());
        if (!counter) {
            return false;
        }
        const auto position = RecordingPosition::open(client_->counters(), *counter);
        if (position) {
            stream.recording_id = position->recording_id();
        }
        return position.has_value();
    });
}

Status Rounds::publish(Duration length) {
    const Instant end = client_->now() + length;
    BackoffIdle idle;
    while (client_->now() < end) {
        int work = archive_->poll();
        for (Stream& stream : streams_) {
            work += offer(stream);
            note_positions(stream);
        }
        idle.idle(work);
    }
    return Done{};
}

Status Rounds::publish_until_unsynced() {
    return wait("bytes that are written and not yet durable", [&] {
        bool is_behind = false;
        for (Stream& stream : streams_) {
            (void)offer(stream);
            note_positions(stream);
            is_behind = is_behind || stream.written > stream.acknowledged;
        }
        return is_behind;
    });
}

int Rounds::offer(Stream& stream) {
    int sent = 0;
    while (sent < 16 && stream.publication->offer(stream.messages.message(stream.next_message)).is_ok()) {
        ++stream.next_message;
        ++sent;
    }
    return sent;
}

bool Rounds::is_of_archive(std::span<const std::byte> key, std::int64_t archive_id) {
    const auto source = static_cast<std::size_t>(base::load_le<std::int32_t>(key.data(), 12));
    const std::size_t at = 16 + source;
    return at + sizeof archive_id <= key.size() && base::load_le<std::int64_t>(key.data(), at) == archive_id;
}

void Rounds::note_positions(Stream& stream) {
    // Also after the kill: the counters of the dead stay until the driver notices, and what stands there
    // was acknowledged to whoever looked.
    client_->counters().for_each([&](const observe::CounterView& counter) {
        if (counter.type_id != kRecordingPositionTypeId && counter.type_id != kWrittenTypeId) {
            return;
        }
        // The archive's id ends the key: counters of the archives before linger for a while.
        const std::size_t key = 2 * sizeof(std::int64_t);
        if (counter.key.size() < key ||
            base::load_le<std::int64_t>(counter.key.data(), 0) != stream.recording_id ||
            !is_of_archive(counter.key, archive_->archive_id())) {
            return;
        }
        std::int64_t& noted = counter.type_id == kWrittenTypeId ? stream.written : stream.acknowledged;
        noted = std::max(noted, counter.value);
    });
}

}  // namespace fulmar::lab

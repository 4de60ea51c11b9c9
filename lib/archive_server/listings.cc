#include "archive_server/listings.h"

#include <algorithm>
#include <cstring>

#include "base/bytes.h"
#include "fulmar/sbe/layout.h"

namespace fulmar::archive {
namespace {

/// A descriptor travels as it lies in the catalog, padding included, behind a message header.
std::span<const std::byte> descriptor_message(const Catalog& catalog, std::size_t index,
    std::int64_t control_session_id, std::int64_t correlation_id, std::span<std::byte> buffer) {
    const std::span<const std::byte> body = catalog.descriptor(index);
    sbe::Encoder<RecordingDescriptor> header(buffer);
    constexpr std::size_t kHeader = sbe::header_length<RecordingDescriptor>;
    std::memcpy(buffer.data() + kHeader, body.data(), body.size());
    base::store_le<std::int64_t>(
        buffer.data(), kHeader + sbe::offset_of<RecordingDescriptor, "controlSessionId">, control_session_id);
    base::store_le<std::int64_t>(
        buffer.data(), kHeader + sbe::offset_of<RecordingDescriptor, "correlationId">, correlation_id);
    return buffer.first(kHeader + body.size());
}

/// The first entry of an id that is not below this one.
std::size_t lower_bound(const Catalog& catalog, std::int64_t recording_id) {
    std::size_t low = 0;
    std::size_t high = catalog.size();
    while (low < high) {
        const std::size_t middle = low + (high - low) / 2;
        if (catalog.id_at(middle) < recording_id) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

class RecordingListing final : public Listing {
  public:
    RecordingListing(const CatalogFile& file, std::int64_t correlation_id, RecordingFilter filter)
        : file_(file),
          catalog_(file.catalog()),
          correlation_id_(correlation_id),
          filter_(std::move(filter)),
          next_id_(filter_.from_recording_id) {}

    bool poll(Responder& responder, Instant now) override {
        // The catalog may grow between rounds; ids stay.
        std::size_t index = lower_bound(catalog_, next_id_);
        for (int looked = 0; looked < kLookedMax; ++looked, ++index) {
            if (sent_ >= filter_.count) {
                return true;
            }
            if (index >= file_.visible()) {
                responder.response(correlation_id_, ControlResponseCode::kRecordingUnknown,
                    filter_.from_recording_id, "", now);
                return true;
            }
            if (matches(catalog_.at(index))) {
                if (!responder.try_post(descriptor_message(catalog_, index, responder.control_session_id(),
                        correlation_id_, responder.scratch()))) {
                    return responder.is_broken();
                }
                ++sent_;
            }
            next_id_ = catalog_.id_at(index) + 1;
        }
        return false;
    }

  private:
    /// Entries looked at in one round of a session.
    static constexpr int kLookedMax = 256;

    [[nodiscard]] bool matches(const Recording& recording) const {
        return recording.state == RecordingState::kValid &&
               (!filter_.has_channel ||
                   (recording.stream_id == filter_.stream_id &&
                       recording.original_channel.find(filter_.channel_part) != std::string::npos));
    }

    const CatalogFile& file_;
    const Catalog& catalog_;
    const std::int64_t correlation_id_;
    const RecordingFilter filter_;
    std::int64_t next_id_;
    std::int32_t sent_ = 0;
};

class SubscriptionListing final : public Listing {
  public:
    SubscriptionListing(const Recordings& recordings, std::int64_t correlation_id, SubscriptionFilter filter)
        : recordings_(recordings), correlation_id_(correlation_id), filter_(std::move(filter)) {}

    bool poll(Responder& responder, Instant now) override {
        std::int32_t index = 0;
        for (const Recordings::Subscriber& subscriber : recordings_.subscribers()) {
            if (subscriber.is_stopping || !matches(subscriber) || index++ < filter_.skip + sent_) {
                continue;
            }
            if (sent_ >= filter_.count) {
                return true;
            }
            sbe::Encoder<RecordingSubscriptionDescriptor> message(responder.scratch());
            message.set<"controlSessionId">(responder.control_session_id())
                .set<"correlationId">(correlation_id_)
                .set<"subscriptionId">(subscriber.id)
                .set<"streamId">(subscriber.stream_id);
            message.data<"strippedChannel">(subscriber.stripped);
            if (!responder.try_post(*message.finish())) {
                return responder.is_broken();
            }
            ++sent_;
        }
        if (sent_ < filter_.count) {
            responder.response(correlation_id_, ControlResponseCode::kSubscriptionUnknown, 0, "", now);
        }
        return true;
    }

  private:
    [[nodiscard]] bool matches(const Recordings::Subscriber& subscriber) const {
        return (!filter_.has_stream || subscriber.stream_id == filter_.stream_id) &&
               subscriber.stripped.find(filter_.channel_part) != std::string::npos;
    }

    const Recordings& recordings_;
    const std::int64_t correlation_id_;
    const SubscriptionFilter filter_;
    std::int32_t sent_ = 0;
};

class PersistedAnswer final : public Listing {
  public:
    PersistedAnswer(const CatalogFile& catalog, CatalogFile::Ticket ticket, std::int64_t correlation_id)
        : catalog_(catalog), ticket_(ticket), correlation_id_(correlation_id) {}

    bool poll(Responder& responder, Instant now) override {
        if (!catalog_.is_persisted(ticket_)) {
            return false;
        }
        responder.ok(correlation_id_, 0, now);
        return true;
    }

  private:
    const CatalogFile& catalog_;
    const CatalogFile::Ticket ticket_;
    const std::int64_t correlation_id_;
};

}  // namespace

std::unique_ptr<Listing> answer_when_persisted(
    const CatalogFile& catalog, CatalogFile::Ticket ticket, std::int64_t correlation_id) {
    return std::make_unique<PersistedAnswer>(catalog, ticket, correlation_id);
}

std::unique_ptr<Listing> list_recordings(
    const CatalogFile& catalog, std::int64_t correlation_id, RecordingFilter filter) {
    return std::make_unique<RecordingListing>(catalog, correlation_id, std::move(filter));
}

std::unique_ptr<Listing> list_recording(
    const CatalogFile& catalog, std::int64_t correlation_id, std::int64_t recording_id) {
    RecordingFilter filter;
    filter.from_recording_id = recording_id;
    filter.count = 1;
    return std::make_unique<RecordingListing>(catalog, correlation_id, std::move(filter));
}

std::unique_ptr<Listing> list_subscriptions(
    const Recordings& recordings, std::int64_t correlation_id, SubscriptionFilter filter) {
    return std::make_unique<SubscriptionListing>(recordings, correlation_id, std::move(filter));
}

std::int64_t find_last_recording(const CatalogFile& file, std::int64_t from_recording_id,
    std::int32_t session_id, std::int32_t stream_id, std::string_view channel_part) {
    const Catalog& catalog = file.catalog();
    for (std::size_t index = file.visible(); index-- > 0 && catalog.id_at(index) >= from_recording_id;) {
        const Recording recording = catalog.at(index);
        if (recording.state == RecordingState::kValid && recording.session_id == session_id &&
            recording.stream_id == stream_id &&
            recording.original_channel.find(channel_part) != std::string::npos) {
            return recording.id;
        }
    }
    return kNullValue;
}

}  // namespace fulmar::archive

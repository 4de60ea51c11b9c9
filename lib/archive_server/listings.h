/// Answers that are many messages: recordings and recording subscriptions, listed while the client takes
/// them. threads: the conductor's.  source: Aeron 1.53, archive control protocol.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "archive/catalog.h"
#include "archive_server/catalog_file.h"
#include "archive_server/control_session.h"
#include "archive_server/recordings.h"

namespace fulmar::archive {

/// Recordings from an id on, at most so many; of a stream and a part of its original channel, where given.
struct RecordingFilter {
    std::int64_t from_recording_id = 0;
    std::int32_t count = 0;
    bool has_channel = false;
    std::int32_t stream_id = 0;
    std::string channel_part;
};
[[nodiscard]] std::unique_ptr<Listing> list_recordings(
    const CatalogFile& catalog, std::int64_t correlation_id, RecordingFilter filter);
/// One recording, which exists.
[[nodiscard]] std::unique_ptr<Listing> list_recording(
    const CatalogFile& catalog, std::int64_t correlation_id, std::int64_t recording_id);

struct SubscriptionFilter {
    std::int32_t skip = 0;
    std::int32_t count = 0;
    bool has_stream = false;
    std::int32_t stream_id = 0;
    std::string channel_part;
};
[[nodiscard]] std::unique_ptr<Listing> list_subscriptions(
    const Recordings& recordings, std::int64_t correlation_id, SubscriptionFilter filter);

/// OK once a change of the catalog is on disk. A listing too, in that it must not be overtaken by another.
[[nodiscard]] std::unique_ptr<Listing> answer_when_persisted(
    const CatalogFile& catalog, CatalogFile::Ticket ticket, std::int64_t correlation_id);

/// The newest recording from an id on with this session, stream and part of its original channel; -1 for
/// none.
[[nodiscard]] std::int64_t find_last_recording(const CatalogFile& file, std::int64_t from_recording_id,
    std::int32_t session_id, std::int32_t stream_id, std::string_view channel_part);

}  // namespace fulmar::archive

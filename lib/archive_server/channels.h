/// What an archive makes of the channels that clients give it. Of a channel in a request only what may travel
/// on is kept, so that no client decides about the archive's buffers or files.
/// threads: pure functions.  errors: kInvalidChannel with what is wrong.
/// source: Aeron 1.53, archive control protocol.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "archive/catalog.h"
#include "archive/control_schema.h"
#include "archive_server/options.h"
#include "fulmar/result.h"

namespace fulmar::archive {

/// A recording subscription's channel.
struct RecordingChannel {
    std::string stripped;    ///< into the catalog
    std::string subscribed;  ///< the same, as a spy where the stream is local and on the network
    std::string key;         ///< equal for requests that would record the same streams
};
[[nodiscard]] Result<RecordingChannel> recording_channel(
    std::string_view channel, std::int32_t stream_id, SourceLocation source);

/// Where responses go. image_correlation_id: of the request's image, for channels of control-mode=response.
[[nodiscard]] Result<std::string> response_channel(
    std::string_view channel, std::int64_t image_correlation_id, const ServerOptions& options);

/// Where a replay goes: the stream goes on as it was recorded, from `position` on.
[[nodiscard]] Result<std::string> replay_channel(std::string_view channel, const Recording& recording,
    std::int64_t position, std::int64_t image_correlation_id, const ServerOptions& options);

}  // namespace fulmar::archive

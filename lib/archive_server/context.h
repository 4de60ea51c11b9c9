/// What the parts of the archive's conductor share.
/// threads: the conductor's.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>

#include "archive/storage_hub.h"
#include "archive_server/options.h"
#include "archive_server/start_up.h"
#include "fulmar/client.h"
#include "port/clock.h"

namespace fulmar::archive {

class CatalogFile;
class ControlSessions;
class EventStream;

struct ServerContext {
    const ServerOptions& options;
    Client& client;
    StorageHub& storage;
    CatalogFile& catalog;
    ControlSessions& sessions;
    EventStream& events;
    port::Clock& clock;
    std::int64_t archive_id = -1;
    /// By recording: those that recovery found damaged. They are read as far as they go, and not extended.
    std::unordered_map<std::int64_t, DamagedRecording> damaged{};
    Instant now{};
    std::uint64_t errors = 0;

    /// A catalog entry, with the end that recovery found where the entry has none.
    [[nodiscard]] Recording recording_at(std::size_t index) const;

    void report(ErrorCode code, std::string message) {
        ++errors;
        if (options.on_error) {
            options.on_error({code, std::move(message)});
        }
    }
};

/// Where the answer to a request goes: who asked, and which of their requests it was.
struct Asker {
    std::int64_t control_session_id = -1;
    std::int64_t correlation_id = -1;
};

}  // namespace fulmar::archive

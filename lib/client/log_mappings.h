/// The log files a client has mapped, so that two users of one file share one mapping.
/// threads: under the conductor's lock; a mapping may be let go from any thread.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "fulmar/result.h"
#include "layout/log_buffer.h"
#include "port/memory_map.h"

namespace fulmar::client {

struct MappedLog {
    std::shared_ptr<port::Mapping> mapping;
    layout::LogBuffer log;
};

class LogMappings {
  public:
    LogMappings(port::MemoryMap& memory_map, bool pre_touch)
        : memory_map_(&memory_map), pre_touch_(pre_touch) {}

    /// errors: kGeneric or kStorageSpace with the file's name; also when it is not a log.
    Result<MappedLog> open(std::string_view path);
    /// Forgets files nobody has mapped any more.
    void sweep();
    [[nodiscard]] std::size_t size() const { return by_path_.size(); }

  private:
    port::MemoryMap* memory_map_;
    std::map<std::string, std::weak_ptr<port::Mapping>, std::less<>> by_path_;
    bool pre_touch_;
};

}  // namespace fulmar::client

#include "client/log_mappings.h"

namespace fulmar::client {

namespace {

/// A load faults the page in; a store could tear what somebody else writes there.
void touch_pages(std::span<std::byte> bytes) {
    constexpr std::size_t kPageBytes = 4096;
    for (std::size_t at = 0; at < bytes.size(); at += kPageBytes) {
        (void)base::load_relaxed<std::int32_t>(bytes.data(), at);
    }
}

}  // namespace

Result<MappedLog> LogMappings::open(std::string_view path) {
    std::shared_ptr<port::Mapping> mapping;
    const auto known = by_path_.find(path);
    if (known != by_path_.end()) {
        mapping = known->second.lock();
    }
    if (mapping == nullptr) {
        FULMAR_TRY(opened, memory_map_->open(std::string(path), true));
        mapping = std::move(opened);
    }
    auto log = layout::LogBuffer::open(mapping->bytes());
    if (!log) {
        return fail(log.error().code, std::string(path) + ": " + log.error().message);
    }
    if (pre_touch_) {
        touch_pages(mapping->bytes());
    }
    by_path_.insert_or_assign(std::string(path), mapping);
    return MappedLog{std::move(mapping), *log};
}

void LogMappings::sweep() {
    std::erase_if(by_path_, [](const auto& entry) { return entry.second.expired(); });
}

}  // namespace fulmar::client

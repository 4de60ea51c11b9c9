#include "apps/fulmar/driver_view.h"

#include <fmt/core.h>

#include "drivers/memory_map/file_memory_map.h"
#include "drivers/memory_map/system_clock.h"
#include "ring/shm_mpsc_ring.h"

namespace fulmar::cli {

Result<std::unique_ptr<port::Mapping>> open_file(const std::string& dir, std::string_view name) {
    drivers::FileMemoryMap files;
    return files.open(fmt::format("{}/{}", dir, name), false);
}

Result<DriverView> DriverView::open(const std::string& dir) {
    auto mapping = open_file(dir, layout::kCncFileName);
    if (!mapping) {
        return fail(ErrorCode::kGeneric, fmt::format("no driver in {} ({}); start one with: fulmard --dir {}",
                                             dir, mapping.error().message, dir));
    }
    DriverView view;
    view.dir_ = dir;
    view.mapping_ = std::move(*mapping);
    if (layout::cnc_version_acquire(view.mapping_->bytes()) == 0) {
        return fail(ErrorCode::kResourceTemporarilyUnavailable,
            fmt::format("the driver in {} is still starting; try again", dir));
    }
    auto cnc = layout::CncFile::open(view.mapping_->bytes());
    if (!cnc) {
        return fail(cnc.error().code, fmt::format("{}/{} cannot be read: {}; restart the driver with: "
                                                  "fulmard --dir {}",
                                          dir, layout::kCncFileName, cnc.error().message, dir));
    }
    view.cnc_ = *cnc;
    return view;
}

std::int64_t DriverView::heartbeat_age_ms() const {
    const std::span<std::byte> ring = cnc_.to_driver();
    const auto capacity = ring.size() - static_cast<std::size_t>(layout::kRingTrailerLength);
    const auto heartbeat = base::load_acquire<std::int64_t>(ring.data(), capacity + 640);
    return heartbeat < 0 ? -1 : drivers::SystemClock().epoch_ms() - heartbeat;
}

}  // namespace fulmar::cli

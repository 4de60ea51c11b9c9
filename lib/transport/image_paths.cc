#include "transport/image_paths.h"

namespace fulmar::transport {

ImagePaths::Path* ImagePaths::find(const port::Binding* binding) {
    for (std::size_t i = 0; i < count_; ++i) {
        if (paths_[i].binding == binding) {
            return &paths_[i];
        }
    }
    return nullptr;
}

bool ImagePaths::heard_by_another(Instant now, const PacketOrigin& origin) {
    if (Path* known = find(origin.binding)) {
        known->heard = now;
        return false;
    }
    if (count_ == kPathsMax) {
        return false;
    }
    paths_[count_++] = {origin.binding, origin.control, now, -1};
    return true;
}

bool ImagePaths::ended(const port::Binding* binding, std::int64_t position) {
    if (Path* path = find(binding)) {
        path->end_position = std::max(path->end_position, position);
    }
    return std::all_of(paths_.begin(), paths_.begin() + static_cast<std::ptrdiff_t>(count_),
        [](const Path& path) { return path.end_position >= 0; });
}

std::int64_t ImagePaths::end_position() const {
    std::int64_t furthest = -1;
    for (const Path& path : all()) {
        furthest = std::max(furthest, path.end_position);
    }
    return furthest;
}

bool ImagePaths::remove(const port::Binding* binding) {
    Path* path = find(binding);
    if (path == nullptr) {
        return false;
    }
    *path = paths_[--count_];
    return true;
}

bool ImagePaths::expire(Instant now, Duration timeout) {
    const std::size_t before = count_;
    for (std::size_t i = 0; i < count_ && count_ > 1;) {
        if (now - paths_[i].heard >= timeout) {
            paths_[i] = paths_[--count_];
        } else {
            ++i;
        }
    }
    return count_ != before;
}

void ImagePaths::forgive(Duration silence) {
    for (std::size_t i = 0; i < count_; ++i) {
        paths_[i].heard = paths_[i].heard + silence;
    }
}

}  // namespace fulmar::transport

#include "apps/fulmar/archive_directory.h"

#include <algorithm>
#include <cerrno>
#include <dirent.h>
#include <fmt/core.h>
#include <sys/stat.h>
#include <system_error>

#include "drivers/memory_map/file_memory_map.h"

namespace fulmar::cli {

namespace {

struct CloseDirectory {
    void operator()(DIR* directory) const { ::closedir(directory); }
};

}  // namespace

Result<ArchiveDirectory> ArchiveDirectory::open(const std::string& dir) {
    const std::unique_ptr<DIR, CloseDirectory> directory(::opendir(dir.c_str()));
    if (!directory) {
        const std::string why = std::generic_category().message(errno);
        return fail(ErrorCode::kGeneric,
            fmt::format(
                "cannot open the archive's directory {}: {}; name another with --archive-dir", dir, why));
    }
    drivers::FileMemoryMap files;
    const std::string path = dir + "/" + archive::kCatalogFileName;
    if (!files.exists(path)) {
        return fail(ErrorCode::kGeneric,
            fmt::format("{} holds no {}: it is no archive's directory; name another with "
                        "--archive-dir",
                dir, archive::kCatalogFileName));
    }
    FULMAR_TRY(mapping, files.open(path, false));
    // A copy: a server that is running may change the file while we read.
    const auto bytes = mapping->bytes();
    FULMAR_TRY(catalog, archive::Catalog::open({bytes.begin(), bytes.end()}));
    ArchiveDirectory opened(dir, std::move(catalog));
    while (const dirent* entry = ::readdir(directory.get())) {
        const auto name = archive::parse_segment_name(entry->d_name);
        struct stat status {};
        if (!name || ::fstatat(::dirfd(directory.get()), entry->d_name, &status, 0) != 0) {
            continue;  // no segment, or gone meanwhile
        }
        opened.segments_[name->recording_id].push_back({name->base,
            static_cast<std::uint64_t>(status.st_size), static_cast<std::uint64_t>(status.st_blocks) * 512});
    }
    for (auto& [id, files_of_it] : opened.segments_) {
        std::sort(files_of_it.begin(), files_of_it.end(),
            [](const SegmentFile& a, const SegmentFile& b) { return a.base < b.base; });
    }
    return opened;
}

Result<std::vector<std::size_t>> ArchiveDirectory::select(const std::vector<std::int64_t>& ids) const {
    std::vector<std::size_t> selected;
    if (ids.empty()) {
        for (std::size_t i = 0; i < catalog_.size(); ++i) {
            if (catalog_.find(catalog_.id_at(i)) == i) {
                selected.push_back(i);
            }
        }
        return selected;
    }
    for (const std::int64_t id : ids) {
        const std::size_t index = catalog_.find(id);
        if (index == catalog_.size()) {
            return fail(ErrorCode::kGeneric,
                fmt::format("{} has no recording {}; `fulmar archive ls` lists them", dir_, id));
        }
        selected.push_back(index);
    }
    return selected;
}

const std::vector<SegmentFile>& ArchiveDirectory::segments(std::int64_t recording_id) const {
    static const std::vector<SegmentFile> kNone;
    const auto found = segments_.find(recording_id);
    return found == segments_.end() ? kNone : found->second;
}

Result<std::unique_ptr<port::Mapping>> ArchiveDirectory::map(
    std::int64_t recording_id, std::int64_t base) const {
    return drivers::FileMemoryMap().open(dir_ + "/" + archive::segment_name(recording_id, base), false);
}

std::int64_t ArchiveDirectory::end_position(const archive::Recording& recording) const {
    const auto& files = segments(recording.id);
    const auto shape = archive::SegmentShape::of(recording);
    if (recording.stop_position != archive::kNullValue || files.empty() || !shape) {
        return recording.stop_position == archive::kNullValue ? recording.start_position
                                                              : recording.stop_position;
    }
    const std::int64_t base = files.back().base;
    const std::int64_t from = std::max(base, recording.start_position);
    const auto mapping = map(recording.id, base);
    return mapping ? archive::walk_segment(*shape, base, from, (*mapping)->bytes()).position : from;
}

std::string_view state_text(archive::RecordingState state) {
    switch (state) {
        case archive::RecordingState::kInvalid: return "invalid";
        case archive::RecordingState::kValid: return "valid";
        case archive::RecordingState::kDeleted: return "deleted";
    }
    return "unknown";
}

}  // namespace fulmar::cli

/// An archive's directory opened for reading, ours or a stock one's, also while a server writes to it.
/// threads: one.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "archive/catalog.h"
#include "archive/segment.h"
#include "fulmar/result.h"
#include "port/memory_map.h"

namespace fulmar::cli {

struct SegmentFile {
    std::int64_t base = 0;
    std::uint64_t length = 0;
    std::uint64_t allocated = 0;  ///< bytes that the file system gave it; less than length where it has holes
};

class ArchiveDirectory {
  public:
    /// errors: no directory, no catalog in it, or a catalog that is none: one line with what to do.
    static Result<ArchiveDirectory> open(const std::string& dir);

    [[nodiscard]] const archive::Catalog& catalog() const { return catalog_; }
    /// Indexes of the recordings asked for, all valid ones where none is.
    /// errors: a recording that the catalog does not have.
    [[nodiscard]] Result<std::vector<std::size_t>> select(const std::vector<std::int64_t>& ids) const;

    /// By base, those of recordings that the catalog does not have included.
    [[nodiscard]] const std::vector<SegmentFile>& segments(std::int64_t recording_id) const;
    [[nodiscard]] const std::map<std::int64_t, std::vector<SegmentFile>>& all_segments() const {
        return segments_;
    }

    /// A segment's bytes. errors: kGeneric with path and reason.
    [[nodiscard]] Result<std::unique_ptr<port::Mapping>> map(
        std::int64_t recording_id, std::int64_t base) const;

    /// Where the frames of a recording end: its stop position, or, while it is active or was never stopped,
    /// the end of what its last segment holds.
    [[nodiscard]] std::int64_t end_position(const archive::Recording& recording) const;

  private:
    ArchiveDirectory(std::string dir, archive::Catalog catalog)
        : dir_(std::move(dir)), catalog_(std::move(catalog)) {}

    std::string dir_;
    archive::Catalog catalog_;
    std::map<std::int64_t, std::vector<SegmentFile>> segments_;
};

[[nodiscard]] std::string_view state_text(archive::RecordingState state);

}  // namespace fulmar::cli

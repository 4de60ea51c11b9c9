// fulmar archive du: what recordings take on disk.
#include <fmt/core.h>
#include <memory>
#include <nlohmann/json.hpp>

#include "apps/fulmar/archive_directory.h"
#include "apps/fulmar/archive_verbs.h"

namespace fulmar::cli {

namespace {

struct Usage {
    std::size_t files = 0;
    std::uint64_t length = 0;
    std::uint64_t allocated = 0;

    void add(const SegmentFile& file) {
        ++files;
        length += file.length;
        allocated += file.allocated;
    }
};

std::string size_text(std::uint64_t bytes) {
    const char* const units[] = {"B", "KiB", "MiB", "GiB", "TiB"};
    std::size_t unit = 0;
    double value = static_cast<double>(bytes);
    while (value >= 1024 && unit + 1 < std::size(units)) {
        value /= 1024;
        ++unit;
    }
    return unit == 0 ? fmt::format("{} B", bytes) : fmt::format("{:.1f} {}", value, units[unit]);
}

void print(const std::string& what, const Usage& usage, bool json) {
    if (json) {
        print_json({{"recording", what}, {"segments", usage.files}, {"length", usage.length},
            {"allocated", usage.allocated}});
    } else {
        fmt::print("{:>16} {:>9} {:>12} {:>12}\n", what, usage.files, size_text(usage.allocated),
            size_text(usage.length));
    }
}

int run(const ArchiveOptions& options) {
    const auto directory = ArchiveDirectory::open(options.dir);
    if (!directory) {
        return report("archive du", directory.error());
    }
    const auto selected = directory->select(options.ids);
    if (!selected) {
        return report("archive du", selected.error());
    }
    if (!options.json) {
        fmt::print("{:>16} {:>9} {:>12} {:>12}\n", "recording", "segments", "on disk", "length");
    }
    Usage total;
    const auto show = [&](const std::string& what, const std::vector<SegmentFile>& files) {
        Usage usage;
        for (const SegmentFile& file : files) {
            usage.add(file);
            total.add(file);
        }
        print(what, usage, options.json);
    };
    for (const std::size_t index : *selected) {
        const std::int64_t id = directory->catalog().id_at(index);
        show(std::to_string(id), directory->segments(id));
    }
    if (options.ids.empty()) {
        // Segments of recordings that were deleted, or that no catalog knows: space that nobody reads.
        std::vector<SegmentFile> orphans;
        for (const auto& [id, files] : directory->all_segments()) {
            if (directory->catalog().find(id) == directory->catalog().size()) {
                orphans.insert(orphans.end(), files.begin(), files.end());
            }
        }
        if (!orphans.empty()) {
            show("of no recording", orphans);
        }
    }
    print("total", total, options.json);
    return kExitPass;
}

}  // namespace

Run add_archive_du(CLI::App& archive) {
    auto options = std::make_shared<ArchiveOptions>();
    auto* verb = archive.add_subcommand("du", "what recordings take on disk");
    add_archive_options(*verb, *options);
    return [options] { return run(*options); };
}

}  // namespace fulmar::cli

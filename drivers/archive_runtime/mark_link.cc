#include "drivers/archive_runtime/mark_link.h"

#include <filesystem>
#include <fstream>

namespace fulmar::drivers {

namespace fs = std::filesystem;

std::optional<std::string> read_mark_link(const std::string& archive_dir) {
    std::ifstream file(fs::path(archive_dir) / kMarkLinkName);
    std::string directory;
    if (!file || !std::getline(file, directory) || directory.empty()) {
        return std::nullopt;
    }
    return directory;
}

Status write_mark_link(const std::string& archive_dir, const std::string& mark_dir) {
    const fs::path link = fs::path(archive_dir) / kMarkLinkName;
    std::error_code failed;
    if (fs::equivalent(archive_dir, mark_dir, failed)) {
        fs::remove(link, failed);
        if (failed) {
            return fail(ErrorCode::kGeneric, "cannot remove " + link.string() + ": " + failed.message());
        }
        return Done{};
    }
    const fs::path target = fs::canonical(mark_dir, failed);
    if (failed) {
        return fail(ErrorCode::kGeneric, mark_dir + ": " + failed.message());
    }
    std::ofstream file(link, std::ios::trunc);
    file << target.string();
    file.close();
    if (!file) {
        return fail(ErrorCode::kGeneric, "cannot write " + link.string());
    }
    return Done{};
}

}  // namespace fulmar::drivers

/// The verbs of `fulmar archive` that read an archive's directory; no server needs to run.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "apps/fulmar/command.h"

namespace fulmar::cli {

/// What each of them takes.
struct ArchiveOptions {
    std::string dir;
    bool json = false;
    std::vector<std::int64_t> ids;  ///< recordings to look at; none: all of them
};

/// Adds --archive-dir, --json and the recording ids.
void add_archive_options(CLI::App& verb, ArchiveOptions& options);

Run add_archive_ls(CLI::App& archive);
Run add_archive_describe(CLI::App& archive);
Run add_archive_dump(CLI::App& archive);
Run add_archive_verify(CLI::App& archive);
Run add_archive_du(CLI::App& archive);

}  // namespace fulmar::cli

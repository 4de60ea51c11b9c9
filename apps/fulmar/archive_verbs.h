/// The verbs of `fulmar archive`: some read an archive's directory, the others ask a running archive.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "apps/fulmar/command.h"

namespace fulmar::cli {

/// What each verb takes that reads a directory.
struct ArchiveOptions {
    std::string dir;
    bool json = false;
    std::vector<std::int64_t> ids;  ///< recordings to look at; none: all of them
};

/// Adds --archive-dir and --json.
void add_archive_directory(CLI::App& verb, std::string& dir, bool& json);
/// Adds --archive-dir, --json and the recording ids.
void add_archive_options(CLI::App& verb, ArchiveOptions& options);

Run add_archive_ls(CLI::App& archive);
Run add_archive_describe(CLI::App& archive);
Run add_archive_dump(CLI::App& archive);
Run add_archive_verify(CLI::App& archive);
Run add_archive_repair(CLI::App& archive);
Run add_archive_du(CLI::App& archive);

// These ask a running archive; see apps/fulmar/archive_session.h for what they share.
Run add_archive_list(CLI::App& archive);
Run add_archive_record(CLI::App& archive);
Run add_archive_stop(CLI::App& archive);
Run add_archive_replay(CLI::App& archive);
Run add_archive_replicate(CLI::App& archive);
Run add_archive_truncate(CLI::App& archive);
Run add_archive_purge(CLI::App& archive);

}  // namespace fulmar::cli

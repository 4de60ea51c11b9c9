// fulmar archive: what an archive's directory holds, and what a running archive does.
#include <cstdlib>
#include <utility>
#include <vector>

#include "apps/fulmar/archive_verbs.h"

namespace fulmar::cli {

void add_archive_directory(CLI::App& verb, std::string& dir, bool& json) {
    const char* named = std::getenv("AERON_ARCHIVE_DIR");
    dir = named != nullptr ? named : "aeron-archive";
    verb.add_option("--archive-dir", dir, "the archive's directory (AERON_ARCHIVE_DIR)")
        ->capture_default_str();
    verb.add_flag("--json", json, "one JSON object per line");
}

void add_archive_options(CLI::App& verb, ArchiveOptions& options) {
    add_archive_directory(verb, options.dir, options.json);
    verb.add_option("ID", options.ids, "recordings; none: all of them")->check(CLI::NonNegativeNumber);
}

Run add_archive(CLI::App& app) {
    auto* verb = app.add_subcommand("archive",
        "recordings: in an archive's directory (ls, describe, dump, verify, repair, du), or by asking a "
        "running "
        "archive");
    verb->require_subcommand(1);
    std::vector<std::pair<const char*, Run>> verbs{{"ls", add_archive_ls(*verb)},
        {"describe", add_archive_describe(*verb)}, {"dump", add_archive_dump(*verb)},
        {"verify", add_archive_verify(*verb)}, {"repair", add_archive_repair(*verb)},
        {"du", add_archive_du(*verb)}, {"list", add_archive_list(*verb)},
        {"record", add_archive_record(*verb)}, {"stop", add_archive_stop(*verb)},
        {"replay", add_archive_replay(*verb)}, {"replicate", add_archive_replicate(*verb)},
        {"truncate", add_archive_truncate(*verb)}, {"purge", add_archive_purge(*verb)}};
    return [verb, verbs = std::move(verbs)] {
        for (const auto& [name, run] : verbs) {
            if (verb->got_subcommand(name)) {
                return run();
            }
        }
        return kExitUsage;
    };
}

}  // namespace fulmar::cli

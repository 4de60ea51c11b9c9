// fulmar archive ls and describe: the recordings of a catalog.
#include <fmt/core.h>
#include <memory>
#include <nlohmann/json.hpp>

#include "apps/fulmar/archive_directory.h"
#include "apps/fulmar/archive_text.h"
#include "apps/fulmar/archive_verbs.h"

namespace fulmar::cli {

namespace {

using archive::kNullValue;
using archive::Recording;

void print_all(const Recording& recording, std::int64_t end, std::size_t segments) {
    fmt::print(
        "recording {}\n"
        "  channel           {}\n"
        "  recorded as       {}\n"
        "  source            {}\n"
        "  stream, session   {}, {}\n"
        "  positions         {} to {}{}\n"
        "  started           {}\n"
        "  stopped           {}\n"
        "  initial term id   {}\n"
        "  term length       {}\n"
        "  segment length    {} ({} files)\n"
        "  MTU               {}\n",
        recording.id, recording.original_channel, recording.stripped_channel, recording.source_identity,
        recording.stream_id, recording.session_id, recording.start_position, end,
        recording.stop_position == kNullValue ? ", active or never stopped" : "",
        time_text(recording.start_timestamp), stop_text(recording), recording.initial_term_id,
        recording.term_buffer_length, recording.segment_file_length, segments, recording.mtu_length);
}

int run(const char* verb, const ArchiveOptions& options, bool whole) {
    const auto directory = ArchiveDirectory::open(options.dir);
    if (!directory) {
        return report(verb, directory.error());
    }
    const auto selected = directory->select(options.ids);
    if (!selected) {
        return report(verb, selected.error());
    }
    if (!options.json && !whole) {
        print_heading();
    }
    for (const std::size_t index : *selected) {
        const Recording recording = directory->catalog().at(index);
        const std::int64_t end = directory->end_position(recording);
        if (options.json) {
            print_json(to_json(recording, end));
        } else if (whole) {
            print_all(recording, end, directory->segments(recording.id).size());
        } else {
            print_row(recording, end);
        }
    }
    return kExitPass;
}

Run add(CLI::App& archive, const char* name, const char* what, bool whole) {
    auto options = std::make_shared<ArchiveOptions>();
    auto* verb = archive.add_subcommand(name, what);
    add_archive_options(*verb, *options);
    return [options, name, whole] { return run((std::string("archive ") + name).c_str(), *options, whole); };
}

}  // namespace

Run add_archive_ls(CLI::App& archive) {
    return add(archive, "ls", "recordings, one a line", false);
}

Run add_archive_describe(CLI::App& archive) {
    return add(archive, "describe", "recordings, with all that the catalog says", true);
}

}  // namespace fulmar::cli

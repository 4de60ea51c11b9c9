// fulmar archive truncate and purge: have a running archive delete what it recorded.
#include <algorithm>
#include <fmt/core.h>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>

#include "apps/fulmar/archive_session.h"
#include "apps/fulmar/archive_verbs.h"

namespace fulmar::cli {

namespace {

struct TruncateOptions : ArchiveServer {
    std::int64_t id = 0;
    std::int64_t position = 0;
};

struct PurgeOptions : ArchiveServer {
    std::vector<std::int64_t> ids;
    std::optional<std::int64_t> before;
};

/// Files go after the answer; the archive says when they have.
Status await_deletion(ArchiveSession& session, std::int64_t recording_id) {
    const auto is_deleted = [&] {
        const auto signals = session.take_signals();
        return std::any_of(signals.begin(), signals.end(), [&](const RecordingSignalEvent& event) {
            return event.signal == RecordingSignal::kDelete && event.recording_id == recording_id;
        });
    };
    FULMAR_TRY(deleted, session.poll_until(is_deleted, session->options().message_timeout));
    if (!deleted) {
        return fail(ErrorCode::kGeneric,
            fmt::format("recording {}: the archive has not said that the files are gone", recording_id));
    }
    return Done{};
}

void print_done(const ArchiveServer& options, std::int64_t id, std::int64_t files, const std::string& what) {
    if (options.common.json) {
        print_json({{"recording_id", id}, {"files_deleted", files}});
    } else {
        fmt::print("recording {}: {}, {} files deleted\n", id, what, files);
    }
}

void print_pass(const ArchiveServer& options) {
    if (options.common.json) {
        print_json({{"pass", true}});
    }
}

Status truncate(const TruncateOptions& options) {
    FULMAR_TRY(session, ArchiveSession::open(options, "archive-truncate"));
    const std::int64_t id = options.id;
    FULMAR_TRY(files, session->truncate_recording(id, options.position));
    FULMAR_TRY_VOID(await_deletion(session, id));
    print_done(options, id, files, fmt::format("ends at {}", options.position));
    print_pass(options);
    return Done{};
}

/// Whole segments before the one that holds the position.
Status purge_before(ArchiveSession& session, const PurgeOptions& options, std::int64_t id) {
    FULMAR_TRY(recording, session->list_recording(id));
    const std::int64_t base = segment_file_base_position(recording.start_position, *options.before,
        recording.term_buffer_length, recording.segment_file_length);
    if (base <= recording.start_position) {
        print_done(options, id, 0, fmt::format("begins at {} still", recording.start_position));
        return Done{};
    }
    FULMAR_TRY(files, session->purge_segments(id, base));
    FULMAR_TRY_VOID(await_deletion(session, id));
    print_done(options, id, files, fmt::format("begins at {}", base));
    return Done{};
}

Status purge(const PurgeOptions& options) {
    FULMAR_TRY(session, ArchiveSession::open(options, "archive-purge"));
    for (const std::int64_t id : options.ids) {
        if (options.before) {
            FULMAR_TRY_VOID(purge_before(session, options, id));
            continue;
        }
        FULMAR_TRY(files, session->purge_recording(id));
        FULMAR_TRY_VOID(await_deletion(session, id));
        print_done(options, id, files, "is gone");
    }
    print_pass(options);
    return Done{};
}

}  // namespace

Run add_archive_truncate(CLI::App& archive) {
    auto options = std::make_shared<TruncateOptions>();
    auto* verb = archive.add_subcommand("truncate", "have a running archive cut a stopped recording back");
    verb->add_option("ID", options->id, "recording")->required()->check(CLI::NonNegativeNumber);
    verb->add_option("POSITION", options->position, "where it shall end")
        ->required()
        ->check(CLI::NonNegativeNumber);
    add_server_options(*verb, *options);
    return [options] {
        watch_signals();
        const Status done = truncate(*options);
        return done ? kExitPass : report("archive truncate", done.error());
    };
}

Run add_archive_purge(CLI::App& archive) {
    auto options = std::make_shared<PurgeOptions>();
    auto* verb =
        archive.add_subcommand("purge", "have a running archive delete recordings, or their beginning");
    verb->add_option("ID", options->ids, "recordings")->required()->check(CLI::NonNegativeNumber);
    verb->add_option("--before", options->before, "only the segments before the one with this position")
        ->check(CLI::NonNegativeNumber);
    add_server_options(*verb, *options);
    return [options] {
        watch_signals();
        const Status done = purge(*options);
        return done ? kExitPass : report("archive purge", done.error());
    };
}

}  // namespace fulmar::cli

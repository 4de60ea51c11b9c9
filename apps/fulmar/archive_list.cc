// fulmar archive list: the recordings of a running archive.
#include <memory>
#include <nlohmann/json.hpp>

#include "apps/fulmar/archive_session.h"
#include "apps/fulmar/archive_text.h"
#include "apps/fulmar/archive_verbs.h"

namespace fulmar::cli {

namespace {

/// What one request asks for: a long list shows its beginning before its end is known.
constexpr std::int32_t kPage = 100;

struct ListOptions : ArchiveServer {
    std::vector<std::int64_t> ids;
    std::string channel_part;
    std::optional<std::int32_t> stream;

    [[nodiscard]] bool wants(const RecordingDescriptor& each) const {
        return each.original_channel.find(channel_part) != std::string::npos &&
               (!stream || *stream == each.stream_id);
    }
};

archive::Recording recording_of(const RecordingDescriptor& from) {
    archive::Recording to;
    to.id = from.recording_id;
    to.control_session_id = from.control_session_id;
    to.correlation_id = from.correlation_id;
    to.start_timestamp = from.start_timestamp;
    to.stop_timestamp = from.stop_timestamp;
    to.start_position = from.start_position;
    to.stop_position = from.stop_position;
    to.initial_term_id = from.initial_term_id;
    to.segment_file_length = from.segment_file_length;
    to.term_buffer_length = from.term_buffer_length;
    to.mtu_length = from.mtu_length;
    to.session_id = from.session_id;
    to.stream_id = from.stream_id;
    to.stripped_channel = from.stripped_channel;
    to.original_channel = from.original_channel;
    to.source_identity = from.source_identity;
    return to;
}

Status show(ArchiveSession& session, const ListOptions& options, const RecordingDescriptor& descriptor) {
    std::int64_t end = descriptor.stop_position;
    if (descriptor.is_active()) {
        FULMAR_TRY(position, session->max_recorded_position(descriptor.recording_id));
        end = position;
    }
    const archive::Recording recording = recording_of(descriptor);
    if (options.common.json) {
        print_json(to_json(recording, end));
    } else {
        print_row(recording, end);
    }
    return Done{};
}

/// All of them, a page at a time.
Status show_all(ArchiveSession& session, const ListOptions& options) {
    for (std::int64_t from = 0;;) {
        std::vector<RecordingDescriptor> page;
        FULMAR_TRY(count, session->list_recordings(
                              from, kPage, [&](const RecordingDescriptor& each) { page.push_back(each); }));
        for (const RecordingDescriptor& each : page) {
            if (options.wants(each)) {
                FULMAR_TRY_VOID(show(session, options, each));
            }
        }
        if (count < kPage) {
            return Done{};
        }
        from = page.back().recording_id + 1;
    }
}

Status list(const ListOptions& options) {
    FULMAR_TRY(session, ArchiveSession::open(options, "archive-list"));
    if (!options.common.json) {
        print_heading();
    }
    if (options.ids.empty()) {
        return show_all(session, options);
    }
    for (const std::int64_t id : options.ids) {
        FULMAR_TRY(descriptor, session->list_recording(id));
        FULMAR_TRY_VOID(show(session, options, descriptor));
    }
    return Done{};
}

}  // namespace

Run add_archive_list(CLI::App& archive) {
    auto options = std::make_shared<ListOptions>();
    auto* verb = archive.add_subcommand("list", "recordings of a running archive, one a line");
    verb->add_option("ID", options->ids, "recordings; none: all of them")->check(CLI::NonNegativeNumber);
    verb->add_option("--channel", options->channel_part, "only those whose channel contains this");
    verb->add_option("--stream", options->stream, "only those of this stream id");
    add_server_options(*verb, *options);
    return [options] {
        watch_signals();
        const Status done = list(*options);
        return done ? kExitPass : report("archive list", done.error());
    };
}

}  // namespace fulmar::cli

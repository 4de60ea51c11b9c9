#include "apps/fulmar/archive_text.h"

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include "apps/fulmar/archive_directory.h"
#include "apps/fulmar/command.h"

namespace fulmar::cli {

using archive::kNullValue;
using archive::Recording;

nlohmann::ordered_json to_json(const Recording& recording, std::int64_t end) {
    return {{"recording_id", recording.id}, {"state", state_text(recording.state)},
        {"active", recording.stop_position == kNullValue}, {"start_position", recording.start_position},
        {"stop_position", recording.stop_position}, {"end_position", end},
        {"start_timestamp_ms", recording.start_timestamp}, {"stop_timestamp_ms", recording.stop_timestamp},
        {"session_id", recording.session_id}, {"stream_id", recording.stream_id},
        {"initial_term_id", recording.initial_term_id}, {"term_buffer_length", recording.term_buffer_length},
        {"segment_file_length", recording.segment_file_length}, {"mtu_length", recording.mtu_length},
        {"control_session_id", recording.control_session_id}, {"correlation_id", recording.correlation_id},
        {"stripped_channel", recording.stripped_channel}, {"original_channel", recording.original_channel},
        {"source_identity", recording.source_identity}};
}

std::string stop_text(const Recording& recording) {
    return recording.stop_position == kNullValue ? "active" : time_text(recording.stop_timestamp);
}

void print_row(const Recording& recording, std::int64_t end) {
    fmt::print("{:>8} {:>14} {:>14} {:>11} {:>8}  {}  {}\n", recording.id, recording.start_position, end,
        recording.session_id, recording.stream_id, stop_text(recording), recording.original_channel);
}

void print_heading() {
    fmt::print("{:>8} {:>14} {:>14} {:>11} {:>8}  {:<23}  {}\n", "id", "from", "to", "session", "stream",
        "stopped", "channel");
}

}  // namespace fulmar::cli

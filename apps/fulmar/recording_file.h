/// The messages in segment files of a recording, without the archive that wrote them.
/// source: archive segment files; wire/frame.h.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "fulmar/result.h"

namespace fulmar::cli {

/// Reads segments in the order they are given and puts fragments together, across segments too. Positions are
/// those of the stream where the file is named as an archive names it, `<recording>-<position>.rec`, else
/// offsets in the file.
class RecordingReader {
  public:
    /// A message and the position of its first frame; false ends the reading.
    using OnMessage = std::function<bool(std::int64_t position, std::span<const std::byte> message)>;
    /// Something that is no message.
    using OnFault = std::function<void(std::int64_t position, const std::string& why)>;

    RecordingReader(OnMessage on_message, OnFault on_fault);

    /// errors: the file cannot be read. A frame that cannot be is a fault and ends the segment.
    [[nodiscard]] Status read(const std::string& path);
    /// After the last segment: a message that was begun and not ended is a fault.
    void finish();

  private:
    struct Frame;

    [[nodiscard]] bool take(const Frame& frame);
    void drop_message(const std::string& why);

    OnMessage on_message_;
    OnFault on_fault_;
    std::vector<std::byte> message_;
    std::int64_t message_position_ = 0;
    bool is_begun_ = false;
    bool is_skipping_ = false;  // to the next begin; said once
    bool wants_more_ = true;
};

}  // namespace fulmar::cli

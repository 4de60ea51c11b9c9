#include "apps/fulmar/recording_file.h"

#include <array>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <filesystem>
#include <fmt/core.h>
#include <memory>
#include <optional>
#include <system_error>
#include <utility>

#include "wire/frame.h"

namespace fulmar::cli {

struct RecordingReader::Frame {
    wire::DataHeader header;
    std::int64_t position = 0;
    std::vector<std::byte> payload;
};

namespace {

using FilePointer = std::unique_ptr<std::FILE, int (*)(std::FILE*)>;
using FrameBytes = std::array<std::byte, wire::kDataHeaderLength>;

/// Where the segment begins in its stream.
std::int64_t base_position(const std::string& path) {
    const std::string stem = std::filesystem::path(path).stem().string();
    const std::size_t dash = stem.rfind('-');
    std::int64_t position = 0;
    if (dash == std::string::npos) {
        return 0;
    }
    const char* begin = stem.data() + dash + 1;
    const char* end = stem.data() + stem.size();
    const auto parsed = std::from_chars(begin, end, position);
    return parsed.ec == std::errc{} && parsed.ptr == end ? position : 0;
}

bool read_exactly(std::FILE* file, std::byte* to, std::size_t length) {
    return std::fread(to, 1, length, file) == length;
}

/// What a frame in a recording cannot be.
std::optional<std::string> fault_of(const wire::DataHeader& header) {
    const bool is_pad = header.type == wire::FrameType::kPad;
    if (!is_pad && header.type != wire::FrameType::kData) {
        return fmt::format("a frame of type {} is not recorded", static_cast<unsigned>(header.type));
    }
    const std::int32_t longest = is_pad ? wire::kTermLengthMax : wire::kMtuMax;
    if (header.frame_length < wire::kDataHeaderLength || header.frame_length > longest) {
        return fmt::format("a frame cannot have {} bytes", header.frame_length);
    }
    return std::nullopt;
}

}  // namespace

RecordingReader::RecordingReader(OnMessage on_message, OnFault on_fault)
    : on_message_(std::move(on_message)), on_fault_(std::move(on_fault)) {}

Status RecordingReader::read(const std::string& path) {
    const FilePointer file(std::fopen(path.c_str(), "rb"), &std::fclose);
    if (!file) {
        return fail(ErrorCode::kGeneric,
            fmt::format("cannot read {}: {}", path, std::generic_category().message(errno)));
    }
    FrameBytes bytes;
    Frame frame;
    frame.position = base_position(path);
    bool has_frames = false;
    while (wants_more_ && read_exactly(file.get(), bytes.data(), bytes.size())) {
        frame.header = wire::read_data_header(bytes.data());
        if (frame.header.frame_length <= 0) {
            if (has_frames) {
                break;  // recorded no further
            }
            frame.position +=
                wire::kFrameAlignment;  // a recording begun within this segment leaves a hole in front
            continue;
        }
        has_frames = true;
        if (const auto fault = fault_of(frame.header)) {
            drop_message("");
            on_fault_(frame.position, *fault);
            break;
        }
        const auto length =
            static_cast<std::size_t>(wire::align_frame(frame.header.frame_length) - wire::kDataHeaderLength);
        if (frame.header.type == wire::FrameType::kPad) {
            if (std::fseek(file.get(), static_cast<long>(length), SEEK_CUR) != 0) {
                break;
            }
        } else {
            frame.payload.resize(length);
            if (!read_exactly(file.get(), frame.payload.data(), length)) {
                drop_message("");
                on_fault_(frame.position, "the file ends within this frame");
                break;
            }
            frame.payload.resize(
                static_cast<std::size_t>(frame.header.frame_length - wire::kDataHeaderLength));
            wants_more_ = take(frame);
        }
        frame.position += wire::align_frame(frame.header.frame_length);
    }
    if (std::ferror(file.get()) != 0) {
        return fail(ErrorCode::kGeneric,
            fmt::format("cannot read {}: {}", path, std::generic_category().message(errno)));
    }
    return Done{};
}

bool RecordingReader::take(const Frame& frame) {
    const bool is_begin = (frame.header.flags & wire::flag::kBegin) != 0;
    if (is_begin) {
        drop_message("the message does not end before the next begins");
        message_.clear();
        message_position_ = frame.position;
        is_begun_ = true;
        is_skipping_ = false;
    }
    if (!is_begun_) {
        if (!std::exchange(is_skipping_, true)) {
            on_fault_(frame.position, "the message begins before this recording");
        }
        return true;
    }
    if (message_.size() + frame.payload.size() > static_cast<std::size_t>(wire::kMessageLengthMax)) {
        drop_message("the message is longer than any can be");
        is_skipping_ = true;
        return true;
    }
    message_.insert(message_.end(), frame.payload.begin(), frame.payload.end());
    if ((frame.header.flags & wire::flag::kEnd) == 0) {
        return true;
    }
    is_begun_ = false;
    return on_message_(message_position_, message_);
}

void RecordingReader::drop_message(const std::string& why) {
    if (std::exchange(is_begun_, false) && !why.empty()) {
        on_fault_(message_position_, why);
    }
}

void RecordingReader::finish() {
    drop_message("the recording ends within this message");
}

}  // namespace fulmar::cli

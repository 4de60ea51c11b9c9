// fulmar archive dump: the frames of recordings.
#include <algorithm>
#include <fmt/core.h>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>

#include "apps/fulmar/archive_directory.h"
#include "apps/fulmar/archive_verbs.h"
#include "base/bytes.h"
#include "wire/frame.h"

namespace fulmar::cli {

namespace {

struct DumpOptions : ArchiveOptions {
    std::optional<std::int64_t> from;
    std::uint64_t count = 0;  ///< 0: no limit
    std::size_t bytes = 32;   ///< of each payload
};

std::string hex(std::span<const std::byte> bytes) {
    std::string text;
    for (const std::byte byte : bytes) {
        text += fmt::format("{:02x}", std::to_integer<unsigned>(byte));
    }
    return text;
}

std::string flags_text(std::uint8_t flags) {
    return fmt::format(
        "{}{}", (flags & wire::flag::kBegin) != 0 ? 'B' : '-', (flags & wire::flag::kEnd) != 0 ? 'E' : '-');
}

/// Prints the frames of recordings until the count is spent.
class Dump {
  public:
    explicit Dump(const DumpOptions& options) : options_(options), left_(options.count) {}

    Status recording(const ArchiveDirectory& directory, const archive::Recording& recording) {
        FULMAR_TRY(shape, archive::SegmentShape::of(recording));
        const std::int64_t end = directory.end_position(recording);
        for (const SegmentFile& file : directory.segments(recording.id)) {
            const std::int64_t from = std::max(file.base, recording.start_position);
            if (done() || from >= end) {
                break;
            }
            FULMAR_TRY(mapping, directory.map(recording.id, file.base));
            segment(recording, shape, file.base, from, end, mapping->bytes());
        }
        return Done{};
    }

  private:
    [[nodiscard]] bool done() const { return options_.count != 0 && left_ == 0; }

    void segment(const archive::Recording& recording, const archive::SegmentShape& shape, std::int64_t base,
        std::int64_t from, std::int64_t end, std::span<const std::byte> bytes) {
        // What the walk finds sound may be read without looking at it again.
        const std::int64_t sound = std::min(end, archive::walk_segment(shape, base, from, bytes).position);
        for (std::int64_t at = from; at < sound && !done();) {
            const std::byte* frame = bytes.data() + (at - base);
            const wire::DataHeader header = wire::read_data_header(frame);
            if (at >= options_.from.value_or(0)) {
                const std::size_t payload =
                    header.type == wire::FrameType::kPad
                        ? 0
                        : static_cast<std::size_t>(header.frame_length - wire::kDataHeaderLength);
                print(recording.id, at, header, {frame + wire::kDataHeaderLength, payload});
                left_ -= options_.count != 0 ? 1 : 0;
            }
            at += base::align_up(header.frame_length, wire::kFrameAlignment);
        }
    }

    void print(std::int64_t id, std::int64_t position, const wire::DataHeader& header,
        std::span<const std::byte> payload) const {
        const bool padding = header.type == wire::FrameType::kPad;
        const std::string shown = hex(payload.first(std::min(payload.size(), options_.bytes)));
        if (options_.json) {
            print_json({{"recording_id", id}, {"position", position}, {"type", padding ? "PAD" : "DATA"},
                {"length", header.frame_length}, {"flags", flags_text(header.flags)},
                {"term_id", header.term_id}, {"term_offset", header.term_offset},
                {"session_id", header.session_id}, {"stream_id", header.stream_id},
                {"reserved_value", header.reserved_value}, {"payload_length", payload.size()},
                {"payload", shown}});
            return;
        }
        fmt::print("{:>6} {:>14} {:<4} {} {:>7} term {} + {:<9} session {} {}{}\n", id, position,
            padding ? "PAD" : "DATA", flags_text(header.flags), header.frame_length, header.term_id,
            header.term_offset, header.session_id, shown, shown.size() < 2 * payload.size() ? " ..." : "");
    }

    const DumpOptions& options_;
    std::uint64_t left_;
};

int run(const DumpOptions& options) {
    const auto directory = ArchiveDirectory::open(options.dir);
    if (!directory) {
        return report("archive dump", directory.error());
    }
    const auto selected = directory->select(options.ids);
    if (!selected) {
        return report("archive dump", selected.error());
    }
    Dump dump(options);
    for (const std::size_t index : *selected) {
        if (const Status status = dump.recording(*directory, directory->catalog().at(index)); !status) {
            return report("archive dump", status.error());
        }
    }
    return kExitPass;
}

}  // namespace

Run add_archive_dump(CLI::App& archive) {
    auto options = std::make_shared<DumpOptions>();
    auto* verb = archive.add_subcommand("dump", "the frames of recordings");
    add_archive_options(*verb, *options);
    verb->add_option("--from", options->from, "begin at this position")->check(CLI::NonNegativeNumber);
    verb->add_option("--count", options->count, "frames to print; 0: all of them")->capture_default_str();
    verb->add_option("--bytes", options->bytes, "bytes of each payload")->capture_default_str();
    verb->footer(
        "Frames behind one that cannot be are not printed; `fulmar archive verify` says what is wrong with "
        "it.\n"
        "`fulmar sbe decode --schema FILE.xml SEGMENT` prints typed messages.");
    return [options] { return run(*options); };
}

}  // namespace fulmar::cli

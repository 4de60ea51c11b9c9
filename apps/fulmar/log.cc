// fulmar log: the log buffers of a driver and, on wish, the last frames in each. Reads files; the driver may
// be dead, or a stock one.
#include <algorithm>
#include <deque>
#include <filesystem>
#include <fmt/core.h>
#include <memory>
#include <nlohmann/json.hpp>
#include <vector>

#include "apps/fulmar/command.h"
#include "apps/fulmar/driver_view.h"
#include "base/position.h"
#include "layout/log_buffer.h"
#include "wire/frame.h"

namespace fulmar::cli {

namespace {

using Json = nlohmann::ordered_json;
namespace field = wire::field;

struct Options {
    Common common;
    std::vector<std::string> files;
    std::size_t frames = 0;
};

struct Frame {
    std::int32_t offset = 0;
    std::int32_t length = 0;  ///< negative: claimed and not committed yet
    std::uint16_t type = 0;
    std::uint8_t flags = 0;
    std::int64_t reserved = 0;
};

/// The newest term as its frames show it, which also works for images, whose tails nobody keeps.
struct NewestTerm {
    std::int32_t term_id = 0;
    std::int32_t offset = 0;  ///< behind its last committed frame
    std::deque<Frame> last;
};

std::vector<std::string> find_logs(const std::string& dir) {
    std::vector<std::string> found;
    for (const char* folder : {"publications", "images"}) {
        std::error_code error;
        for (const auto& entry : std::filesystem::directory_iterator(dir + "/" + folder, error)) {
            if (entry.path().extension() == ".logbuffer") {
                found.push_back(entry.path().string());
            }
        }
    }
    std::sort(found.begin(), found.end());
    return found;
}

Frame frame_at(const std::byte* term, std::int32_t offset) {
    const std::byte* at = term + offset;
    Frame frame;
    frame.offset = offset;
    frame.length = base::load_acquire<std::int32_t>(at, 0);
    frame.type = base::load_le<std::uint16_t>(at, field::kType);
    frame.flags = static_cast<std::uint8_t>(at[field::kFlags]);
    frame.reserved = base::load_le<std::int64_t>(at, field::kReservedValue);
    return frame;
}

/// A partition in use names its term in its first frame; one never used is all zeros.
int newest_partition(const layout::LogBuffer& log) {
    int newest = 0;
    std::int32_t most_terms = -1;
    for (int partition = 0; partition < layout::kPartitionCount; ++partition) {
        const std::byte* term = log.term(partition);
        const auto term_id = base::load_le<std::int32_t>(term, field::kTermId);
        const std::int32_t terms = base::wrapping_subtract(term_id, log.initial_term_id());
        if (base::load_acquire<std::int32_t>(term, 0) != 0 && terms > most_terms) {
            most_terms = terms;
            newest = partition;
        }
    }
    return newest;
}

NewestTerm walk(const layout::LogBuffer& log, std::size_t keep) {
    const std::byte* term = log.term(newest_partition(log));
    NewestTerm out;
    out.term_id = base::load_acquire<std::int32_t>(term, 0) == 0
                      ? log.initial_term_id()
                      : base::load_le<std::int32_t>(term, field::kTermId);
    while (out.offset <= log.term_length() - wire::kDataHeaderLength) {
        const Frame frame = frame_at(term, out.offset);
        if (frame.length != 0 && keep > 0) {
            out.last.push_back(frame);
            if (out.last.size() > keep) {
                out.last.pop_front();
            }
        }
        if (frame.length <= 0 || frame.length > log.term_length() - out.offset) {
            break;
        }
        out.offset += base::align_up(frame.length, wire::kFrameAlignment);
    }
    return out;
}

std::string_view type_name(layout::LogType type) {
    switch (type) {
        case layout::LogType::kConcurrentPublication: return "publication";
        case layout::LogType::kExclusivePublication: return "exclusive publication";
        case layout::LogType::kImage: return "image";
    }
    return "unknown";
}

Json describe(const std::string& path, const layout::LogBuffer& log, const NewestTerm& newest) {
    const layout::LogMetadata metadata = log.read_metadata();
    const auto terms =
        static_cast<std::int64_t>(base::wrapping_subtract(newest.term_id, log.initial_term_id()));
    return {{"file", path}, {"kind", type_name(metadata.type)}, {"session_id", metadata.session_id},
        {"stream_id", metadata.stream_id}, {"term_length", log.term_length()}, {"mtu", log.mtu()},
        {"initial_term_id", log.initial_term_id()}, {"term_id", newest.term_id},
        {"position", (std::max<std::int64_t>(terms, 0) << log.shift()) + newest.offset},
        {"connected", log.is_connected()}};
}

void print_log(const Options& options, const Json& line, const NewestTerm& newest) {
    if (options.common.json) {
        Json object = line;
        for (const Frame& frame : newest.last) {
            object["frames"].push_back({{"offset", frame.offset}, {"length", frame.length},
                {"type", frame.type}, {"flags", frame.flags}, {"reserved", frame.reserved}});
        }
        print_json(object);
        return;
    }
    fmt::print("{} session {} stream {}: term {} of {} B, position {}{}\n  {}\n",
        line["kind"].get<std::string>(), line["session_id"].get<int>(), line["stream_id"].get<int>(),
        newest.term_id, line["term_length"].get<int>(), line["position"].get<std::int64_t>(),
        line["connected"].get<bool>() ? ", connected" : "", line["file"].get<std::string>());
    for (const Frame& frame : newest.last) {
        fmt::print("    at {:>10}  {:>8} B  {}  flags {:#04x}  reserved {}\n", frame.offset, frame.length,
            frame.length < 0  ? "claimed"
            : frame.type == 0 ? "pad"
                              : "data",
            frame.flags, frame.reserved);
    }
}

Status show(const Options& options, const std::string& path) {
    const std::size_t slash = path.rfind('/');
    FULMAR_TRY(mapping, open_file(slash == std::string::npos ? "." : path.substr(0, slash),
                            slash == std::string::npos ? path : path.substr(slash + 1)));
    auto log = layout::LogBuffer::open(mapping->bytes());
    if (!log) {
        return fail(log.error().code, path + ": " + log.error().message);
    }
    const NewestTerm newest = walk(*log, options.frames);
    print_log(options, describe(path, *log, newest), newest);
    return Done{};
}

int run(const Options& options) {
    const bool given = !options.files.empty();
    if (!given) {
        if (const auto driver = DriverView::open(options.common.dir); !driver) {
            return report("log", driver.error());
        }
    }
    const std::vector<std::string> files = given ? options.files : find_logs(options.common.dir);
    int status = kExitPass;
    for (const std::string& path : files) {
        if (const Status shown = show(options, path); !shown) {
            status = report("log", shown.error());
        }
    }
    if (files.empty() && !options.common.json) {
        fmt::print("no log buffers in {}\n", options.common.dir);
    }
    return status;
}

}  // namespace

Run add_log(CLI::App& app) {
    auto options = std::make_shared<Options>();
    auto* verb = app.add_subcommand("log", "log buffers with their positions and last frames");
    add_common(*verb, options->common);
    verb->add_option("--frames", options->frames, "the last so many frames of the newest term");
    verb->add_option("FILE", options->files, "these logs instead of the driver's; needed with a --log-dir");
    return [options] { return run(*options); };
}

}  // namespace fulmar::cli

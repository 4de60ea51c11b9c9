// How an archive bears size: a catalog of many recordings opens quickly, and a replay of a recording larger
// than memory takes no more memory than a small one.
//
// Segments are sparse: of a frame only its header is on disk, the payload is a hole. Everything reads, checks
// and sends them as it would any other.
#include <CLI/CLI.hpp>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <fcntl.h>
#include <filesystem>
#include <fmt/core.h>
#include <fstream>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <sstream>
#include <string>
#include <system_error>
#include <unistd.h>
#include <vector>

#include "archive/catalog.h"
#include "archive/checksum.h"
#include "archive/segment.h"
#include "archive/sidecar.h"
#include "archive_server/start_up.h"
#include "base/bytes.h"
#include "drivers/storage_file/file_storage.h"
#include "fulmar/archive_client.h"
#include "fulmar/driver.h"
#include "fulmar/idle.h"
#include "tests/lab/child.h"
#include "wire/frame.h"

namespace fulmar::lab {
namespace {

constexpr std::int32_t kStreamId = 1001;
constexpr std::int32_t kMtu = 65'504;
constexpr std::int32_t kTermLength = 16 << 20;
constexpr std::int32_t kSegmentLength = 128 << 20;
constexpr std::int64_t kFramesPerTerm = kTermLength / kMtu;
/// Far below what is replayed, far above what an allocator or a log that is touched for the first time takes.
constexpr std::int64_t kGrowthMax = 24 << 20;
constexpr Duration kPatience = seconds(60);

struct Options {
    std::string archive_program;
    std::int64_t recordings = 100'000;
    double gib = 10;
    double open_ms_max = 1'000;
    std::string out;
    bool json = false;
};

Status system_error(const std::string& what) {
    return fail(ErrorCode::kGeneric, what + ": " + std::generic_category().message(errno));
}

double ms_since(std::chrono::steady_clock::time_point begin) {
    return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - begin).count();
}

/// A file of this length, with no bytes of its own yet.
class SparseFile {
  public:
    static Result<SparseFile> create(const std::string& path, std::int64_t length) {
        const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
        if (fd < 0 || ::ftruncate(fd, length) != 0) {
            return Unexpected{system_error("cannot make " + path).error()};
        }
        return SparseFile(fd);
    }
    SparseFile(SparseFile&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
    SparseFile& operator=(SparseFile&&) = delete;
    ~SparseFile() {
        if (fd_ >= 0) {
            (void)::close(fd_);
        }
    }
    Status write(std::int64_t offset, std::span<const std::byte> bytes) {
        return ::pwrite(fd_, bytes.data(), bytes.size(), offset) == std::ssize(bytes)
                   ? Status(Done{})
                   : system_error("cannot write");
    }

  private:
    explicit SparseFile(int fd) : fd_(fd) {}
    int fd_;
};

Status write_catalog(const std::string& directory, const archive::Catalog& catalog) {
    std::ofstream file(directory + "/" + archive::kCatalogFileName, std::ios::binary);
    file.write(reinterpret_cast<const char*>(catalog.bytes().data()), std::ssize(catalog.bytes()));
    file.close();
    return file ? Status(Done{}) : system_error("cannot write the catalog");
}

archive::Recording recording(
    std::int64_t stop, std::int32_t term_length, std::int32_t segment_length, std::int32_t mtu) {
    return {.stop_timestamp = 1,
        .start_position = 0,
        .stop_position = stop,
        .segment_file_length = segment_length,
        .term_buffer_length = term_length,
        .mtu_length = mtu,
        .session_id = 7,
        .stream_id = kStreamId,
        .stripped_channel = "aeron:udp?endpoint=localhost:40123",
        .original_channel = "aeron:udp?endpoint=localhost:40123|alias=market-data",
        .source_identity = "127.0.0.1:40123"};
}

/// Recordings of a segment each.
Status make_catalog(const std::string& directory, std::int64_t recordings) {
    constexpr std::int32_t kSmall = 64 * 1024;
    archive::Catalog catalog = archive::Catalog::create();
    for (std::int64_t id = 0; id < recordings; ++id) {
        FULMAR_TRY(added, catalog.add(recording(kSmall, kSmall, kSmall, 1408)));
        FULMAR_TRY(file, SparseFile::create(directory + "/" + archive::segment_name(added, 0), kSmall));
        (void)file;
    }
    return write_catalog(directory, catalog);
}

struct CatalogFigures {
    std::int64_t recordings = 0;
    std::int64_t bytes = 0;
    double open_ms = 0;   ///< all that an archive does with it before it serves anybody
    double ready_ms = 0;  ///< of its process, from start to service
};

Result<double> time_start_up(const std::string& directory) {
    FULMAR_TRY(storage, drivers::FileStorage::create({.directory = directory}));
    archive::StorageHub hub(*storage);
    const auto begin = std::chrono::steady_clock::now();
    archive::StartUp start_up(hub, {.now_ms = 1});
    while (!start_up.is_done()) {
        (void)start_up.poll(Instant{});
    }
    const double took = ms_since(begin);
    if (start_up.error()) {
        return Unexpected{*start_up.error()};
    }
    if (!start_up.damaged().empty()) {
        return fail(ErrorCode::kGeneric, start_up.damaged().front().why);
    }
    return took;
}

/// One frame with a payload of zeros, as its recorder saw it.
class Frames {
  public:
    Frames() : frame_(kMtu) {}

    [[nodiscard]] std::span<const std::byte> header_at(std::int64_t position) {
        const std::int64_t offset = position % kTermLength;
        const bool is_padding = offset == kFramesPerTerm * kMtu;
        std::byte* at = frame_.data();
        base::store_le<std::int32_t>(at, wire::field::kFrameLength, length(position));
        base::store_le<std::uint8_t>(at, 4, 0);
        base::store_le<std::uint8_t>(at, 5, is_padding ? 0 : 0xc0);
        base::store_le(at, 6, is_padding ? wire::FrameType::kPad : wire::FrameType::kData);
        base::store_le(at, 8, static_cast<std::int32_t>(offset));
        base::store_le(at, 12, std::int32_t{7});
        base::store_le(at, 16, kStreamId);
        base::store_le(at, 20, static_cast<std::int32_t>(position / kTermLength));
        return std::span(frame_).first(wire::kDataHeaderLength);
    }
    [[nodiscard]] static std::int32_t length(std::int64_t position) {
        const std::int64_t offset = position % kTermLength;
        return offset == kFramesPerTerm * kMtu ? static_cast<std::int32_t>(kTermLength - offset) : kMtu;
    }
    [[nodiscard]] archive::SidecarEntry entry_at(std::int64_t position) {
        const bool is_padding = length(position) != kMtu;
        const auto header = header_at(position);
        return {.kind = is_padding ? archive::SidecarKind::kPadding : archive::SidecarKind::kData,
            .position = position,
            .length = length(position),
            .checksum = archive::crc32c(is_padding ? header : std::span<const std::byte>(frame_)),
            .durable = position + length(position)};
    }

  private:
    std::vector<std::byte> frame_;
};

Status make_segment(const std::string& directory, std::int64_t base, Frames& frames) {
    FULMAR_TRY(data, SparseFile::create(directory + "/" + archive::segment_name(0, base), kSegmentLength));
    FULMAR_TRY(sidecar, SparseFile::create(directory + "/" + archive::sidecar_name(0, base),
                            static_cast<std::int64_t>(archive::sidecar_length(kSegmentLength))));
    std::vector<std::byte> slots(archive::kSidecarSlotLength);
    archive::write_sidecar_header(slots.data(), base, kSegmentLength);
    std::uint64_t number = 1;
    for (std::int64_t position = base; position < base + kSegmentLength;
         position += Frames::length(position)) {
        slots.resize(slots.size() + archive::kSidecarSlotLength);
        archive::write_sidecar_entry(slots.data() + slots.size() - archive::kSidecarSlotLength, base,
            number++, frames.entry_at(position));
        FULMAR_TRY_VOID(data.write(position - base, frames.header_at(position)));
    }
    return sidecar.write(0, slots);
}

Result<std::int64_t> make_recording(const std::string& directory, double gib) {
    const auto segments =
        static_cast<std::int64_t>(gib * static_cast<double>(std::int64_t{1} << 30)) / kSegmentLength;
    Frames frames;
    for (std::int64_t i = 0; i < segments; ++i) {
        FULMAR_TRY_VOID(make_segment(directory, i * kSegmentLength, frames));
    }
    archive::Catalog catalog = archive::Catalog::create();
    FULMAR_TRY(id, catalog.add(recording(segments * kSegmentLength, kTermLength, kSegmentLength, kMtu)));
    (void)id;
    FULMAR_TRY_VOID(write_catalog(directory, catalog));
    return segments * kSegmentLength;
}

/// Bytes of a process: `VmRSS` and the like.
std::int64_t memory_of(pid_t pid, const std::string& name) {
    std::ifstream status("/proc/" + std::to_string(pid) + "/status");
    for (std::string line; std::getline(status, line);) {
        if (line.starts_with(name + ":")) {
            return std::stoll(line.substr(name.size() + 1)) * 1024;
        }
    }
    return 0;
}

struct ReplayFigures {
    std::int64_t bytes = 0;
    double seconds = 0;
    std::int64_t rss_idle = 0;   ///< before anything is replayed
    std::int64_t rss_begun = 0;  ///< when each part of its log was touched
    std::int64_t rss_max = 0;    ///< from then on
    std::int64_t rss_after = 0;
};

/// A driver and a client of ours, and the archive that is looked at.
class Scale {
  public:
    explicit Scale(const Options& options) : options_(options) {
        directory_ = options.out.empty() ? fmt::format("/var/tmp/fulmar-scale-{}", ::getpid()) : options.out;
        std::filesystem::create_directories(directory_ + "/catalog");
        std::filesystem::create_directories(directory_ + "/replay");
    }
    ~Scale() {
        process_.reset();
        if (options_.out.empty()) {
            std::filesystem::remove_all(directory_);
        }
    }

    Result<CatalogFigures> measure_catalog() {
        FULMAR_TRY_VOID(open());
        const std::string directory = directory_ + "/catalog";
        FULMAR_TRY_VOID(make_catalog(directory, options_.recordings));
        CatalogFigures figures{.recordings = options_.recordings};
        figures.bytes = static_cast<std::int64_t>(
            std::filesystem::file_size(directory + "/" + archive::kCatalogFileName));
        FULMAR_TRY(open_ms, time_start_up(directory));
        figures.open_ms = open_ms;
        const auto begin = std::chrono::steady_clock::now();
        FULMAR_TRY_VOID(start_archive(directory));
        figures.ready_ms = ms_since(begin);
        process_->end(SIGTERM);
        process_.reset();
        return figures;
    }

    Result<ReplayFigures> measure_replay() {
        const std::string directory = directory_ + "/replay";
        FULMAR_TRY(bytes, make_recording(directory, options_.gib));
        FULMAR_TRY_VOID(start_archive(directory));
        ArchiveClientOptions connect;
        connect.control_request_channel = "aeron:ipc?term-length=64k";
        connect.on_error = [this](const ArchiveError& error) { said_ = error.message; };
        FULMAR_TRY(session, ArchiveClient::connect(*client_, std::move(connect)));
        ReplayFigures figures{.bytes = bytes, .rss_idle = rss()};
        const auto begin = std::chrono::steady_clock::now();
        FULMAR_TRY(replay, session->replay(0, "aeron:ipc", kStreamId, {}));
        FULMAR_TRY_VOID(follow(*replay, *session, figures));
        figures.seconds = ms_since(begin) / 1'000;
        figures.rss_after = rss();
        return figures;
    }

  private:
    Status open() {
        MediaDriverOptions driver;
        driver.threading = MediaDriverOptions::Threading::kShared;
        driver.dir = directory_ + "/driver";
        FULMAR_TRY(started, MediaDriver::start(std::move(driver)));
        driver_ = std::move(started);
        ClientOptions client;
        client.dir = driver_->dir();
        client.name = "archive_scale";
        FULMAR_TRY(connected, Client::connect(std::move(client)));
        client_ = std::move(connected);
        return Done{};
    }
    Status start_archive(const std::string& directory) {
        FULMAR_TRY(child,
            Child::start({options_.archive_program, "--attach", driver_->dir(), "--archive-dir", directory},
                "ready in ", kPatience));
        process_.emplace(std::move(child));
        return Done{};
    }
    [[nodiscard]] std::int64_t rss() const { return memory_of(process_->pid(), "VmRSS"); }

    Status follow(Subscription& replay, ArchiveClient& session, ReplayFigures& figures) {
        // Three laps of the log: each page of it has been touched, by us and by the archive.
        constexpr std::int64_t kBegun = 9 * std::int64_t{kTermLength};
        constexpr std::int64_t kBetween = 32 << 20;
        std::int64_t reached = 0;
        std::int64_t next_look = 0;
        BackoffIdle idle;
        Instant deadline = client_->now() + kPatience;
        while (reached < figures.bytes) {
            const int work = replay.poll(
                [&](std::span<const std::byte>, const Header& header) { reached = header.position(); }, 64);
            if (!replay.images().empty()) {
                reached = std::max(reached, replay.images().front()->position());
            }
            idle.idle(work + session.poll());
            if (work > 0) {
                deadline = client_->now() + kPatience;
            } else if (client_->now() > deadline || !said_.empty()) {
                return fail(
                    ErrorCode::kGeneric, fmt::format("the replay came to {} of {}: {}; the archive said: {}",
                                             reached, figures.bytes, said_, process_->output()));
            }
            if (reached < next_look) {
                continue;
            }
            next_look = reached + kBetween;
            if (reached >= kBegun) {
                figures.rss_begun = figures.rss_begun == 0 ? rss() : figures.rss_begun;
                figures.rss_max = std::max(figures.rss_max, rss());
            }
        }
        return Done{};
    }

    const Options& options_;
    std::string directory_;
    std::unique_ptr<MediaDriver> driver_;
    std::unique_ptr<Client> client_;
    std::optional<Child> process_;
    std::string said_;
};

int main_of(int argc, char** argv) {
    Options options;
    CLI::App app{"Opens a catalog of many recordings, and replays one that is larger than memory."};
    app.add_option("--archive", options.archive_program, "The program fulmar-archive")->required();
    app.add_option("--recordings", options.recordings, "In the catalog")->capture_default_str();
    app.add_option("--open-ms-max", options.open_ms_max, "What the catalog may take")->capture_default_str();
    app.add_option("--gib", options.gib, "Of the recording that is replayed")->capture_default_str();
    app.add_option("--out", options.out, "Where, and keep the files");
    app.add_flag("--json", options.json, "One line for machines");
    CLI11_PARSE(app, argc, argv);
    Scale scale(options);
    const auto catalog = scale.measure_catalog();
    const auto replay = catalog ? scale.measure_replay() : Result<ReplayFigures>(Unexpected{catalog.error()});
    if (!replay) {
        fmt::print(stderr, "archive-scale: {}\n", replay.error().message);
        fmt::print("{}\n", nlohmann::ordered_json{{"test", "archive-scale"}, {"pass", false}}.dump());
        return 1;
    }
    const std::int64_t growth = replay->rss_max - replay->rss_begun;
    const bool pass = catalog->open_ms < options.open_ms_max && growth < kGrowthMax;
    const nlohmann::ordered_json line{{"test", "archive-scale"}, {"pass", pass},
        {"catalog", {{"recordings", catalog->recordings}, {"bytes", catalog->bytes},
                        {"open_ms", catalog->open_ms}, {"ready_ms", catalog->ready_ms}}},
        {"replay", {{"bytes", replay->bytes}, {"seconds", replay->seconds}, {"rss_idle", replay->rss_idle},
                       {"rss_begun", replay->rss_begun}, {"rss_max", replay->rss_max},
                       {"rss_after", replay->rss_after}}}};
    fmt::print("{}\n", line.dump());
    return pass ? 0 : 1;
}

}  // namespace
}  // namespace fulmar::lab

int main(int argc, char** argv) {
    return fulmar::lab::main_of(argc, argv);
}

#include "archive_server/mark_file.h"

#include <cstring>

#include "archive/mark_file.h"
#include "base/bytes.h"
#include "fulmar/sbe/decoder.h"
#include "fulmar/sbe/encoder.h"

namespace fulmar::archive {
namespace {

/// Of the layout of the directory's files, packed.
constexpr std::int32_t kMarkFileVersion = 3 << 16 | 1 << 8 | 0;
constexpr std::int64_t kLivenessTimeoutMs = 10'000;
constexpr std::size_t kBlock = sbe::header_length<MarkFileHeader>;
constexpr std::size_t kVersionAt = kBlock + sbe::offset_of<MarkFileHeader, "version">;
constexpr std::size_t kActivityAt = kBlock + sbe::offset_of<MarkFileHeader, "activityTimestamp">;
constexpr std::size_t kPidAt = kBlock + sbe::offset_of<MarkFileHeader, "pid">;
constexpr std::size_t kArchiveIdAt = kBlock + sbe::offset_of<MarkFileHeader, "archiveId">;
/// Of each text, so that all of them fit into the head.
constexpr std::size_t kTextMax = 1800;

}  // namespace

Status MarkFile::refuse_if_active(
    const std::string& directory, const Owner& owner, port::MemoryMap& memory, port::Clock& clock) {
    const std::string path = directory + "/" + kMarkFileName;
    if (!memory.exists(path)) {
        return Done{};
    }
    auto mapping = memory.open(path, false);
    if (!mapping) {
        return Done{};  // unreadable is not active
    }
    const auto bytes = (*mapping)->bytes();
    if (bytes.size() < static_cast<std::size_t>(kMarkHeaderLength)) {
        return Done{};
    }
    // SYNC(mark_file.activity): acquire; pairs with touch() of the owner.
    const auto activity = base::load_acquire<std::int64_t>(bytes.data(), kActivityAt);
    const std::int64_t age = clock.epoch_ms() - activity;
    const auto pid = base::load_le<std::int64_t>(bytes.data(), kPidAt);
    if (activity > 0 && age < kLivenessTimeoutMs && owner.is_alive(pid)) {
        return fail(ErrorCode::kGeneric, path + ": an archive is active there (process " +
                                             std::to_string(pid) + ", seen " + std::to_string(age) +
                                             " ms ago): stop it, or choose another --archive-dir");
    }
    return Done{};
}

Result<std::unique_ptr<MarkFile>> MarkFile::create(const std::string& directory, const ServerOptions& options,
    const Owner& owner, port::MemoryMap& memory, port::Clock& clock) {
    const std::string path = directory + "/" + kMarkFileName;
    if (memory.exists(path)) {
        FULMAR_TRY_VOID(refuse_if_active(directory, owner, memory, clock));
        FULMAR_TRY_VOID(memory.remove(path));
    }
    FULMAR_TRY(mapping, memory.create(path, kMarkHeaderLength + owner.error_buffer_length, true));
    const auto bytes = mapping->bytes();
    sbe::Encoder<MarkFileHeader> head(bytes.first(kMarkHeaderLength));
    head.set<"version">(0)
        .set<"activityTimestamp">(clock.epoch_ms())
        .set<"startTimestamp">(clock.epoch_ms())
        .set<"pid">(owner.pid)
        .set<"controlStreamId">(options.control_stream_id)
        .set<"localControlStreamId">(options.local_control_stream_id)
        .set<"eventsStreamId">(options.events_stream_id)
        .set<"headerLength">(kMarkHeaderLength)
        .set<"errorBufferLength">(owner.error_buffer_length)
        .set<"archiveId">(owner.archive_id);
    head.data<"controlChannel">(std::string_view(options.control_channel).substr(0, kTextMax));
    head.data<"localControlChannel">(std::string_view(options.local_control_channel).substr(0, kTextMax));
    head.data<"eventsChannel">(std::string_view(options.events_channel).substr(0, kTextMax));
    head.data<"aeronDirectory">(std::string_view(owner.aeron_directory).substr(0, kTextMax));
    if (const auto encoded = head.finish(); !encoded) {
        return fail(ErrorCode::kGeneric, path + ": channels are too long for its head");
    }
    // Release: readers, which are other programs, take the rest for whole once they see it.
    base::store_release<std::int32_t>(bytes.data(), kVersionAt, kMarkFileVersion);
    return std::unique_ptr<MarkFile>(new MarkFile(std::move(mapping), owner.error_buffer_length));
}

MarkFile::MarkFile(std::unique_ptr<port::Mapping> mapping, std::int32_t error_buffer_length)
    : mapping_(std::move(mapping)),
      errors_(mapping_->bytes().subspan(kMarkHeaderLength, static_cast<std::size_t>(error_buffer_length))) {}

MarkFile::~MarkFile() {
    touch(-1);
}

void MarkFile::touch(std::int64_t epoch_ms) {
    // SYNC(mark_file.activity): release.
    base::store_release<std::int64_t>(mapping_->bytes().data(), kActivityAt, epoch_ms);
}

void MarkFile::set_archive_id(std::int64_t archive_id) {
    base::store_release<std::int64_t>(mapping_->bytes().data(), kArchiveIdAt, archive_id);
}

bool MarkFile::record(const Error& error, std::int64_t epoch_ms) {
    return errors_.record(static_cast<std::int32_t>(error.code), error.message, epoch_ms) ==
           observe::DistinctErrorLog::Outcome::kNew;
}

}  // namespace fulmar::archive

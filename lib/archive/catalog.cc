#include "archive/catalog.h"

#include <algorithm>
#include <cstring>
#include <limits>
#include <utility>

#include "base/assert.h"
#include "base/bytes.h"
#include "fulmar/sbe/decoder.h"
#include "fulmar/sbe/encoder.h"

namespace fulmar::archive {

namespace {

using base::load_le;
using base::store_le;
using Descriptor = RecordingDescriptor;

constexpr std::size_t kDescriptorLength = sbe::block_length<Descriptor>;
static_assert(kDescriptorLength == 80);
static_assert(sbe::block_length<CatalogHeader> == kCatalogHeaderLength);
static_assert(sbe::block_length<RecordingDescriptorHeader> == kCatalogEntryHeaderLength);

/// Where a field of the descriptor, its header, or the catalog's header lies.
template <sbe::Name kName>
constexpr std::size_t kBodyOffset = kCatalogEntryHeaderLength + sbe::offset_of<Descriptor, kName>;
template <sbe::Name kName>
constexpr std::size_t kEntryOffset = sbe::offset_of<RecordingDescriptorHeader, kName>;
template <sbe::Name kName>
constexpr std::size_t kFileOffset = sbe::offset_of<CatalogHeader, kName>;

Unexpected<Error> bad(std::size_t offset, std::string why) {
    return fail(ErrorCode::kGeneric, "catalog: at " + std::to_string(offset) + ": " + std::move(why));
}

std::string text_of(std::string_view text) {
    return std::string(text);
}

std::string fault_text(const sbe::Error& error) {
    return text_of(error.member) + ": " + text_of(to_string(error.fault)) + ": " +
           std::to_string(error.have) + " of " + std::to_string(error.need);
}

}  // namespace

Catalog Catalog::create(std::size_t capacity) {
    Catalog catalog;
    catalog.bytes_.resize(std::max(capacity, kCatalogHeaderLength));
    std::byte* header = catalog.bytes_.data();
    store_le<std::int32_t>(header, kFileOffset<"version">, kCatalogVersion);
    store_le<std::int32_t>(header, kFileOffset<"length">, static_cast<std::int32_t>(kCatalogHeaderLength));
    store_le<std::int64_t>(header, kFileOffset<"nextRecordingId">, 0);
    store_le<std::int32_t>(header, kFileOffset<"alignment">, kCatalogAlignment);
    catalog.end_ = kCatalogHeaderLength;
    catalog.changed(0, catalog.bytes_.size());
    return catalog;
}

Result<Catalog> Catalog::open(std::vector<std::byte> bytes) {
    Catalog catalog;
    catalog.bytes_ = std::move(bytes);
    FULMAR_TRY_VOID(catalog.index());
    return catalog;
}

Status Catalog::index() {
    if (bytes_.size() < kCatalogHeaderLength) {
        return bad(0, "a file of " + std::to_string(bytes_.size()) + " bytes has no room for the header");
    }
    if (bytes_.size() > kCatalogLengthMax) {
        return bad(
            0, "a file of " + std::to_string(bytes_.size()) + " bytes is longer than a catalog may be");
    }
    const std::byte* header = bytes_.data();
    const auto version = load_le<std::int32_t>(header, kFileOffset<"version">);
    if (version >> 16 != kCatalogVersion >> 16) {
        return bad(0,
            "format " + std::to_string(version >> 16) + " is not 3; Aeron's ArchiveTool migrates older ones");
    }
    const auto length = load_le<std::int32_t>(header, kFileOffset<"length">);
    if (length != static_cast<std::int32_t>(kCatalogHeaderLength)) {
        return bad(0, "a header of " + std::to_string(length) + " bytes is not one of 32");
    }
    const auto written_alignment = load_le<std::int32_t>(header, kFileOffset<"alignment">);
    if (written_alignment != 0 && (written_alignment < 8 || written_alignment > 64 * 1024 ||
                                      !base::is_power_of_two(written_alignment))) {
        return bad(0, "an alignment of " + std::to_string(written_alignment) +
                          " is not a power of two from 8 to 65536");
    }
    const std::int64_t next = next_recording_id();
    if (next < 0) {
        return bad(
            kFileOffset<"nextRecordingId">, "a next recording id of " + std::to_string(next) + " cannot be");
    }
    std::size_t at = written_alignment == 0 ? kCatalogOldAlignment : kCatalogHeaderLength;
    while (at + kCatalogEntryHeaderLength <= bytes_.size()) {
        const auto body_length = load_le<std::int32_t>(bytes_.data() + at, kEntryOffset<"length">);
        if (body_length <= 0) {
            break;
        }
        const std::size_t body = at + kCatalogEntryHeaderLength;
        if (static_cast<std::size_t>(body_length) > bytes_.size() - body) {
            return bad(
                at, "an entry of " + std::to_string(body_length) + " bytes reaches past the end of the file");
        }
        const auto decoded = sbe::Decoder<Descriptor>::wrap(
            std::span<const std::byte>(bytes_).subspan(body, static_cast<std::size_t>(body_length)),
            kDescriptorLength, ControlSchema::kVersion);
        if (!decoded) {
            return bad(at, fault_text(decoded.error()));
        }
        const std::int64_t id = decoded->get<"recordingId">();
        if (id < 0 || id >= next || (!entries_.empty() && id <= entries_.back().id)) {
            return bad(
                at, "recording id " + std::to_string(id) + " does not follow " +
                        (entries_.empty() ? std::string("the header") : std::to_string(entries_.back().id)) +
                        ", or is not below the next id " + std::to_string(next));
        }
        entries_.push_back({id, at});
        at = body + static_cast<std::size_t>(body_length);
    }
    end_ = at;
    return Done{};
}

std::size_t Catalog::alignment() const {
    const auto written = load_le<std::int32_t>(bytes_.data(), kFileOffset<"alignment">);
    return static_cast<std::size_t>(written == 0 ? kCatalogOldAlignment : written);
}

std::int64_t Catalog::next_recording_id() const {
    return load_le<std::int64_t>(bytes_.data(), kFileOffset<"nextRecordingId">);
}

std::span<std::byte> Catalog::body_of(std::size_t index) {
    return std::span(bytes_).subspan(entries_[index].offset);
}

std::span<const std::byte> Catalog::descriptor(std::size_t index) const {
    const std::size_t at = entries_[index].offset;
    const auto length = load_le<std::int32_t>(bytes_.data() + at, kEntryOffset<"length">);
    return std::span<const std::byte>(bytes_).subspan(
        at + kCatalogEntryHeaderLength, static_cast<std::size_t>(length));
}

Recording Catalog::at(std::size_t index) const {
    // Checked when the file was opened or the entry was made.
    const auto body = sbe::Decoder<Descriptor>::trusted(
        descriptor(index).data(), kDescriptorLength, ControlSchema::kVersion);
    Recording recording;
    recording.id = body.get<"recordingId">();
    recording.state = static_cast<RecordingState>(
        load_le<std::int32_t>(bytes_.data() + entries_[index].offset, kEntryOffset<"state">));
    recording.control_session_id = body.get<"controlSessionId">();
    recording.correlation_id = body.get<"correlationId">();
    recording.start_timestamp = body.get<"startTimestamp">();
    recording.stop_timestamp = body.get<"stopTimestamp">();
    recording.start_position = body.get<"startPosition">();
    recording.stop_position = body.get<"stopPosition">();
    recording.initial_term_id = body.get<"initialTermId">();
    recording.segment_file_length = body.get<"segmentFileLength">();
    recording.term_buffer_length = body.get<"termBufferLength">();
    recording.mtu_length = body.get<"mtuLength">();
    recording.session_id = body.get<"sessionId">();
    recording.stream_id = body.get<"streamId">();
    recording.stripped_channel = text_of(body.data<"strippedChannel">());
    recording.original_channel = text_of(body.data<"originalChannel">());
    recording.source_identity = text_of(body.data<"sourceIdentity">());
    return recording;
}

std::size_t Catalog::find(std::int64_t recording_id) const {
    const auto found = std::lower_bound(entries_.begin(), entries_.end(), recording_id,
        [](const Entry& entry, std::int64_t id) { return entry.id < id; });
    if (found == entries_.end() || found->id != recording_id) {
        return entries_.size();
    }
    const auto state = load_le<std::int32_t>(bytes_.data() + found->offset, kEntryOffset<"state">);
    return state == static_cast<std::int32_t>(RecordingState::kValid)
               ? static_cast<std::size_t>(found - entries_.begin())
               : entries_.size();
}

Result<std::size_t> Catalog::entry_length(const Recording& recording) const {
    const std::size_t texts = recording.stripped_channel.size() + recording.original_channel.size() +
                              recording.source_identity.size();
    if (texts > kCatalogTextMax) {
        return fail(ErrorCode::kGeneric, "catalog: channels and source identity of " + std::to_string(texts) +
                                             " bytes are more than an entry holds");
    }
    const std::size_t encoded = sbe::encoded_length<Descriptor> - sbe::header_length<Descriptor> + texts;
    return base::align_up(kCatalogEntryHeaderLength + encoded, alignment());
}

Status Catalog::grow(std::size_t end) {
    if (end > kCatalogLengthMax) {
        return fail(
            ErrorCode::kStorageSpace, "catalog: no room for another recording below the greatest length of " +
                                          std::to_string(kCatalogLengthMax) + " bytes");
    }
    if (end > bytes_.size()) {
        // By half, as Aeron does, so that the cost of growing is spread.
        const std::size_t before = bytes_.size();
        const std::size_t wanted = std::max(before + before / 2, end);
        bytes_.resize(std::min(base::align_up<std::size_t>(wanted, 4096), kCatalogLengthMax));
        changed(before, bytes_.size() - before);
    }
    return Done{};
}

void Catalog::write_entry(std::size_t offset, std::size_t length, std::int64_t id, RecordingState state,
    const Recording& recording) {
    std::byte* at = bytes_.data() + offset;
    std::fill_n(at, length, std::byte{0});
    auto encoder = sbe::Encoder<Descriptor>::without_header(
        std::span(bytes_).subspan(offset + kCatalogEntryHeaderLength, length - kCatalogEntryHeaderLength));
    encoder.set<"controlSessionId">(recording.control_session_id)
        .set<"correlationId">(recording.correlation_id)
        .set<"recordingId">(id)
        .set<"startTimestamp">(recording.start_timestamp)
        .set<"stopTimestamp">(recording.stop_timestamp)
        .set<"startPosition">(recording.start_position)
        .set<"stopPosition">(recording.stop_position)
        .set<"initialTermId">(recording.initial_term_id)
        .set<"segmentFileLength">(recording.segment_file_length)
        .set<"termBufferLength">(recording.term_buffer_length)
        .set<"mtuLength">(recording.mtu_length)
        .set<"sessionId">(recording.session_id)
        .set<"streamId">(recording.stream_id)
        .data<"strippedChannel">(recording.stripped_channel)
        .data<"originalChannel">(recording.original_channel)
        .data<"sourceIdentity">(recording.source_identity);
    const auto done = encoder.finish();
    FULMAR_ASSERT(done, "an entry was made as long as it has to be");
    store_le<std::int32_t>(
        at, kEntryOffset<"length">, static_cast<std::int32_t>(length - kCatalogEntryHeaderLength));
    store_le<std::int32_t>(at, kEntryOffset<"state">, static_cast<std::int32_t>(state));
}

void Catalog::close_list() {
    if (end_ + sizeof(std::int32_t) <= bytes_.size()) {
        store_le<std::int32_t>(bytes_.data() + end_, kEntryOffset<"length">, 0);
        changed(end_, sizeof(std::int32_t));
    }
}

Result<std::int64_t> Catalog::add(const Recording& recording) {
    if (next_recording_id() == std::numeric_limits<std::int64_t>::max()) {
        return fail(ErrorCode::kStorageSpace, "catalog: no recording ids are left");
    }
    FULMAR_TRY(length, entry_length(recording));
    FULMAR_TRY_VOID(grow(end_ + length));
    const std::int64_t id = next_recording_id();
    write_entry(end_, length, id, RecordingState::kValid, recording);
    store_le<std::int64_t>(bytes_.data(), kFileOffset<"nextRecordingId">, id + 1);
    entries_.push_back({id, end_});
    const std::size_t offset = end_;
    end_ += length;
    // The id is taken and the list closed before the entry is in it.
    changed(0, kCatalogHeaderLength);
    close_list();
    changes_.push_back({offset, length, true});
    return id;
}

Status Catalog::replace(std::size_t index, const Recording& recording) {
    FULMAR_TRY(length, entry_length(recording));
    const std::size_t offset = entries_[index].offset;
    const std::size_t next = index + 1 < entries_.size() ? entries_[index + 1].offset : end_;
    FULMAR_TRY_VOID(grow(end_ - (next - offset) + length));
    const auto state =
        static_cast<RecordingState>(load_le<std::int32_t>(bytes_.data() + offset, kEntryOffset<"state">));
    std::memmove(bytes_.data() + offset + length, bytes_.data() + next, end_ - next);
    for (std::size_t i = index + 1; i < entries_.size(); ++i) {
        entries_[i].offset = entries_[i].offset - next + offset + length;
    }
    end_ = end_ - next + offset + length;
    write_entry(offset, length, entries_[index].id, state, recording);
    has_moved_ = true;
    close_list();
    return Done{};
}

void Catalog::set_stop(std::size_t index, std::int64_t position, std::int64_t timestamp) {
    std::byte* entry = body_of(index).data();
    store_le(entry, kBodyOffset<"stopPosition">, position);
    store_le(entry, kBodyOffset<"stopTimestamp">, timestamp);
    changed(entries_[index].offset, kCatalogEntryHeaderLength + kDescriptorLength);
}

void Catalog::set_start_position(std::size_t index, std::int64_t position) {
    store_le(body_of(index).data(), kBodyOffset<"startPosition">, position);
    changed(entries_[index].offset, kCatalogEntryHeaderLength + kDescriptorLength);
}

void Catalog::set_state(std::size_t index, RecordingState state) {
    store_le(body_of(index).data(), kEntryOffset<"state">, static_cast<std::int32_t>(state));
    changed(entries_[index].offset, kCatalogEntryHeaderLength);
}

void Catalog::extend(std::size_t index, std::int32_t session_id, std::int64_t control_session_id,
    std::int64_t correlation_id) {
    std::byte* entry = body_of(index).data();
    store_le(entry, kBodyOffset<"sessionId">, session_id);
    store_le(entry, kBodyOffset<"controlSessionId">, control_session_id);
    store_le(entry, kBodyOffset<"correlationId">, correlation_id);
    set_stop(index, kNullValue, kNullValue);
}

void Catalog::changed(std::size_t offset, std::size_t length) {
    if (!changes_.empty() && !changes_.back().is_new_entry) {
        Changed& last = changes_.back();
        if (last.offset == offset && last.length >= length) {
            return;
        }
        if (last.offset + last.length == offset) {
            last.length += length;
            return;
        }
    }
    changes_.push_back({offset, length});
}

std::vector<Catalog::Changed> Catalog::take_changes() {
    if (std::exchange(has_moved_, false)) {
        changes_.assign(1, {.offset = 0, .length = bytes_.size(), .is_whole = true});
    }
    return std::exchange(changes_, {});
}

}  // namespace fulmar::archive

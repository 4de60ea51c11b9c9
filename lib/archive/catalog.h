/// The catalog of an archive: which recordings there are. It keeps the bytes of the file as they are to be on
/// disk and says which of them changed; whoever owns the file writes and syncs those.
///
/// Shapes: a header of 32 bytes, then entries back to back at the catalog's alignment, each 32 bytes of
/// header and the descriptor without its message header. The list ends at the first entry of length 0 or at
/// the end of the file. Ids grow by one and are never used again; an entry stays when its recording is
/// deleted. threads: one owner. errors: bytes that are no catalog are refused whole, naming the entry, its
/// offset and why: nobody goes on from a catalog that lost a recording without a word. units: bytes,
/// milliseconds since 1970.  source: Aeron Archive's catalog, format 3.1.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "archive/catalog_messages.h"
#include "fulmar/result.h"

namespace fulmar::archive {

inline constexpr const char* kCatalogFileName = "archive.catalog";
/// Of one that is not whole yet.
inline constexpr const char* kCatalogUnfinishedName = "archive.catalog.new";
/// Of the catalog's format, packed; the major part has to agree.
inline constexpr std::int32_t kCatalogVersion = 3 << 16 | 1 << 8 | 0;
inline constexpr std::size_t kCatalogHeaderLength = 32;
inline constexpr std::size_t kCatalogEntryHeaderLength = 32;
inline constexpr std::int32_t kCatalogAlignment = 64;
/// Files of before the alignment was written down: entries of this length, the first behind one of them.
inline constexpr std::int32_t kCatalogOldAlignment = 1024;
inline constexpr std::size_t kCatalogCapacity = 1 << 20;
inline constexpr std::size_t kCatalogLengthMax = std::size_t{1} << 31;
/// Of the texts in an entry together: a catalog of long channels is still bounded.
inline constexpr std::size_t kCatalogTextMax = 64 * 1024;

/// "None yet" of positions and timestamps.
inline constexpr std::int64_t kNullValue = -1;

/// A recording as its descriptor says.
struct Recording {
    std::int64_t id = kNullValue;
    RecordingState state = RecordingState::kValid;
    std::int64_t control_session_id = 0;
    std::int64_t correlation_id = 0;
    std::int64_t start_timestamp = kNullValue;
    std::int64_t stop_timestamp = kNullValue;  ///< kNullValue while it is active
    std::int64_t start_position = 0;
    std::int64_t stop_position = kNullValue;  ///< kNullValue while it is active
    std::int32_t initial_term_id = 0;
    std::int32_t segment_file_length = 0;
    std::int32_t term_buffer_length = 0;
    std::int32_t mtu_length = 0;
    std::int32_t session_id = 0;
    std::int32_t stream_id = 0;
    std::string stripped_channel;
    std::string original_channel;
    std::string source_identity;
};

class Catalog {
  public:
    /// A new catalog of `capacity` bytes; all of it is to be written.
    static Catalog create(std::size_t capacity = kCatalogCapacity);
    /// The catalog that these bytes of a file are.
    /// errors: kGeneric with the offset of what is wrong.
    [[nodiscard]] static Result<Catalog> open(std::vector<std::byte> bytes);

    /// Entries, deleted and invalid ones included, oldest first.
    [[nodiscard]] std::size_t size() const { return entries_.size(); }
    /// `index` < size().
    [[nodiscard]] Recording at(std::size_t index) const;
    [[nodiscard]] std::int64_t id_at(std::size_t index) const { return entries_[index].id; }
    /// The index of a recording whose state is valid; size() where there is none.
    [[nodiscard]] std::size_t find(std::int64_t recording_id) const;
    [[nodiscard]] std::int64_t next_recording_id() const;
    /// The descriptor as it lies in the file, padding included: what a listing sends.
    [[nodiscard]] std::span<const std::byte> descriptor(std::size_t index) const;

    /// Adds a recording under the next id, which is returned; `recording.id` and `.state` are ignored.
    /// errors: kStorageSpace where the catalog would pass its greatest length; kGeneric for texts beyond
    /// kCatalogTextMax.
    [[nodiscard]] Result<std::int64_t> add(const Recording& recording);
    void set_stop(std::size_t index, std::int64_t position, std::int64_t timestamp);
    void set_start_position(std::size_t index, std::int64_t position);
    void set_state(std::size_t index, RecordingState state);
    /// Makes a stopped recording active again, for a session that extends it.
    void extend(std::size_t index, std::int32_t session_id, std::int64_t control_session_id,
        std::int64_t correlation_id);
    /// Gives an entry other contents but its id and state; entries behind it move where it grows or shrinks.
    /// errors: as add.
    [[nodiscard]] Status replace(std::size_t index, const Recording& recording);

    /// The whole file as it is to be.
    [[nodiscard]] std::span<const std::byte> bytes() const { return bytes_; }
    /// The range of bytes() that changed since this was last asked; empty where nothing did. A changed entry,
    /// and the header where an id was taken, are in it whole.
    struct Changed {
        std::size_t offset = 0;
        std::size_t length = 0;
        /// A new entry: its first 4 bytes, the length, say that it is there. They are to be written when the
        /// rest of it is safe, so that a torn write does not leave half of one.
        bool is_new_entry = false;
        /// All of it, since entries have moved: written where it stands, it would be neither the old catalog
        /// nor the new one for a while. The file is to be replaced by another.
        bool is_whole = false;
    };
    [[nodiscard]] std::vector<Changed> take_changes();

  private:
    struct Entry {
        std::int64_t id;
        std::size_t offset;  ///< of the entry's header
    };

    Catalog() = default;
    Status index();
    /// What a recording needs in the file. errors: too long texts.
    [[nodiscard]] Result<std::size_t> entry_length(const Recording& recording) const;
    /// Makes room up to `end`. errors: the greatest length would be passed.
    Status grow(std::size_t end);
    void write_entry(std::size_t offset, std::size_t length, std::int64_t id, RecordingState state,
        const Recording& recording);
    /// Whatever lies behind the end of the list must not become an entry of it.
    void close_list();
    [[nodiscard]] std::span<std::byte> body_of(std::size_t index);
    [[nodiscard]] std::size_t alignment() const;
    void changed(std::size_t offset, std::size_t length);

    std::vector<std::byte> bytes_;
    std::vector<Entry> entries_;
    std::vector<Changed> changes_;
    bool has_moved_ = false;  ///< since changes were taken: all of it has changed
    std::size_t end_ = 0;     ///< where the next entry goes
};

}  // namespace fulmar::archive

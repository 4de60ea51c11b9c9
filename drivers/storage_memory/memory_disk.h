/// A disk without a device: what is on it, and what of that would be there after a power cut.
/// It outlives the MemoryStorage of each process that is started on it.
/// threads: one owner. Deterministic: the same calls leave the same bytes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "base/prng.h"
#include "port/storage.h"

namespace fulmar::drivers {

class MemoryDisk {
  public:
    using Code = port::StorageCompletion::Code;
    enum class FileId : std::uint32_t {};

    /// How a power cut treats what was not synced.
    struct PowerCut {
        /// Each sector and each name is kept or lost by itself; false: all of it is lost.
        bool torn = false;
        std::uint64_t sector_bytes = 512;
    };

    struct Opened {
        Code code = Code::kOk;
        FileId file{};
    };

    /// `space`: bytes that all files together may hold.
    explicit MemoryDisk(std::uint64_t space = std::numeric_limits<std::uint64_t>::max()) : space_(space) {}

    [[nodiscard]] Opened open(const std::string& name);
    [[nodiscard]] Opened create(const std::string& name, std::uint64_t length);
    /// Of each open and create; a file without a name goes with the last.
    void close(FileId file);
    [[nodiscard]] Code rename(const std::string& name, const std::string& new_name);
    /// `new_name` is another name, which may be taken.
    [[nodiscard]] Code replace(const std::string& name, const std::string& new_name);
    [[nodiscard]] Code remove(const std::string& name);
    void sync_directory();

    [[nodiscard]] std::uint64_t length(FileId file) const;
    [[nodiscard]] std::uint64_t read(FileId file, std::uint64_t offset, std::span<std::byte> into) const;
    [[nodiscard]] Code write(FileId file, std::uint64_t offset, std::span<const std::byte> data);
    [[nodiscard]] Code zero(FileId file, std::uint64_t offset, std::uint64_t length);
    [[nodiscard]] Code resize(FileId file, std::uint64_t length);
    void sync(FileId file);

    [[nodiscard]] std::vector<port::DirectoryEntry> list() const;
    [[nodiscard]] std::uint64_t free_space() const { return space_ - used_; }
    /// Bytes that a power cut may take, a range once for each time it was written.
    [[nodiscard]] std::uint64_t unsynced_bytes() const;
    [[nodiscard]] std::size_t unsynced_names() const { return name_changes_.size(); }

    /// Nothing may be open. What was not synced is lost or, torn, drawn from `draws`.
    void power_cut(const PowerCut& cut, base::Prng& draws);

  private:
    struct Range {
        std::uint64_t begin;
        std::uint64_t end;
    };
    struct File {
        std::vector<std::byte> live;
        std::vector<std::byte> durable;
        std::vector<Range> unsynced;
        std::uint32_t opened = 0;
    };
    struct NameChange {
        enum class Kind : std::uint8_t { kCreate, kRename, kReplace, kRemove };
        Kind kind;
        FileId file;
        std::string name;
        std::string new_name;
    };
    using Names = std::map<std::string, FileId>;

    [[nodiscard]] File& at(FileId file);
    [[nodiscard]] const File& at(FileId file) const;
    [[nodiscard]] Code make_room(File& file, std::uint64_t end);
    void set_length(File& file, std::uint64_t length);
    static void mark(File& file, std::uint64_t begin, std::uint64_t end);
    static void tear(File& file, std::uint64_t sector_bytes, base::Prng& draws);
    /// False: what it builds upon was lost.
    [[nodiscard]] static bool apply(const NameChange& change, Names& names);
    void drop_unnamed();

    std::uint64_t space_;
    std::uint64_t used_ = 0;
    std::map<FileId, File> files_;
    std::uint32_t last_id_ = 0;
    Names names_;
    Names durable_names_;
    std::vector<NameChange> name_changes_;
};

}  // namespace fulmar::drivers

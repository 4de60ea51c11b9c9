/// Files as the archive sees them: requests that somebody else carries out, and completions that are polled.
/// Whoever submits never blocks and never makes a system call; an implementation has a thread, a ring of the
/// kernel, or a simulated disk behind it.
///
/// Names are relative to one directory. Offsets and lengths are bytes. A name may be opened more than once; a
/// file that was removed stays readable and writable through what is open.
/// threads: one submits and polls.
/// errors: each completion has a Code; a request that could not even be queued is the false of `submit`.
/// order: kSync and kClose are carried out after everything submitted before them on their file, and
/// kSyncDirectory after every kCreate, kRename, kReplace and kRemove before it; they complete after those as
/// well. Any other two requests may overtake each other, unless one is submitted after the other's
/// completion. durability: what a write completed is the file's content for every later read. It survives a
/// power cut once a kSync submitted after the write has completed well; before that each sector is old or
/// new, by itself. The same holds for names and kSyncDirectory, a name that is replaced standing for one file
/// or the other, never for none: a kSync does not promise the name, nor kSyncDirectory the content. A failed
/// kSync leaves the content unknown, and no later success says anything about it: disks and kernels are known
/// to drop the pages and then report success. Whoever sees one fail gives the file up.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace fulmar::port {

/// An open file; means nothing to another Storage.
enum class FileHandle : std::uint32_t { kNone = 0 };

struct DirectoryEntry {
    std::string name;
    std::uint64_t length = 0;
};

struct StorageRequest {
    enum class Op : std::uint8_t {
        kOpen,    ///< name → file and its length; it must exist
        kCreate,  ///< name, length → file, zero-filled and with its blocks allocated; it must not exist
        kClose,   ///< file
        kRead,    ///< file, offset, into → bytes read, fewer only at the end of the file
        kWrite,  ///< file, offset, data → all of data, or an error; lengthens the file when it goes beyond it
        kZero,           ///< file, offset, length: as a write of that many zero bytes
        kResize,         ///< file, length: cut or zero-extended
        kSync,           ///< file: its content and length
        kRename,         ///< name, new_name; replaces nothing
        kReplace,        ///< name, new_name, another: as kRename, and whatever has that name loses it at once
        kRemove,         ///< name
        kSyncDirectory,  ///< names made, renamed and removed
        kList,           ///< → entries, in no order
        kFreeSpace,      ///< → bytes that may still be allocated
    };

    Op op = Op::kSyncDirectory;
    /// The submitter's own; comes back with the completion.
    std::uint64_t token = 0;
    FileHandle file = FileHandle::kNone;
    std::uint64_t offset = 0;
    std::uint64_t length = 0;
    /// Stay valid and, for data, unchanged until the completion.
    std::span<const std::byte> data{};
    std::span<std::byte> into{};
    std::string name{};
    std::string new_name{};
};

struct StorageCompletion {
    enum class Code : std::uint8_t {
        kOk,
        kNotFound,
        kExists,
        kNoSpace,  ///< of kCreate: nothing is left behind; of a write: each byte of its range is old or new
        kIo,       ///< the device or the file system failed; of a write: as kNoSpace
        kInvalid,  ///< a request that no implementation can carry out: a bad name, a closed file
    };

    StorageRequest::Op op = StorageRequest::Op::kSyncDirectory;
    Code code = Code::kOk;
    std::uint64_t token = 0;
    /// The one of the request, or the one opened.
    FileHandle file = FileHandle::kNone;
    /// Bytes read, bytes free, the length of the file opened; 0 else.
    std::uint64_t value = 0;
    /// Of kList.
    std::vector<DirectoryEntry> entries{};
    /// What the system said about a failure, for people; empty when code is kOk.
    std::string detail{};

    [[nodiscard]] bool ok() const { return code == Code::kOk; }
};

[[nodiscard]] constexpr std::string_view to_string(StorageCompletion::Code code) {
    using enum StorageCompletion::Code;
    switch (code) {
        case kOk: return "ok";
        case kNotFound: return "no such file";
        case kExists: return "file exists";
        case kNoSpace: return "no space left";
        case kIo: return "input/output error";
        case kInvalid: return "invalid request";
    }
    return "?";
}

inline constexpr std::size_t kFileNameLengthMax = 255;

[[nodiscard]] constexpr bool is_file_name(std::string_view name) {
    return !name.empty() && name.size() <= kFileNameLengthMax && name != "." && name != ".." &&
           name.find('/') == std::string_view::npos && name.find('\0') == std::string_view::npos;
}

/// Whether a range ends where a file may.
[[nodiscard]] constexpr bool is_file_range(std::uint64_t offset, std::uint64_t length) {
    constexpr std::uint64_t kMax = std::numeric_limits<std::int64_t>::max();
    return offset <= kMax && length <= kMax - offset;
}

/// Names and ranges that no implementation takes; which files are open is known to each alone.
[[nodiscard]] constexpr bool is_well_formed(const StorageRequest& request) {
    using enum StorageRequest::Op;
    switch (request.op) {
        case kOpen:
        case kRemove: return is_file_name(request.name);
        case kCreate: return is_file_name(request.name) && is_file_range(0, request.length);
        case kRename: return is_file_name(request.name) && is_file_name(request.new_name);
        case kReplace:
            return is_file_name(request.name) && is_file_name(request.new_name) &&
                   request.name != request.new_name;
        case kRead: return is_file_range(request.offset, request.into.size());
        case kWrite: return is_file_range(request.offset, request.data.size());
        case kZero: return is_file_range(request.offset, request.length);
        case kResize: return is_file_range(0, request.length);
        case kClose:
        case kSync:
        case kSyncDirectory:
        case kList:
        case kFreeSpace: return true;
    }
    return false;
}

class Storage {
  public:
    Storage() = default;
    Storage(const Storage&) = delete;
    Storage& operator=(const Storage&) = delete;
    virtual ~Storage() = default;

    /// Takes a request. False while as many are under way as there is room for: poll, then try again; the
    /// request is unchanged then. Writes and reads take no memory.
    [[nodiscard]] virtual bool submit(StorageRequest& request) = 0;

    /// Moves up to `limit` completions into `completions`, which is emptied first. Returns how many.
    virtual int poll(std::vector<StorageCompletion>& completions, int limit) = 0;

    /// Requests submitted whose completions were not polled yet.
    [[nodiscard]] virtual std::size_t under_way() const = 0;
};

}  // namespace fulmar::port

/// The catalog on disk: what changes in it is written, and synced before anybody is told of it.
///
/// threads: one owner. errors: error(), which stays: an archive that cannot write its catalog takes no more
/// changes. Changes that were made are still readable here, but is_persisted never becomes true for them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "archive/catalog.h"
#include "archive/file_replacement.h"
#include "archive/storage_hub.h"
#include "fulmar/error.h"

namespace fulmar::archive {

class CatalogFile final : public StorageUser {
  public:
    /// Counts changes; a later one is greater.
    using Ticket = std::uint64_t;

    /// `file` is open. syncs: whether changes wait for the disk or only for the file system.
    CatalogFile(StorageHub& hub, port::FileHandle file, Catalog catalog, bool syncs);

    [[nodiscard]] Catalog& catalog() { return catalog_; }
    [[nodiscard]] const Catalog& catalog() const { return catalog_; }

    /// Takes all changes made to the catalog so far on their way. Ask is_persisted with what it returns.
    Ticket commit();
    [[nodiscard]] bool is_persisted(Ticket ticket) const { return ticket <= persisted_; }
    /// Entries that are on disk, from the first on: others may be gone after a start, and nobody is to hear
    /// of them before.
    [[nodiscard]] std::size_t visible() const { return visible_; }
    /// All that was committed is.
    [[nodiscard]] bool is_idle() const { return persisted_ == committed_; }

    int poll();
    [[nodiscard]] const std::optional<Error>& error() const { return error_; }

    void on_storage(port::StorageCompletion& completion) override;

  private:
    struct Write {
        Ticket ticket = 0;
        std::uint64_t offset = 0;
        std::vector<std::byte> bytes;
        bool is_last = false;   ///< waits until all before it is synced
        bool is_whole = false;  ///< a catalog to take the place of the file
        bool is_submitted = false;
    };
    static constexpr std::uint64_t kSyncToken = 0;
    static constexpr std::uint64_t kCloseToken = ~std::uint64_t{0};

    void add_write(std::uint64_t offset, std::span<const std::byte> bytes, bool is_last);
    void set_persisted(Ticket ticket);
    void fail(ErrorCode code, const std::string& why);
    [[nodiscard]] int poll_replacement();
    void close_replaced();
    [[nodiscard]] bool waits_for_sync() const {
        return syncs_ && written_ > persisted_ && (writes_.empty() || writes_.front()->is_last);
    }

    StorageHub& hub_;
    port::FileHandle file_;
    port::FileHandle replaced_ = port::FileHandle::kNone;  // the one before, to be closed
    Catalog catalog_;
    const bool syncs_;
    std::deque<std::unique_ptr<Write>> writes_;  // tokens are tickets, in order
    std::unique_ptr<FileReplacement> replacement_;
    Ticket committed_ = 0;
    Ticket written_ = 0;
    Ticket syncing_ = 0;
    Ticket persisted_ = 0;
    bool is_syncing_ = false;
    struct Size {
        Ticket ticket = 0;
        std::size_t entries = 0;
    };
    std::deque<Size> sizes_;  // that the catalog had, and the tickets of what made it so
    std::size_t visible_;
    std::optional<Error> error_;
};

}  // namespace fulmar::archive

/// One Storage shared by many askers: each completion goes to who submitted the request.
///
/// threads: one owner; an agent that has a Storage has one of these. order: as port::Storage; on_storage runs
/// inside poll, and may submit. Works without allocation once its slots exist.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "port/storage.h"

namespace fulmar::archive {

/// Who asks. It outlives its requests; one that cannot wait is taken out with StorageHub::forget.
class StorageUser {
  public:
    StorageUser() = default;
    StorageUser(const StorageUser&) = delete;
    StorageUser& operator=(const StorageUser&) = delete;
    /// `completion.token` is the one of the request. May submit; must not destroy other users.
    virtual void on_storage(port::StorageCompletion& completion) = 0;

  protected:
    ~StorageUser() = default;
};

class StorageHub {
  public:
    explicit StorageHub(port::Storage& storage) : storage_(storage) {}
    StorageHub(const StorageHub&) = delete;
    StorageHub& operator=(const StorageHub&) = delete;

    /// False while the storage takes no more: ask again on a later round; `request` is unchanged then.
    [[nodiscard]] bool submit(StorageUser& user, port::StorageRequest& request);
    /// Hands out up to `limit` completions. Returns how many.
    int poll(int limit);
    /// What `user` has under way completes to nobody. Memory that its requests name stays in use until then.
    void forget(const StorageUser& user);
    /// Requests under way, all users together.
    [[nodiscard]] std::size_t under_way() const { return storage_.under_way(); }

  private:
    struct Slot {
        StorageUser* user = nullptr;
        std::uint64_t token = 0;
    };

    port::Storage& storage_;
    std::vector<Slot> slots_;
    std::vector<std::uint64_t> free_;
    std::vector<port::StorageCompletion> completions_;
};

}  // namespace fulmar::archive

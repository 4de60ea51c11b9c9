#include "archive/storage_hub.h"

namespace fulmar::archive {

bool StorageHub::submit(StorageUser& user, port::StorageRequest& request) {
    if (free_.empty()) {
        free_.push_back(slots_.size());
        slots_.emplace_back();
    }
    const std::uint64_t index = free_.back();
    const std::uint64_t token = request.token;
    request.token = index;
    if (!storage_.submit(request)) {
        request.token = token;
        return false;
    }
    free_.pop_back();
    slots_[index] = {&user, token};
    return true;
}

int StorageHub::poll(int limit) {
    const int count = storage_.poll(completions_, limit);
    for (port::StorageCompletion& completion : completions_) {
        const std::uint64_t index = completion.token;
        const Slot slot = slots_[index];
        slots_[index] = {};
        free_.push_back(index);
        if (slot.user != nullptr) {
            completion.token = slot.token;
            slot.user->on_storage(completion);
        }
    }
    return count;
}

void StorageHub::forget(const StorageUser& user) {
    for (Slot& slot : slots_) {
        if (slot.user == &user) {
            slot.user = nullptr;
        }
    }
}

}  // namespace fulmar::archive

/// What a recorder costs by itself: a storage without files.
/// threads: one owner.
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "port/storage.h"

namespace fulmar::bench {

/// Completes each request on the next poll, and keeps nothing.
class NoStorage final : public port::Storage {
  public:
    bool submit(port::StorageRequest& request) override {
        port::StorageCompletion completion;
        completion.op = request.op;
        completion.token = request.token;
        completion.file =
            request.op == port::StorageRequest::Op::kCreate ? port::FileHandle{++last_} : request.file;
        waiting_.push_back(std::move(completion));
        return true;
    }
    int poll(std::vector<port::StorageCompletion>& completions, int) override {
        completions.clear();
        completions.swap(waiting_);
        return static_cast<int>(completions.size());
    }
    std::size_t under_way() const override { return waiting_.size(); }

  private:
    std::vector<port::StorageCompletion> waiting_;
    std::uint32_t last_ = 0;
};

}  // namespace fulmar::bench

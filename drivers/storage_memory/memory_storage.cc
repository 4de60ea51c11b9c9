#include "drivers/storage_memory/memory_storage.h"

#include <algorithm>
#include <string>
#include <utility>

namespace fulmar::drivers {

namespace {

using port::StorageCompletion;
using port::StorageRequest;
using Op = StorageRequest::Op;
using Code = StorageCompletion::Code;

bool changes_names(Op op) {
    return op == Op::kCreate || op == Op::kRename || op == Op::kReplace || op == Op::kRemove;
}

bool is_on_file(Op op) {
    return op == Op::kClose || op == Op::kRead || op == Op::kWrite || op == Op::kZero || op == Op::kResize ||
           op == Op::kSync;
}

}  // namespace

MemoryStorage::MemoryStorage(MemoryDisk& disk, const Options& options)
    : disk_(disk), capacity_(options.capacity), draws_(options.seed) {
    waiting_.reserve(capacity_);
}

MemoryStorage::~MemoryStorage() {
    for (const auto& [handle, file] : open_) {
        disk_.close(file);
    }
}

bool MemoryStorage::submit(StorageRequest& request) {
    if (waiting_.size() == capacity_) {
        return false;
    }
    waiting_.push_back(std::move(request));
    return true;
}

int MemoryStorage::poll(std::vector<StorageCompletion>& completions, int limit) {
    completions.clear();
    constexpr double kGoOn = 0.75;
    while (!waiting_.empty() && completions.size() < static_cast<std::size_t>(std::max(limit, 0)) &&
           draws_.chance(kGoOn)) {
        // The oldest is never held back, so this ends.
        std::size_t index = draws_.below(waiting_.size());
        while (is_held_back(index)) {
            index = draws_.below(index);
        }
        const StorageRequest request = std::move(waiting_[index]);
        waiting_.erase(waiting_.begin() + static_cast<std::ptrdiff_t>(index));
        completions.push_back(carry_out(request));
    }
    return static_cast<int>(completions.size());
}

bool MemoryStorage::is_held_back(std::size_t index) const {
    const auto& request = waiting_[index];
    const auto earlier = [this, index](auto&& matters) {
        return std::any_of(waiting_.begin(), waiting_.begin() + static_cast<std::ptrdiff_t>(index), matters);
    };
    switch (request.op) {
        case Op::kSync:
        case Op::kClose:
            return earlier([&request](const StorageRequest& other) {
                return is_on_file(other.op) && other.file == request.file;
            });
        case Op::kSyncDirectory:
            return earlier([](const StorageRequest& other) { return changes_names(other.op); });
        default: return false;
    }
}

StorageCompletion MemoryStorage::carry_out(const StorageRequest& request) {
    StorageCompletion completion;
    completion.op = request.op;
    completion.token = request.token;
    completion.file = request.file;
    if (!port::is_well_formed(request) || (is_on_file(request.op) && !open_.contains(request.file))) {
        completion.code = Code::kInvalid;
    } else if (is_on_file(request.op)) {
        carry_out_on_file(request, completion);
    } else {
        carry_out_on_name(request, completion);
    }
    if (!completion.ok()) {
        completion.detail = request.name.empty()
                                ? std::string(port::to_string(completion.code))
                                : request.name + ": " + std::string(port::to_string(completion.code));
    }
    return completion;
}

void MemoryStorage::carry_out_on_name(const StorageRequest& request, StorageCompletion& completion) {
    switch (request.op) {
        case Op::kOpen:
        case Op::kCreate: {
            const auto opened = request.op == Op::kOpen ? disk_.open(request.name)
                                                        : disk_.create(request.name, request.length);
            completion.code = opened.code;
            if (opened.code == Code::kOk) {
                completion.file = port::FileHandle{++last_handle_};
                completion.value = disk_.length(opened.file);
                open_.emplace(completion.file, opened.file);
            }
            break;
        }
        case Op::kRename: completion.code = disk_.rename(request.name, request.new_name); break;
        case Op::kReplace: completion.code = disk_.replace(request.name, request.new_name); break;
        case Op::kRemove: completion.code = disk_.remove(request.name); break;
        case Op::kSyncDirectory: disk_.sync_directory(); break;
        case Op::kList: completion.entries = disk_.list(); break;
        case Op::kFreeSpace: completion.value = disk_.free_space(); break;
        default: break;
    }
}

void MemoryStorage::carry_out_on_file(const StorageRequest& request, StorageCompletion& completion) {
    const auto file = open_.at(request.file);
    switch (request.op) {
        case Op::kClose:
            open_.erase(request.file);
            disk_.close(file);
            break;
        case Op::kRead: completion.value = disk_.read(file, request.offset, request.into); break;
        case Op::kWrite: completion.code = disk_.write(file, request.offset, request.data); break;
        case Op::kZero: completion.code = disk_.zero(file, request.offset, request.length); break;
        case Op::kResize: completion.code = disk_.resize(file, request.length); break;
        case Op::kSync: disk_.sync(file); break;
        default: break;
    }
}

}  // namespace fulmar::drivers

#include "drivers/memory_map/heap_memory_map.h"

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <utility>

#include "base/bytes.h"

namespace fulmar::drivers {

/// What all regions of one HeapMemoryMap take together.
class HeapSpace {
  public:
    explicit HeapSpace(std::int64_t limit) : limit_(limit) {}

    // relaxed: a count and a bound, they order nothing else.
    [[nodiscard]] bool take(std::int64_t length) {
        auto used = used_.load(std::memory_order_relaxed);
        do {
            if (length > limit_.load(std::memory_order_relaxed) - used) {
                return false;
            }
        } while (!used_.compare_exchange_weak(used, used + length, std::memory_order_relaxed));
        return true;
    }
    void give_back(std::int64_t length) { used_.fetch_sub(length, std::memory_order_relaxed); }
    void set_limit(std::int64_t limit) { limit_.store(limit, std::memory_order_relaxed); }
    [[nodiscard]] std::int64_t left() const {
        return std::max<std::int64_t>(
            0, limit_.load(std::memory_order_relaxed) - used_.load(std::memory_order_relaxed));
    }

  private:
    std::atomic<std::int64_t> limit_;
    std::atomic<std::int64_t> used_{0};
};

/// Zeroed memory on a cache line boundary; calloc so that untouched pages cost nothing.
class HeapRegion {
  public:
    HeapRegion(std::shared_ptr<HeapSpace> space, std::int64_t length)
        : space_(std::move(space)), length_(length) {
        memory_ = std::calloc(static_cast<std::size_t>(length) + base::kCacheLineBytes - 1, 1);
    }
    ~HeapRegion() {
        std::free(memory_);
        space_->give_back(length_);
    }
    HeapRegion(const HeapRegion&) = delete;
    HeapRegion& operator=(const HeapRegion&) = delete;

    [[nodiscard]] bool allocated() const { return memory_ != nullptr; }
    [[nodiscard]] std::span<std::byte> bytes() const {
        const auto address = reinterpret_cast<std::uintptr_t>(memory_);
        const auto skip = base::align_up(address, std::uintptr_t{base::kCacheLineBytes}) - address;
        return {static_cast<std::byte*>(memory_) + skip, static_cast<std::size_t>(length_)};
    }

  private:
    std::shared_ptr<HeapSpace> space_;
    std::int64_t length_;
    void* memory_ = nullptr;
};

namespace {

class HeapMapping final : public port::Mapping {
  public:
    explicit HeapMapping(std::shared_ptr<HeapRegion> region) : region_(std::move(region)) {}
    [[nodiscard]] std::span<std::byte> bytes() const override { return region_->bytes(); }

  private:
    std::shared_ptr<HeapRegion> region_;
};

bool is_inside(const std::string& path, const std::string& directory) {
    return path.size() > directory.size() && path.compare(0, directory.size(), directory) == 0 &&
           (directory.back() == '/' || path[directory.size()] == '/');
}

}  // namespace

HeapMemoryMap::HeapMemoryMap(std::int64_t space_max) : space_(std::make_shared<HeapSpace>(space_max)) {}

HeapMemoryMap::~HeapMemoryMap() = default;

// `reserve` changes nothing: the bound is taken in full by every region.
Result<std::unique_ptr<port::Mapping>> HeapMemoryMap::create(
    const std::string& path, std::int64_t length, bool /*reserve*/) {
    if (length <= 0) {
        return fail(ErrorCode::kGeneric, "cannot create " + path + ": length " + std::to_string(length));
    }
    const std::lock_guard lock(mutex_);
    if (regions_.count(path) != 0 || directories_.count(path) != 0) {
        return fail(ErrorCode::kGeneric, "cannot create " + path + ": File exists");
    }
    if (!space_->take(length)) {
        return fail(
            ErrorCode::kStorageSpace, "cannot reserve space for " + path + ": No space left on device");
    }
    auto region = std::make_shared<HeapRegion>(space_, length);
    if (!region->allocated()) {
        return fail(
            ErrorCode::kStorageSpace, "cannot reserve space for " + path + ": Cannot allocate memory");
    }
    regions_[path] = region;
    return std::unique_ptr<port::Mapping>(std::make_unique<HeapMapping>(std::move(region)));
}

// A read-only opening shares the writable bytes: heap pages cannot be protected one by one.
Result<std::unique_ptr<port::Mapping>> HeapMemoryMap::open(const std::string& path, bool /*writable*/) {
    const std::lock_guard lock(mutex_);
    const auto found = regions_.find(path);
    if (found == regions_.end()) {
        return fail(ErrorCode::kGeneric, "cannot open " + path + ": No such file or directory");
    }
    return std::unique_ptr<port::Mapping>(std::make_unique<HeapMapping>(found->second));
}

Status HeapMemoryMap::remove(const std::string& path) {
    const std::lock_guard lock(mutex_);
    if (regions_.erase(path) == 0) {
        return fail(ErrorCode::kGeneric, "cannot remove " + path + ": No such file or directory");
    }
    return Done{};
}

bool HeapMemoryMap::exists(const std::string& path) {
    const std::lock_guard lock(mutex_);
    return regions_.count(path) != 0 || directories_.count(path) != 0;
}

Status HeapMemoryMap::make_directory(const std::string& path) {
    const std::lock_guard lock(mutex_);
    if (path.empty() || regions_.count(path) != 0) {
        return fail(ErrorCode::kGeneric, "cannot create directory '" + path + "': File exists");
    }
    directories_.insert(path);
    return Done{};
}

Status HeapMemoryMap::remove_directory(const std::string& path) {
    if (path.empty() || path == "/") {
        return fail(ErrorCode::kGeneric, "will not remove directory '" + path + "'");
    }
    const std::lock_guard lock(mutex_);
    std::erase_if(regions_, [&path](const auto& entry) { return is_inside(entry.first, path); });
    std::erase_if(directories_, [&path](const auto& name) { return name == path || is_inside(name, path); });
    return Done{};
}

std::int64_t HeapMemoryMap::usable_space(const std::string& /*path*/) {
    return space_->left();
}

void HeapMemoryMap::set_space_max(std::int64_t space_max) {
    space_->set_limit(space_max);
}

}  // namespace fulmar::drivers

/// The images of one subscription, changed by the client's conductor while another thread polls them.
///
/// The array in use is immutable and swapped as a whole. What it replaced (and images that ended) is freed
/// when two things hold: the resource linger has passed since, and the poller is not inside a poll. A poll
/// that began before the swap is seen by its odd mark, since nothing stays in a store buffer for seconds;
/// one that began after it has loaded the new array.
/// threads: conductor side under the conductor's lock; poller side from one thread.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "base/bytes.h"
#include "fulmar/image.h"
#include "fulmar/time.h"

namespace fulmar::client {

class ImageSet {
  public:
    ImageSet();
    ~ImageSet();
    ImageSet(const ImageSet&) = delete;
    ImageSet& operator=(const ImageSet&) = delete;

    /// Marks a poll for its scope, so that nothing it can reach is freed under it.
    class PollScope {
      public:
        explicit PollScope(const ImageSet& set) : mark_(set.poll_mark_), value_(mark_.load(relaxed)) {
            // SYNC(image_set.mark): relaxed; see the head of this file why that suffices.
            mark_.store(value_ + 1, relaxed);
        }
        ~PollScope() {
            // SYNC(image_set.mark): release; our reads are over, pairs with reclaim().
            mark_.store(value_ + 2, std::memory_order_release);
        }
        PollScope(const PollScope&) = delete;
        PollScope& operator=(const PollScope&) = delete;

      private:
        static constexpr auto relaxed = std::memory_order_relaxed;
        std::atomic<std::uint64_t>& mark_;
        std::uint64_t value_;
    };

    /// Poller side. Good until the scope ends, or for the linger when there is none.
    [[nodiscard]] std::span<Image* const> images() const {
        // SYNC(image_set.list): acquire; pairs with publish().
        const List* list = current_.load(std::memory_order_acquire);
        return {list->images.data(), list->images.size()};
    }

    /// Conductor side.
    Image& add(std::unique_ptr<Image> image, Instant now, Duration linger);
    /// Takes it out and marks it closed; null when it is not here. It stays allocated for the linger.
    Image* remove(std::int64_t correlation_id, Instant now, Duration linger);
    [[nodiscard]] Image* find(std::int64_t correlation_id) const;
    [[nodiscard]] std::size_t size() const { return owned_.size(); }
    /// Frees what may be freed. Returns how much that was.
    int reclaim(Instant now);
    /// For who keeps them on when the subscription goes away: all images, open and retired.
    [[nodiscard]] std::vector<std::unique_ptr<Image>> release_images();
    /// The open ones, as the conductor sees them.
    [[nodiscard]] std::span<const std::unique_ptr<Image>> owned() const { return owned_; }
    [[nodiscard]] std::size_t retired_count() const { return retired_.size(); }

  private:
    struct List {
        std::vector<Image*> images;
    };
    struct Retired {
        std::unique_ptr<const List> list;
        std::unique_ptr<Image> image;
        Instant free_after;
    };

    void publish(Instant free_after);

    // poller writes; its own line, so that a swap does not disturb it
    alignas(base::kCacheLineBytes) mutable std::atomic<std::uint64_t> poll_mark_{0};
    // conductor writes, poller reads
    alignas(base::kCacheLineBytes) std::atomic<const List*> current_;
    std::unique_ptr<const List> current_owner_;
    std::vector<std::unique_ptr<Image>> owned_;
    std::vector<Retired> retired_;
};

}  // namespace fulmar::client

#include "client/image_set.h"

#include <algorithm>

namespace fulmar::client {

ImageSet::ImageSet() : current_owner_(std::make_unique<const List>()) {
    current_.store(current_owner_.get(), std::memory_order_release);
}

ImageSet::~ImageSet() = default;

void ImageSet::publish(Instant free_after) {
    auto next = std::make_unique<List>();
    next->images.reserve(owned_.size());
    for (const auto& image : owned_) {
        next->images.push_back(image.get());
    }
    // SYNC(image_set.list): release; publishes the array and the images in it, pairs with images().
    current_.store(next.get(), std::memory_order_release);
    retired_.push_back({std::move(current_owner_), nullptr, free_after});
    current_owner_ = std::move(next);
}

Image& ImageSet::add(std::unique_ptr<Image> image, Instant now, Duration linger) {
    owned_.push_back(std::move(image));
    publish(now + linger);
    return *owned_.back();
}

Image* ImageSet::remove(std::int64_t correlation_id, Instant now, Duration linger) {
    const auto at = std::find_if(owned_.begin(), owned_.end(),
        [&](const auto& image) { return image->correlation_id() == correlation_id; });
    if (at == owned_.end()) {
        return nullptr;
    }
    auto image = std::move(*at);
    owned_.erase(at);
    image->mark_closed();
    publish(now + linger);
    retired_.push_back({nullptr, std::move(image), now + linger});
    return retired_.back().image.get();
}

Image* ImageSet::find(std::int64_t correlation_id) const {
    for (const auto& image : owned_) {
        if (image->correlation_id() == correlation_id) {
            return image.get();
        }
    }
    return nullptr;
}

int ImageSet::reclaim(Instant now) {
    if (retired_.empty()) {
        return 0;
    }
    // SYNC(image_set.mark): acquire; pairs with the end of a poll.
    const bool in_poll = (poll_mark_.load(std::memory_order_acquire) & 1) != 0;
    if (in_poll) {
        return 0;
    }
    const auto freed =
        std::erase_if(retired_, [now](const Retired& retired) { return retired.free_after <= now; });
    return static_cast<int>(freed);
}

std::vector<std::unique_ptr<Image>> ImageSet::release_images() {
    std::vector<std::unique_ptr<Image>> images = std::move(owned_);
    owned_.clear();
    for (auto& retired : retired_) {
        if (retired.image != nullptr) {
            images.push_back(std::move(retired.image));
        }
    }
    return images;
}

}  // namespace fulmar::client

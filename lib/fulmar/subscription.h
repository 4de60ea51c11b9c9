/// Receiving: all sessions of one channel and stream, polled in turn.
/// threads: polls and image questions from one thread at a time; close from the same.
/// source: Aeron subscription.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "client/image_set.h"
#include "fulmar/image.h"
#include "fulmar/result.h"

namespace fulmar {

namespace client {
class Conductor;

struct SubscriptionInit {
    std::shared_ptr<Conductor> conductor;
    std::string channel;
    std::int64_t registration_id = 0;
    std::int32_t stream_id = 0;
    std::int32_t channel_status_id = layout::kNullCounterId;
};
}  // namespace client

/// Made by Client::add_subscription. Images come and go by the client's conductor while it lives.
///
/// Fragment handlers are called as handler(std::span<const std::byte> payload, const Header&). A handler must
/// not poll the same subscription nor close it.
class Subscription final {
  public:
    explicit Subscription(client::SubscriptionInit init) : init_(std::move(init)) {}
    ~Subscription() { close(); }
    Subscription(const Subscription&) = delete;
    Subscription& operator=(const Subscription&) = delete;

    /// Delivers up to `fragment_limit` fragments, beginning with another image each time. Returns how many.
    template <class Handler>
    int poll(Handler&& handler, int fragment_limit) {
        return poll_each(fragment_limit, [&](Image& image, int limit) { return image.poll(handler, limit); });
    }

    /// The handler returns a ControlledAction, which applies to the image of its fragment.
    template <class Handler>
    int controlled_poll(Handler&& handler, int fragment_limit) {
        return poll_each(
            fragment_limit, [&](Image& image, int limit) { return image.controlled_poll(handler, limit); });
    }

    /// Delivers runs of whole frames, up to `block_length_limit` bytes per image:
    /// handler(std::span<const std::byte> block, const BlockInfo&). Returns bytes consumed.
    template <class Handler>
    std::int64_t block_poll(Handler&& handler, std::int32_t block_length_limit) {
        const client::ImageSet::PollScope scope(images_);
        std::int64_t bytes = 0;
        for (Image* image : images_.images()) {
            bytes += image->block_poll(handler, block_length_limit);
        }
        return bytes;
    }

    [[nodiscard]] const std::string& channel() const { return init_.channel; }
    [[nodiscard]] std::int32_t stream_id() const { return init_.stream_id; }
    [[nodiscard]] std::int64_t registration_id() const { return init_.registration_id; }

    /// The images there are now. Pointers obey the rule of class Image.
    [[nodiscard]] std::span<Image* const> images() const { return images_.images(); }
    [[nodiscard]] std::size_t image_count() const { return images().size(); }
    [[nodiscard]] bool has_no_images() const { return images().empty(); }
    [[nodiscard]] Image* image_by_session_id(std::int32_t session_id) const;
    /// Some image is open.
    [[nodiscard]] bool is_connected() const;
    [[nodiscard]] bool is_closed() const { return closed_.load(std::memory_order_acquire); }

    /// Counter whose value is the channel's status; kNullCounterId for IPC and spies.
    [[nodiscard]] std::int32_t channel_status_id() const { return init_.channel_status_id; }
    /// layout::kChannelActive once the channel works, kChannelErrored when it cannot.
    [[nodiscard]] std::int64_t channel_status() const;
    /// `address:port` this subscription listens on; ports are real where the channel said 0.
    [[nodiscard]] std::vector<std::string> local_socket_addresses() const;

    /// Multi-destination subscription: the id to wait for with Client::find_operation.
    [[nodiscard]] Result<std::int64_t> async_add_destination(const std::string& destination_channel);
    [[nodiscard]] Result<std::int64_t> async_remove_destination(const std::string& destination_channel);
    [[nodiscard]] Result<std::int64_t> add_destination(const std::string& destination_channel);
    [[nodiscard]] Status remove_destination(const std::string& destination_channel);

    /// Ends all images (their unavailable handlers run in this call). The driver is told without waiting for
    /// its answer. Idempotent.
    void close();
    /// The same, with an id to wait for by Client::find_operation.  errors: it was closed before.
    [[nodiscard]] Result<std::int64_t> async_close();
    /// The same, until the driver has done it: its port may be bound again.
    [[nodiscard]] Status close_and_wait();

    /// For the client's conductor, under its lock.
    [[nodiscard]] client::ImageSet& image_set() { return images_; }
    void mark_closed() { closed_.store(true, std::memory_order_release); }

  private:
    template <class PollOne>
    int poll_each(int fragment_limit, PollOne&& poll_one) {
        const client::ImageSet::PollScope scope(images_);
        const auto images = images_.images();
        const std::size_t count = images.size();
        if (count == 0) {
            return 0;
        }
        // A new first image each time, so that a busy session cannot starve the others.
        std::size_t index = round_robin_ < count ? round_robin_ : 0;
        round_robin_ = index + 1;
        int fragments = 0;
        for (std::size_t polled = 0; polled < count && fragments < fragment_limit; ++polled) {
            fragments += poll_one(*images[index], fragment_limit - fragments);
            index = index + 1 < count ? index + 1 : 0;
        }
        return fragments;
    }

    client::ImageSet images_;
    std::size_t round_robin_ = 0;
    client::SubscriptionInit init_;
    // SYNC(subscription.closed): release in mark_closed, acquire in is_closed.
    std::atomic<bool> closed_{false};
};

}  // namespace fulmar

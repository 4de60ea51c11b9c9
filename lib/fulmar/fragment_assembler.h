/// Putting fragmented messages together before a handler sees them.
/// threads: one, the poller's.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "fulmar/controlled_action.h"
#include "fulmar/header.h"

namespace fulmar {

namespace client {

/// One message under construction per session. Buffers grow to the largest message seen and are kept, so that
/// nothing is allocated once traffic has shown its sizes.
class MessageBuilders {
  public:
    /// More sessions than this at once: the one that is longest idle gives up its buffer.
    static constexpr std::size_t kSessionsMax = 1024;

    struct Builder {
        std::int32_t session_id = 0;
        std::int32_t stream_id = 0;
        std::uint64_t last_used = 0;
        std::int64_t next_position = 0;  ///< where the next fragment starts; 0 when nothing is begun
        std::size_t length = 0;
        std::vector<std::byte> bytes;
        std::array<std::byte, wire::kDataHeaderLength> header{};

        void begin(std::span<const std::byte> fragment, const Header& header_of_first);
        /// False (and reset) when it is not the next fragment, or the message would exceed what can be.
        bool append(std::span<const std::byte> fragment, const Header& header_of_next);
        /// The message's own header: first fragment's fields, all flags, whole length.
        [[nodiscard]] Header finish(const Header& last);
        void reset() {
            length = 0;
            next_position = 0;
        }
        [[nodiscard]] bool is_begun() const { return next_position != 0; }
        [[nodiscard]] std::span<const std::byte> message() const { return {bytes.data(), length}; }
    };

    /// Null when the session has begun nothing.
    [[nodiscard]] Builder* find(const Header& header);
    Builder& find_or_add(const Header& header);
    /// Drops what a session had begun, and its buffer.
    void remove(std::int32_t session_id);
    [[nodiscard]] std::size_t size() const { return builders_.size(); }

  private:
    std::vector<std::unique_ptr<Builder>> builders_;
    std::uint64_t uses_ = 0;
};

}  // namespace client

/// Wraps a handler for Subscription::poll: `FragmentAssembler whole(handler); subscription.poll(whole, 10);`
/// The handler sees whole messages; those in one fragment are passed on without a copy. Fragments whose
/// beginning was missed are dropped.
template <class Handler>
class FragmentAssembler {
  public:
    explicit FragmentAssembler(Handler handler) : handler_(std::move(handler)) {}

    void operator()(std::span<const std::byte> fragment, const Header& header) {
        if (header.is_unfragmented()) [[likely]] {
            handler_(fragment, header);
            return;
        }
        if (header.is_begin()) {
            builders_.find_or_add(header).begin(fragment, header);
            return;
        }
        auto* builder = builders_.find(header);
        if (builder == nullptr || !builder->append(fragment, header) || !header.is_end()) {
            return;
        }
        handler_(builder->message(), builder->finish(header));
        builder->reset();
    }

    /// For an unavailable image handler, so that the buffer of a session that ended is given back.
    void remove_session(std::int32_t session_id) { builders_.remove(session_id); }

  private:
    Handler handler_;
    client::MessageBuilders builders_;
};

/// The same for Subscription::controlled_poll; the handler returns a ControlledAction for the whole message.
template <class Handler>
class ControlledFragmentAssembler {
  public:
    explicit ControlledFragmentAssembler(Handler handler) : handler_(std::move(handler)) {}

    ControlledAction operator()(std::span<const std::byte> fragment, const Header& header) {
        if (header.is_unfragmented()) [[likely]] {
            return handler_(fragment, header);
        }
        if (header.is_begin()) {
            builders_.find_or_add(header).begin(fragment, header);
            return ControlledAction::kContinue;
        }
        auto* builder = builders_.find(header);
        if (builder == nullptr) {
            return ControlledAction::kContinue;
        }
        const std::size_t length_before = builder->length;
        const std::int64_t next_before = builder->next_position;
        if (!builder->append(fragment, header) || !header.is_end()) {
            return ControlledAction::kContinue;
        }
        const auto action = handler_(builder->message(), builder->finish(header));
        if (action == ControlledAction::kAbort) {
            // The last fragment comes again: stand where we stood before it.
            builder->length = length_before;
            builder->next_position = next_before;
        } else {
            builder->reset();
        }
        return action;
    }

    void remove_session(std::int32_t session_id) { builders_.remove(session_id); }

  private:
    Handler handler_;
    client::MessageBuilders builders_;
};

}  // namespace fulmar

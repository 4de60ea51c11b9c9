/// A frame claimed in the log for writing in place: no copy between the application and the wire.
/// threads: one owner at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>

#include "base/bytes.h"
#include "term/append.h"
#include "wire/frame.h"

namespace fulmar {

/// Filled by try_claim. Everything behind an open claim waits for it, so commit or abort soon; destroying
/// or reusing an open claim aborts it. Keep the publication alive until then.
class BufferClaim {
  public:
    BufferClaim() = default;
    explicit BufferClaim(const term::ClaimedFrame& claimed) : claimed_(claimed) {}
    ~BufferClaim() { abort(); }

    BufferClaim(BufferClaim&& other) noexcept : claimed_(std::exchange(other.claimed_, {})) {}
    BufferClaim& operator=(BufferClaim&& other) noexcept {
        if (this != &other) {
            abort();
            claimed_ = std::exchange(other.claimed_, {});
        }
        return *this;
    }
    BufferClaim(const BufferClaim&) = delete;
    BufferClaim& operator=(const BufferClaim&) = delete;

    [[nodiscard]] bool is_open() const { return claimed_.frame != nullptr; }
    /// Where the message goes: exactly the claimed length. Empty unless open.
    [[nodiscard]] std::span<std::byte> data() const {
        return is_open() ? claimed_.payload() : std::span<std::byte>();
    }
    /// Rides in the frame header beside the message.
    void set_reserved_value(std::int64_t value) const {
        if (is_open()) {
            base::store_le(claimed_.frame, wire::field::kReservedValue, value);
        }
    }

    /// Makes the message visible to subscribers.
    void commit() {
        if (is_open()) {
            term::commit(std::exchange(claimed_, {}));
        }
    }
    /// Turns the claimed space into padding, which subscribers skip.
    void abort() {
        if (is_open()) {
            term::abort(std::exchange(claimed_, {}));
        }
    }

  private:
    term::ClaimedFrame claimed_;
};

}  // namespace fulmar

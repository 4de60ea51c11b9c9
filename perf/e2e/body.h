/// What a measured message carries: sequence, send time, length and checksum, so that the receiver notices a
/// loss, a repeat, a swap or a flipped bit.
/// threads: one owner per object.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace fulmar::perf {

/// kFull covers every byte of the body; kHeader covers the 32-byte header and the last bytes, for rates at
/// which hashing whole bodies would be what is measured.
enum class BodyCheck : std::uint8_t { kFull, kHeader };

inline constexpr std::size_t kBodyLengthMin = 32;

struct BodyHeader {
    std::uint64_t sequence = 0;
    std::int64_t sent_ns = 0;  ///< intended send time when a rate is driven
    std::uint32_t length = 0;
    std::uint32_t reserved = 0;
    std::uint64_t checksum = 0;
};
static_assert(sizeof(BodyHeader) == kBodyLengthMin);

class BodyWriter {
  public:
    BodyWriter(std::size_t length_max, BodyCheck check);
    /// A body of `length` bytes, valid until the next call.
    [[nodiscard]] std::span<const std::byte> write(
        std::uint64_t sequence, std::int64_t sent_ns, std::size_t length);

  private:
    BodyCheck check_;
    std::vector<std::byte> bytes_;
};

/// What a receiver has seen. duplicated: a sequence below the next expected; out_of_order: above it by less
/// than lost would later fill; a stream that promises order sees neither.
struct BodyCounts {
    std::int64_t messages = 0;
    std::int64_t bytes = 0;
    std::int64_t lost = 0;
    std::int64_t duplicated = 0;
    std::int64_t out_of_order = 0;
    std::int64_t corrupted = 0;

    [[nodiscard]] bool clean() const {
        return lost == 0 && duplicated == 0 && out_of_order == 0 && corrupted == 0;
    }
};

class BodyReader {
  public:
    explicit BodyReader(BodyCheck check) : check_(check) {}
    /// Checks and counts one body; false when it is corrupt, and then `header` says nothing.
    bool read(std::span<const std::byte> body, BodyHeader& header);
    /// The publisher sent this many; what is missing at the end is lost.
    void finish(std::uint64_t sent);
    [[nodiscard]] const BodyCounts& counts() const { return counts_; }
    [[nodiscard]] std::uint64_t next_sequence() const { return next_; }

  private:
    BodyCheck check_;
    std::uint64_t next_ = 0;
    BodyCounts counts_;
};

}  // namespace fulmar::perf

#include "perf/e2e/body.h"

#define XXH_INLINE_ALL
#include <algorithm>
#include <cstddef>
#include <cstring>
#include <xxhash.h>

#include "base/bytes.h"
#include "base/prng.h"

namespace fulmar::perf {

namespace {

constexpr std::size_t kChecksumOffset = offsetof(BodyHeader, checksum);

/// The tail of a body in kHeader mode: the sequence again, so that a cut or shifted body is noticed.
void stamp_tail(std::byte* bytes, std::size_t length, std::uint64_t sequence) {
    const std::size_t room = std::min(sizeof sequence, length - kBodyLengthMin);
    std::memcpy(bytes + length - room, &sequence, room);
}

std::uint64_t checksum_of(std::span<const std::byte> body, BodyCheck check) {
    // The checksum's own eight bytes are left out.
    const std::uint64_t head = XXH3_64bits(body.data(), kChecksumOffset);
    const std::size_t rest = body.size() - kBodyLengthMin;
    if (rest == 0) {
        return head;
    }
    if (check == BodyCheck::kFull) {
        return XXH3_64bits_withSeed(body.data() + kBodyLengthMin, rest, head);
    }
    const std::size_t tail = std::min(sizeof(std::uint64_t), rest);
    return XXH3_64bits_withSeed(body.data() + body.size() - tail, tail, head);
}

}  // namespace

BodyWriter::BodyWriter(std::size_t length_max, BodyCheck check)
    : check_(check), bytes_(std::max(length_max, kBodyLengthMin)) {
    base::Prng prng(length_max);
    for (auto& byte : bytes_) {
        byte = static_cast<std::byte>(prng.next());
    }
}

std::span<const std::byte> BodyWriter::write(
    std::uint64_t sequence, std::int64_t sent_ns, std::size_t length) {
    // Word by word: a wide load of what was just stored in halves would wait for the stores.
    std::byte* const bytes = bytes_.data();
    base::store_le(bytes, offsetof(BodyHeader, sequence), sequence);
    base::store_le(bytes, offsetof(BodyHeader, sent_ns), sent_ns);
    base::store_le(bytes, offsetof(BodyHeader, length), std::uint64_t{length});
    stamp_tail(bytes, length, sequence);
    const std::span<std::byte> body(bytes, length);
    base::store_le(bytes, kChecksumOffset, checksum_of(body, check_));
    return body;
}

bool BodyReader::read(std::span<const std::byte> body, BodyHeader& header) {
    if (body.size() < kBodyLengthMin) {
        ++counts_.corrupted;
        return false;
    }
    std::memcpy(&header, body.data(), sizeof header);
    if (header.length != body.size() || header.checksum != checksum_of(body, check_)) {
        ++counts_.corrupted;
        return false;
    }
    ++counts_.messages;
    counts_.bytes += static_cast<std::int64_t>(body.size());
    if (header.sequence == next_) {
        ++next_;
    } else if (header.sequence > next_) {
        counts_.lost += static_cast<std::int64_t>(header.sequence - next_);
        next_ = header.sequence + 1;
    } else if (counts_.lost > 0) {
        --counts_.lost;
        ++counts_.out_of_order;
    } else {
        ++counts_.duplicated;
    }
    return true;
}

void BodyReader::finish(std::uint64_t sent) {
    if (sent > next_) {
        counts_.lost += static_cast<std::int64_t>(sent - next_);
        next_ = sent;
    }
}

}  // namespace fulmar::perf

#include "archive/sidecar_buffer.h"

#include <algorithm>

#include "archive/checksum.h"
#include "base/assert.h"

namespace fulmar::archive {

SidecarBuffer::SidecarBuffer(
    std::int64_t base, std::int32_t segment_length, std::int64_t position, std::uint64_t next_slot)
    : base_(base),
      segment_length_(segment_length),
      end_(position),
      covered_(position),
      next_slot_(next_slot) {
    for (UnderWay& write : writes_) {
        write.bytes.resize((kEntriesMax + 1) * kSidecarSlotLength);
    }
}

void SidecarBuffer::add(SidecarKind kind, std::int64_t length, std::span<const std::byte> bytes) {
    FULMAR_ASSERT(has_room(), "the caller waits for room");
    SidecarEntry* last = count_ > 0 ? &entries_[count_ - 1] : nullptr;
    const bool joins = last != nullptr && kind == SidecarKind::kData && last->kind == SidecarKind::kData &&
                       last->length + length <= kSidecarSpan;
    if (joins) {
        last->checksum = crc32c(bytes, last->checksum);
        last->length += length;
    } else {
        entries_[count_] = {.kind = kind, .position = end_, .length = length, .checksum = crc32c(bytes)};
        ++count_;
    }
    end_ += length;
}

std::optional<SidecarBuffer::Write> SidecarBuffer::take(std::int64_t durable, std::uint32_t epoch) {
    const unsigned index = writes_[oldest_].busy ? 1 - oldest_ : oldest_;
    UnderWay& write = writes_[index];
    const UnderWay& other = writes_[1 - index];
    if (write.busy || (other.busy && other.mark)) {
        return std::nullopt;
    }
    if (!other.busy) {
        oldest_ = index;
    }
    const std::uint64_t first = next_slot_;
    std::byte* at = write.bytes.data();
    if (next_slot_ == 0) {
        write_sidecar_header(at, base_, segment_length_);
        at += kSidecarSlotLength;
        ++next_slot_;
    }
    const auto put = [&](SidecarEntry entry, std::uint64_t slot) {
        entry.epoch = epoch;
        entry.durable = durable;
        write_sidecar_entry(at, base_, slot, entry);
        at += kSidecarSlotLength;
    };
    for (std::size_t i = 0; i < count_; ++i) {
        put(entries_[i], next_slot_++);
    }
    if (count_ == 0) {
        put({.kind = SidecarKind::kMark, .position = end_}, next_slot_);
    }
    write.mark = count_ == 0;
    count_ = 0;
    write.busy = true;
    write.done = false;
    write.end = end_;
    const auto length = static_cast<std::size_t>(at - write.bytes.data());
    return Write{first * kSidecarSlotLength, std::span<const std::byte>(write.bytes).first(length), index};
}

void SidecarBuffer::on_written(unsigned buffer) {
    writes_[buffer].done = true;
    // In the order they were begun: what is covered has no hole.
    while (writes_[oldest_].busy && writes_[oldest_].done) {
        writes_[oldest_].busy = false;
        covered_ = std::max(covered_, writes_[oldest_].end);
        oldest_ = 1 - oldest_;
    }
}

}  // namespace fulmar::archive

#include "observe/loss_report.h"

#include <algorithm>

#include "base/bytes.h"
#include "layout/loss_report.h"

namespace fulmar::observe {
namespace {

namespace field = layout::loss_field;
using base::store_le;

constexpr std::size_t kTextLengthField = 4;

/// Stock readers step by the unpadded channel where writers step by the padded one. Blanks behind the source
/// push an entry on which the two would differ into the next 64 bytes, where they agree.
std::size_t padded_source_length(std::size_t channel_length, std::size_t source_length) {
    const auto reader_step = [&](std::size_t source) {
        return base::align_up(layout::kLossEntryHeaderLength + kTextLengthField + channel_length + source,
            layout::kLossEntryAlignment);
    };
    while (reader_step(source_length) < layout::loss_entry_length(channel_length, source_length)) {
        ++source_length;  // at most three times
    }
    return source_length;
}

void write_text(std::byte* entry, std::size_t offset, std::string_view text, std::size_t length) {
    store_le(entry, offset, static_cast<std::int32_t>(length));
    char* at = reinterpret_cast<char*>(entry) + offset + kTextLengthField;
    std::copy_n(text.data(), text.size(), at);
    std::fill_n(at + text.size(), length - text.size(), ' ');
}

}  // namespace

void LossEntry::record(std::int64_t bytes_lost, std::int64_t now_ms) const {
    if (entry_ == nullptr) {
        return;
    }
    base::store_relaxed(entry_, field::kLastObservationMs, now_ms);
    base::atomic_at<std::int64_t>(entry_, field::kTotalBytesLost)
        .fetch_add(bytes_lost, std::memory_order_relaxed);
    // SYNC(loss_report.count): release; publishes the sums to layout::LossReportCursor.
    base::atomic_at<std::int64_t>(entry_, field::kObservationCount).fetch_add(1, std::memory_order_release);
}

LossEntry LossReport::create(const LossSource& source, std::int64_t bytes_lost, std::int64_t now_ms) {
    const std::size_t source_length = padded_source_length(source.channel.size(), source.source.size());
    const std::size_t length = layout::loss_entry_length(source.channel.size(), source_length);
    if (length > report_.size() - next_offset_) {
        ++dropped_;
        return {};
    }
    std::byte* entry = report_.data() + next_offset_;
    next_offset_ += length;
    store_le(entry, field::kTotalBytesLost, bytes_lost);
    store_le(entry, field::kFirstObservationMs, now_ms);
    store_le(entry, field::kLastObservationMs, now_ms);
    store_le(entry, field::kSessionId, source.session_id);
    store_le(entry, field::kStreamId, source.stream_id);
    write_text(entry, field::kChannelLength, source.channel, source.channel.size());
    const std::size_t channel_end = base::align_up(source.channel.size(), sizeof(std::int32_t));
    write_text(entry, layout::kLossEntryHeaderLength + channel_end, source.source, source_length);
    // SYNC(loss_report.count): release; publishes the entry to layout::LossReportCursor.
    base::store_release<std::int64_t>(entry, field::kObservationCount, 1);
    return LossEntry(entry);
}

}  // namespace fulmar::observe

#include "layout/loss_report.h"

#include <optional>

#include "base/bytes.h"

namespace fulmar::layout {
namespace {

constexpr std::size_t kTextAlignment = 4;
constexpr std::size_t kTextLengthField = 4;

std::size_t source_offset(std::size_t channel_length) {
    return kLossEntryHeaderLength + base::align_up(channel_length, kTextAlignment);
}

/// A length field and the text behind it, if both lie inside the entry.
std::optional<std::string_view> read_text(std::span<const std::byte> entry, std::size_t offset) {
    if (offset + kTextLengthField > entry.size()) {
        return std::nullopt;
    }
    const auto length = base::load_le<std::int32_t>(entry.data(), offset);
    const std::size_t room = entry.size() - offset - kTextLengthField;
    if (length < 0 || static_cast<std::size_t>(length) > room) {
        return std::nullopt;
    }
    return std::string_view(reinterpret_cast<const char*>(entry.data()) + offset + kTextLengthField,
        static_cast<std::size_t>(length));
}

}  // namespace

std::size_t loss_entry_length(std::size_t channel_length, std::size_t source_length) {
    return base::align_up(
        source_offset(channel_length) + kTextLengthField + source_length, kLossEntryAlignment);
}

bool LossReportCursor::next(LossRecord& record) {
    const auto entry = report_.subspan(offset_);
    if (entry.size() < kLossEntryHeaderLength) {
        return false;
    }
    // SYNC(loss_report.count): acquire; pairs with the release of whoever created the entry.
    const auto count = base::load_acquire<std::int64_t>(entry.data(), loss_field::kObservationCount);
    if (count <= 0) {
        return false;
    }
    const auto channel = read_text(entry, loss_field::kChannelLength);
    const auto source = channel ? read_text(entry, source_offset(channel->size())) : std::nullopt;
    if (!source) {
        corrupt_ = true;
        offset_ = report_.size();
        return false;
    }
    record = {
        .observation_count = count,
        .total_bytes_lost = base::load_relaxed<std::int64_t>(entry.data(), loss_field::kTotalBytesLost),
        .first_observation_ms = base::load_le<std::int64_t>(entry.data(), loss_field::kFirstObservationMs),
        .last_observation_ms = base::load_relaxed<std::int64_t>(entry.data(), loss_field::kLastObservationMs),
        .session_id = base::load_le<std::int32_t>(entry.data(), loss_field::kSessionId),
        .stream_id = base::load_le<std::int32_t>(entry.data(), loss_field::kStreamId),
        .channel = *channel,
        .source = *source,
    };
    // The last entry may end the report without room for its alignment.
    const std::size_t step = loss_entry_length(channel->size(), source->size());
    offset_ += step < entry.size() ? step : entry.size();
    return true;
}

}  // namespace fulmar::layout

#include "layout/error_log.h"

#include "base/bytes.h"

namespace fulmar::layout {

bool ErrorLogCursor::next(ErrorRecord& record) {
    const std::size_t left = log_.size() - offset_;
    if (left < kErrorRecordHeaderLength) {
        return false;
    }
    const std::byte* bytes = log_.data() + offset_;
    // SYNC(error_log.length): acquire; pairs with the release of whoever appended the record.
    const auto claimed = base::load_acquire<std::int32_t>(bytes, error_field::kLength);
    if (claimed == 0) {
        return false;
    }
    const auto length = static_cast<std::size_t>(claimed);
    if (claimed < static_cast<std::int32_t>(kErrorRecordHeaderLength) || length > left) {
        corrupt_ = true;
        offset_ = log_.size();
        return false;
    }
    record.observation_count = base::load_relaxed<std::int32_t>(bytes, error_field::kObservationCount);
    record.last_observation_ms = base::load_relaxed<std::int64_t>(bytes, error_field::kLastObservationMs);
    record.first_observation_ms = base::load_le<std::int64_t>(bytes, error_field::kFirstObservationMs);
    record.text = {
        reinterpret_cast<const char*>(bytes) + error_field::kText, length - kErrorRecordHeaderLength};
    // The last record may end the log without room for its alignment.
    const std::size_t step = base::align_up(length, kErrorRecordAlignment);
    offset_ = step < left ? offset_ + step : log_.size();
    return true;
}

}  // namespace fulmar::layout

/// Counters by which tools and clients see an archive. Keys and labels are a contract with Aeron's clients:
/// they find a recording by the key of its position counter.
/// threads: the conductor's.  source: Aeron 1.53, archive counters.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "archive/catalog.h"
#include "fulmar/client.h"

namespace fulmar::archive {

namespace counter_type {
inline constexpr std::int32_t kRecordingPosition = 100;
inline constexpr std::int32_t kErrors = 101;
inline constexpr std::int32_t kControlSessions = 102;
inline constexpr std::int32_t kMaxCycleTime = 103;
inline constexpr std::int32_t kCycleTimeExceeded = 104;
inline constexpr std::int32_t kMaxWriteTime = 105;
inline constexpr std::int32_t kTotalWriteBytes = 106;
inline constexpr std::int32_t kTotalWriteTime = 107;
inline constexpr std::int32_t kMaxReadTime = 108;
inline constexpr std::int32_t kTotalReadBytes = 109;
inline constexpr std::int32_t kTotalReadTime = 110;
inline constexpr std::int32_t kRecordingSessions = 111;
inline constexpr std::int32_t kReplaySessions = 112;
inline constexpr std::int32_t kControlSession = 113;
/// Ours: how far a recording is written, where the other one tells how far it is durable.
inline constexpr std::int32_t kRecordingWritten = 7200;
}  // namespace counter_type

/// A counter being made: asked for at once, there after some polls. Freed with it.
class PendingCounter {
  public:
    PendingCounter() = default;
    PendingCounter(Client& client, const CounterSpec& spec);
    ~PendingCounter();
    PendingCounter(PendingCounter&& other) noexcept;
    PendingCounter& operator=(PendingCounter&& other) noexcept;
    PendingCounter(const PendingCounter&) = delete;
    PendingCounter& operator=(const PendingCounter&) = delete;

    [[nodiscard]] bool is_asked() const { return client_ != nullptr; }
    /// Whether it is there, or never will be (see error).
    [[nodiscard]] bool poll();
    /// Null before.
    [[nodiscard]] Counter* get() const { return counter_.get(); }
    [[nodiscard]] const std::string& error() const { return error_; }
    /// Where it is there.
    void set(std::int64_t value) const {
        if (counter_ != nullptr) {
            counter_->set(value);
        }
    }

  private:
    Client* client_ = nullptr;
    std::int64_t request_ = -1;
    std::unique_ptr<Counter> counter_;
    std::string error_;
};

[[nodiscard]] PendingCounter recording_position_counter(
    Client& client, const Recording& recording, std::int64_t archive_id);
[[nodiscard]] PendingCounter recording_written_counter(
    Client& client, const Recording& recording, std::int64_t archive_id);
/// One of the archive as a whole.
[[nodiscard]] PendingCounter archive_counter(
    Client& client, std::int32_t type_id, std::string_view label, std::int64_t archive_id);
/// Of errors; its label tells the archive's version too.
[[nodiscard]] PendingCounter archive_errors_counter(Client& client, std::int64_t archive_id);
[[nodiscard]] PendingCounter control_session_counter(
    Client& client, std::int64_t control_session_id, std::string_view who, std::int64_t archive_id);

}  // namespace fulmar::archive

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
[[nodiscard]] PendingCounter control_session_counter(
    Client& client, std::int64_t control_session_id, std::string_view who, std::int64_t archive_id);

}  // namespace fulmar::archive

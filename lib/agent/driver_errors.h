/// Where the driver's errors go: the distinct error log, the error counter, and to whoever prints new ones.
/// threads: record() from any agent.
#pragma once

#include <cstdint>
#include <string_view>

#include "fulmar/error.h"
#include "observe/counters.h"
#include "observe/distinct_error_log.h"

namespace fulmar::agent {

/// Hears of each distinct error once. threads: called by the agent that met the error.
class ErrorListener {
  public:
    virtual ~ErrorListener() = default;
    virtual void on_new_error(ErrorCode code, std::string_view text) = 0;
};

class DriverErrors {
  public:
    DriverErrors(observe::DistinctErrorLog* log, const observe::Counter& count, ErrorListener* listener)
        : log_(log), count_(count), listener_(listener) {}

    void record(ErrorCode code, std::string_view text, std::int64_t now_ms) {
        count_.increment_shared();
        const auto outcome = log_->record(static_cast<std::int32_t>(code), text, now_ms);
        if (outcome == observe::DistinctErrorLog::Outcome::kNew && listener_ != nullptr) {
            listener_->on_new_error(code, text);
        }
    }

  private:
    observe::DistinctErrorLog* log_;
    observe::Counter count_;
    ErrorListener* listener_;
};

}  // namespace fulmar::agent

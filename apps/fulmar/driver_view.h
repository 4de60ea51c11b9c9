/// A driver as its files show it, opened for reading: works on a live driver, ours or a stock one, and on the
/// remains of a dead one.
#pragma once

#include <memory>
#include <string>

#include "fulmar/counters_reader.h"
#include "fulmar/result.h"
#include "layout/cnc.h"
#include "port/memory_map.h"

namespace fulmar::cli {

class DriverView {
  public:
    /// errors: no directory, no or unfinished or foreign CnC file: one line with what to do.
    static Result<DriverView> open(const std::string& dir);

    [[nodiscard]] const layout::CncFile& cnc() const { return cnc_; }
    [[nodiscard]] CountersReader counters() const { return {cnc_.counter_metadata(), cnc_.counter_values()}; }
    /// Milliseconds since the driver last showed life; negative when it said good-bye.
    [[nodiscard]] std::int64_t heartbeat_age_ms() const;
    [[nodiscard]] const std::string& dir() const { return dir_; }

  private:
    std::string dir_;
    std::unique_ptr<port::Mapping> mapping_;
    layout::CncFile cnc_;
};

/// Another file of the directory, mapped for reading.
[[nodiscard]] Result<std::unique_ptr<port::Mapping>> open_file(const std::string& dir, std::string_view name);

}  // namespace fulmar::cli

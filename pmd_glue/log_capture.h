/// Keeps the device library's chatter off stdout and stderr, and remembers its last complaint so that our
/// one error line can carry the reason.
/// threads: log lines arrive from any thread; capture and lookup at start-up or from control code.
#pragma once

#include <string>

namespace fulmar::pmd_glue {

/// Sends library log lines to memory (quiet) or to stderr as well (verbose). Call before EAL starts.
void install_log_sink(bool verbose);

/// Forgets remembered lines; call before an operation whose reason may be wanted.
void clear_log_lines();

/// The last remembered line that reads like an error, else the last line, without its component prefix.
[[nodiscard]] std::string last_log_line();

/// While alive, what anybody writes to file descriptors 1 and 2 goes nowhere: the library prints usage and
/// fatal messages there directly. Used around EAL start only, before there are other threads.
class StdioMute {
  public:
    explicit StdioMute(bool active);
    ~StdioMute();
    StdioMute(const StdioMute&) = delete;
    StdioMute& operator=(const StdioMute&) = delete;

  private:
    int saved_[2] = {-1, -1};
};

}  // namespace fulmar::pmd_glue

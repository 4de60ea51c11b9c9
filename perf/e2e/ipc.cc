#include "perf/e2e/ipc.h"

#include <cstdio>
#include <cstdlib>
#include <fmt/core.h>
#include <signal.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

#include "perf/e2e/channels.h"
#include "perf/e2e/echo.h"
#include "perf/e2e/node.h"
#include "perf/e2e/stream.h"

namespace fulmar::perf {

namespace {

int run_role(const Options& options) {
    return options.role == Role::kPing || options.role == Role::kPong ? run_echo(options)
                                                                      : run_stream(options);
}

/// The far end in a process of its own, ended with us.
class FarEnd {
  public:
    explicit FarEnd(const Options& options) : child_(fork()) {
        if (child_ == 0) {
            // Its own report is nobody's; only a failure to start is shown.
            const bool quiet = std::freopen("/dev/null", "w", stdout) != nullptr;
            std::_Exit(quiet ? run_role(options) : EXIT_FAILURE);
        }
    }
    ~FarEnd() {
        if (child_ > 0) {
            kill(child_, SIGTERM);
            waitpid(child_, nullptr, 0);
        }
    }
    FarEnd(const FarEnd&) = delete;
    FarEnd& operator=(const FarEnd&) = delete;

  private:
    pid_t child_;
};

}  // namespace

int run_ipc(const Options& options, bool with_role) {
    Options near = options;
    near.channel = options.channel.empty() ? "aeron:ipc" : options.channel;
    near.reply_channel = options.reply_channel.empty() ? near.channel : options.reply_channel;
    near.inline_driver = false;
    fill_channels(near);
    if (near.dir.empty()) {
        fmt::print(
            stderr, "fulmar-perf: ipc needs --dir of a running driver; start one with: fulmard --dir DIR\n");
        return 2;
    }
    if (with_role) {
        return run_role(near);
    }
    Options far = near;
    far.role = near.role == Role::kPing ? Role::kPong : Role::kSub;
    far.messages = 0;
    const FarEnd other(far);
    return run_role(near);
}

}  // namespace fulmar::perf

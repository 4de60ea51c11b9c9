// fulmar-archive: an archive as a process. Runs until a signal ends it.
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <mutex>
#include <poll.h>
#include <sys/signalfd.h>
#include <system_error>
#include <utility>

#include "apps/fulmar-archive/options.h"
#include "drivers/driver_runtime/version.h"
#include "fulmar/idle.h"

extern char** environ;

namespace fulmar::archived {
namespace {

constexpr int kExitFailed = 1;
constexpr int kExitUsage = 2;
constexpr int kErrorCheckMs = 200;

int report(const Error& error, int code) {
    // What keeps an archive from starting is told by its driver first, perhaps on another thread.
    static std::mutex mutex;
    static std::string last;
    const std::scoped_lock lock(mutex);
    if (std::exchange(last, error.message) != error.message) {
        std::fprintf(stderr, "fulmar-archive: %s\n", error.message.c_str());
    }
    return code;
}

/// SIGTERM and SIGINT arrive on the descriptor instead of in threads, all of which inherit the mask.
int watch_signals() {
    sigset_t signals;
    ::sigemptyset(&signals);
    ::sigaddset(&signals, SIGTERM);
    ::sigaddset(&signals, SIGINT);
    ::pthread_sigmask(SIG_BLOCK, &signals, nullptr);
    ::signal(SIGPIPE, SIG_IGN);
    return ::signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
}

bool signalled(int signal_fd, int timeout_ms) {
    pollfd watched{signal_fd, POLLIN, 0};
    return ::poll(&watched, 1, timeout_ms) > 0;
}

/// Polls on this thread; looks for signals between rounds, more rarely while there is work.
void poll_until_signal(drivers::Archive& archive, int signal_fd) {
    BackoffIdle idle;
    int rounds = 0;
    while (!archive.error()) {
        const int work = archive.poll();
        idle.idle(work);
        if ((work == 0 || ++rounds % 1024 == 0) && signalled(signal_fd, 0)) {
            return;
        }
    }
}

int run(Invocation invocation) {
    const int signal_fd = watch_signals();
    if (signal_fd < 0) {
        return report(
            {ErrorCode::kGeneric, "cannot watch signals: " + std::generic_category().message(errno)},
            kExitFailed);
    }
    const bool is_inline = invocation.options.threading == drivers::ArchiveOptions::Threading::kInline;
    invocation.options.server.on_error = [](const Error& error) { (void)report(error, 0); };
    invocation.options.driver.on_error = [](const Error& error) { (void)report(error, 0); };
    const std::string archive_dir = invocation.options.archive_dir;
    auto archive = drivers::Archive::start(std::move(invocation.options));
    if (!archive) {
        return report(archive.error(), kExitFailed);
    }
    std::printf("fulmar-archive %s\n", drivers::version_text().c_str());
    for (const std::string& line : (*archive)->description()) {
        std::printf("%s\n", line.c_str());
    }
    std::printf("ready in %s\n", archive_dir.c_str());
    std::fflush(stdout);
    if (is_inline) {
        poll_until_signal(**archive, signal_fd);
    } else {
        while (!(*archive)->error() && !signalled(signal_fd, kErrorCheckMs)) {
        }
    }
    const auto error = (*archive)->error();
    (*archive)->close();
    if (error) {
        return report(*error, kExitFailed);
    }
    std::printf("ended: signal\n");
    return 0;
}

int main_of(int argc, char** argv) {
    auto invocation = read_invocation(argc, argv, environ);
    if (!invocation) {
        return report(invocation.error(), kExitUsage);
    }
    if (invocation->has_ended) {
        return invocation->exit_code;
    }
    for (const std::string& name : invocation->unused) {
        std::printf("unused setting: %s\n", name.c_str());
    }
    return run(*std::move(invocation));
}

}  // namespace
}  // namespace fulmar::archived

int main(int argc, char** argv) {
    return fulmar::archived::main_of(argc, argv);
}

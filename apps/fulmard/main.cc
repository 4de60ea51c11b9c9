// fulmard: the media driver as a process. Runs until a signal, or a client that may, ends it.
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <system_error>
#include <unistd.h>

#include "apps/fulmard/options.h"
#include "drivers/driver_runtime/media_driver.h"
#include "drivers/driver_runtime/version.h"

extern char** environ;

namespace fulmar::fulmard {
namespace {

constexpr int kExitFailed = 1;
constexpr int kExitUsage = 2;

int report(const Error& error, int code) {
    std::fprintf(stderr, "fulmard: %s\n", error.message.c_str());
    return code;
}

/// Both ends of one file descriptor; closed with the process.
int stop_event() {
    static const int fd = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    return fd;
}

void request_stop() {
    const std::uint64_t one = 1;
    (void)!::write(stop_event(), &one, sizeof one);
}

/// SIGTERM and SIGINT arrive on the descriptor instead of in threads, all of which inherit the mask.
int watch_signals() {
    sigset_t signals;
    ::sigemptyset(&signals);
    ::sigaddset(&signals, SIGTERM);
    ::sigaddset(&signals, SIGINT);
    ::pthread_sigmask(SIG_BLOCK, &signals, nullptr);
    ::signal(SIGPIPE, SIG_IGN);
    return ::signalfd(-1, &signals, SFD_CLOEXEC);
}

const char* wait_for_end(int signal_fd) {
    pollfd watched[2] = {{signal_fd, POLLIN, 0}, {stop_event(), POLLIN, 0}};
    while (::poll(watched, 2, -1) < 0 && errno == EINTR) {
    }
    return (watched[1].revents & POLLIN) != 0 ? "a client asked for it" : "signal";
}

void print_lines(const std::vector<std::string>& lines) {
    for (const std::string& line : lines) {
        std::printf("%s\n", line.c_str());
    }
}

int run(const Invocation& invocation) {
    const int signal_fd = watch_signals();
    if (signal_fd < 0 || stop_event() < 0) {
        return report(
            {ErrorCode::kGeneric, "cannot watch signals: " + std::generic_category().message(errno)},
            kExitFailed);
    }
    drivers::DriverCallbacks callbacks;
    callbacks.on_error = [](const Error& error) { (void)report(error, 0); };
    callbacks.on_terminate = request_stop;
    auto driver = drivers::start_driver(invocation.settings, std::move(callbacks));
    if (!driver) {
        return report(driver.error(), kExitFailed);
    }
    std::printf("fulmard %s\n", drivers::version_text().c_str());
    print_lines((*driver)->description());
    std::printf("ready in %s\n", (*driver)->dir().c_str());
    std::fflush(stdout);
    const char* why = wait_for_end(signal_fd);
    (*driver)->close();
    std::printf("ended: %s\n", why);
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
    if (invocation->settings.print_configuration) {
        print_lines(invocation->config_lines);
        if (invocation->print_only) {
            return 0;
        }
    }
    if (invocation->settings.threading_mode == config::ThreadingMode::kInvoker) {
        return report({ErrorCode::kGeneric,
                          "threading=invoker is for drivers inside an application: choose another mode"},
            kExitUsage);
    }
    return run(*invocation);
}

}  // namespace
}  // namespace fulmar::fulmard

int main(int argc, char** argv) {
    return fulmar::fulmard::main_of(argc, argv);
}

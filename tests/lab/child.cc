#include "tests/lab/child.h"

#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <system_error>
#include <unistd.h>
#include <utility>

extern char** environ;

namespace fulmar::lab {

Result<Child> Child::start(
    const std::vector<std::string>& arguments, const std::string& ready, Duration limit) {
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) {
        return fail(ErrorCode::kGeneric, "no pipe: " + std::generic_category().message(errno));
    }
    ::fcntl(ends[0], F_SETFL, O_NONBLOCK);
    posix_spawn_file_actions_t actions;
    ::posix_spawn_file_actions_init(&actions);
    ::posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
    ::posix_spawn_file_actions_adddup2(&actions, ends[1], STDERR_FILENO);
    std::vector<char*> argv;
    for (const std::string& argument : arguments) {
        argv.push_back(const_cast<char*>(argument.c_str()));
    }
    argv.push_back(nullptr);
    pid_t pid = -1;
    const int error = ::posix_spawn(&pid, argv[0], &actions, nullptr, argv.data(), environ);
    ::posix_spawn_file_actions_destroy(&actions);
    ::close(ends[1]);
    if (error != 0) {
        ::close(ends[0]);
        return fail(ErrorCode::kGeneric,
            "cannot start " + arguments[0] + ": " + std::generic_category().message(error));
    }
    Child child(pid, ends[0]);
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::nanoseconds(limit.ns);
    while (("\n" + child.output()).find("\n" + ready) == std::string::npos) {
        pollfd watched{child.pipe_, POLLIN, 0};
        (void)::poll(&watched, 1, 10);
        const bool has_ended = ::waitpid(pid, nullptr, WNOHANG) == pid;
        if (has_ended || std::chrono::steady_clock::now() > deadline) {
            const std::string said = child.output();
            child.pid_ = has_ended ? -1 : child.pid_;
            return fail(ErrorCode::kGeneric,
                arguments[0] + (has_ended ? " ended: " : " did not get ready in time: ") + said);
        }
    }
    return child;
}

Child::Child(Child&& other) noexcept
    : pid_(std::exchange(other.pid_, -1)),
      pipe_(std::exchange(other.pipe_, -1)),
      output_(std::move(other.output_)) {}

Child& Child::operator=(Child&& other) noexcept {
    std::swap(pid_, other.pid_);
    std::swap(pipe_, other.pipe_);
    std::swap(output_, other.output_);
    return *this;
}

Child::~Child() {
    end(SIGKILL);
    if (pipe_ >= 0) {
        ::close(pipe_);
    }
}

void Child::end(int signal) {
    if (pid_ > 0) {
        ::kill(pid_, signal);
        ::waitpid(pid_, nullptr, 0);
        pid_ = -1;
    }
}

const std::string& Child::output() {
    std::array<char, 4096> bytes{};
    for (ssize_t got = 0; (got = ::read(pipe_, bytes.data(), bytes.size())) > 0;) {
        output_.append(bytes.data(), static_cast<std::size_t>(got));
    }
    return output_;
}

}  // namespace fulmar::lab

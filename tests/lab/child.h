/// A program run beside this one: started, watched for a line of its output, killed.
/// threads: one.
#pragma once

#include <string>
#include <sys/types.h>
#include <vector>

#include "fulmar/result.h"
#include "fulmar/time.h"

namespace fulmar::lab {

class Child {
  public:
    /// Starts it and waits until a line of its output begins with `ready`.
    /// errors: it ended, or did not say so in time; the message holds what it said.
    [[nodiscard]] static Result<Child> start(
        const std::vector<std::string>& arguments, const std::string& ready, Duration limit);
    ~Child();
    Child(Child&& other) noexcept;
    Child& operator=(Child&& other) noexcept;

    /// Kills it with this signal and waits for its end.
    void end(int signal);
    [[nodiscard]] bool is_running() const { return pid_ > 0; }
    [[nodiscard]] pid_t pid() const { return pid_; }
    /// What it has said so far; reads what came since.
    [[nodiscard]] const std::string& output();

  private:
    Child(pid_t pid, int pipe) : pid_(pid), pipe_(pipe) {}

    pid_t pid_ = -1;
    int pipe_ = -1;
    std::string output_;
};

}  // namespace fulmar::lab

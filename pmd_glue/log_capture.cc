#include "pmd_glue/log_capture.h"

#include <array>
#include <cstdio>
#include <fcntl.h>
#include <mutex>
#include <rte_log.h>
#include <string_view>
#include <unistd.h>

namespace fulmar::pmd_glue {
namespace {

/// The last few lines; bounded, because a device in trouble may log for ever.
class LineMemory {
  public:
    void write(std::string_view text) {
        const std::lock_guard lock(mutex_);
        for (const char c : text) {
            if (c == '\n') {
                lines_[next_++ % kLines] = std::move(partial_);
                partial_.clear();
            } else if (partial_.size() < kLineBytesMax) {
                partial_.push_back(c);
            }
        }
    }

    void clear() {
        const std::lock_guard lock(mutex_);
        lines_.fill({});
        partial_.clear();
        next_ = 0;
    }

    std::string last() {
        const std::lock_guard lock(mutex_);
        const std::size_t count = next_ < kLines ? next_ : kLines;
        for (std::size_t back = 1; back <= count; ++back) {
            const auto& line = lines_[(next_ - back) % kLines];
            if (reads_like_error(line)) {
                return line;
            }
        }
        return count == 0 ? std::string{} : lines_[(next_ - 1) % kLines];
    }

  private:
    static constexpr std::size_t kLines = 16;
    static constexpr std::size_t kLineBytesMax = 400;

    static bool reads_like_error(std::string_view line) {
        for (const auto* word : {"ail", "annot", "ould not", "nvalid", "rror", "enied", "No such", "ot "}) {
            if (line.find(word) != std::string_view::npos) {
                return true;
            }
        }
        return false;
    }

    std::mutex mutex_;
    std::array<std::string, kLines> lines_{};
    std::string partial_;
    std::size_t next_ = 0;
};

LineMemory& memory() {
    static auto* const lines = new LineMemory;  // outlives every thread that may still log at exit
    return *lines;
}

bool g_verbose = false;

ssize_t sink_write(void* /*cookie*/, const char* text, std::size_t length) {
    memory().write({text, length});
    if (g_verbose) {
        [[maybe_unused]] const auto written = ::write(STDERR_FILENO, text, length);
    }
    return static_cast<ssize_t>(length);
}

}  // namespace

void install_log_sink(bool verbose) {
    static std::FILE* stream = nullptr;
    g_verbose = verbose;
    if (stream == nullptr) {
        cookie_io_functions_t functions{};
        functions.write = sink_write;
        stream = ::fopencookie(nullptr, "w", functions);
        if (stream == nullptr) {
            return;
        }
        std::setvbuf(stream, nullptr, _IOLBF, 0);
    }
    ::rte_openlog_stream(stream);
    ::rte_log_set_global_level(verbose ? RTE_LOG_INFO : RTE_LOG_NOTICE);
}

void clear_log_lines() {
    memory().clear();
}

std::string last_log_line() {
    auto line = memory().last();
    // "EAL: text" and "memif_x(): text" name the source; the reader wants the text.
    const auto colon = line.find(": ");
    if (colon != std::string::npos && colon < 40 && line.find(' ') > colon) {
        line.erase(0, colon + 2);
    }
    while (!line.empty() && (line.back() == '.' || line.back() == ' ')) {
        line.pop_back();
    }
    return line;
}

StdioMute::StdioMute(bool active) {
    if (!active) {
        return;
    }
    std::fflush(stdout);
    const int nowhere = ::open("/dev/null", O_WRONLY | O_CLOEXEC);
    if (nowhere < 0) {
        return;
    }
    for (int fd = STDOUT_FILENO; fd <= STDERR_FILENO; ++fd) {
        saved_[fd - 1] = ::fcntl(fd, F_DUPFD_CLOEXEC, 3);
        if (saved_[fd - 1] >= 0) {
            ::dup2(nowhere, fd);
        }
    }
    ::close(nowhere);
}

StdioMute::~StdioMute() {
    std::fflush(stdout);
    for (int fd = STDOUT_FILENO; fd <= STDERR_FILENO; ++fd) {
        if (saved_[fd - 1] >= 0) {
            ::dup2(saved_[fd - 1], fd);
            ::close(saved_[fd - 1]);
        }
    }
}

}  // namespace fulmar::pmd_glue

#include "tests/sim/runner.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

namespace fulmar::sim {

namespace {

/// A result on its way through a pipe: small enough to be written in one piece.
struct Message {
    std::uint64_t seed = 0;
    std::uint64_t hash = 0;
    Counts counts;
    bool starts = false;  ///< the seed begins; everything else is empty
    std::array<char, 1024> failure{};
};
static_assert(sizeof(Message) <= 4096, "one pipe write is atomic up to PIPE_BUF");

struct Worker {
    pid_t pid = -1;
    int pipe = -1;
    std::uint64_t next = 0;     ///< its first seed not reported yet
    std::uint64_t running = 0;  ///< the seed it is in
    bool is_running = false;
};

[[noreturn]] void work(const RunnerOptions& options, std::uint64_t first, std::uint64_t stride, int out) {
    const auto send = [out](const Message& message) {
        if (write(out, &message, sizeof message) != static_cast<ssize_t>(sizeof message)) {
            _exit(1);
        }
    };
    for (std::uint64_t seed = first; seed < options.first_seed + options.count; seed += stride) {
        Message message;
        message.seed = seed;
        message.starts = true;
        send(message);
        const SeedResult result = run_seed(*options.profile, seed, false);
        message.starts = false;
        message.hash = result.hash;
        message.counts = result.counts;
        std::snprintf(message.failure.data(), message.failure.size(), "%s", result.failure.c_str());
        send(message);
    }
    _exit(0);
}

class Pool {
  public:
    using OnResult = std::function<void(const SeedResult&, std::uint64_t)>;
    Pool(const RunnerOptions& options, const OnResult& on_result)
        : options_(options), on_result_(on_result), workers_(static_cast<std::size_t>(options.workers)) {}

    Summary run() {
        for (std::size_t i = 0; i < workers_.size(); ++i) {
            start(workers_[i], options_.first_seed + i);
        }
        while (std::any_of(workers_.begin(), workers_.end(), [](const Worker& w) { return w.pid > 0; })) {
            wait_for_news();
            if (options_.stop_at_failure && !summary_.failures.empty()) {
                stop();
            }
        }
        std::sort(summary_.failures.begin(), summary_.failures.end(),
            [](const SeedResult& a, const SeedResult& b) { return a.seed < b.seed; });
        return std::move(summary_);
    }

  private:
    void start(Worker& worker, std::uint64_t seed) {
        worker.next = seed;
        worker.is_running = false;
        if (seed >= options_.first_seed + options_.count) {
            return;
        }
        int ends[2];
        if (pipe(ends) != 0) {
            std::perror("simulate: pipe");
            std::exit(1);
        }
        std::fflush(nullptr);
        const pid_t pid = fork();
        if (pid < 0) {
            std::perror("simulate: fork");
            std::exit(1);
        }
        if (pid == 0) {
            close(ends[0]);
            work(options_, seed, workers_.size(), ends[1]);
        }
        close(ends[1]);
        worker.pid = pid;
        worker.pipe = ends[0];
    }

    void wait_for_news() {
        std::vector<pollfd> polled;
        std::vector<Worker*> who;
        for (Worker& worker : workers_) {
            if (worker.pid > 0) {
                polled.push_back({worker.pipe, POLLIN, 0});
                who.push_back(&worker);
            }
        }
        if (poll(polled.data(), polled.size(), -1) < 0 && errno != EINTR) {
            std::perror("simulate: poll");
            std::exit(1);
        }
        for (std::size_t i = 0; i < polled.size(); ++i) {
            if (polled[i].revents != 0) {
                read_from(*who[i]);
            }
        }
    }

    void read_from(Worker& worker) {
        Message message;
        const ssize_t got = read(worker.pipe, &message, sizeof message);
        if (got == static_cast<ssize_t>(sizeof message)) {
            worker.running = message.seed;
            worker.is_running = message.starts;
            if (!message.starts) {
                worker.next = message.seed + workers_.size();
                finish({message.seed, message.hash, message.counts, message.failure.data()});
            }
            return;
        }
        close(worker.pipe);
        int status = 0;
        waitpid(worker.pid, &status, 0);
        worker.pid = -1;
        if (!worker.is_running) {
            return;
        }
        SeedResult died;
        died.seed = worker.running;
        died.failure = WIFSIGNALED(status) ? "the process died: signal " + std::to_string(WTERMSIG(status))
                                           : "the process ended with " + std::to_string(WEXITSTATUS(status));
        finish(died);
        start(worker, worker.running + workers_.size());
    }

    void finish(const SeedResult& result) {
        ++summary_.seeds;
        summary_.hash ^= (result.hash + result.seed) * 0x9e3779b97f4a7c15ULL;
        summary_.counts.add(result.counts);
        if (!result.failure.empty()) {
            summary_.failures.push_back(result);
        }
        on_result_(result, summary_.seeds);
    }

    void stop() {
        for (Worker& worker : workers_) {
            if (worker.pid > 0) {
                kill(worker.pid, SIGKILL);
                close(worker.pipe);
                waitpid(worker.pid, nullptr, 0);
                worker.pid = -1;
            }
        }
    }

    const RunnerOptions& options_;
    const OnResult& on_result_;
    std::vector<Worker> workers_;
    Summary summary_;
};

}  // namespace

SeedResult run_seed(const Profile& profile, std::uint64_t seed, bool verbose) {
    const RunResult first = profile.run(seed, verbose);
    SeedResult result;
    result.seed = seed;
    result.hash = first.hash;
    result.counts = first.counts;
    result.failure = first.failure;
    const RunResult second = profile.run(seed, false);
    const bool same = second.hash == first.hash && second.steps == first.steps &&
                      second.counts.values == first.counts.values && second.failure == first.failure;
    if (!same) {
        result.failure = "two runs of the seed differ" +
                         (first.failure.empty() ? std::string() : "; the first failed " + first.failure);
    }
    return result;
}

Summary run_seeds(const RunnerOptions& options,
    const std::function<void(const SeedResult&, std::uint64_t done)>& on_result) {
    return Pool(options, on_result).run();
}

}  // namespace fulmar::sim

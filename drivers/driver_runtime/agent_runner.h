/// A thread that polls an agent, or several in turn, until it is stopped.
/// threads: construct, stop and destroy from the owner.
#pragma once

#include <atomic>
#include <functional>
#include <string>
#include <thread>

#include "config/settings.h"
#include "fulmar/result.h"
#include "fulmar/time.h"
#include "port/clock.h"

namespace fulmar::drivers {

class AgentRunner {
  public:
    struct Options {
        std::string name;  ///< of the thread; the system cuts it to 15 characters
        int cpu = -1;      ///< -1: wherever the scheduler likes
        config::IdleStrategy idle = config::IdleStrategy::kBackoff;
        bool polls_devices = false;  ///< needs an identity in the device library
    };
    using Poll = std::function<int(Instant)>;

    AgentRunner(Options options, port::Clock& clock, Poll poll);
    ~AgentRunner();
    AgentRunner(const AgentRunner&) = delete;
    AgentRunner& operator=(const AgentRunner&) = delete;

    /// Waits until the thread runs where it should.  errors: kGeneric when it may not be pinned there.
    [[nodiscard]] Status start();
    /// Returns when the thread has ended. Idempotent.
    void stop();

  private:
    [[nodiscard]] Status prepare() const;
    void run();

    Options options_;
    port::Clock& clock_;
    Poll poll_;
    std::atomic<bool> stop_{false};
    std::thread thread_;
};

}  // namespace fulmar::drivers

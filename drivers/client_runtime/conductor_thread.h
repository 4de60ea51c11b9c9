/// The thread that polls a client's conductor when the application does not.
/// threads: construct and destroy from the client's owner, not from one of its handlers.
#pragma once

#include <atomic>
#include <memory>
#include <thread>

#include "client/runner.h"
#include "fulmar/time.h"

namespace fulmar::client {
class Conductor;
}

namespace fulmar::drivers {

/// Ends when destroyed, or by itself when the client has ended.
class ConductorThread final : public client::Runner {
  public:
    ConductorThread(std::shared_ptr<client::Conductor> conductor, Duration idle_max);
    ~ConductorThread() override;
    ConductorThread(const ConductorThread&) = delete;
    ConductorThread& operator=(const ConductorThread&) = delete;

  private:
    void run();

    std::shared_ptr<client::Conductor> conductor_;
    Duration idle_max_;
    // relaxed: only asks the loop to end, publishes nothing
    std::atomic<bool> stop_{false};
    std::thread thread_;
};

}  // namespace fulmar::drivers

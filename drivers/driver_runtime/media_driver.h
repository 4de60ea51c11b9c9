/// Starts a driver on this machine from settings: what fulmard and the embedded MediaDriver share.
/// threads: start-up.
#pragma once

#include <functional>
#include <memory>

#include "config/settings.h"
#include "fulmar/driver.h"

namespace fulmar::drivers {

struct DriverCallbacks {
    std::function<void(const Error&)> on_error;
    std::function<void()> on_terminate;
};

/// settings.threading_mode kInvoker: the caller polls.
/// errors: as MediaDriver::start
[[nodiscard]] Result<std::unique_ptr<MediaDriver>> start_driver(
    config::DriverSettings settings, DriverCallbacks callbacks);

}  // namespace fulmar::drivers

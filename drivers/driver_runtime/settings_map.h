/// From settings as a user writes them to what the agents are built from.
/// threads: pure functions.
#pragma once

#include "agent/driver_options.h"
#include "config/settings.h"
#include "fulmar/result.h"

namespace fulmar::drivers {

/// errors: kNotSupported naming a setting that asks for what this release does not do.
[[nodiscard]] Result<agent::DriverOptions> to_driver_options(const config::DriverSettings& settings);

}  // namespace fulmar::drivers

/// What the ports under a measurement counted, read from the driver's counters.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "fulmar/counters_reader.h"

namespace fulmar::perf {

/// {"naks_sent","naks_received","retransmits","pmd":{"rx","tx"},"faults":{"rx","tx"}}
[[nodiscard]] nlohmann::ordered_json driver_figures(const CountersReader& counters);

}  // namespace fulmar::perf

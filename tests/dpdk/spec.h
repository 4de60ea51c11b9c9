/// Device names as users type them, for test programs.
#pragma once

#include <cstdlib>
#include <optional>
#include <string>
#include <utility>

#include "pmd_glue/device.h"
#include "pmd_glue/eal.h"

namespace fulmar::test {

inline std::optional<pmd_glue::DeviceSpec> parse_device(const std::string& text) {
    using Kind = pmd_glue::DeviceSpec::Kind;
    const std::pair<std::string, Kind> kinds[] = {{"memif:server:", Kind::kMemifServer},
        {"memif:client:", Kind::kMemifClient}, {"af_packet:", Kind::kAfPacket}, {"af_xdp:", Kind::kAfXdp},
        {"tap:", Kind::kTap}, {"ring:", Kind::kRing}, {"null:", Kind::kNull}, {"vdev:", Kind::kVdev},
        {"pci:", Kind::kPci}};
    for (const auto& [prefix, kind] : kinds) {
        if (text.rfind(prefix, 0) == 0) {
            return pmd_glue::DeviceSpec{kind, text.substr(prefix.size())};
        }
    }
    return std::nullopt;
}

/// Off unless FULMAR_TEST_HUGEPAGES is set, so that tests do not depend on what else uses the machine's
/// pages.
inline pmd_glue::EalOptions test_eal_options() {
    pmd_glue::EalOptions options;
    using Hugepages = pmd_glue::EalOptions::Hugepages;
    options.hugepages = std::getenv("FULMAR_TEST_HUGEPAGES") != nullptr ? Hugepages::kOn : Hugepages::kOff;
    options.verbose = std::getenv("FULMAR_TEST_VERBOSE") != nullptr;
    return options;
}

}  // namespace fulmar::test

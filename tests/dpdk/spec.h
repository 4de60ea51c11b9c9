/// Device names as users type them, for test programs.
#pragma once

#include <optional>
#include <string>
#include <utility>

#include "pmd_glue/device.h"

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

}  // namespace fulmar::test

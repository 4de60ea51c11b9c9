/// Turns a typed device description into the library's virtual-device arguments, after checking what the
/// library would only fail on without saying why.
/// threads: control thread.
#pragma once

#include <string>

#include "fulmar/result.h"
#include "pmd_glue/device.h"

namespace fulmar::pmd_glue {

struct VdevArgs {
    std::string name;  ///< unique in this process
    std::string arguments;
    std::int32_t mtu = 0;           ///< of the underlying interface, 0: unknown.  units: bytes
    std::int32_t buffer_bytes = 0;  ///< data room a received frame needs.  units: bytes
    bool zero_copy = false;
    std::string carrier_interface;  ///< whose carrier is the link state, when the driver does not know
};

/// errors: kGeneric; missing interface, missing permission, address on the interface, bad or used path.
[[nodiscard]] Result<VdevArgs> vdev_args(const DeviceSpec& spec, const DeviceOptions& options);

}  // namespace fulmar::pmd_glue

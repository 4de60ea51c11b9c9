/// Counters of ports: our own types, one counter per port and statistic, labelled `port <device>
/// <statistic>`.
#pragma once

#include <cstdint>

namespace fulmar::layout::counter_type {

inline constexpr std::int32_t kPortDeviceRxPackets = 7100;  ///< as the device counts them
inline constexpr std::int32_t kPortDeviceTxPackets = 7101;
inline constexpr std::int32_t kPortRxPackets = 7102;   ///< delivered to channel endpoints
inline constexpr std::int32_t kPortTxPackets = 7103;   ///< taken from them
inline constexpr std::int32_t kPortRxDropped = 7104;   ///< malformed, bad checksum, or for nobody
inline constexpr std::int32_t kPortTxRejected = 7105;  ///< offered while the device had no room
inline constexpr std::int32_t kPortRxMissed =
    7106;  ///< lost in the device for want of descriptors or buffers
inline constexpr std::int32_t kPortNeighbourMisses = 7107;
inline constexpr std::int32_t kPortFaultsRx = 7108;  ///< injected on purpose
inline constexpr std::int32_t kPortFaultsTx = 7109;
/// 1 while faults are injected; labelled `port <device> fault <spec>`.
inline constexpr std::int32_t kPortFault = 7110;

}  // namespace fulmar::layout::counter_type

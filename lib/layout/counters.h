/// Layout of counters values and metadata, the type ids and system counter ids clients and tools know.
/// source: Aeron counters manager; type ids and system ids are fixed by its tools.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace fulmar::layout {

inline constexpr std::size_t kCounterValueLength = 128;
inline constexpr std::size_t kCounterMetadataLength = 512;
inline constexpr std::size_t kCounterKeyMax = 112;
inline constexpr std::size_t kCounterLabelMax = 380;

namespace counter_value_field {
inline constexpr std::size_t kValue = 0;
inline constexpr std::size_t kRegistrationId = 8;
inline constexpr std::size_t kOwnerId = 16;
inline constexpr std::size_t kReferenceId = 24;
}  // namespace counter_value_field

namespace counter_metadata_field {
inline constexpr std::size_t kState = 0;
inline constexpr std::size_t kTypeId = 4;
inline constexpr std::size_t kFreeForReuseDeadlineMs = 8;
inline constexpr std::size_t kKey = 16;
inline constexpr std::size_t kLabelLength = 128;
inline constexpr std::size_t kLabel = 132;
}  // namespace counter_metadata_field

inline constexpr std::int32_t kCounterUnused = 0;
inline constexpr std::int32_t kCounterAllocated = 1;
inline constexpr std::int32_t kCounterReclaimed = -1;
inline constexpr std::int32_t kNullCounterId = -1;

namespace counter_type {
inline constexpr std::int32_t kSystem = 0;
inline constexpr std::int32_t kPublisherLimit = 1;
inline constexpr std::int32_t kSenderPosition = 2;
inline constexpr std::int32_t kReceiverHwm = 3;
inline constexpr std::int32_t kSubscriberPosition = 4;
inline constexpr std::int32_t kReceiverPosition = 5;
inline constexpr std::int32_t kSendChannelStatus = 6;
inline constexpr std::int32_t kReceiveChannelStatus = 7;
inline constexpr std::int32_t kSenderLimit = 9;
inline constexpr std::int32_t kPerImage = 10;
inline constexpr std::int32_t kClientHeartbeat = 11;
inline constexpr std::int32_t kPublisherPosition = 12;
inline constexpr std::int32_t kSenderBackPressure = 13;
inline constexpr std::int32_t kLocalSockaddr = 14;
inline constexpr std::int32_t kFlowControlReceivers = 17;
inline constexpr std::int32_t kMdcDestinations = 18;
inline constexpr std::int32_t kSenderNaksReceived = 19;
inline constexpr std::int32_t kReceiverNaksSent = 20;
inline constexpr std::int32_t kFulmarFirst = 7000;  ///< our own types start here
}  // namespace counter_type

/// Ids 0..45, registered exactly so at start; the values index the counters file.
enum class SystemCounter : std::int32_t {
    kBytesSent = 0,
    kBytesReceived = 1,
    kReceiverProxyFails = 2,
    kSenderProxyFails = 3,
    kConductorProxyFails = 4,
    kNaksSent = 5,
    kNaksReceived = 6,
    kStatusMessagesSent = 7,
    kStatusMessagesReceived = 8,
    kHeartbeatsSent = 9,
    kHeartbeatsReceived = 10,
    kRetransmitsSent = 11,
    kFlowControlUnderRuns = 12,
    kFlowControlOverRuns = 13,
    kInvalidPackets = 14,
    kErrors = 15,
    kShortSends = 16,
    kFreeFails = 17,
    kSenderFlowControlLimits = 18,
    kUnblockedPublications = 19,
    kUnblockedCommands = 20,
    kPossibleTtlAsymmetry = 21,
    kControllableIdleStrategy = 22,
    kLossGapFills = 23,
    kClientTimeouts = 24,
    kResolutionChanges = 25,
    kConductorMaxCycleTime = 26,
    kConductorCycleTimeThresholdExceeded = 27,
    kSenderMaxCycleTime = 28,
    kSenderCycleTimeThresholdExceeded = 29,
    kReceiverMaxCycleTime = 30,
    kReceiverCycleTimeThresholdExceeded = 31,
    kNameResolverMaxTime = 32,
    kNameResolverTimeThresholdExceeded = 33,
    kAeronVersion = 34,
    kBytesCurrentlyMapped = 35,
    kRetransmittedBytes = 36,
    kRetransmitOverflow = 37,
    kErrorFramesReceived = 38,
    kErrorFramesSent = 39,
    kPublicationsRevoked = 40,
    kPublicationImagesRevoked = 41,
    kImagesRejected = 42,
    kControlProtocolVersion = 43,
    kStatusMessagesRejected = 44,
    kResourceProxyFails = 45,
    kCount = 46,
};

/// Channel status counter values.
inline constexpr std::int64_t kChannelInitialising = 0;
inline constexpr std::int64_t kChannelActive = 1;
inline constexpr std::int64_t kChannelClosing = 2;
inline constexpr std::int64_t kChannelErrored = -1;

/// The label without the ": version=... commit=..." that the driver appends to kErrors and kAeronVersion;
/// empty for an id that is none.
[[nodiscard]] std::string_view system_counter_label(SystemCounter id);

}  // namespace fulmar::layout

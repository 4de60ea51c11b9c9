/// The decoders of commands and events: four bytes of type, then the record. What decodes is encoded, decoded
/// and encoded again: the two encodings must be the same.
#include "base/bytes.h"
#include "fuzz.h"
#include "layout/commands.h"
#include "layout/events.h"

namespace {

using namespace fulmar::layout;

template <class T>
void check(std::span<const std::byte> record) {
    const auto value = T::decode(record);
    if (!value) {
        FUZZ_CHECK(!to_string(value.error()).empty());
        return;
    }
    std::vector<std::byte> first(value->encoded_length());
    FUZZ_CHECK(value->encode(first) == first.size());
    const auto again = T::decode(first);
    FUZZ_CHECK(again.has_value());
    std::vector<std::byte> second(again->encoded_length());
    FUZZ_CHECK(again->encode(second) == second.size());
    FUZZ_CHECK(first == second);
}

void check_command(CommandType type, std::span<const std::byte> record) {
    switch (type) {
        case CommandType::kAddPublication:
        case CommandType::kAddExclusivePublication: return check<AddPublication>(record);
        case CommandType::kRemovePublication: return check<RemovePublication>(record);
        case CommandType::kAddSubscription: return check<AddSubscription>(record);
        case CommandType::kRemoveSubscription:
        case CommandType::kRemoveCounter: return check<RemoveResource>(record);
        case CommandType::kClientKeepalive:
        case CommandType::kClientClose: return check<ClientCommand>(record);
        case CommandType::kAddDestination:
        case CommandType::kRemoveDestination:
        case CommandType::kAddReceiveDestination:
        case CommandType::kRemoveReceiveDestination: return check<DestinationCommand>(record);
        case CommandType::kAddCounter: return check<AddCounter>(record);
        case CommandType::kTerminateDriver: return check<TerminateDriver>(record);
        case CommandType::kAddStaticCounter: return check<AddStaticCounter>(record);
        case CommandType::kRejectImage: return check<RejectImage>(record);
        case CommandType::kRemoveDestinationById: return check<RemoveDestinationById>(record);
        case CommandType::kGetNextAvailableSessionId: return check<GetNextAvailableSessionId>(record);
    }
}

void check_event(EventType type, std::span<const std::byte> record) {
    switch (type) {
        case EventType::kError: return check<ErrorEvent>(record);
        case EventType::kAvailableImage: return check<AvailableImage>(record);
        case EventType::kPublicationReady:
        case EventType::kExclusivePublicationReady: return check<PublicationReady>(record);
        case EventType::kOperationSuccess: return check<OperationSuccess>(record);
        case EventType::kUnavailableImage: return check<UnavailableImage>(record);
        case EventType::kSubscriptionReady: return check<SubscriptionReady>(record);
        case EventType::kCounterReady:
        case EventType::kUnavailableCounter:
        case EventType::kStaticCounter: return check<CounterEvent>(record);
        case EventType::kClientTimeout: return check<ClientTimeout>(record);
        case EventType::kPublicationError: return check<PublicationError>(record);
        case EventType::kNextAvailableSessionId: return check<NextAvailableSessionId>(record);
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    constexpr std::size_t kTypeLength = sizeof(std::int32_t);
    if (size < kTypeLength) {
        return 0;
    }
    // The record alone in its allocation, so that the sanitizer guards its end.
    const auto record = fulmar::fuzz::copy_of(data + kTypeLength, size - kTypeLength);
    const auto type = fulmar::base::load_le<std::int32_t>(reinterpret_cast<const std::byte*>(data), 0);
    check_command(static_cast<CommandType>(type), record);
    check_event(static_cast<EventType>(type), record);
    return 0;
}

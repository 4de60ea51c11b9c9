/// What a client has asked its driver for and has not yet been given, or has not yet fetched.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <variant>

#include "fulmar/client.h"

namespace fulmar::client {

enum class RequestKind : std::uint8_t {
    kPublication,
    kExclusivePublication,
    kSubscription,
    kCounter,
    kStaticCounter,
    kSessionId,
    kOperation,
};

/// Nothing yet, why not, or what.
using Outcome =
    std::variant<std::monostate, Error, std::unique_ptr<Publication>, std::unique_ptr<ExclusivePublication>,
        std::unique_ptr<Subscription>, std::unique_ptr<Counter>, std::int32_t, Done>;

/// One request from its command to the moment its outcome is fetched.
struct Pending {
    RequestKind kind = RequestKind::kOperation;
    std::string channel;
    std::int32_t stream_id = 0;
    std::int64_t static_registration_id = 0;
    SubscriptionHandlers handlers;
    Instant deadline;
    Outcome outcome;

    [[nodiscard]] bool is_waiting() const { return outcome.index() == 0; }
};

}  // namespace fulmar::client

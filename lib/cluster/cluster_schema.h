/// The schema that a cluster's clients speak and its log holds, its types, and the fields that many messages
/// have. Of Aeron's schema 111 only that: what members and services say to each other is their own affair.
/// source: Aeron 1.53, schema 111 version 17. Names are Aeron's, so that what other languages generate from
/// our export reads like what they generate from Aeron's own schema.
#pragma once

#include <cstdint>

#include "fulmar/sbe/description.h"

namespace fulmar::cluster {

struct ClusterSchema : sbe::Schema<"io.aeron.cluster.codecs", 111, 17, sbe::SemanticVersion<"5.4">,
                           sbe::Description<"Ingress, egress and log of a cluster.">> {};

/// Version of the client protocol in SessionConnectRequest and SessionEvent: a packed semantic version, of
/// which the major part has to agree.
inline constexpr std::int32_t kClientProtocolVersion = 0 << 16 | 3 << 8 | 0;

/// What a SessionEvent tells.
enum class EventCode : std::int32_t {
    kOk = 0,                      ///< the session is open
    kError = 1,                   ///< it is not, for the reason in detail
    kRedirect = 2,                ///< ask the leader; detail lists the members' ingress endpoints
    kAuthenticationRejected = 3,  ///< it is not, by the authenticator
    kClosed = 4,                  ///< it was and is no more, for the reason in detail
};
struct EventCodeType
    : sbe::Enum<"EventCode", EventCode, sbe::Value<"OK", EventCode::kOk>,
          sbe::Value<"ERROR", EventCode::kError>, sbe::Value<"REDIRECT", EventCode::kRedirect>,
          sbe::Value<"AUTHENTICATION_REJECTED", EventCode::kAuthenticationRejected>,
          sbe::Value<"CLOSED", EventCode::kClosed>> {};

/// Who ended a session.
enum class CloseReason : std::int32_t { kClientAction = 0, kServiceAction = 1, kTimeout = 2 };
struct CloseReasonType
    : sbe::Enum<"CloseReason", CloseReason, sbe::Value<"CLIENT_ACTION", CloseReason::kClientAction>,
          sbe::Value<"SERVICE_ACTION", CloseReason::kServiceAction>,
          sbe::Value<"TIMEOUT", CloseReason::kTimeout>> {};

/// What all members do when they come to it in the log.
enum class ClusterAction : std::int32_t { kSuspend = 0, kResume = 1, kSnapshot = 2 };
struct ClusterActionType
    : sbe::Enum<"ClusterAction", ClusterAction, sbe::Value<"SUSPEND", ClusterAction::kSuspend>,
          sbe::Value<"RESUME", ClusterAction::kResume>, sbe::Value<"SNAPSHOT", ClusterAction::kSnapshot>> {};

enum class ChangeType : std::int32_t { kJoin = 0, kQuit = 1 };
struct ChangeTypeType : sbe::Enum<"ChangeType", ChangeType, sbe::Value<"JOIN", ChangeType::kJoin>,
                            sbe::Value<"QUIT", ChangeType::kQuit>> {};

/// Unit of the time stamps in a cluster's log and egress.
enum class ClusterTimeUnit : std::int32_t { kMillis = 0, kMicros = 1, kNanos = 2 };
struct ClusterTimeUnitType
    : sbe::Enum<"ClusterTimeUnit", ClusterTimeUnit, sbe::Value<"MILLIS", ClusterTimeUnit::kMillis>,
          sbe::Value<"MICROS", ClusterTimeUnit::kMicros>, sbe::Value<"NANOS", ClusterTimeUnit::kNanos>> {};

enum class AdminAction : std::int32_t { kSnapshot = 0 };
struct AdminRequestType
    : sbe::Enum<"AdminRequestType", AdminAction, sbe::Value<"SNAPSHOT", AdminAction::kSnapshot>> {};

enum class AdminResponseCode : std::int32_t { kOk = 0, kError = 1, kUnauthorisedAccess = 2 };
struct AdminResponseCodeType
    : sbe::Enum<"AdminResponseCode", AdminResponseCode, sbe::Value<"OK", AdminResponseCode::kOk>,
          sbe::Value<"ERROR", AdminResponseCode::kError>,
          sbe::Value<"UNAUTHORISED_ACCESS", AdminResponseCode::kUnauthorisedAccess>> {};

/// Cluster time: since 1970, in the cluster's time unit.
struct ClusterTime : sbe::Type<"time_t", std::int64_t> {};
/// A packed semantic version, 0 for none.
struct SemanticVersion : sbe::Type<"version_t", std::int32_t, sbe::Optional, sbe::Null<0>, sbe::MinValue<1>,
                             sbe::MaxValue<16777215>> {};

/// The term of the leader that wrote the message, or that its sender believes to be current.
using LeadershipTermId = sbe::Field<"leadershipTermId", 1, std::int64_t>;

}  // namespace fulmar::cluster

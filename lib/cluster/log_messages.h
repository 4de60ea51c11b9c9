/// What the leader writes into the log, besides clients' messages behind a SessionMessageHeader. Every member
/// acts on each of them at its position. source: Aeron 1.53, schema 111.
#pragma once

#include "cluster/cluster_schema.h"

namespace fulmar::cluster {

/// A service's timer, known by its correlation id, is due.
struct TimerEvent
    : sbe::Message<ClusterSchema, "TimerEvent", 20, LeadershipTermId,
          sbe::Field<"correlationId", 2, std::int64_t>, sbe::Field<"timestamp", 3, ClusterTime>> {};

/// A session has been opened. correlationId: of the client's request. encodedPrincipal: what the
/// authenticator made of the credentials.
struct SessionOpenEvent
    : sbe::Message<ClusterSchema, "SessionOpenEvent", 21, LeadershipTermId,
          sbe::Field<"correlationId", 2, std::int64_t>, sbe::Field<"clusterSessionId", 3, std::int64_t>,
          sbe::Field<"timestamp", 4, ClusterTime>, sbe::Field<"responseStreamId", 6, std::int32_t>,
          sbe::Data<"responseChannel", 7, sbe::VarAscii>, sbe::Data<"encodedPrincipal", 8, sbe::VarBytes>> {};

/// A session has ended.
struct SessionCloseEvent
    : sbe::Message<ClusterSchema, "SessionCloseEvent", 22, LeadershipTermId,
          sbe::Field<"clusterSessionId", 2, std::int64_t>, sbe::Field<"timestamp", 3, ClusterTime>,
          sbe::Field<"closeReason", 4, CloseReasonType>> {};

/// An operator's wish. logPosition: behind this message. flags: 0 if all members take a snapshot, 1 if only
/// standbys.
struct ClusterActionRequest
    : sbe::Message<ClusterSchema, "ClusterActionRequest", 23, LeadershipTermId,
          sbe::Field<"logPosition", 2, std::int64_t>, sbe::Field<"timestamp", 3, ClusterTime>,
          sbe::Field<"action", 4, ClusterActionType>,
          sbe::Field<"flags", 5, std::int32_t, sbe::Optional, sbe::Since<11>>> {};

/// The first message of a new leader. logPosition: behind this message; termBaseLogPosition: where the term
/// began. logSessionId: of the stream that carries the log in this term. appVersion: the service's own
/// version.
struct NewLeadershipTermEvent
    : sbe::Message<ClusterSchema, "NewLeadershipTermEvent", 24, LeadershipTermId,
          sbe::Field<"logPosition", 2, std::int64_t>, sbe::Field<"timestamp", 3, ClusterTime>,
          sbe::Field<"termBaseLogPosition", 4, std::int64_t>, sbe::Field<"leaderMemberId", 5, std::int32_t>,
          sbe::Field<"logSessionId", 6, std::int32_t>,
          sbe::Field<"timeUnit", 7, ClusterTimeUnitType, sbe::Optional, sbe::Since<4>>,
          sbe::Field<"appVersion", 8, SemanticVersion, sbe::Since<4>>> {};

/// A member joined or left: only in logs of old versions, whose members could.
struct MembershipChangeEvent
    : sbe::Message<ClusterSchema, "MembershipChangeEvent", 25, LeadershipTermId,
          sbe::Field<"logPosition", 2, std::int64_t>, sbe::Field<"timestamp", 3, ClusterTime>,
          sbe::Field<"leaderMemberId", 4, std::int32_t>, sbe::Field<"clusterSize", 5, std::int32_t>,
          sbe::Field<"changeType", 6, ChangeTypeType>, sbe::Field<"memberId", 7, std::int32_t>,
          sbe::Data<"clusterMembers", 8, sbe::VarAscii>> {};

}  // namespace fulmar::cluster

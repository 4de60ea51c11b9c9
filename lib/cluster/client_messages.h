/// Ingress and egress: what a client sends to the cluster, and what it gets back on the response channel it
/// named. source: Aeron 1.53, schema 111.
#pragma once

#include "cluster/cluster_schema.h"

namespace fulmar::cluster {

/// Before each message of an application: client to leader, leader to log, service to client.
/// timestamp: cluster time in log and egress; a client leaves it 0.
struct SessionMessageHeader
    : sbe::Message<ClusterSchema, "SessionMessageHeader", 1, LeadershipTermId,
          sbe::Field<"clusterSessionId", 2, std::int64_t>, sbe::Field<"timestamp", 3, ClusterTime>> {};

/// Member to client: the answer to a SessionConnectRequest, and later the end of the session.
/// correlationId: of the request or challenge response that is answered. version: of the client protocol.
/// leaderHeartbeatTimeoutNs: how long a client should wait for a new leader is judged by this.
struct SessionEvent
    : sbe::Message<ClusterSchema, "SessionEvent", 2, sbe::Field<"clusterSessionId", 1, std::int64_t>,
          sbe::Field<"correlationId", 2, std::int64_t>, sbe::Field<"leadershipTermId", 3, std::int64_t>,
          sbe::Field<"leaderMemberId", 4, std::int32_t>, sbe::Field<"code", 5, EventCodeType>,
          sbe::Field<"version", 6, SemanticVersion, sbe::Since<6>>,
          sbe::Field<"leaderHeartbeatTimeoutNs", 8, std::int64_t, sbe::Optional, sbe::Since<13>>,
          sbe::Data<"detail", 7, sbe::VarAscii>> {};

/// Client to any member: asks for a session whose egress goes to this channel and stream.
/// encodedCredentials: for the authenticator, empty for none. clientInfo: a name for counters' labels.
struct SessionConnectRequest
    : sbe::Message<ClusterSchema, "SessionConnectRequest", 3, sbe::Field<"correlationId", 1, std::int64_t>,
          sbe::Field<"responseStreamId", 2, std::int32_t>,
          sbe::Field<"version", 3, SemanticVersion, sbe::Since<2>>,
          sbe::Data<"responseChannel", 4, sbe::VarAscii>, sbe::Data<"encodedCredentials", 5, sbe::VarBytes>,
          sbe::Data<"clientInfo", 6, sbe::VarAscii, sbe::Since<14>>> {};

/// Client to leader: end the session. No answer.
struct SessionCloseRequest : sbe::Message<ClusterSchema, "SessionCloseRequest", 4, LeadershipTermId,
                                 sbe::Field<"clusterSessionId", 2, std::int64_t>> {};

/// Client to leader, when it has had nothing else to say for a while.
struct SessionKeepAlive : sbe::Message<ClusterSchema, "SessionKeepAlive", 5, LeadershipTermId,
                              sbe::Field<"clusterSessionId", 2, std::int64_t>> {};

/// New leader to each client with an open session: from now on send here.
/// ingressEndpoints: `id=host:port` of all members, separated by commas.
struct NewLeaderEvent
    : sbe::Message<ClusterSchema, "NewLeaderEvent", 6, LeadershipTermId,
          sbe::Field<"clusterSessionId", 2, std::int64_t>, sbe::Field<"leaderMemberId", 3, std::int32_t>,
          sbe::Data<"ingressEndpoints", 4, sbe::VarAscii>> {};

/// Leader to client, instead of the SessionEvent: the authenticator wants to know more.
struct Challenge
    : sbe::Message<ClusterSchema, "Challenge", 7, sbe::Field<"correlationId", 1, std::int64_t>,
          sbe::Field<"clusterSessionId", 2, std::int64_t>, sbe::Data<"encodedChallenge", 3, sbe::VarBytes>> {
};

/// Client to leader: answers a Challenge, with a new correlation id that the SessionEvent will have.
struct ChallengeResponse
    : sbe::Message<ClusterSchema, "ChallengeResponse", 8, sbe::Field<"correlationId", 1, std::int64_t>,
          sbe::Field<"clusterSessionId", 2, std::int64_t>,
          sbe::Data<"encodedCredentials", 3, sbe::VarBytes>> {};

/// Client to leader: asks for something that only an authorised client may ask for. payload: unused so far.
struct AdminRequest
    : sbe::Message<ClusterSchema, "AdminRequest", 26, LeadershipTermId,
          sbe::Field<"clusterSessionId", 2, std::int64_t>, sbe::Field<"correlationId", 3, std::int64_t>,
          sbe::Field<"requestType", 4, AdminRequestType>, sbe::Data<"payload", 5, sbe::VarBytes>> {};

/// Leader to client: whether what an AdminRequest asked for has been begun.
struct AdminResponse
    : sbe::Message<ClusterSchema, "AdminResponse", 27, sbe::Field<"clusterSessionId", 1, std::int64_t>,
          sbe::Field<"correlationId", 2, std::int64_t>, sbe::Field<"requestType", 3, AdminRequestType>,
          sbe::Field<"responseCode", 4, AdminResponseCodeType>, sbe::Data<"message", 5, sbe::VarAscii>,
          sbe::Data<"payload", 6, sbe::VarBytes>> {};

}  // namespace fulmar::cluster

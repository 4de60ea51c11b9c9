/// All messages of a cluster's clients and log, for those who export or dispatch on them.
#pragma once

#include "cluster/client_messages.h"
#include "cluster/log_messages.h"

namespace fulmar::cluster {

/// In the order of their template ids.
using Messages = sbe::Messages<SessionMessageHeader, SessionEvent, SessionConnectRequest, SessionCloseRequest,
    SessionKeepAlive, NewLeaderEvent, Challenge, ChallengeResponse, TimerEvent, SessionOpenEvent,
    SessionCloseEvent, ClusterActionRequest, NewLeadershipTermEvent, MembershipChangeEvent, AdminRequest,
    AdminResponse>;

/// What each stream carries.
using IngressMessages = sbe::Messages<SessionMessageHeader, SessionConnectRequest, SessionCloseRequest,
    SessionKeepAlive, ChallengeResponse, AdminRequest>;
using EgressMessages =
    sbe::Messages<SessionMessageHeader, SessionEvent, NewLeaderEvent, Challenge, AdminResponse>;
using LogMessages = sbe::Messages<SessionMessageHeader, TimerEvent, SessionOpenEvent, SessionCloseEvent,
    ClusterActionRequest, NewLeadershipTermEvent, MembershipChangeEvent>;

}  // namespace fulmar::cluster

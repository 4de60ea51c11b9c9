/// Template id, block length and offsets of every message of a cluster's clients and log, as listed in the
/// protocol's specification: transcribed from there, not from the descriptions.
#include "cluster/mark_file.h"
#include "cluster/messages.h"
#include "tests/unit/sbe_golden.h"

namespace fulmar::cluster {

using test::laid;

static_assert(
    laid<SessionMessageHeader>(1, 24, {{"leadershipTermId", 0}, {"clusterSessionId", 8}, {"timestamp", 16}}));
static_assert(laid<SessionEvent>(2, 44,
    {{"clusterSessionId", 0}, {"correlationId", 8}, {"leadershipTermId", 16}, {"leaderMemberId", 24},
        {"code", 28}, {"version", 32}, {"leaderHeartbeatTimeoutNs", 36}}));
static_assert(
    laid<SessionConnectRequest>(3, 16, {{"correlationId", 0}, {"responseStreamId", 8}, {"version", 12}}));
static_assert(laid<SessionCloseRequest>(4, 16, {{"leadershipTermId", 0}, {"clusterSessionId", 8}}));
static_assert(laid<SessionKeepAlive>(5, 16, {{"leadershipTermId", 0}, {"clusterSessionId", 8}}));
static_assert(
    laid<NewLeaderEvent>(6, 20, {{"leadershipTermId", 0}, {"clusterSessionId", 8}, {"leaderMemberId", 16}}));
static_assert(laid<Challenge>(7, 16, {{"correlationId", 0}, {"clusterSessionId", 8}}));
static_assert(laid<ChallengeResponse>(8, 16, {{"correlationId", 0}, {"clusterSessionId", 8}}));
static_assert(laid<TimerEvent>(20, 24, {{"leadershipTermId", 0}, {"correlationId", 8}, {"timestamp", 16}}));
static_assert(laid<SessionOpenEvent>(21, 36,
    {{"leadershipTermId", 0}, {"correlationId", 8}, {"clusterSessionId", 16}, {"timestamp", 24},
        {"responseStreamId", 32}}));
static_assert(laid<SessionCloseEvent>(
    22, 28, {{"leadershipTermId", 0}, {"clusterSessionId", 8}, {"timestamp", 16}, {"closeReason", 24}}));
static_assert(laid<ClusterActionRequest>(
    23, 32, {{"leadershipTermId", 0}, {"logPosition", 8}, {"timestamp", 16}, {"action", 24}, {"flags", 28}}));
static_assert(laid<NewLeadershipTermEvent>(24, 48,
    {{"leadershipTermId", 0}, {"logPosition", 8}, {"timestamp", 16}, {"termBaseLogPosition", 24},
        {"leaderMemberId", 32}, {"logSessionId", 36}, {"timeUnit", 40}, {"appVersion", 44}}));
static_assert(laid<MembershipChangeEvent>(25, 40,
    {{"leadershipTermId", 0}, {"logPosition", 8}, {"timestamp", 16}, {"leaderMemberId", 24},
        {"clusterSize", 28}, {"changeType", 32}, {"memberId", 36}}));
static_assert(laid<AdminRequest>(
    26, 28, {{"leadershipTermId", 0}, {"clusterSessionId", 8}, {"correlationId", 16}, {"requestType", 24}}));
static_assert(laid<AdminResponse>(
    27, 24, {{"clusterSessionId", 0}, {"correlationId", 8}, {"requestType", 16}, {"responseCode", 20}}));
static_assert(laid<MarkFileHeader>(200, 128,
    {{"version", 0}, {"componentType", 4}, {"activityTimestamp", 8}, {"startTimestamp", 16}, {"pid", 24},
        {"candidateTermId", 32}, {"archiveStreamId", 40}, {"serviceStreamId", 44},
        {"consensusModuleStreamId", 48}, {"ingressStreamId", 52}, {"memberId", 56}, {"serviceId", 60},
        {"headerLength", 64}, {"errorBufferLength", 68}, {"clusterId", 72}}));

}  // namespace fulmar::cluster

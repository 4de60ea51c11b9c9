/// The cluster's messages against bytes of the reference codecs, and against what a stock cluster and its
/// client said and wrote (tests/golden/README.md tells how they were made).
#include "cluster/mark_file.h"
#include "cluster/messages.h"
#include "fulmar/sbe/dispatch.h"
#include "tests/unit/recorded_messages.h"
#include "tests/unit/sbe_golden.h"

namespace fulmar::cluster {

namespace {

std::vector<std::byte> file(const std::string& name) {
    const std::string content = test::read_golden("sbe/" + name);
    const auto bytes = std::as_bytes(std::span(content));
    return {bytes.begin(), bytes.end()};
}

}  // namespace

TEST_CASE("client and log messages of the reference codecs, both ways") {
    test::check_codecs("cluster", Messages{});
}

TEST_CASE("mark file: every version of the reference codecs, both ways") {
    test::check_codecs("cluster_mark", sbe::Messages<MarkFileHeader>{});
}

TEST_CASE("sessions of a stock client with a stock cluster, and its log") {
    const std::set<std::string> seen = test::check_session("cluster_session", Messages{});
    for (const std::string message :
        {"ingress SessionConnectRequest", "ingress SessionMessageHeader", "ingress SessionKeepAlive",
            "ingress ChallengeResponse", "ingress AdminRequest", "ingress SessionCloseRequest",
            "egress SessionEvent", "egress SessionMessageHeader", "egress Challenge", "egress AdminResponse",
            "log NewLeadershipTermEvent", "log SessionOpenEvent", "log SessionMessageHeader",
            "log TimerEvent", "log ClusterActionRequest", "log SessionCloseEvent"}) {
        CHECK_MESSAGE(seen.count(message) == 1, message);
    }
}

TEST_CASE("a stock cluster's log, message by message") {
    std::vector<std::string> names;
    std::vector<std::string> payloads;
    std::vector<ClusterAction> actions;
    std::vector<CloseReason> reasons;
    for (const auto& message : test::recorded_messages(file("cluster_log_0-0.rec"))) {
        const sbe::Error error =
            sbe::dispatch<LogMessages>(message, [&]<class M>(const sbe::Decoder<M>& decoder) {
                names.emplace_back(M::kName);
                CHECK(decoder.template get<"leadershipTermId">() == 0);
                if constexpr (std::is_same_v<M, SessionMessageHeader>) {
                    const auto text = std::span(message).subspan(sbe::header_length<M> + decoder.length());
                    payloads.emplace_back(reinterpret_cast<const char*>(text.data()), text.size());
                } else if constexpr (std::is_same_v<M, ClusterActionRequest>) {
                    actions.push_back(decoder.template get<"action">());
                    CHECK(decoder.template get<"flags">() == 0);
                } else if constexpr (std::is_same_v<M, SessionCloseEvent>) {
                    reasons.push_back(decoder.template get<"closeReason">());
                } else if constexpr (std::is_same_v<M, NewLeadershipTermEvent>) {
                    CHECK(decoder.template get<"logPosition">() == 96);
                    CHECK(decoder.template get<"timeUnit">() == ClusterTimeUnit::kMillis);
                    CHECK(decoder.template get<"appVersion">() == (3 << 16 | 4 << 8 | 5));
                } else if constexpr (std::is_same_v<M, TimerEvent>) {
                    CHECK(decoder.template get<"correlationId">() == 4711);
                }
            });
        CHECK_MESSAGE(!error, sbe::to_string(error.fault));
    }
    CHECK(
        names == std::vector<std::string>{"NewLeadershipTermEvent", "SessionOpenEvent",
                     "SessionMessageHeader", "SessionMessageHeader", "TimerEvent", "ClusterActionRequest",
                     "ClusterActionRequest", "ClusterActionRequest", "SessionCloseEvent", "SessionOpenEvent",
                     "SessionMessageHeader", "SessionCloseEvent", "SessionOpenEvent", "SessionCloseEvent"});
    CHECK(payloads == std::vector<std::string>{"hello cluster", "timer", "close"});
    CHECK(actions == std::vector<ClusterAction>{
                         ClusterAction::kSuspend, ClusterAction::kResume, ClusterAction::kSnapshot});
    CHECK(reasons == std::vector<CloseReason>{
                         CloseReason::kClientAction, CloseReason::kServiceAction, CloseReason::kTimeout});
}

TEST_CASE("a stock cluster's mark files") {
    const auto member = file("cluster-mark.dat");
    const auto mark = sbe::Decoder<MarkFileHeader>::decode(member);
    REQUIRE(mark);
    CHECK(mark->get<"version">() == 3 << 8);
    CHECK(mark->get<"componentType">() == ComponentType::kConsensusModule);
    CHECK(mark->get<"ingressStreamId">() == 101);
    CHECK(mark->get<"consensusModuleStreamId">() == 105);
    CHECK(mark->get<"serviceStreamId">() == 104);
    CHECK(mark->get<"memberId">() == 0);
    CHECK(mark->get<"serviceId">() == -1);
    CHECK(mark->get<"headerLength">() == 8192);
    CHECK(mark->data<"aeronDirectory">() == "/dev/shm/sbecap-aeron");
    CHECK(mark->data<"ingressChannel">().starts_with("aeron:udp"));
    CHECK(mark->data<"servicesClusterDir">() == "/tmp/sbecap-cluster");

    const auto container = file("cluster-mark-service-0.dat");
    const auto service = sbe::Decoder<MarkFileHeader>::decode(container);
    REQUIRE(service);
    CHECK(service->get<"componentType">() == ComponentType::kContainer);
    CHECK(service->get<"serviceId">() == 0);
    CHECK(service->data<"aeronDirectory">() == "/dev/shm/sbecap-aeron");
}

}  // namespace fulmar::cluster

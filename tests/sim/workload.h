/// What applications do in the virtual world: topics, and the publishers and subscribers on them. Their
/// plans are drawn from the seed; a scenario writes them down.
/// threads: one.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/prng.h"
#include "fulmar/time.h"
#include "tests/sim/counts.h"
#include "tests/sim/disturbances.h"
#include "tests/sim/ledger.h"
#include "tests/sim/trace.h"
#include "tests/sim/verdict.h"

namespace fulmar::sim {

/// Who hears a stream that goes to several receivers.
enum class Cast : std::uint8_t {
    kOne,      ///< not one that does
    kDynamic,  ///< whoever asks the control address
    kManual,   ///< the destinations that publishers add
    kMerged,   ///< likewise, but all of them are one subscription's
};

/// How the slowest receiver of a group is waited for.
struct GroupRule {
    std::optional<std::int64_t> tag;  ///< only receivers that show it are
    int size_min = 0;                 ///< fewer receivers are not sent anything
    Duration receiver_timeout{};
};

/// A channel and a stream with who reads it.
struct Topic {
    int index = 0;
    int node = 0;  ///< whose clients subscribe; of IPC also whose clients publish
    Cast cast = Cast::kOne;
    std::optional<GroupRule> group;  ///< nothing: the fastest receiver decides
    std::int32_t stream_id = 0;
    std::uint16_t udp_port = 0;
    std::string publication_channel;
    std::string subscription_channel;
    std::string spy_channel;
    bool is_ipc = false;
    bool spies_simulate = false;  ///< publications are connected through spies, too
    bool is_spied_alone = false;  ///< nobody receives it; spies keep it connected
    bool is_reliable = true;
};

/// One of a publication or subscription that has several.
struct DestinationPlan {
    std::string channel;
    int node = 0;
    std::uint16_t udp_port = 0;
};

struct PublisherPlan {
    const Topic* topic = nullptr;
    std::vector<DestinationPlan> destinations;
    double move = 0;  ///< probability per turn and destination of removing it for a while
    bool is_exclusive = false;
    int burst_max = 4;             ///< messages per turn
    Duration gap_max{};            ///< between turns, at most
    std::int32_t small_max = 200;  ///< most messages are shorter
    double large = 0.1;            ///< probability of one up to the longest
    double claim = 0.2;            ///< probability of claiming instead of offering
    double abort = 0.2;            ///< of a claim that is not committed
    Duration claim_hold_max{};
    double close = 0;   ///< probability per turn of closing and adding it again
    double revoke = 0;  ///< of those closings, when exclusive
    std::int64_t bytes_max = 1'000'000;
};

struct SubscriberPlan {
    const Topic* topic = nullptr;
    int spy_node = -1;        ///< a spy, on the publications of this node; -1: none
    int at_node = -1;         ///< one of several that subscribe; -1: the topic's
    std::string own_channel;  ///< of that node
    bool is_untethered = false;
    bool is_promised_all = true;  ///< nobody waits for it otherwise, and it may be left behind
    std::vector<DestinationPlan> destinations;
    double move = 0;  ///< probability per poll and destination of removing it for a while
    int fragment_limit = 10;
    Duration gap_max{};  ///< between polls, at most; a slow one takes its time
    bool is_slow = false;
    double close = 0;   ///< probability per poll of closing and adding it again
    double reject = 0;  ///< probability per poll of rejecting an image

    [[nodiscard]] bool is_spy() const { return spy_node >= 0; }
    /// Where it runs.
    [[nodiscard]] int node() const { return is_spy() ? spy_node : at_node >= 0 ? at_node : topic->node; }
    [[nodiscard]] const std::string& channel() const {
        return is_spy()              ? topic->spy_channel
               : own_channel.empty() ? topic->subscription_channel
                                     : own_channel;
    }
};

/// Questions and their answers, which go back to whoever asked.
struct ConversationPlan {
    int node = 0;  ///< whose client answers
    std::int32_t request_stream = 0;
    std::int32_t answer_stream = 0;
    std::string listen_channel;
    std::string request_channel;
    std::string answer_channel;
};

struct RequesterPlan {
    const ConversationPlan* about = nullptr;
    int node = 0;
    Duration gap_max{};
    double close = 0;  ///< probability per turn of beginning anew
};

/// What applications are to do at the moment.
enum class Phase : std::uint8_t {
    kFaults,  ///< everything in their plans
    kSettle,  ///< no more closing and dying; what is closed comes back
    kFinal,   ///< each publisher sends a few last messages
    kEnd,     ///< publishers close
    kGone,    ///< clients close
};

/// How long the world's time-outs are, and how long after a disturbance its consequences may still show.
struct WorldTimeouts {
    Duration unblock{};
    Duration client_liveness{};
    Duration image_liveness{};
    Duration driver{};
    Duration aftermath{};
};

/// What all applications share.
struct WorkloadContext {
    const WorldTime& time;
    Ledger& ledger;
    Verdict& verdict;
    Counts& counts;
    Trace& trace;
    Disturbances& disturbances;
    base::Prng& prng;
    WorldTimeouts timeouts;
    Phase phase = Phase::kFaults;
    int final_messages = 20;

    [[nodiscard]] Duration up_to(Duration longest) const {
        return Duration{static_cast<std::int64_t>(prng.below(static_cast<std::uint64_t>(longest.ns) + 1))};
    }
    [[nodiscard]] bool was_disturbed(int a, int b) const {
        return disturbances.recent(a, b, timeouts.aftermath);
    }
};

}  // namespace fulmar::sim

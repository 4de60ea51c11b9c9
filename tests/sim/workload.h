/// What applications do in the virtual world: topics, and the publishers and subscribers on them. Their
/// plans are drawn from the seed; a scenario writes them down.
/// threads: one.
#pragma once

#include <cstdint>
#include <string>

#include "base/prng.h"
#include "fulmar/time.h"
#include "tests/sim/counts.h"
#include "tests/sim/disturbances.h"
#include "tests/sim/ledger.h"
#include "tests/sim/trace.h"
#include "tests/sim/verdict.h"

namespace fulmar::sim {

/// A channel and a stream with who reads it.
struct Topic {
    int index = 0;
    int node = 0;  ///< whose clients subscribe; of IPC also whose clients publish
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

struct PublisherPlan {
    const Topic* topic = nullptr;
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
    int spy_node = -1;  ///< a spy, on the publications of this node; -1: none
    int fragment_limit = 10;
    Duration gap_max{};  ///< between polls, at most; a slow one takes its time
    bool is_slow = false;
    double close = 0;   ///< probability per poll of closing and adding it again
    double reject = 0;  ///< probability per poll of rejecting an image

    [[nodiscard]] bool is_spy() const { return spy_node >= 0; }
    /// Where it runs.
    [[nodiscard]] int node() const { return is_spy() ? spy_node : topic->node; }
    [[nodiscard]] const std::string& channel() const {
        return is_spy() ? topic->spy_channel : topic->subscription_channel;
    }
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

/// How often each fault was drawn and each mechanism worked. The profile's promise: in a hundred seeds none
/// of them is zero.
/// threads: one; counts of worker processes are added up.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace fulmar::sim {

// Faults first, then what the system did, then what the workload met.
#define FULMAR_SIM_COUNTS(COUNT) \
    COUNT(lost)                  \
    COUNT(duplicated)            \
    COUNT(reordered)             \
    COUNT(corrupted)             \
    COUNT(delayed)               \
    COUNT(queue_full)            \
    COUNT(short_send)            \
    COUNT(partition)             \
    COUNT(clog)                  \
    COUNT(flood)                 \
    COUNT(garbage)               \
    COUNT(pause)                 \
    COUNT(stall)                 \
    COUNT(client_crash)          \
    COUNT(died_after_tail)       \
    COUNT(died_negative_length)  \
    COUNT(died_before_commit)    \
    COUNT(died_before_rotate)    \
    COUNT(died_holding_claim)    \
    COUNT(driver_crash)          \
    COUNT(storage_full)          \
    COUNT(setup)                 \
    COUNT(setup_elicited)        \
    COUNT(heartbeat)             \
    COUNT(eos)                   \
    COUNT(status_message)        \
    COUNT(nak)                   \
    COUNT(retransmit)            \
    COUNT(wrap)                  \
    COUNT(padding)               \
    COUNT(unblock)               \
    COUNT(gap_fill)              \
    COUNT(flow_limited)          \
    COUNT(image_created)         \
    COUNT(image_ended)           \
    COUNT(image_eos)             \
    COUNT(image_rejoined)        \
    COUNT(liveness_timeout)      \
    COUNT(client_timeout)        \
    COUNT(driver_stall_rebased)  \
    COUNT(publication_added)     \
    COUNT(publication_shared)    \
    COUNT(publication_closed)    \
    COUNT(publication_revoked)   \
    COUNT(subscription_added)    \
    COUNT(subscription_closed)   \
    COUNT(image_rejected)        \
    COUNT(add_refused)           \
    COUNT(offered)               \
    COUNT(offered_ipc)           \
    COUNT(offered_exclusive)     \
    COUNT(fragmented)            \
    COUNT(empty_message)         \
    COUNT(claim_commit)          \
    COUNT(claim_abort)           \
    COUNT(back_pressure)         \
    COUNT(not_connected)         \
    COUNT(admin_action)          \
    COUNT(delivered)             \
    COUNT(delivered_ipc)         \
    COUNT(delivered_spy)         \
    COUNT(spied_alone)           \
    COUNT(delivered_group)       \
    COUNT(delivered_merged)      \
    COUNT(group_held_back)       \
    COUNT(delivered_untethered)  \
    COUNT(left_behind)           \
    COUNT(came_back)             \
    COUNT(destination_added)     \
    COUNT(destination_removed)   \
    COUNT(conversation)          \
    COUNT(answered)              \
    COUNT(late_join)             \
    COUNT(slow_consumer)

enum class Count : std::size_t {
#define FULMAR_SIM_NAME(name) name,
    FULMAR_SIM_COUNTS(FULMAR_SIM_NAME)
#undef FULMAR_SIM_NAME
        kCount
};

inline constexpr std::size_t kCountKinds = static_cast<std::size_t>(Count::kCount);

inline constexpr std::array<std::string_view, kCountKinds> kCountNames{
#define FULMAR_SIM_NAME(name) #name,
    FULMAR_SIM_COUNTS(FULMAR_SIM_NAME)
#undef FULMAR_SIM_NAME
};

struct Counts {
    std::array<std::uint64_t, kCountKinds> values{};

    std::uint64_t& operator[](Count count) { return values[static_cast<std::size_t>(count)]; }
    std::uint64_t operator[](Count count) const { return values[static_cast<std::size_t>(count)]; }
    void add(const Counts& other) {
        for (std::size_t i = 0; i < kCountKinds; ++i) {
            values[i] += other.values[i];
        }
    }
};

}  // namespace fulmar::sim

#include "perf/e2e/port_counters.h"

#include <nlohmann/json.hpp>
#include <string_view>

#include "layout/counters.h"
#include "layout/port_counters.h"

namespace fulmar::perf {

nlohmann::ordered_json driver_figures(const CountersReader& counters) {
    const auto system = [&counters](layout::SystemCounter id) {
        return counters.value(static_cast<std::int32_t>(id));
    };
    std::int64_t pmd_rx = 0;
    std::int64_t pmd_tx = 0;
    std::int64_t faults_rx = 0;
    std::int64_t faults_tx = 0;
    counters.for_each([&](const observe::CounterView& counter) {
        switch (counter.type_id) {
            case layout::counter_type::kPortDeviceRxPackets: pmd_rx += counter.value; break;
            case layout::counter_type::kPortDeviceTxPackets: pmd_tx += counter.value; break;
            case layout::counter_type::kPortFaultsRx: faults_rx += counter.value; break;
            case layout::counter_type::kPortFaultsTx: faults_tx += counter.value; break;
            default: break;
        }
    });
    return {{"naks_sent", system(layout::SystemCounter::kNaksSent)},
        {"naks_received", system(layout::SystemCounter::kNaksReceived)},
        {"retransmits", system(layout::SystemCounter::kRetransmitsSent)},
        {"status_messages_received", system(layout::SystemCounter::kStatusMessagesReceived)},
        {"flow_control_limits", system(layout::SystemCounter::kSenderFlowControlLimits)},
        {"short_sends", system(layout::SystemCounter::kShortSends)},
        {"pmd", {{"rx", pmd_rx}, {"tx", pmd_tx}}}, {"faults", {{"rx", faults_rx}, {"tx", faults_tx}}}};
}

}  // namespace fulmar::perf

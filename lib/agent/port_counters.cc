#include "agent/port_counters.h"

#include <array>
#include <string>

#include "layout/counter_keys.h"

namespace fulmar::agent {

PortCounters::PortCounters(const std::vector<port::PacketPort*>& ports, observe::CountersManager& counters,
    std::int64_t now_ms, Duration interval)
    : interval_(interval) {
    for (std::size_t index = 0; index < ports.size(); ++index) {
        std::array<port::PortStatistic, port::kPortStatisticsMax> statistics;
        port::StatisticsList list(statistics);
        ports[index]->statistics(list);
        Port entry{ports[index], {}};
        for (std::size_t i = 0; i < list.size(); ++i) {
            const std::string label =
                "port " + std::string(ports[index]->name()) + " " + std::string(statistics[i].name);
            const layout::CounterKey key = layout::system_counter_key(static_cast<std::int32_t>(index));
            entry.counters.push_back(counters.allocate({statistics[i].counter_type, key.span(), label,
                                                           static_cast<std::int64_t>(index), -1},
                now_ms));
        }
        ports_.push_back(std::move(entry));
    }
}

void PortCounters::update() {
    std::array<port::PortStatistic, port::kPortStatisticsMax> statistics;
    for (const Port& entry : ports_) {
        port::StatisticsList list(statistics);
        entry.port->statistics(list);
        for (std::size_t i = 0; i < list.size() && i < entry.counters.size(); ++i) {
            entry.counters[i].set_release(static_cast<std::int64_t>(statistics[i].value));
        }
    }
}

}  // namespace fulmar::agent

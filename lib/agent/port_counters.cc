#include "agent/port_counters.h"

#include <array>
#include <string>

#include "layout/counter_keys.h"
#include "layout/port_counters.h"

namespace fulmar::agent {

PortCounters::PortCounters(const std::vector<port::PacketPort*>& ports, observe::CountersManager& counters,
    std::int64_t now_ms, Duration interval)
    : manager_(&counters), interval_(interval) {
    for (std::size_t index = 0; index < ports.size(); ++index) {
        std::array<port::PortStatistic, port::kPortStatisticsMax> statistics;
        port::StatisticsList list(statistics);
        ports[index]->statistics(list);
        Port entry{ports[index], {}, std::vector<std::uint64_t>(list.size(), 0)};
        for (std::size_t i = 0; i < list.size(); ++i) {
            const std::string label =
                "port " + std::string(ports[index]->name()) + " " + std::string(statistics[i].name);
            const layout::CounterKey key = layout::system_counter_key(static_cast<std::int32_t>(index));
            entry.counters.push_back(counters.allocate(
                {statistics[i].counter_type, key.span(), label, static_cast<std::int64_t>(index), -1},
                now_ms));
        }
        if (const std::string fault = ports[index]->fault(); !fault.empty()) {
            const layout::CounterKey key = layout::system_counter_key(static_cast<std::int32_t>(index));
            entry.fault = counters.allocate(
                {layout::counter_type::kPortFault, key.span(), "", static_cast<std::int64_t>(index), -1},
                now_ms);
            show_fault(entry);
        }
        ports_.push_back(std::move(entry));
    }
}

void PortCounters::show_fault(Port& entry) {
    std::string text = entry.port->fault();
    if (text == entry.fault_text) {
        return;
    }
    entry.fault_text = std::move(text);
    manager_->set_label(
        entry.fault.id(), "port " + std::string(entry.port->name()) + " fault " + entry.fault_text);
    entry.fault.set_release(entry.fault_text == "none" ? 0 : 1);
}

void PortCounters::update() {
    std::array<port::PortStatistic, port::kPortStatisticsMax> statistics;
    for (Port& entry : ports_) {
        if (!entry.fault_text.empty()) {
            show_fault(entry);
        }
        port::StatisticsList list(statistics);
        entry.port->statistics(list);
        for (std::size_t i = 0; i < list.size() && i < entry.counters.size(); ++i) {
            // A device that lost its peer starts from zero again; our totals go on.
            const std::uint64_t value = statistics[i].value;
            const std::uint64_t grown = value >= entry.last[i] ? value - entry.last[i] : value;
            entry.last[i] = value;
            entry.counters[i].set_release(entry.counters[i].get_relaxed() + static_cast<std::int64_t>(grown));
        }
    }
}

}  // namespace fulmar::agent

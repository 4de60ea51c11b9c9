// What both agents share: construction, connection state.
#include "transport/network_publication.h"

#include "base/plant.h"
#include "base/position.h"

namespace fulmar::transport {

NetworkPublication::NetworkPublication(const NetworkPublicationOptions& options, layout::LogBuffer log,
    const NetworkPublicationCounters& counters, const SystemCounters& system)
    : options_(options),
      log_(log),
      counters_(counters),
      system_(system),
      sender_position_(options.initial_position),
      sender_limit_(options.initial_position),
      heartbeat_delay_(options.tail_probe_delay),
      destination_(options.destination),
      retransmits_(options.retransmit),
      clean_position_(options.initial_position - options.initial_position % log.term_length()),
      last_limit_(options.initial_position) {
    if (options.group_flow_control) {
        group_.emplace(*options.group_flow_control);
    }
    counters_.sender_position.set_release(sender_position_);
    counters_.sender_limit.set_release(sender_limit_);
    counters_.publisher_limit.set_release(last_limit_);
    counters_.publisher_position.set_release(options.initial_position);
}

void NetworkPublication::update_connected() {
    const bool spied = spied_position_.load(std::memory_order_relaxed) != base::kNullPosition;
    set_connected((has_required_receivers() || spied) && !end_of_stream_.load(std::memory_order_acquire));
}

void NetworkPublication::set_sender_limit(std::int64_t limit) {
    if (limit > sender_limit_ || FULMAR_PLANTED(kLimitMovesBack)) {
        sender_limit_ = limit;
        counters_.sender_limit.set_release(limit);
    }
}

void NetworkPublication::set_connected(bool connected) {
    // SYNC(publication.connected): release; the conductor and the producers act on it.
    if (connected_.load(std::memory_order_relaxed) != connected) {
        connected_.store(connected, std::memory_order_release);
        log_.set_connected(connected);
    }
}

}  // namespace fulmar::transport

#include "tests/sim/sim_net.h"

#include <algorithm>
#include <cstring>

#include "base/assert.h"
#include "base/bytes.h"
#include "tests/sim/sim_port.h"

namespace fulmar::sim {

namespace {
/// A packet that is overtaken comes this much later, so that those behind it arrive first.
constexpr Duration kReorderDelayMin = microseconds(5);
constexpr Duration kReorderDelayMax = milliseconds(1);
/// Within a host.
constexpr Duration kLoopbackDelay = microseconds(1);
}  // namespace

SimNet::SimNet(
    const Options& options, std::uint64_t seed, const WorldTime& time, Trace& trace, Counts& counts)
    : options_(options),
      time_(time),
      trace_(trace),
      counts_(counts),
      prng_(seed, 1),
      stride_(base::align_up<std::size_t>(static_cast<std::size_t>(options.payload_max), 64)) {
    const auto links = static_cast<std::size_t>(options.hosts * options.hosts);
    links_.reserve(links);
    for (std::size_t i = 0; i < links; ++i) {
        links_.emplace_back(prng_.next());
    }
    ports_.resize(static_cast<std::size_t>(options.hosts));
}

SimNet::~SimNet() = default;

void SimNet::bring_up(int host, SimPort& port) {
    ports_[static_cast<std::size_t>(host)] = &port;
}

void SimNet::bring_down(int host) {
    if (SimPort*& port = ports_[static_cast<std::size_t>(host)]) {
        port->disconnect();
        port = nullptr;
    }
}

SimNet::Link& SimNet::link(int from, int to) {
    return links_[static_cast<std::size_t>(from * options_.hosts + to)];
}

int SimNet::host_of(const port::IpAddress& ip) const {
    if (!ip.is_v4() || ip.bytes[0] != 10 || ip.bytes[1] != 0 || ip.bytes[2] != 0 || ip.bytes[3] == 0 ||
        ip.bytes[3] > options_.hosts) {
        return -1;
    }
    return ip.bytes[3] - 1;
}

void SimNet::set_faults(int from, int to, const LinkFaults& faults) {
    Link& one = link(from, to);
    one.spike = faults.spike;
    one.spike_max = faults.spike_max;
    net::FaultSpec spec;
    spec.loss = faults.loss;
    spec.duplicate = faults.duplicate;
    spec.reorder = faults.reorder;
    spec.corrupt = faults.corrupt;
    spec.seed = ++one.fault_seed;
    one.model.set_spec(spec);
}

void SimNet::cut(int from, int to, Instant until) {
    link(from, to).cut_until = until;
}

void SimNet::hold(int from, int to, Instant until) {
    Instant& held_until = link(from, to).held_until;
    held_until = std::max(held_until, until);
}

void SimNet::mend() {
    for (Link& one : links_) {
        one.cut_until = time_.now;
        one.held_until = time_.now;
        one.last_arrival = time_.now;
    }
    for (Flight& flight : flights_) {
        flight.at = std::min(flight.at, time_.now);
    }
    std::make_heap(flights_.begin(), flights_.end(), Later{});
}

void SimNet::inject(
    const port::Endpoint& source, const port::Endpoint& to, std::span<const std::byte> bytes) {
    const auto length = std::min(bytes.size(), static_cast<std::size_t>(options_.payload_max));
    fly(time_.now + options_.delay, source, to, bytes.data(), static_cast<std::uint32_t>(length));
}

std::uint32_t SimNet::take_buffer() {
    if (free_buffers_.empty()) {
        const auto first = static_cast<std::uint32_t>(chunks_.size()) * kChunkBuffers;
        chunks_.push_back(std::make_unique_for_overwrite<std::byte[]>(stride_ * kChunkBuffers));
        for (std::uint32_t i = kChunkBuffers; i > 0; --i) {
            free_buffers_.push_back(first + i - 1);
        }
    }
    const auto buffer = free_buffers_.back();
    free_buffers_.pop_back();
    return buffer;
}

void SimNet::fly(Instant at, const port::Endpoint& source, const port::Endpoint& to, const std::byte* bytes,
    std::uint32_t length) {
    const auto buffer = take_buffer();
    std::memcpy(bytes_of(buffer), bytes, length);
    flights_.push_back({at, next_order_++, source, to, buffer, length});
    std::push_heap(flights_.begin(), flights_.end(), Later{});
}

void SimNet::transmit(int from, const port::TxPacket& packet, const port::Endpoint& source) {
    const std::span<const std::byte> bytes{packet.bytes, packet.length};
    trace_.add(
        TraceKind::kSend, static_cast<std::uint64_t>(time_.now.ns), digest(bytes), packet.destination.port);
    if (observer_ != nullptr) {
        observer_->on_sent(from, source, packet.destination, bytes);
    }
    const int to = host_of(packet.destination.ip);
    if (to < 0) {
        return;
    }
    if (to == from) {
        fly(time_.now + kLoopbackDelay, source, packet.destination, packet.bytes, packet.length);
        return;
    }
    Link& path = link(from, to);
    if (time_.now < path.cut_until) {
        ++counts_[Count::lost];
        return;
    }
    const auto corrupted_before = path.model.counts().corrupted;
    const net::FaultDecision decision = path.model.decide();
    if (decision.drop) {
        ++counts_[path.model.counts().corrupted != corrupted_before ? Count::corrupted : Count::lost];
        return;
    }
    const auto jitter = [&] {
        return Duration{
            static_cast<std::int64_t>(path.prng.below(static_cast<std::uint64_t>(options_.jitter.ns) + 1))};
    };
    Instant at = time_.now + options_.delay + jitter();
    if (path.spike > 0 && path.prng.chance(path.spike)) {
        ++counts_[Count::delayed];
        at = at + Duration{static_cast<std::int64_t>(
                      path.prng.below(static_cast<std::uint64_t>(path.spike_max.ns) + 1))};
    } else if (decision.overtaken_by > 0) {
        ++counts_[Count::reordered];
        at = at + Duration{path.prng.between(kReorderDelayMin.ns, kReorderDelayMax.ns)};
    } else {
        // A wire keeps order unless something went wrong on it.
        at = std::max({at, path.last_arrival, path.held_until});
        path.last_arrival = at;
    }
    at = std::max(at, path.held_until);
    fly(at, source, packet.destination, packet.bytes, packet.length);
    if (decision.duplicate) {
        ++counts_[Count::duplicated];
        fly(at + jitter(), source, packet.destination, packet.bytes, packet.length);
    }
}

void SimNet::run() {
    while (!flights_.empty() && flights_.front().at <= time_.now) {
        std::pop_heap(flights_.begin(), flights_.end(), Later{});
        const Flight flight = flights_.back();
        flights_.pop_back();
        const int host = host_of(flight.to.ip);
        SimPort* port = host < 0 ? nullptr : ports_[static_cast<std::size_t>(host)];
        SimBinding* binding = port == nullptr ? nullptr : port->find(flight.to.port);
        if (binding == nullptr || !binding->accepts(flight.source)) {
            if (port != nullptr) {
                static_cast<SimQueue&>(port->queue(port::PacketPort::Role::kReceiver)).count_no_binding();
            }
            give_back(flight.buffer);
            continue;
        }
        if (!binding->queue->deliver(*binding, flight.source, flight.buffer, flight.length)) {
            ++counts_[Count::queue_full];
            give_back(flight.buffer);
            continue;
        }
        trace_.add(
            TraceKind::kArrive, static_cast<std::uint64_t>(time_.now.ns), flight.length, flight.to.port);
        if (observer_ != nullptr) {
            observer_->on_arrived(host, *binding->queue, {bytes_of(flight.buffer), flight.length});
        }
    }
}

}  // namespace fulmar::sim

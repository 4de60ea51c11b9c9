// What goes wrong in a world.
#include <algorithm>
#include <array>

#include "base/position.h"
#include "tests/sim/world.h"
#include "wire/frame.h"

namespace fulmar::sim {

namespace {
constexpr Duration kStallMin = milliseconds(1000);
/// Ephemeral ports of a host's send endpoints, where forged control frames go.
constexpr std::uint16_t kSendPortFirst = 49152;
constexpr int kSendPorts = 6;
}  // namespace

void World::disturb(int index, Instant until) {
    disturbances_.on_node(index, until);
}

void World::count_pause(Duration length) {
    ++counts_[length >= kStallMin ? Count::stall : Count::pause];
}

void World::pause_app(std::size_t index, Duration length) {
    count_pause(length);
    scheduler_.pause(app_ids_[index], time_.now + length);
    disturb(apps_[index]->node().index(), time_.now + length);
}

void World::pause_node(int index, Duration length) {
    count_pause(length);
    for (const Scheduler::Id id : node(index).agents()) {
        scheduler_.pause(id, time_.now + length);
    }
    for (std::size_t i = 0; i < apps_.size(); ++i) {
        if (apps_[i]->node().index() == index) {
            scheduler_.pause(app_ids_[i], time_.now + length);
        }
    }
    disturb(index, time_.now + length);
}

void World::pause_driver(int index, Duration length) {
    count_pause(length);
    for (const Scheduler::Id id : node(index).agents()) {
        scheduler_.pause(id, time_.now + length);
    }
}

void World::apply(const Fault& fault) {
    trace_.add(TraceKind::kFault, static_cast<std::uint64_t>(time_.now.ns),
        static_cast<std::uint64_t>(fault.kind), static_cast<std::uint64_t>(fault.node));
    if (verdict_.verbose()) {
        constexpr const char* kNames[] = {"pause agent", "pause node", "pause client", "cut", "hold",
            "kill client", "kill at point", "kill holding", "crash driver", "flood", "garbage",
            "storage full", "network shifts"};
        verdict_.note(std::string("fault: ") + kNames[static_cast<int>(fault.kind)] + " node " +
                      std::to_string(fault.node) + " other " + std::to_string(fault.other) + " which " +
                      std::to_string(fault.which) + " for " + std::to_string(fault.length.ns / 1000) + " us");
    }
    const Instant until = time_.now + fault.length;
    const std::size_t which = apps_.empty() ? 0 : fault.which % apps_.size();
    switch (fault.kind) {
        case Fault::Kind::kPauseAgent:
            if (node(fault.node).is_up()) {
                const auto& agents = node(fault.node).agents();
                count_pause(fault.length);
                scheduler_.pause(agents[fault.which % agents.size()], until);
                disturb(fault.node, until);
            }
            break;
        case Fault::Kind::kPauseNode: pause_node(fault.node, fault.length); break;
        case Fault::Kind::kPauseClient: pause_app(which, fault.length); break;
        case Fault::Kind::kCut:
            ++counts_[Count::partition];
            net_.cut(fault.node, fault.other, until);
            disturbances_.on_link(fault.node, fault.other, until);
            break;
        case Fault::Kind::kHold:
            ++counts_[Count::clog];
            net_.hold(fault.node, fault.other, until);
            disturbances_.on_link(fault.node, fault.other, until);
            break;
        case Fault::Kind::kKillClient: apps_[which]->die(fault.length); break;
        case Fault::Kind::kKillAtPoint: apps_[which]->die_at(fault.point, fault.length); break;
        case Fault::Kind::kKillHolding: apps_[which]->die_holding_claim(fault.length); break;
        case Fault::Kind::kCrashDriver:
            if (node(fault.node).is_up()) {
                ++counts_[Count::driver_crash];
                node(fault.node).crash();
                for (const auto& stream : ledger_.streams()) {
                    stream->is_over = stream->is_over || stream->node == fault.node;
                }
                restart_at_[static_cast<std::size_t>(fault.node)] = until;
                disturb(fault.node, until);
            }
            break;
        case Fault::Kind::kFlood: flood(fault); break;
        case Fault::Kind::kGarbage: garbage(fault); break;
        case Fault::Kind::kStorageFull:
            ++counts_[Count::storage_full];
            node(fault.node).memory().set_space_max(0);
            storage_back_at_[static_cast<std::size_t>(fault.node)] = until;
            disturb(fault.node, until);
            break;
        case Fault::Kind::kNetworkShifts: shift_network(false); break;
    }
}

void World::restart_drivers(bool all) {
    for (std::size_t i = 0; i < nodes_.size(); ++i) {
        if (storage_back_at_[i] <= time_.now || (all && storage_back_at_[i] != Instant::never())) {
            storage_back_at_[i] = Instant::never();
            nodes_[i]->memory().set_space_max(memory_per_node());
        }
        if (restart_at_[i] == Instant::never() || (restart_at_[i] > time_.now && !all)) {
            continue;
        }
        if (storage_back_at_[i] != Instant::never()) {
            restart_at_[i] = storage_back_at_[i];  // no driver starts without memory
            continue;
        }
        restart_at_[i] = Instant::never();
        nodes_[i]->start();
        trace_.add(TraceKind::kDriver, static_cast<std::uint64_t>(time_.now.ns), i);
    }
}

void World::shift_network(bool healthy) {
    const int hosts = plan_.net.hosts;
    const LinkFaults& most = plan_.link_faults_max;
    for (int from = 0; from < hosts; ++from) {
        for (int to = 0; to < hosts; ++to) {
            LinkFaults faults;
            if (!healthy) {
                faults.loss = fault_prng_.unit() * most.loss;
                faults.duplicate = fault_prng_.unit() * most.duplicate;
                faults.reorder = fault_prng_.unit() * most.reorder;
                faults.corrupt = fault_prng_.unit() * most.corrupt;
                faults.spike = fault_prng_.unit() * most.spike;
                faults.spike_max = most.spike_max;
            }
            net_.set_faults(from, to, faults);
        }
    }
    if (healthy) {
        net_.mend();
    }
    net_.set_short_send(healthy ? 0.0 : plan_.net.short_send);
}

/// Sessions nobody of ours has: data that makes a receiver ask for a setup, and setups that make it create
/// images for nothing.
void World::flood(const Fault& fault) {
    ++counts_[Count::flood];
    for (const auto& topic : plan_.topics) {
        if (topic->is_ipc) {
            continue;
        }
        const port::Endpoint to{SimNet::address_of(topic->node), topic->udp_port};
        const port::Endpoint from{port::IpAddress::v4(10, 0, 9, static_cast<std::uint8_t>(fault.which)), 7};
        const int packets = 1 + static_cast<int>(fault_prng_.below(200));
        for (int i = 0; i < packets; ++i) {
            std::array<std::byte, 64> frame{};
            wire::DataHeader header;
            header.frame_length = 64;
            header.flags = wire::flag::kUnfragmented;
            header.session_id = static_cast<std::int32_t>(fault_prng_.next());
            header.stream_id = topic->stream_id;
            header.term_id = 3;
            wire::write_data_header(frame.data(), header);
            net_.inject(from, to, frame);
        }
        const int setups = static_cast<int>(fault_prng_.below(4));
        for (int i = 0; i < setups; ++i) {
            std::array<std::byte, wire::kSetupLength> frame{};
            wire::Setup setup;
            setup.session_id = static_cast<std::int32_t>(fault_prng_.next());
            setup.stream_id = topic->stream_id;
            setup.initial_term_id = 3;
            setup.active_term_id = 3;
            setup.term_offset = 64;
            setup.term_length = fault_prng_.chance(0.2) ? wire::kTermLengthMax : kSimTermLength;
            setup.mtu = 1408;
            wire::write_setup(frame.data(), setup);
            net_.inject(from, to, frame);
        }
    }
}

/// Bytes that are no frames, frames that make no sense, and forged control frames that must be ignored.
void World::garbage(const Fault& fault) {
    ++counts_[Count::garbage];
    const auto random_word = [&] { return static_cast<std::int32_t>(fault_prng_.next()); };
    const port::Endpoint nobody{port::IpAddress::v4(10, 0, 9, 9), 9};
    for (const auto& topic : plan_.topics) {
        if (topic->is_ipc) {
            continue;
        }
        const port::Endpoint to{SimNet::address_of(topic->node), topic->udp_port};
        for (int i = 0; i < 20; ++i) {
            std::array<std::byte, 256> bytes{};
            const auto length = static_cast<std::size_t>(fault_prng_.below(bytes.size() + 1));
            for (std::size_t at = 0; at + 4 <= length; at += 4) {
                base::store_le(bytes.data(), at, random_word());
            }
            if (fault_prng_.chance(0.7) && length >= wire::kFrameHeaderLength) {
                // A likely start, so that more than the first check is reached.
                base::store_le(bytes.data(), wire::field::kFrameLength,
                    static_cast<std::int32_t>(fault_prng_.below(length + 64)));
                base::store_le<std::uint16_t>(bytes.data(), wire::field::kVersion, 0xC000);
                base::store_le(
                    bytes.data(), wire::field::kType, static_cast<std::uint16_t>(fault_prng_.below(12)));
            }
            net_.inject(nobody, to, {bytes.data(), length});
        }
        // As if from the receiver of a real session, with values that cannot be.
        for (const auto& stream : ledger_.streams()) {
            if (stream->is_ipc || stream->topic != topic->index || stream->is_over) {
                continue;
            }
            for (int i = 0; i < kSendPorts; ++i) {
                const port::Endpoint sender{
                    SimNet::address_of(stream->node), static_cast<std::uint16_t>(kSendPortFirst + i)};
                std::array<std::byte, wire::kStatusMessageLength> frame{};
                wire::StatusMessage message;
                message.session_id = stream->session_id;
                message.stream_id = stream->stream_id;
                message.consumption_term_id = stream->initial_term_id;
                message.consumption_term_offset = 16;  // not aligned
                message.receiver_window = kSimTermLength / 2;
                message.receiver_id = random_word();
                wire::write_status_message(frame.data(), message);
                net_.inject(to, sender, frame);
                wire::Nak nak;
                nak.session_id = stream->session_id;
                nak.stream_id = stream->stream_id;
                nak.term_id = base::wrapping_add(stream->initial_term_id, random_word());
                nak.term_offset = random_word();
                nak.length = random_word();
                wire::write_nak(frame.data(), nak);
                net_.inject(to, sender, {frame.data(), wire::kNakLength});
                // Once sent, but mostly so long ago that other bytes lie there now.
                const auto terms = static_cast<std::uint64_t>(stream->end() / stream->term_length + 1);
                nak.term_id = base::wrapping_add(
                    stream->initial_term_id, static_cast<std::int32_t>(fault_prng_.below(terms)));
                nak.term_offset = static_cast<std::int32_t>(fault_prng_.below(static_cast<std::uint64_t>(
                                      stream->term_length / wire::kFrameAlignment))) *
                                  wire::kFrameAlignment;
                nak.length = stream->term_length - nak.term_offset;
                wire::write_nak(frame.data(), nak);
                net_.inject(to, sender, {frame.data(), wire::kNakLength});
            }
        }
    }
    (void)fault;
}

}  // namespace fulmar::sim

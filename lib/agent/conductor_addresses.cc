// What the hosts and the interface of a channel mean: addresses, a pair of groups, the host's own address.
#include <utility>

#include "agent/conductor.h"

namespace fulmar::agent {
namespace {

/// What is said of a multicast channel beside its endpoint, and what follows from the endpoint.
Status complete_multicast(PendingAdd& add) {
    if (!port::is_data_group(add.address.ip)) {
        return fail(ErrorCode::kInvalidChannel,
            "a multicast endpoint is odd in its last byte, since receivers answer to the address above it: " +
                port::to_string(add.address));
    }
    if (add.address.port == 0) {
        return fail(ErrorCode::kInvalidChannel, "a multicast endpoint needs a port other than 0");
    }
    if (add.params.control || add.params.control_mode != config::ControlMode::kNone) {
        return fail(ErrorCode::kInvalidChannel,
            "a multicast endpoint takes neither control nor control-mode: receivers answer to " +
                port::to_string(port::control_group_of(add.address.ip)));
    }
    if (add.local.valid() && add.local.ip.family != add.address.ip.family) {
        return fail(ErrorCode::kInvalidChannel, "interface " + port::to_string(add.local.ip) +
                                                    " is not of the family of the endpoint " +
                                                    port::to_string(add.address));
    }
    add.control = {port::control_group_of(add.address.ip), add.address.port};
    return Done{};
}

}  // namespace

bool PendingAdd::lacks_interface() const {
    if (interface_found) {
        return false;
    }
    if (!params.network_interface) {
        return is_multicast();
    }
    const auto& asked = *params.network_interface;
    const bool is_network = asked.prefix_length >= 0 && asked.prefix_length < (local.ip.is_v4() ? 32 : 128);
    return asked.is_name || (local.ip.is_any() ? is_multicast() : is_network);
}

port::InterfaceQuery PendingAdd::interface_query() const {
    port::InterfaceQuery query;
    query.network = local.valid() ? local.ip : port::IpAddress{};
    const port::Endpoint& peer = address.valid() ? address : control;
    if (!local.valid()) {
        query.network.family = peer.valid() ? peer.ip.family : port::IpAddress::Family::kV4;
    }
    if (params.network_interface && params.network_interface->is_name) {
        query.name = params.network_interface->host;
    } else if (params.network_interface && !local.ip.is_any()) {
        query.prefix_length = params.network_interface->prefix_length;
    }
    query.for_multicast = is_multicast();
    return query;
}

Result<bool> Conductor::resolve_addresses(PendingAdd& add) {
    while (const std::string* host = add.unresolved_host()) {
        if (const auto literal = port::parse_ip(*host)) {
            add.take_address(*literal);
            continue;
        }
        auto task = std::make_unique<ResourceTask>();
        task->kind = ResourceTask::Kind::kResolve;
        task->host = *host;
        submit_for_add(add, std::move(task));
        return false;
    }
    if (add.is_multicast()) {
        FULMAR_TRY_VOID(complete_multicast(add));
    } else if (add.control.ip.is_multicast()) {
        return fail(ErrorCode::kInvalidChannel, "a control address cannot be a multicast group");
    }
    if (!add.lacks_interface()) {
        return true;
    }
    const port::InterfaceQuery query = add.interface_query();
    if (const port::IpAddress own = context_.ports.own_address(query);
        own.family != port::IpAddress::Family::kNone) {
        add.take_interface(own);
        return true;
    }
    auto task = std::make_unique<ResourceTask>();
    task->kind = ResourceTask::Kind::kFindInterface;
    task->interface = query;
    submit_for_add(add, std::move(task));
    return false;
}

}  // namespace fulmar::agent

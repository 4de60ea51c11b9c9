// Destinations that commands give to a multi-destination publication, and what their names mean now.
#include <algorithm>
#include <utility>

#include "agent/conductor.h"

namespace fulmar::agent {

using config::ControlMode;
using transport::DestinationTracker;

Result<SendChannelEndpoint*> Conductor::multi_destination_publication(std::int64_t registration_id) {
    for (const auto& publication : publications_) {
        if (publication->registration_id != registration_id) {
            continue;
        }
        if (publication->endpoint->identity.mode != ControlMode::kManual) {
            return fail(ErrorCode::kInvalidChannel,
                "the publication takes no destinations: its channel needs control-mode=manual");
        }
        return publication->endpoint;
    }
    return fail(ErrorCode::kUnknownPublication,
        "no network publication has the registration id " + std::to_string(registration_id));
}

Status Conductor::check_send_destination(const config::ChannelParams& params) {
    if (params.is_spy || params.is_ipc() || !params.endpoint) {
        return fail(ErrorCode::kInvalidChannel, "a publication's destination is an aeron:udp endpoint");
    }
    if (params.endpoint->port == 0) {
        return fail(ErrorCode::kInvalidChannel, "a publication's destination needs a port other than 0");
    }
    return config::check_destination(params);
}

Result<Conductor::Step> Conductor::step_send_destination(PendingAdd& add) {
    FULMAR_TRY(endpoint, multi_destination_publication(add.target_id));
    FULMAR_TRY_VOID(check_send_destination(add.params));
    FULMAR_TRY(resolved, resolve_addresses(add));
    if (!resolved) {
        return Step::kWait;
    }
    if (add.is_multicast()) {
        return fail(ErrorCode::kInvalidChannel,
            "a multicast group is no destination, since its receivers answer to the group above it: give "
            "it a publication of its own");
    }
    FULMAR_TRY(route, context_.ports.route(add.address.ip));
    if (route != endpoint->port || add.address.ip.family != endpoint->transport.binding->local().ip.family) {
        return fail(ErrorCode::kInvalidChannel,
            "the publication sends from " + port::to_string(endpoint->transport.binding->local()) +
                " of port " + std::string(endpoint->port->name()) +
                ", which does not reach the destination: give it a control address of the right port");
    }
    const auto known = std::count_if(send_destinations_.begin(), send_destinations_.end(),
        [endpoint = endpoint](const SendDestination& other) { return other.endpoint == endpoint; });
    if (static_cast<std::size_t>(known) >= DestinationTracker::kDestinationsMax) {
        return fail(ErrorCode::kGeneric, "the publication has its maximum of " +
                                             std::to_string(DestinationTracker::kDestinationsMax) +
                                             " destinations");
    }
    SendDestination destination{endpoint, add.correlation_id, *add.params.endpoint, add.address};
    SenderCommand command;
    command.kind = SenderCommand::Kind::kAddDestination;
    command.endpoint = endpoint;
    command.destination_id = destination.registration_id;
    command.address = add.address;
    command.has_name = !port::parse_ip(destination.name.host);
    to_sender_.send(command);
    send_destinations_.push_back(std::move(destination));
    events_.operation_success(add.correlation_id);
    return Step::kDone;
}

void Conductor::on_remove_send_destination(const layout::DestinationCommand& command) {
    auto endpoint = multi_destination_publication(command.registration_id);
    if (!endpoint) {
        refuse(command.correlation_id, endpoint.error());
        return;
    }
    const auto params = config::parse_channel(command.channel);
    const Status usable = params ? check_send_destination(*params) : Status(Unexpected{params.error()});
    if (!usable) {
        refuse(command.correlation_id, usable.error());
        return;
    }
    const auto ip = port::parse_ip(params->endpoint->host);
    const auto is_meant = [&](const SendDestination& known) {
        return known.endpoint == *endpoint &&
               (known.name == *params->endpoint ||
                   (ip && known.address == port::Endpoint{*ip, params->endpoint->port}));
    };
    const auto known = std::find_if(send_destinations_.begin(), send_destinations_.end(), is_meant);
    if (known != send_destinations_.end()) {
        remove_send_destination(static_cast<std::size_t>(known - send_destinations_.begin()));
    }
    events_.operation_success(command.correlation_id);  // Also if it is gone already. source: Aeron.
}

void Conductor::remove_send_destination(std::size_t index) {
    SenderCommand command;
    command.kind = SenderCommand::Kind::kRemoveDestination;
    command.endpoint = send_destinations_[index].endpoint;
    command.destination_id = send_destinations_[index].registration_id;
    to_sender_.send(command);
    send_destinations_.erase(send_destinations_.begin() + static_cast<std::ptrdiff_t>(index));
}

void Conductor::on_remove_destination_by_id(const layout::RemoveDestinationById& command) {
    if (auto subscription = multi_destination_subscription(command.resource_registration_id)) {
        remove_receive_destination_by_id(**subscription, command);
        return;
    }
    auto endpoint = multi_destination_publication(command.resource_registration_id);
    if (!endpoint) {
        refuse(command.correlation_id, endpoint.error());
        return;
    }
    for (std::size_t i = send_destinations_.size(); i-- > 0;) {
        if (send_destinations_[i].endpoint == *endpoint &&
            send_destinations_[i].registration_id == command.destination_registration_id) {
            remove_send_destination(i);
        }
    }
    events_.operation_success(command.correlation_id);
}

// ---- names -----------------------------------------------------------------------------------------

void Conductor::on_silent_destination(const SilentDestination& silent) {
    for (SendDestination& destination : send_destinations_) {
        if (destination.registration_id == silent.destination_id && destination.task_id == 0) {
            auto task = std::make_unique<ResourceTask>();
            task->kind = ResourceTask::Kind::kResolve;
            task->host = destination.name.host;
            destination.task_id = resources_.submit(std::move(task));
        }
    }
}

bool Conductor::on_destination_resolved(const ResourceTask& task) {
    const auto awaits = [&task](const SendDestination& known) { return known.task_id == task.id; };
    const auto known = std::find_if(send_destinations_.begin(), send_destinations_.end(), awaits);
    if (known == send_destinations_.end()) {
        return false;
    }
    known->task_id = 0;
    if (task.error) {
        log_error(task.error->code, task.error->message);
        return true;
    }
    const port::Endpoint address{task.address, known->name.port};
    if (address != known->address && address.ip.family == known->address.ip.family) {
        known->address = address;
        SenderCommand command;
        command.kind = SenderCommand::Kind::kMoveDestination;
        command.endpoint = known->endpoint;
        command.destination_id = known->registration_id;
        command.address = address;
        to_sender_.send(command);
        context_.system[layout::SystemCounter::kResolutionChanges].increment_relaxed();
    }
    return true;
}

}  // namespace fulmar::agent

// Decoding clients' commands and answering those that need no work by others.
#include <cstdio>
#include <cstring>
#include <utility>

#include "agent/conductor.h"

namespace fulmar::agent {

using layout::CommandType;

namespace {

std::string hex(std::int32_t type) {
    char text[16];
    std::snprintf(text, sizeof text, "0x%x", static_cast<unsigned>(type));
    return text;
}

}  // namespace

void Conductor::log_error(ErrorCode code, std::string_view message) {
    context_.errors->record(code, message, epoch_ms());
}

void Conductor::refuse(std::int64_t correlation_id, const Error& error) {
    events_.error(correlation_id, error.code, error.message);
    // A client that is asked to try again has done nothing wrong, and neither have we.
    if (error.code != ErrorCode::kResourceTemporarilyUnavailable) {
        log_error(error.code, error.message);
    }
}

void Conductor::refuse(std::int64_t correlation_id, ErrorCode code, std::string message) {
    refuse(correlation_id, Error{code, std::move(message)});
}

template <class Command, class Execute>
void Conductor::decode_and(std::span<const std::byte> record, CommandType type, Execute&& execute) {
    const auto decoded = Command::decode(record);
    if (decoded) {
        execute(*decoded);
        return;
    }
    const layout::DecodeFault fault = decoded.error();
    std::string message = "malformed command " + hex(static_cast<std::int32_t>(type)) + ": ";
    message += to_string(fault);
    const auto head = layout::ClientCommand::decode(record);
    if (fault == layout::DecodeFault::kTooShort || !head) {
        log_error(ErrorCode::kMalformedCommand, message);  // nobody to answer
        return;
    }
    refuse(head->correlation_id, layout::error_code(fault), std::move(message));
}

void Conductor::on_command(Instant now, std::int32_t type, std::span<const std::byte> record) {
    const auto command_type = static_cast<CommandType>(type);
    if (type == static_cast<std::int32_t>(layout::FulmarCommandType::kSetFault)) {
        decode_and<layout::SetFault>(
            record, command_type, [&](const auto& command) { on_set_fault(command); });
        return;
    }
    dispatch(now, command_type, record);
}

void Conductor::dispatch(Instant now, CommandType type, std::span<const std::byte> record) {
    const auto add = [this](PendingAdd::Kind kind) {
        return [this, kind](const auto& command) {
            PendingAdd pending;
            pending.kind = kind;
            pending.client_id = command.client_id;
            pending.correlation_id = command.correlation_id;
            pending.stream_id = command.stream_id;
            pending.channel = command.channel;
            on_add(std::move(pending));
        };
    };
    switch (type) {
        case CommandType::kAddPublication:
            decode_and<layout::AddPublication>(record, type, add(PendingAdd::Kind::kPublication));
            break;
        case CommandType::kAddExclusivePublication:
            decode_and<layout::AddPublication>(record, type, add(PendingAdd::Kind::kExclusivePublication));
            break;
        case CommandType::kAddSubscription:
            decode_and<layout::AddSubscription>(record, type, add(PendingAdd::Kind::kSubscription));
            break;
        case CommandType::kRemovePublication:
            decode_and<layout::RemovePublication>(
                record, type, [&](const auto& command) { on_remove_publication(now, command); });
            break;
        case CommandType::kRemoveSubscription:
            decode_and<layout::RemoveResource>(
                record, type, [&](const auto& command) { on_remove_subscription(command); });
            break;
        case CommandType::kClientKeepalive:
            decode_and<layout::ClientCommand>(
                record, type, [&](const auto& command) { on_keepalive(command.client_id); });
            break;
        case CommandType::kClientClose:
            decode_and<layout::ClientCommand>(
                record, type, [&](const auto& command) { on_client_close(command.client_id); });
            break;
        case CommandType::kAddCounter:
            decode_and<layout::AddCounter>(
                record, type, [&](const auto& command) { on_add_counter(command); });
            break;
        case CommandType::kAddStaticCounter:
            decode_and<layout::AddStaticCounter>(
                record, type, [&](const auto& command) { on_add_static_counter(command); });
            break;
        case CommandType::kRemoveCounter:
            decode_and<layout::RemoveResource>(
                record, type, [&](const auto& command) { on_remove_counter(command); });
            break;
        case CommandType::kTerminateDriver:
            decode_and<layout::TerminateDriver>(
                record, type, [&](const auto& command) { on_terminate(command); });
            break;
        case CommandType::kRejectImage:
            decode_and<layout::RejectImage>(
                record, type, [&](const auto& command) { on_reject_image(now, command); });
            break;
        case CommandType::kGetNextAvailableSessionId:
            decode_and<layout::GetNextAvailableSessionId>(
                record, type, [&](const auto& command) { on_next_session_id(command); });
            break;
        case CommandType::kAddDestination:
            decode_and<layout::DestinationCommand>(record, type, [&](const auto& command) {
                on_add_destination(PendingAdd::Kind::kSendDestination, command);
            });
            break;
        case CommandType::kRemoveDestination:
            decode_and<layout::DestinationCommand>(
                record, type, [&](const auto& command) { on_remove_send_destination(command); });
            break;
        case CommandType::kAddReceiveDestination:
            decode_and<layout::DestinationCommand>(record, type, [&](const auto& command) {
                on_add_destination(PendingAdd::Kind::kReceiveDestination, command);
            });
            break;
        case CommandType::kRemoveReceiveDestination:
            decode_and<layout::DestinationCommand>(
                record, type, [&](const auto& command) { on_remove_receive_destination(command); });
            break;
        case CommandType::kRemoveDestinationById:
            decode_and<layout::RemoveDestinationById>(
                record, type, [&](const auto& command) { on_remove_destination_by_id(command); });
            break;
        default:
            log_error(ErrorCode::kUnknownCommand,
                "unknown command " + hex(static_cast<std::int32_t>(type)) + " in the command ring");
            break;
    }
}

void Conductor::on_add_destination(PendingAdd::Kind kind, const layout::DestinationCommand& command) {
    PendingAdd add;
    add.kind = kind;
    add.client_id = command.client_id;
    add.correlation_id = command.correlation_id;
    add.target_id = command.registration_id;
    add.channel = command.channel;
    on_add(std::move(add));
}

void Conductor::on_add(PendingAdd add) {
    auto client = client_for(add.client_id);
    if (!client) {
        refuse(add.correlation_id, client.error());
        return;
    }
    auto params = config::parse_channel(add.channel);
    Status usable = Done{};
    if (!params) {
        usable = Unexpected{params.error()};
    } else if (auto supported = config::check_supported(*params); !supported) {
        usable = std::move(supported);
    } else if (options_.strict_uri) {
        usable = config::check_strict(*params);
    }
    if (!usable) {
        Error error = std::move(usable).error();
        error.message += ": channel=" + add.channel;
        refuse(add.correlation_id, error);
        return;
    }
    if (!params->unknown.empty()) {
        log_error(ErrorCode::kInvalidChannel,
            "unknown channel key '" + params->unknown.front() + "' was kept and ignored");
    }
    add.params = std::move(params).value();
    add_ = std::move(add);
}

void Conductor::on_terminate(const layout::TerminateDriver&) {
    // No answer either way: the client sees the heartbeat stop, or it does not.
    if (options_.allow_terminate) {
        terminate_requested_ = true;
    }
}

void Conductor::on_reject_image(Instant now, const layout::RejectImage& command) {
    for (const auto& image : images_) {
        if (image->correlation_id != command.image_correlation_id) {
            continue;
        }
        // The first reason stands: the receiver may be reading it.
        if (image->phase == ImageState::Phase::kActive && !image->is_rejected) {
            image->is_rejected = true;
            image->reject_reason = command.reason;
            ReceiverCommand rejection;
            rejection.kind = ReceiverCommand::Kind::kRejectImage;
            rejection.endpoint = image->endpoint;
            rejection.image = image->core.get();
            rejection.reason = image->reject_reason;
            to_receiver_.send(rejection);
        }
        context_.system[layout::SystemCounter::kImagesRejected].increment_relaxed();
        events_.operation_success(command.correlation_id);
        return;
    }
    if (reject_ipc(now, command)) {
        context_.system[layout::SystemCounter::kImagesRejected].increment_relaxed();
        events_.operation_success(command.correlation_id);
        return;
    }
    refuse(command.correlation_id, ErrorCode::kGeneric, "reject image: no image has that correlation id");
}

void Conductor::on_next_session_id(const layout::GetNextAvailableSessionId& command) {
    const std::int32_t session_id = session_ids_.take([&](std::int32_t candidate) {
        for (const auto& publication : publications_) {
            if (publication->stream_id == command.stream_id && publication->session_id == candidate) {
                return true;
            }
        }
        return session_in_use(nullptr, command.stream_id, candidate);
    });
    events_.send(layout::EventType::kNextAvailableSessionId,
        layout::NextAvailableSessionId{command.correlation_id, session_id});
}

void Conductor::on_set_fault(const layout::SetFault& command) {
    bool changed = false;
    std::optional<Error> why_not;
    std::string names;
    for (port::PacketPort* port : context_.ports.ports()) {
        names += names.empty() ? "" : ", ";
        names += port->name();
        if (!command.port.empty() && port->name() != command.port) {
            continue;
        }
        if (const Status done = port->set_fault(command.spec); done) {
            changed = true;
        } else if (!why_not || done.error().code != ErrorCode::kNotSupported) {
            why_not = done.error();  // a wrong spec says more than a port that takes none
        }
    }
    if (!changed) {
        refuse(command.correlation_id,
            why_not.value_or(Error{ErrorCode::kGeneric,
                "no port is named '" + std::string(command.port) + "'; ports are: " + names}));
        return;
    }
    if (context_.port_counters != nullptr) {
        context_.port_counters->update();  // who asked may look at once
    }
    events_.operation_success(command.correlation_id);
}

}  // namespace fulmar::agent

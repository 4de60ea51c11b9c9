// The steps of adding a publication or a subscription. A step looks at the state as it is now, asks the
// resource agent for at most one thing, and is called again when that is there.
#include <algorithm>
#include <utility>

#include "agent/conductor.h"

namespace fulmar::agent {

void Conductor::advance_add(Instant now) {
    auto step = step_add(now, *add_);
    if (!step) {
        finish_add(Unexpected{std::move(step).error()});
    } else if (*step == Step::kDone) {
        finish_add(Done{});
    }
}

void Conductor::on_add_result(Instant now, std::unique_ptr<ResourceTask> task) {
    PendingAdd& add = *add_;
    add.task_id = 0;
    switch (task->kind) {
        case ResourceTask::Kind::kResolve: add.take_address(task->address); break;
        case ResourceTask::Kind::kFindInterface: add.take_interface(task->address); break;
        case ResourceTask::Kind::kOpenBinding: add.binding = std::move(task->binding); break;
        case ResourceTask::Kind::kCreateLog:
            add.log.path = std::move(task->path);
            add.log.mapping = std::move(task->mapping);
            if (add.log.mapping == nullptr) {
                add.log.path.clear();
            }
            break;
        case ResourceTask::Kind::kCloseBinding:
        case ResourceTask::Kind::kDeleteLog: break;
    }
    if (task->error) {
        finish_add(Unexpected{*task->error});
        return;
    }
    advance_add(now);
}

void Conductor::finish_add(Status status) {
    PendingAdd add = std::move(*add_);
    add_.reset();
    if (!status) {
        Error error = std::move(status).error();
        error.message += ": channel=" + add.channel;
        refuse(add.correlation_id, error);
    }
    discard(add);
}

void Conductor::discard(PendingAdd& add) {
    if (add.binding != nullptr) {
        auto task = std::make_unique<ResourceTask>();
        task->kind = ResourceTask::Kind::kCloseBinding;
        task->binding = std::move(add.binding);
        (void)resources_.submit(std::move(task));
    }
    delete_log(add.log);
}

void Conductor::submit_for_add(PendingAdd& add, std::unique_ptr<ResourceTask> task) {
    add.task_id = resources_.submit(std::move(task));
}

Result<Conductor::Step> Conductor::step_add(Instant now, PendingAdd& add) {
    if (add.kind == PendingAdd::Kind::kSubscription) {
        if (add.params.session_id_tag) {
            return fail(ErrorCode::kInvalidChannel, "session-id=tag: is for publications");
        }
        if (subscriptions_.size() >= kSubscriptionsMax) {
            return fail(ErrorCode::kGeneric,
                "the driver holds its maximum of " + std::to_string(kSubscriptionsMax) + " subscriptions");
        }
        if (add.params.is_spy) {
            return step_spy(add);
        }
        if (add.params.is_ipc()) {
            create_subscription(add, nullptr);
            return Step::kDone;
        }
        return step_subscription(now, add);
    }
    if (add.kind == PendingAdd::Kind::kReceiveDestination) {
        return step_receive_destination(add);
    }
    if (add.kind == PendingAdd::Kind::kSendDestination) {
        return step_send_destination(add);
    }
    if (publications_.size() + ipc_publications_.size() >= kPublicationsMax) {
        return fail(ErrorCode::kGeneric,
            "the driver holds its maximum of " + std::to_string(kPublicationsMax) + " publications");
    }
    if (add.params.is_spy) {
        return fail(ErrorCode::kInvalidChannel, "aeron-spy: is for subscriptions");
    }
    return add.params.is_ipc() ? step_ipc_publication(now, add) : step_publication(now, add);
}

/// session-id=tag:<n> takes a publication for its model.
Status Conductor::adopt_tagged_session(PendingAdd& add) const {
    if (!add.params.session_id_tag) {
        return Done{};
    }
    for (const auto& publication : publications_) {
        const auto& tags = publication->params.tags;
        if (tags && tags->entity == add.params.session_id_tag) {
            add.params.session_id_tag.reset();
            add.params.session_id = publication->session_id;
            add.params.mtu = add.params.mtu.value_or(publication->mtu);
            add.params.term_length = add.params.term_length.value_or(publication->core->log().term_length());
            return Done{};
        }
    }
    return fail(ErrorCode::kInvalidChannel, "session-id=tag:" + std::to_string(*add.params.session_id_tag) +
                                                " names no network publication of this driver");
}

Result<Conductor::Step> Conductor::step_publication(Instant now, PendingAdd& add) {
    FULMAR_TRY_VOID(adopt_tagged_session(add));
    FULMAR_TRY(resolved, resolve_addresses(add));
    if (!resolved) {
        return Step::kWait;
    }
    const bool is_cast = add.params.is_multi_destination();
    FULMAR_TRY_VOID(check_response(add));
    if (add.params.control && !add.params.endpoint && add.params.control_mode == config::ControlMode::kNone) {
        return fail(ErrorCode::kInvalidChannel,
            "a publication's control address needs an endpoint or a control-mode beside it");
    }
    if (add.params.endpoint && add.address.port == 0 && !is_cast) {
        return fail(ErrorCode::kInvalidChannel, "a publication's endpoint needs a port other than 0");
    }
    SendChannelEndpoint* endpoint = nullptr;
    FULMAR_TRY(step, ensure_send_endpoint(add, endpoint));
    if (step == Step::kWait) {
        return Step::kWait;
    }
    if (!add.is_exclusive()) {
        if (NetworkPublicationState* shared = find_shareable(*endpoint, add)) {
            FULMAR_TRY_VOID(check_match(*shared, add, shared->core->log().term_length()));
            FULMAR_TRY_VOID(check_simulation(*shared, add));
            link_publication(add, shared, nullptr);
            return Step::kDone;
        }
    }
    FULMAR_TRY_VOID(choose_session(add, endpoint));
    FULMAR_TRY(created, create_publication_log(add, network_term_length(add)));
    if (!created) {
        return Step::kWait;
    }
    FULMAR_TRY_VOID(create_network_publication(now, add, *endpoint));
    return Step::kDone;
}

Result<Conductor::Step> Conductor::step_ipc_publication(Instant, PendingAdd& add) {
    FULMAR_TRY_VOID(adopt_tagged_session(add));
    if (!add.is_exclusive()) {
        if (IpcPublicationState* shared = find_shareable_ipc(add)) {
            FULMAR_TRY_VOID(check_match(*shared, add, shared->core->log().term_length()));
            link_publication(add, nullptr, shared);
            return Step::kDone;
        }
    }
    FULMAR_TRY_VOID(choose_session(add, nullptr));
    FULMAR_TRY(
        created, create_publication_log(add, add.params.term_length.value_or(options_.ipc_term_length)));
    if (!created) {
        return Step::kWait;
    }
    FULMAR_TRY_VOID(create_ipc_publication(add));
    return Step::kDone;
}

Result<Conductor::Step> Conductor::step_subscription(Instant, PendingAdd& add) {
    FULMAR_TRY(resolved, resolve_addresses(add));
    if (!resolved) {
        return Step::kWait;
    }
    if (add.params.control && add.control.port == 0) {
        return fail(ErrorCode::kInvalidChannel, "a receiver's control address needs a port other than 0");
    }
    ReceiveChannelEndpoint* endpoint = nullptr;
    FULMAR_TRY(step, ensure_receive_endpoint(add, endpoint));
    if (step == Step::kWait) {
        return Step::kWait;
    }
    FULMAR_TRY_VOID(check_subscription(add, *endpoint));
    create_subscription(add, endpoint);
    return Step::kDone;
}

Result<bool> Conductor::create_publication_log(PendingAdd& add, std::int32_t term_length) {
    if (add.log.mapping != nullptr) {
        return true;
    }
    if (add.params.initial_position && add.params.initial_position->term_offset > term_length) {
        return fail(ErrorCode::kInvalidChannel,
            "term-offset=" + std::to_string(add.params.initial_position->term_offset) +
                " is beyond term-length=" + std::to_string(term_length));
    }
    auto task = std::make_unique<ResourceTask>();
    task->kind = ResourceTask::Kind::kCreateLog;
    task->path = log_path("publications", add.correlation_id);
    task->length = layout::log_file_length(term_length, options_.log_page_size);
    task->check_space = options_.check_storage;
    task->low_space = options_.low_storage_warning;
    task->reserve = !add.params.sparse.value_or(options_.sparse_terms);
    submit_for_add(add, std::move(task));
    return false;
}

}  // namespace fulmar::agent

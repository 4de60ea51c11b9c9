#include "agent/resource.h"

#include <utility>

#include "base/assert.h"

namespace fulmar::agent {

int Resource::poll(Instant) {
    ResourceTask* task = nullptr;
    if (!context_.requests->try_pop(task)) {
        return 0;
    }
    execute(*task);
    const bool pushed = context_.results->try_push(task);
    FULMAR_ASSERT(pushed, "the conductor bounds outstanding tasks by the queue");
    return 1;
}

void Resource::execute(ResourceTask& task) {
    switch (task.kind) {
        case ResourceTask::Kind::kResolve: resolve(task); break;
        case ResourceTask::Kind::kFindInterface: find_interface(task); break;
        case ResourceTask::Kind::kOpenBinding: open_binding(task); break;
        case ResourceTask::Kind::kCloseBinding: task.binding.reset(); break;
        case ResourceTask::Kind::kCreateLog: create_log(task); break;
        case ResourceTask::Kind::kDeleteLog: delete_log(task); break;
    }
}

void Resource::resolve(ResourceTask& task) {
    if (const auto literal = port::parse_ip(task.host)) {
        task.address = *literal;
        return;
    }
    if (context_.resolver == nullptr) {
        task.error = Error{ErrorCode::kUnknownHost, "cannot resolve '" + task.host + "': no resolver"};
        return;
    }
    auto resolved = context_.resolver->resolve(task.host);
    if (resolved) {
        task.address = *resolved;
    } else {
        task.error = std::move(resolved).error();
    }
}

void Resource::find_interface(ResourceTask& task) {
    if (context_.resolver == nullptr) {
        task.error = Error{ErrorCode::kInvalidChannel, "cannot look for an interface: no resolver"};
        return;
    }
    auto found = context_.resolver->find_interface(task.interface);
    if (found) {
        task.address = *found;
    } else {
        task.error = std::move(found).error();
    }
}

void Resource::open_binding(ResourceTask& task) {
    auto opened = task.port->open(task.bind);
    if (opened) {
        task.binding = std::move(opened).value();
    } else {
        task.error = std::move(opened).error();
    }
}

void Resource::create_log(ResourceTask& task) {
    const std::int64_t usable = context_.memory->usable_space(task.path);
    if (task.check_space && usable < task.length) {
        task.error = Error{ErrorCode::kStorageSpace, "insufficient space for " + task.path + ": " +
                                                         std::to_string(task.length) + " bytes needed, " +
                                                         std::to_string(usable) + " usable"};
        return;
    }
    task.space_is_low = usable - task.length < task.low_space;
    auto created = context_.memory->create(task.path, task.length, task.reserve);
    if (created) {
        task.mapping = std::move(created).value();
    } else {
        task.error = std::move(created).error();
    }
}

void Resource::delete_log(ResourceTask& task) {
    task.mapping.reset();
    auto removed = context_.memory->remove(task.path);
    if (!removed) {
        task.error = std::move(removed).error();
    }
}

ResourceClient::~ResourceClient() {
    // Both agents have stopped; what lies in the queues is ours.
    ResourceTask* task = nullptr;
    while (requests_->try_pop(task)) {
        delete task;
    }
    while (results_->try_pop(task)) {
        delete task;
    }
}

std::uint64_t ResourceClient::submit(std::unique_ptr<ResourceTask> task) {
    task->id = next_id_++;
    const std::uint64_t id = task->id;
    waiting_.push_back(std::move(task));
    push_waiting();
    return id;
}

void ResourceClient::push_waiting() {
    while (!waiting_.empty() && outstanding_ < kResourceQueueCapacity) {
        if (!requests_->try_push(waiting_.front().get())) {
            return;
        }
        (void)waiting_.front().release();
        waiting_.pop_front();
        ++outstanding_;
    }
}

std::unique_ptr<ResourceTask> ResourceClient::next_result() {
    ResourceTask* task = nullptr;
    if (outstanding_ == 0 || !results_->try_pop(task)) {
        return nullptr;
    }
    --outstanding_;
    push_waiting();
    return std::unique_ptr<ResourceTask>(task);
}

}  // namespace fulmar::agent

// The parts of the handles that talk to the conductor; what is hot is inline in their headers.
#include "client/conductor.h"

namespace fulmar {

namespace client {

void PublicationBase::close_with_flags(std::uint64_t flags) {
    mark_closed();
    init_.conductor->remove_publication(*this, flags);
}

std::int64_t PublicationBase::channel_status() const {
    return init_.conductor->channel_status(init_.channel_status_id);
}

std::vector<std::string> PublicationBase::local_socket_addresses() const {
    return init_.conductor->local_socket_addresses(init_.channel_status_id);
}

namespace {

/// Waits for an operation that has been asked for.
Status await_operation(Conductor& conductor, std::int64_t id) {
    auto outcome = conductor.await(id, RequestKind::kOperation);
    if (!outcome) {
        return Unexpected{std::move(outcome).error()};
    }
    return Done{};
}

Result<std::int64_t> destination(
    Conductor& conductor, layout::CommandType type, std::int64_t resource_id, const std::string& channel) {
    FULMAR_TRY_VOID(conductor.check_may_wait());
    FULMAR_TRY(id, conductor.send_destination(type, resource_id, channel));
    FULMAR_TRY_VOID(await_operation(conductor, id));
    return id;
}

Status done(const Result<std::int64_t>& id) {
    if (!id) {
        return Unexpected{id.error()};
    }
    return Done{};
}

}  // namespace

Result<std::int64_t> PublicationBase::async_close() {
    return init_.conductor->remove_publication_tracked(*this);
}

Status PublicationBase::close_and_wait() {
    FULMAR_TRY_VOID(init_.conductor->check_may_wait());
    FULMAR_TRY(id, async_close());
    return await_operation(*init_.conductor, id);
}

Result<std::int64_t> PublicationBase::async_add_destination(const std::string& destination_channel) {
    return init_.conductor->send_destination(
        layout::CommandType::kAddDestination, init_.original_registration_id, destination_channel);
}

Result<std::int64_t> PublicationBase::async_remove_destination(const std::string& destination_channel) {
    return init_.conductor->send_destination(
        layout::CommandType::kRemoveDestination, init_.original_registration_id, destination_channel);
}

Result<std::int64_t> PublicationBase::async_remove_destination(std::int64_t destination_id) {
    return init_.conductor->remove_destination_by_id(init_.original_registration_id, destination_id);
}

Result<std::int64_t> PublicationBase::add_destination(const std::string& destination_channel) {
    return destination(*init_.conductor, layout::CommandType::kAddDestination, init_.original_registration_id,
        destination_channel);
}

Status PublicationBase::remove_destination(const std::string& destination_channel) {
    return done(destination(*init_.conductor, layout::CommandType::kRemoveDestination,
        init_.original_registration_id, destination_channel));
}

Status PublicationBase::remove_destination(std::int64_t destination_id) {
    FULMAR_TRY_VOID(init_.conductor->check_may_wait());
    FULMAR_TRY(id, async_remove_destination(destination_id));
    return await_operation(*init_.conductor, id);
}

}  // namespace client

void Counter::close() {
    mark_closed();
    if (!is_static()) {
        init_.conductor->remove_counter(*this);
    }
}

void Subscription::close() {
    init_.conductor->remove_subscription(*this);
}

Result<std::int64_t> Subscription::async_close() {
    return init_.conductor->remove_subscription_tracked(*this);
}

Status Subscription::close_and_wait() {
    FULMAR_TRY_VOID(init_.conductor->check_may_wait());
    FULMAR_TRY(id, async_close());
    return client::await_operation(*init_.conductor, id);
}

bool Subscription::is_connected() const {
    for (const Image* image : images()) {
        if (!image->is_closed()) {
            return true;
        }
    }
    return false;
}

Image* Subscription::image_by_session_id(std::int32_t session_id) const {
    for (Image* image : images()) {
        if (image->session_id() == session_id) {
            return image;
        }
    }
    return nullptr;
}

std::int64_t Subscription::channel_status() const {
    return init_.conductor->channel_status(init_.channel_status_id);
}

std::vector<std::string> Subscription::local_socket_addresses() const {
    return init_.conductor->local_socket_addresses(init_.channel_status_id);
}

Result<std::int64_t> Subscription::async_add_destination(const std::string& destination_channel) {
    return init_.conductor->send_destination(
        layout::CommandType::kAddReceiveDestination, init_.registration_id, destination_channel);
}

Result<std::int64_t> Subscription::async_remove_destination(const std::string& destination_channel) {
    return init_.conductor->send_destination(
        layout::CommandType::kRemoveReceiveDestination, init_.registration_id, destination_channel);
}

Result<std::int64_t> Subscription::add_destination(const std::string& destination_channel) {
    return client::destination(*init_.conductor, layout::CommandType::kAddReceiveDestination,
        init_.registration_id, destination_channel);
}

Status Subscription::remove_destination(const std::string& destination_channel) {
    return client::done(client::destination(*init_.conductor, layout::CommandType::kRemoveReceiveDestination,
        init_.registration_id, destination_channel));
}

}  // namespace fulmar

// Connecting, waiting and ending; the requests themselves are in the other client_*.cc.
#include "archive_client/asking.h"
#include "archive_client/connector.h"
#include "fulmar/archive_client.h"
#include "fulmar/idle.h"

namespace fulmar {

using archive_client::Connector;
using archive_client::Session;

AsyncArchiveConnect::AsyncArchiveConnect(std::unique_ptr<Connector> connector)
    : connector_(std::move(connector)) {}
AsyncArchiveConnect::~AsyncArchiveConnect() = default;

ArchiveResult<std::unique_ptr<ArchiveClient>> AsyncArchiveConnect::poll() {
    FULMAR_TRY(session, connector_->poll());
    if (session == nullptr) {
        return std::unique_ptr<ArchiveClient>();
    }
    auto archive = std::make_unique<ArchiveClient>(std::move(session));
    // The first sign of life tells the archive that its response has come.
    FULMAR_TRY_VOID(archive->keep_alive());
    return archive;
}

std::string_view AsyncArchiveConnect::step() const {
    return connector_->step();
}

ArchiveResult<std::unique_ptr<AsyncArchiveConnect>> ArchiveClient::async_connect(
    Client& client, ArchiveClientOptions options) {
    FULMAR_TRY(connector, Connector::create(client, std::move(options)));
    return std::make_unique<AsyncArchiveConnect>(std::move(connector));
}

ArchiveResult<std::unique_ptr<ArchiveClient>> ArchiveClient::connect(
    Client& client, ArchiveClientOptions options) {
    FULMAR_TRY_VOID(client.check_may_wait());
    FULMAR_TRY(connecting, async_connect(client, std::move(options)));
    BackoffIdle idle;
    for (;;) {
        FULMAR_TRY(archive, connecting->poll());
        if (archive != nullptr) {
            return archive;
        }
        if (!client.wait_step()) {
            idle.idle(0);
        }
    }
}

ArchiveClient::ArchiveClient(std::unique_ptr<Session> session) : session_(std::move(session)) {}
ArchiveClient::~ArchiveClient() = default;

int ArchiveClient::poll() {
    return session_->poll();
}

ArchiveResult<std::optional<std::int64_t>> ArchiveClient::find_response(std::int64_t correlation_id) {
    return session_->find(correlation_id);
}

void ArchiveClient::cancel(std::int64_t correlation_id) {
    session_->cancel(correlation_id);
}

ArchiveResult<std::int64_t> ArchiveClient::await_response(std::int64_t correlation_id) {
    FULMAR_TRY_VOID(session_->check_may_wait());
    for (;;) {
        FULMAR_TRY(outcome, session_->find(correlation_id));
        if (outcome) {
            return *outcome;
        }
        session_->wait_step();
    }
}

ArchiveResult<std::int64_t> ArchiveClient::await(ArchiveResult<std::int64_t> correlation_id) {
    FULMAR_TRY(id, std::move(correlation_id));
    return await_response(id);
}

ArchiveStatus ArchiveClient::await_done(ArchiveResult<std::int64_t> correlation_id) {
    FULMAR_TRY_VOID(await(std::move(correlation_id)));
    return Done{};
}

bool ArchiveClient::is_connected() const {
    return session_->is_connected();
}

void ArchiveClient::close() {
    session_->close();
}

Client& ArchiveClient::client() const {
    return session_->client();
}

const ArchiveClientOptions& ArchiveClient::options() const {
    return session_->init().options;
}

std::int64_t ArchiveClient::control_session_id() const {
    return session_->init().control_session_id;
}

std::int64_t ArchiveClient::archive_id() const {
    return session_->init().archive_id;
}

std::int32_t ArchiveClient::protocol_version() const {
    return session_->init().protocol_version;
}

ArchiveStatus ArchiveClient::keep_alive() {
    return session_->tell<archive::KeepAliveRequest>(
        [](auto& message) { message.template set<"correlationId">(-1); });
}

ArchiveResult<std::int64_t> ArchiveClient::async_archive_id() {
    return session_->ask<archive::ArchiveIdRequest>("archive id", [](auto&) {});
}

std::int64_t segment_file_base_position(std::int64_t start_position, std::int64_t position,
    std::int32_t term_length, std::int32_t segment_file_length) {
    const std::int64_t start_of_first_term = start_position - start_position % term_length;
    return position - (position - start_of_first_term) % segment_file_length;
}

}  // namespace fulmar

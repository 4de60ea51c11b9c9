#include "fulmar/client.h"

#include "client/conductor.h"
#include "client/runner.h"

namespace fulmar {

using client::Conductor;
using client::Outcome;
using client::RequestKind;

namespace {

/// The handle in an outcome; null while there is none.
template <class T>
Result<std::unique_ptr<T>> handle_of(Result<Outcome> outcome) {
    if (!outcome) {
        return Unexpected{std::move(outcome).error()};
    }
    auto* handle = std::get_if<std::unique_ptr<T>>(&*outcome);
    return handle == nullptr ? nullptr : std::move(*handle);
}

Result<std::optional<std::int32_t>> session_id_of(Result<Outcome> outcome) {
    if (!outcome) {
        return Unexpected{std::move(outcome).error()};
    }
    const auto* id = std::get_if<std::int32_t>(&*outcome);
    return id == nullptr ? std::nullopt : std::optional(*id);
}

}  // namespace

Result<std::unique_ptr<Client>> Client::try_connect(ClientOptions options, ClientPorts ports) {
    options.own_thread = false;
    FULMAR_TRY(conductor, Conductor::connect(std::move(options), ports));
    return std::make_unique<Client>(std::move(conductor), nullptr);
}

Result<std::unique_ptr<Client>> Client::connect(ClientOptions options, ClientPorts ports) {
    options.own_thread = false;
    FULMAR_TRY(conductor, Conductor::await_driver(options, ports));
    return std::make_unique<Client>(std::move(conductor), nullptr);
}

Client::Client(std::shared_ptr<Conductor> conductor, std::unique_ptr<client::Runner> runner)
    : conductor_(std::move(conductor)), runner_(std::move(runner)) {}

Client::~Client() {
    close();
    runner_.reset();
}

int Client::poll(Instant now) {
    return runner_ == nullptr ? conductor_->poll(now) : 0;
}

int Client::poll() {
    return runner_ == nullptr ? conductor_->poll() : 0;
}

Result<std::unique_ptr<Publication>> Client::add_publication(
    const std::string& channel, std::int32_t stream_id) {
    FULMAR_TRY_VOID(conductor_->check_may_wait());
    FULMAR_TRY(id, async_add_publication(channel, stream_id));
    return handle_of<Publication>(conductor_->await(id, RequestKind::kPublication));
}

Result<std::unique_ptr<ExclusivePublication>> Client::add_exclusive_publication(
    const std::string& channel, std::int32_t stream_id) {
    FULMAR_TRY_VOID(conductor_->check_may_wait());
    FULMAR_TRY(id, async_add_exclusive_publication(channel, stream_id));
    return handle_of<ExclusivePublication>(conductor_->await(id, RequestKind::kExclusivePublication));
}

Result<std::unique_ptr<Subscription>> Client::add_subscription(
    const std::string& channel, std::int32_t stream_id, SubscriptionHandlers handlers) {
    FULMAR_TRY_VOID(conductor_->check_may_wait());
    FULMAR_TRY(id, async_add_subscription(channel, stream_id, std::move(handlers)));
    return handle_of<Subscription>(conductor_->await(id, RequestKind::kSubscription));
}

Result<std::unique_ptr<Counter>> Client::add_counter(const CounterSpec& spec) {
    FULMAR_TRY_VOID(conductor_->check_may_wait());
    FULMAR_TRY(id, async_add_counter(spec));
    return handle_of<Counter>(conductor_->await(id, RequestKind::kCounter));
}

Result<std::unique_ptr<Counter>> Client::add_static_counter(
    const CounterSpec& spec, std::int64_t registration_id) {
    FULMAR_TRY_VOID(conductor_->check_may_wait());
    FULMAR_TRY(id, async_add_static_counter(spec, registration_id));
    return handle_of<Counter>(conductor_->await(id, RequestKind::kStaticCounter));
}

Result<std::int32_t> Client::next_available_session_id(std::int32_t stream_id) {
    FULMAR_TRY_VOID(conductor_->check_may_wait());
    FULMAR_TRY(id, async_next_available_session_id(stream_id));
    FULMAR_TRY(session_id, session_id_of(conductor_->await(id, RequestKind::kSessionId)));
    return session_id.value_or(0);
}

Result<std::int64_t> Client::async_add_publication(const std::string& channel, std::int32_t stream_id) {
    return conductor_->add_publication(channel, stream_id, RequestKind::kPublication);
}

Result<std::int64_t> Client::async_add_exclusive_publication(
    const std::string& channel, std::int32_t stream_id) {
    return conductor_->add_publication(channel, stream_id, RequestKind::kExclusivePublication);
}

Result<std::int64_t> Client::async_add_subscription(
    const std::string& channel, std::int32_t stream_id, SubscriptionHandlers handlers) {
    return conductor_->add_subscription(channel, stream_id, std::move(handlers));
}

Result<std::int64_t> Client::async_add_counter(const CounterSpec& spec) {
    return conductor_->add_counter(spec);
}

Result<std::int64_t> Client::async_add_static_counter(const CounterSpec& spec, std::int64_t registration_id) {
    return conductor_->add_static_counter(spec, registration_id);
}

Result<std::int64_t> Client::async_next_available_session_id(std::int32_t stream_id) {
    return conductor_->request_session_id(stream_id);
}

Result<std::unique_ptr<Publication>> Client::find_publication(std::int64_t id) {
    return handle_of<Publication>(conductor_->take(id, RequestKind::kPublication));
}

Result<std::unique_ptr<ExclusivePublication>> Client::find_exclusive_publication(std::int64_t id) {
    return handle_of<ExclusivePublication>(conductor_->take(id, RequestKind::kExclusivePublication));
}

Result<std::unique_ptr<Subscription>> Client::find_subscription(std::int64_t id) {
    return handle_of<Subscription>(conductor_->take(id, RequestKind::kSubscription));
}

Result<std::unique_ptr<Counter>> Client::find_counter(std::int64_t id) {
    return handle_of<Counter>(conductor_->take(id, RequestKind::kCounter));
}

Result<std::optional<std::int32_t>> Client::find_session_id(std::int64_t id) {
    return session_id_of(conductor_->take(id, RequestKind::kSessionId));
}

Result<bool> Client::find_operation(std::int64_t id) {
    auto outcome = conductor_->take(id, RequestKind::kOperation);
    if (!outcome) {
        return Unexpected{std::move(outcome).error()};
    }
    return std::holds_alternative<Done>(*outcome);
}

void Client::cancel(std::int64_t id) {
    conductor_->cancel(id);
}

Status Client::check_may_wait() const {
    return conductor_->check_may_wait();
}

bool Client::wait_step() {
    return conductor_->wait_step();
}

std::int64_t Client::client_id() const {
    return conductor_->client_id();
}

const std::string& Client::dir() const {
    return conductor_->options().dir;
}

CountersReader Client::counters() const {
    return conductor_->counters();
}

std::int64_t Client::next_correlation_id() {
    return conductor_->next_correlation_id();
}

Instant Client::now() const {
    return conductor_->now();
}

bool Client::is_closed() const {
    return conductor_->is_closed();
}

std::optional<Error> Client::terminal_error() const {
    return conductor_->terminal_error();
}

void Client::close() {
    conductor_->close();
}

}  // namespace fulmar

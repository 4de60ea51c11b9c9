/// The client of a media driver, ours or a stock Aeron one: connects through the driver's directory and makes
/// publications, subscriptions and counters.
/// threads: with a thread of its own, every function from any thread, and handlers run on that thread;
/// polled, everything from the one thread that polls. Handlers may use the async_ functions, not those that
/// wait. source: Aeron control protocol.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "fulmar/counter.h"
#include "fulmar/counters_reader.h"
#include "fulmar/exclusive_publication.h"
#include "fulmar/image.h"
#include "fulmar/publication.h"
#include "fulmar/result.h"
#include "fulmar/subscription.h"
#include "fulmar/time.h"

namespace fulmar {

namespace port {
class MemoryMap;
class Clock;
}  // namespace port

namespace client {
class Conductor;
class Runner;
}  // namespace client

/// A receiver refused one of our publications.
struct PublicationErrorInfo {
    std::int64_t registration_id = 0;
    std::int64_t destination_registration_id = -1;
    std::int32_t session_id = 0;
    std::int32_t stream_id = 0;
    std::int64_t receiver_id = 0;
    std::int64_t group_tag = -1;
    std::string source_address;  ///< `address:port` of the receiver
    Error error;
};

using ImageHandler = std::function<void(Image&)>;
using ErrorHandler = std::function<void(const Error&)>;
/// registration_id, counter_id
using CounterHandler = std::function<void(std::int64_t, std::int32_t)>;

struct ClientOptions {
    /// The driver's directory. Empty: FULMAR_DIR, else AERON_DIR, else /dev/shm/aeron-<user>.
    std::string dir;
    /// Shown by tools beside this client's heartbeat; at most 100 characters.
    std::string name;
    /// How long to wait for the driver: to appear, to answer, to show life.
    Duration driver_timeout = seconds(10);
    Duration keepalive_interval = milliseconds(500);
    /// How long an image that ended stays readable to who holds a pointer to it.
    Duration resource_linger = seconds(3);
    /// A conductor thread of our own; else the application calls Client::poll.
    bool own_thread = true;
    /// Longest pause of that thread between rounds without work.
    Duration idle_max = milliseconds(1);
    /// Touch each page of a log when it is mapped, instead of on first use.
    bool pre_touch = false;

    ErrorHandler on_error;  ///< also told why the client ended; default: nobody hears it
    ImageHandler on_available_image;
    ImageHandler on_unavailable_image;
    CounterHandler on_available_counter;
    CounterHandler on_unavailable_counter;
    std::function<void(const PublicationErrorInfo&)> on_publication_error;
    std::function<void()> on_close;
    /// Polled mode: called while a waiting function waits, and must let time pass (an inline driver polls
    /// here, a simulation advances its clock). Default: nothing, the wait spins.
    std::function<void()> on_wait;
};

/// Instead of the client-wide handlers, for one subscription.
struct SubscriptionHandlers {
    ImageHandler on_available_image;
    ImageHandler on_unavailable_image;
};

struct CounterSpec {
    std::int32_t type_id = 0;
    std::span<const std::byte> key;
    std::string_view label;
};

/// What a client stands on. Both outlive the client.
struct ClientPorts {
    port::MemoryMap* memory_map = nullptr;
    port::Clock* clock = nullptr;
};

/// FULMAR_DIR, else AERON_DIR, else /dev/shm/aeron-<user>.  (drivers/client_runtime)
[[nodiscard]] std::string default_directory();

/// Closing (or destroying) it closes all it made; handles that live on answer "closed".
class Client {
  public:
    /// Real files, real clock, and the thread that options ask for. Waits for a driver up to driver_timeout.
    /// errors: kGeneric, no driver in time or one of another protocol, one line with the directory.
    /// (drivers/client_runtime)
    static Result<std::unique_ptr<Client>> connect(ClientOptions options);
    /// The same on ports given by the caller; always polled, own_thread is ignored.
    static Result<std::unique_ptr<Client>> connect(ClientOptions options, ClientPorts ports);
    /// One attempt, no waiting.  errors: kResourceTemporarilyUnavailable when it is worth trying again.
    static Result<std::unique_ptr<Client>> try_connect(ClientOptions options, ClientPorts ports);

    Client(std::shared_ptr<client::Conductor> conductor, std::unique_ptr<client::Runner> runner);
    ~Client();
    Client(const Client&) = delete;
    Client& operator=(const Client&) = delete;

    /// Polled mode: events, keepalives, timeouts. Often enough means: several times per keepalive interval,
    /// and before the driver's broadcast buffer can lap us. Returns work done.
    int poll(Instant now);
    /// The same, reading the clock.
    int poll();

    /// Waiting forms: ask, and wait for the answer up to driver_timeout.
    /// errors: what the driver said; kResourceTemporarilyUnavailable may be tried again; kGeneric on
    /// time-out, closed client, or when called from a handler.
    [[nodiscard]] Result<std::unique_ptr<Publication>> add_publication(
        const std::string& channel, std::int32_t stream_id);
    [[nodiscard]] Result<std::unique_ptr<ExclusivePublication>> add_exclusive_publication(
        const std::string& channel, std::int32_t stream_id);
    [[nodiscard]] Result<std::unique_ptr<Subscription>> add_subscription(
        const std::string& channel, std::int32_t stream_id, SubscriptionHandlers handlers = {});
    [[nodiscard]] Result<std::unique_ptr<Counter>> add_counter(const CounterSpec& spec);
    /// Outlives this client; a second add with the same type and registration finds the first.
    [[nodiscard]] Result<std::unique_ptr<Counter>> add_static_counter(
        const CounterSpec& spec, std::int64_t registration_id);
    /// A session id no publication on this driver uses now.
    [[nodiscard]] Result<std::int32_t> next_available_session_id(std::int32_t stream_id);

    /// Async forms: ask, get an id, look for the outcome with find_ of the same kind while the client is
    /// polled. find_ answers null (or nullopt) until there is one; what it gives out or reports it forgets.
    [[nodiscard]] Result<std::int64_t> async_add_publication(
        const std::string& channel, std::int32_t stream_id);
    [[nodiscard]] Result<std::int64_t> async_add_exclusive_publication(
        const std::string& channel, std::int32_t stream_id);
    [[nodiscard]] Result<std::int64_t> async_add_subscription(
        const std::string& channel, std::int32_t stream_id, SubscriptionHandlers handlers = {});
    [[nodiscard]] Result<std::int64_t> async_add_counter(const CounterSpec& spec);
    [[nodiscard]] Result<std::int64_t> async_add_static_counter(
        const CounterSpec& spec, std::int64_t registration_id);
    [[nodiscard]] Result<std::int64_t> async_next_available_session_id(std::int32_t stream_id);

    [[nodiscard]] Result<std::unique_ptr<Publication>> find_publication(std::int64_t id);
    [[nodiscard]] Result<std::unique_ptr<ExclusivePublication>> find_exclusive_publication(std::int64_t id);
    [[nodiscard]] Result<std::unique_ptr<Subscription>> find_subscription(std::int64_t id);
    [[nodiscard]] Result<std::unique_ptr<Counter>> find_counter(std::int64_t id);
    [[nodiscard]] Result<std::optional<std::int32_t>> find_session_id(std::int64_t id);
    /// Of destinations: true once the driver has done it.
    [[nodiscard]] Result<bool> find_operation(std::int64_t id);
    /// No longer interested; what the driver may yet make for it is removed again.
    void cancel(std::int64_t id);

    /// For libraries that wait for somebody else by this client's means. errors: kGeneric from a handler.
    [[nodiscard]] Status check_may_wait() const;
    /// Polled mode: one round of a wait, which polls and runs on_wait; true. With a thread of its own: false,
    /// and nothing is done.
    bool wait_step();

    [[nodiscard]] std::int64_t client_id() const;
    [[nodiscard]] const std::string& dir() const;
    [[nodiscard]] CountersReader counters() const;
    /// Unique among all clients of the driver, and never an id the driver gives out.
    [[nodiscard]] std::int64_t next_correlation_id();
    /// The clock this client lives by.
    [[nodiscard]] Instant now() const;

    [[nodiscard]] bool is_closed() const;
    /// Why the client ended by itself; nothing while it runs or when it was closed by its owner.
    [[nodiscard]] std::optional<Error> terminal_error() const;
    /// Idempotent. Handles answer "closed" afterwards; their logs stay mapped until they go away.
    void close();

  private:
    std::shared_ptr<client::Conductor> conductor_;
    std::unique_ptr<client::Runner> runner_;
};

/// Asks the driver that owns `dir` to end; it does if it accepts the token.
/// errors: kGeneric when there is no such driver or its command ring is full.  (drivers/client_runtime)
[[nodiscard]] Status request_driver_termination(
    const std::string& dir, std::span<const std::byte> token = {});

}  // namespace fulmar

/// The client's side of the control protocol: sends commands, turns events into handles, keeps the client
/// alive in the driver's eyes, and ends everything when one of the two is gone.
///
/// Ownership: the application owns the handles; each keeps this object alive, and this object knows them by
/// address until they are closed. It also keeps what a handle left behind for the resource linger.
/// threads: any, by a lock that is taken unless the client is polled. Handlers run with the lock held (it is
/// recursive), so after a close() no handler of the closed thing runs any more.
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "client/driver_link.h"
#include "client/heartbeat.h"
#include "client/log_mappings.h"
#include "client/pending.h"
#include "fulmar/client.h"
#include "layout/events.h"
#include "port/clock.h"

namespace fulmar::client {

class Conductor : public std::enable_shared_from_this<Conductor> {
  public:
    /// Requests without an outcome, or with one nobody fetched.
    static constexpr std::size_t kPendingMax = 16 * 1024;
    /// Requests that timed out or were cancelled and may yet be answered.
    static constexpr std::size_t kAbandonedMax = 1024;
    /// Events handled in one poll.
    static constexpr int kEventsPerPollMax = 64;

    /// One attempt. errors: as DriverLink::open.
    static Result<std::shared_ptr<Conductor>> connect(ClientOptions options, ClientPorts ports);
    /// Tries until there is a driver or driver_timeout has passed; on_wait runs between attempts.
    static Result<std::shared_ptr<Conductor>> await_driver(const ClientOptions& options, ClientPorts ports);
    Conductor(ClientOptions options, ClientPorts ports, DriverLink link);
    ~Conductor();

    int poll(Instant now);
    int poll() { return poll(ports_.clock->now()); }
    void close();

    // Requests; each answers the id to find the outcome by.
    Result<std::int64_t> add_publication(
        const std::string& channel, std::int32_t stream_id, RequestKind kind);
    Result<std::int64_t> add_subscription(
        const std::string& channel, std::int32_t stream_id, SubscriptionHandlers handlers);
    Result<std::int64_t> add_counter(const CounterSpec& spec);
    Result<std::int64_t> add_static_counter(const CounterSpec& spec, std::int64_t registration_id);
    Result<std::int64_t> request_session_id(std::int32_t stream_id);
    Result<std::int64_t> send_destination(
        layout::CommandType type, std::int64_t resource_id, const std::string& channel);
    Result<std::int64_t> remove_destination_by_id(std::int64_t resource_id, std::int64_t destination_id);
    Status reject_image(const Image& image, std::string_view reason);

    /// Takes an outcome out; monostate while there is none.
    Result<Outcome> take(std::int64_t id, RequestKind kind);
    /// errors: kGeneric when called from a handler, which must not wait for itself.
    [[nodiscard]] Status check_may_wait();
    /// Polls, or waits for the thread that does, until there is an outcome; never monostate.
    Result<Outcome> await(std::int64_t id, RequestKind kind);
    /// See Client::wait_step.
    bool wait_step();
    void cancel(std::int64_t id);

    // What handles call when they are closed; the second form is for who wants to know when the driver has
    // done it, by the id.
    void remove_publication(PublicationBase& publication, std::uint64_t flags);
    void remove_subscription(Subscription& subscription);
    void remove_counter(Counter& counter);
    Result<std::int64_t> remove_publication_tracked(PublicationBase& publication);
    Result<std::int64_t> remove_subscription_tracked(Subscription& subscription);

    [[nodiscard]] bool is_closed() const { return closed_.load(std::memory_order_acquire); }
    [[nodiscard]] std::optional<Error> terminal_error();
    [[nodiscard]] std::int64_t client_id() const { return client_id_; }
    [[nodiscard]] const ClientOptions& options() const { return options_; }
    [[nodiscard]] const CountersReader& counters() const { return link_.counters(); }
    [[nodiscard]] std::int64_t next_correlation_id() { return link_.next_correlation_id(); }
    [[nodiscard]] Instant now() const { return ports_.clock->now(); }
    [[nodiscard]] std::int64_t channel_status(std::int32_t counter_id) const;
    [[nodiscard]] std::vector<std::string> local_socket_addresses(std::int32_t channel_status_id) const;

  private:
    struct OpenSubscription {
        Subscription* subscription = nullptr;
        SubscriptionHandlers handlers;
    };
    struct Removal {
        layout::CommandType type;
        std::int64_t registration_id;
        std::uint64_t flags;
    };
    struct Lingering {
        std::vector<std::unique_ptr<Image>> images;
        Instant free_after;
    };
    /// The lock, unless nobody else is there.
    class Guard;
    /// Marks that an application's handler runs.
    class HandlerScope;

    // conductor_requests.cc
    template <class Command>
    Result<std::int64_t> request(layout::CommandType type, Command command, Pending pending);
    [[nodiscard]] Status check_may_request(std::string_view channel) const;
    /// False when it was closed before.
    bool forget(PublicationBase& publication);
    bool forget(Subscription& subscription);
    void send_removal(const Removal& removal);
    void retry_removals();
    void abandon(std::int64_t id, RequestKind kind);
    /// The driver answered a request nobody waits for any more: what it made is removed.
    void undo_if_abandoned(std::int64_t correlation_id);

    // conductor_events.cc
    void on_event(const ring::BroadcastMessage& message);
    template <class Event, class Handle>
    void decode_and(std::span<const std::byte> body, Handle&& handle);
    void on_client_timeout(const layout::ClientTimeout& event);
    void on_error(const layout::ErrorEvent& event);
    void on_channel_error(std::int32_t channel_status_id, const std::string& message);
    void on_publication_ready(const layout::PublicationReady& event, RequestKind kind);
    void on_subscription_ready(const layout::SubscriptionReady& event);
    void on_available_image(const layout::AvailableImage& event);
    void on_unavailable_image(const layout::UnavailableImage& event);
    void on_operation_success(const layout::OperationSuccess& event);
    void on_counter_ready(const layout::CounterEvent& event);
    void on_static_counter(const layout::CounterEvent& event);
    void on_unavailable_counter(const layout::CounterEvent& event);
    void on_publication_error(const layout::PublicationError& event);
    void on_next_session_id(const layout::NextAvailableSessionId& event);
    [[nodiscard]] Pending* waiting(std::int64_t correlation_id, RequestKind kind);
    [[nodiscard]] Result<PublicationInit> publication_init(
        const layout::PublicationReady& event, const Pending& pending);
    [[nodiscard]] Result<std::unique_ptr<Image>> make_image(const layout::AvailableImage& event);

    // conductor.cc
    int receive_events();
    void on_timer(Instant now);
    int time_out_requests(Instant now);
    void reclaim(Instant now);
    void terminate(Error error);
    void close_all();
    void close_images(std::int64_t subscription_registration_id, Instant now);
    void report(const Error& error);
    void tell_available(const SubscriptionHandlers& handlers, Image& image);
    void tell_unavailable(const SubscriptionHandlers& handlers, Image& image);
    void signal_progress();

    ClientOptions options_;
    ClientPorts ports_;
    DriverLink link_;
    LogMappings logs_;
    std::int64_t client_id_;
    Heartbeat heartbeat_;
    std::recursive_mutex mutex_;
    int handler_depth_ = 0;

    std::map<std::int64_t, Pending> pending_;
    std::map<std::int64_t, RequestKind> abandoned_;
    std::map<std::int64_t, PublicationBase*> publications_;
    std::map<std::int64_t, OpenSubscription> subscriptions_;
    std::map<std::int64_t, Counter*> counters_;
    std::vector<Removal> unsent_removals_;
    std::vector<Lingering> lingering_;

    Instant last_poll_;
    Instant next_timer_;
    std::optional<Error> terminal_error_;
    // SYNC(client.closed): release when everything was marked closed, acquire in is_closed.
    std::atomic<bool> closed_{false};
    // SYNC(client.progress): release after an outcome was stored, acquire by who waits for one.
    std::atomic<std::uint32_t> progress_{0};
};

}  // namespace fulmar::client

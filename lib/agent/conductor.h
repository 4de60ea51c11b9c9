/// The conductor agent: executes clients' commands, creates and ends publications and images, moves publisher
/// limits, and notices who is gone.
///
/// Commands run one at a time; one that needs a name resolved, a socket or a log file waits for the
/// resource agent while publications and images are served on. Sources are split by subject:
/// conductor.cc (duty cycle, timers), _commands (decoding), _add (the steps of an add), _endpoints,
/// _receive_destinations, _send_destinations, _publications (what both kinds share), _network_publications,
/// _ipc, _subscriptions, _untethered, _spies, _responses, _images, _image_links, _clients (clients and
/// counters). threads: one; the other agents are reached by queues.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "agent/agent_commands.h"
#include "agent/client_events.h"
#include "agent/driver_errors.h"
#include "agent/driver_options.h"
#include "agent/driver_state.h"
#include "agent/loss_bridge.h"
#include "agent/outbox.h"
#include "agent/port_counters.h"
#include "agent/port_table.h"
#include "agent/resource.h"
#include "agent/session_ids.h"
#include "base/prng.h"
#include "layout/commands.h"
#include "layout/fulmar_commands.h"
#include "observe/counters.h"
#include "observe/loss_report.h"
#include "port/clock.h"
#include "ring/shm_mpsc_ring.h"
#include "transport/system_counters.h"

namespace fulmar::agent {

/// What clients see as the source of an image that did not come over a network. source: Aeron.
inline constexpr std::string_view kLocalSourceIdentity = "aeron:ipc";

/// Bounds of the driver's tables; reaching one is answered with an error that names it.
inline constexpr std::size_t kClientsMax = 4096;
inline constexpr std::size_t kPublicationsMax = 16 * 1024;
inline constexpr std::size_t kSubscriptionsMax = 64 * 1024;
inline constexpr std::size_t kImagesMax = 16 * 1024;
inline constexpr std::size_t kPendingImagesMax = 64;
inline constexpr std::size_t kClientCountersMax = 64 * 1024;
inline constexpr std::size_t kChannelEndpointsMax = 4096;

struct ConductorContext {
    const DriverOptions* options = nullptr;
    port::Clock* clock = nullptr;  ///< for epoch_ms only
    PortTable ports;
    PortCounters* port_counters = nullptr;  ///< shown anew when a command changes a port
    ring::ShmMpscRing commands;
    ring::BroadcastTransmitter events;
    observe::CountersManager* counters = nullptr;
    transport::SystemCounters system;
    observe::Counter stalls;  ///< how often our own process stood still
    DriverErrors* errors = nullptr;
    observe::LossReport* loss_report = nullptr;
    LossBridge* losses = nullptr;
    SenderQueue* to_sender = nullptr;
    ReceiverQueue* to_receiver = nullptr;
    SenderEventQueue* sender_events = nullptr;
    ImageRequestQueue* image_requests = nullptr;
    ResourceQueue* to_resource = nullptr;
    ResourceQueue* from_resource = nullptr;
    std::uint64_t seed = 0;
};

class Conductor {
  public:
    explicit Conductor(ConductorContext context);
    ~Conductor();
    Conductor(const Conductor&) = delete;
    Conductor& operator=(const Conductor&) = delete;

    /// One duty cycle; returns work done. Idle, it costs a few loads per queue and per publication.
    int poll(Instant now);

    /// A client asked for it and the validator agreed.
    [[nodiscard]] bool terminate_requested() const { return terminate_requested_; }

    /// Takes everything from the other agents. Keep polling all of them until is_shut_down(), then destroy.
    void shut_down();
    [[nodiscard]] bool is_shut_down() const;

    // For tests and tools of this process; any time between polls.
    [[nodiscard]] std::size_t client_count() const { return clients_.size(); }
    [[nodiscard]] std::size_t network_publication_count() const { return publications_.size(); }
    [[nodiscard]] std::size_t ipc_publication_count() const { return ipc_publications_.size(); }
    [[nodiscard]] std::size_t subscription_count() const { return subscriptions_.size(); }
    [[nodiscard]] std::size_t image_count() const { return images_.size(); }
    [[nodiscard]] std::size_t endpoint_count() const {
        return send_endpoints_.size() + receive_endpoints_.size();
    }

  private:
    // conductor.cc: duty cycle
    int poll_resource(Instant now);
    int poll_commands(Instant now);
    int poll_agent_events(Instant now);
    int update_limits();
    int poll_life_cycles(Instant now);
    void on_timer(Instant now);

    // conductor_untethered.cc
    struct ReadStream;
    [[nodiscard]] UntetheredTimeouts untethered_timeouts(const config::ChannelParams& params) const;
    [[nodiscard]] ReadStream stream_of(const SubscriberLink& link) const;
    void check_untethered(Instant now);
    void rest(const SubscriberLink& link);
    [[nodiscard]] bool come_back(const SubscriberLink& link);

    void check_for_stall(Instant now);
    void check_for_blocked_command(Instant now);
    void drain_losses();
    void on_sender_event(std::int32_t type, std::span<const std::byte> record);
    void on_rejection(const Rejection& rejection, std::string_view reason);
    [[nodiscard]] std::int64_t epoch_ms() { return context_.clock->epoch_ms(); }

    // conductor_commands.cc
    void on_command(Instant now, std::int32_t type, std::span<const std::byte> record);
    void dispatch(Instant now, layout::CommandType type, std::span<const std::byte> record);
    template <class Command, class Execute>
    void decode_and(std::span<const std::byte> record, layout::CommandType type, Execute&& execute);
    void refuse(std::int64_t correlation_id, const Error& error);
    void refuse(std::int64_t correlation_id, ErrorCode code, std::string message);
    void log_error(ErrorCode code, std::string_view message);
    void on_add(PendingAdd add);
    void on_add_destination(PendingAdd::Kind kind, const layout::DestinationCommand& command);
    void on_reject_image(Instant now, const layout::RejectImage& command);
    void on_terminate(const layout::TerminateDriver& command);
    void on_next_session_id(const layout::GetNextAvailableSessionId& command);
    void on_set_fault(const layout::SetFault& command);

    // conductor_add.cc: an add command, step by step
    void advance_add(Instant now);
    void finish_add(Status status);
    void on_add_result(Instant now, std::unique_ptr<ResourceTask> task);
    enum class Step : std::uint8_t { kWait, kDone };
    Result<Step> step_add(Instant now, PendingAdd& add);
    Result<Step> step_publication(Instant now, PendingAdd& add);
    Result<Step> step_ipc_publication(Instant now, PendingAdd& add);
    Result<Step> step_subscription(Instant now, PendingAdd& add);
    Result<bool> resolve_addresses(PendingAdd& add);
    Status adopt_tagged_session(PendingAdd& add) const;
    Result<bool> create_publication_log(PendingAdd& add, std::int32_t term_length);
    void submit_for_add(PendingAdd& add, std::unique_ptr<ResourceTask> task);
    void discard(PendingAdd& add);

    // conductor_endpoints.cc
    [[nodiscard]] static std::string canonical_of(const PendingAdd& add);
    /// The open endpoint that a channel means, by its tag or its addresses; null: none yet.
    /// errors: kInvalidChannel where a tag is used for something else, or for nothing.
    template <class Endpoint>
    [[nodiscard]] static Result<Endpoint*> find_endpoint(
        const std::vector<std::unique_ptr<Endpoint>>& endpoints, const PendingAdd& add);
    /// kWait while the endpoint is being closed or opened; then `endpoint` is set.
    Result<Step> ensure_send_endpoint(PendingAdd& add, SendChannelEndpoint*& endpoint);
    [[nodiscard]] std::int32_t ttl_of(const PendingAdd& add) const;
    Result<Step> open_send_binding(PendingAdd& add);
    Status add_destination_tracker(SendChannelEndpoint& endpoint, const PendingAdd& add);
    Result<Step> ensure_receive_endpoint(PendingAdd& add, ReceiveChannelEndpoint*& endpoint);
    Result<Step> open_binding(PendingAdd& add, const port::BindRequest& bind);
    Status check_shared_endpoint(const ChannelEndpoint& endpoint, const PendingAdd& add) const;
    Status add_channel_status(
        ChannelEndpoint& endpoint, EndpointKind kind, const PendingAdd& add, std::string_view bound);
    Status add_local_address(
        Transport& transport, const port::Binding& binding, std::int64_t registration_id);
    Status add_endpoint_counters(Transport& transport, const port::Binding& binding, const PendingAdd& add);
    void describe_endpoint(ChannelEndpoint& endpoint, const PendingAdd& add) const;
    Result<Step> open_receive_binding(PendingAdd& add, std::int32_t sndbuf, std::int32_t rcvbuf);
    void start_transport(ReceiveTransport& transport, PendingAdd& add);
    void begin_removing(ReceiveTransport& transport);
    void begin_closing(SendChannelEndpoint& endpoint);
    void begin_closing(ReceiveChannelEndpoint& endpoint);
    int reap_endpoints();
    template <class Endpoint, class MayFree>
    int reap_endpoints_of(std::vector<std::unique_ptr<Endpoint>>& endpoints, MayFree&& may_free);
    int reap_destinations(ReceiveChannelEndpoint& endpoint);
    void close_transport(Transport& transport);
    void close_transports(SendChannelEndpoint& endpoint);
    void close_transports(ReceiveChannelEndpoint& endpoint);

    // conductor_receive_destinations.cc
    void on_remove_receive_destination(const layout::DestinationCommand& command);
    void remove_receive_destination_by_id(
        const SubscriptionState& subscription, const layout::RemoveDestinationById& command);
    [[nodiscard]] Result<SubscriptionState*> multi_destination_subscription(std::int64_t registration_id);
    Result<Step> step_receive_destination(PendingAdd& add);
    void add_local_destination(const PendingAdd& add, const SubscriptionState& subscription);
    void remove_local_destination(const layout::DestinationCommand& command);
    void end_local_destination(std::size_t index);

    // conductor_send_destinations.cc
    void on_remove_send_destination(const layout::DestinationCommand& command);
    void on_remove_destination_by_id(const layout::RemoveDestinationById& command);
    [[nodiscard]] Result<SendChannelEndpoint*> multi_destination_publication(std::int64_t registration_id);
    [[nodiscard]] static Status check_send_destination(const config::ChannelParams& params);
    Result<Step> step_send_destination(PendingAdd& add);
    void remove_send_destination(std::size_t index);
    void on_silent_destination(const SilentDestination& silent);
    bool on_destination_resolved(const ResourceTask& task);

    // conductor_network_publications.cc
    [[nodiscard]] NetworkPublicationState* find_shareable(
        const SendChannelEndpoint& endpoint, const PendingAdd& add);
    [[nodiscard]] static bool is_shareable(const PublicationState& publication, const PendingAdd& add);
    [[nodiscard]] std::int32_t network_term_length(const PendingAdd& add) const;
    Status create_network_publication(Instant now, PendingAdd& add, SendChannelEndpoint& endpoint);
    /// Of a multi-destination publication that waits for its slowest receiver.
    [[nodiscard]] std::optional<transport::GroupFlowControl::Options> group_flow_control(
        const PendingAdd& add, const SendChannelEndpoint& endpoint) const;
    Status allocate_network_counters(NetworkPublicationState& publication,
        transport::NetworkPublicationCounters& counters, bool has_group_flow_control);
    void link_publication(const PendingAdd& add, NetworkPublicationState* network, IpcPublicationState* ipc);
    void announce_publication(const PublicationLink& link, const PublicationState& publication,
        std::int32_t limit_counter_id, std::int32_t channel_status_id);
    void on_remove_publication(Instant now, const layout::RemovePublication& command);
    void unlink_publication(Instant now, const PublicationLink& link, bool revoke);
    int reap_network_publications(Instant now);
    void remove_from_sender(NetworkPublicationState& publication);
    void describe_publication(PublicationState& publication, const PendingAdd& add);
    static void describe_socket_buffers(
        const ChannelEndpoint& endpoint, const port::Binding& binding, layout::LogMetadata& metadata);
    [[nodiscard]] layout::LogBuffer create_log(PublicationState& publication, const PendingAdd& add,
        std::int32_t term_length, std::int32_t window, const SendChannelEndpoint* endpoint) const;
    [[nodiscard]] bool session_in_use(
        const SendChannelEndpoint* endpoint, std::int32_t stream_id, std::int32_t session_id) const;
    Status choose_session(PendingAdd& add, const SendChannelEndpoint* endpoint);
    [[nodiscard]] static Status check_match(
        const PublicationState& publication, const PendingAdd& add, std::int32_t term_length);
    [[nodiscard]] bool spies_simulate_connection(const PendingAdd& add) const;
    [[nodiscard]] Status check_simulation(const NetworkPublicationState& shared, const PendingAdd& add) const;

    // conductor_ipc.cc
    [[nodiscard]] IpcPublicationState* find_shareable_ipc(const PendingAdd& add);
    Status create_ipc_publication(PendingAdd& add);
    void link_ipc_subscriber(SubscriptionState& subscription, IpcPublicationState& publication);
    void end_ipc_publication(IpcPublicationState& publication);
    int reap_ipc_publications(Instant now);
    bool reject_ipc(Instant now, const layout::RejectImage& command);

    // conductor_spies.cc
    Result<Step> step_spy(PendingAdd& add);
    void link_spy(SubscriptionState& subscription, NetworkPublicationState& publication);
    void end_spies(NetworkPublicationState& publication);

    // conductor_responses.cc
    Status check_response(const PendingAdd& add) const;
    void answer_image(const NetworkPublicationState& publication);
    void answer_ipc(const IpcPublicationState& response);
    void on_response_named(const ResponseNamed& named);
    void on_response_connected(const ResponseConnected& connected);

    // conductor_subscriptions.cc
    void add_interest(const SubscriptionState& subscription);
    void create_subscription(PendingAdd& add, ReceiveChannelEndpoint* endpoint);
    SubscriptionState& keep_subscription(const PendingAdd& add, ReceiveChannelEndpoint* endpoint);
    void link_local(SubscriptionState& subscription);
    Status check_subscription(const PendingAdd& add, const ReceiveChannelEndpoint& endpoint) const;
    void on_remove_subscription(const layout::RemoveResource& command);
    void remove_subscription(std::size_t index);
    void unlink_subscriber(std::size_t index);
    observe::Counter allocate_subscriber_position(const SubscriptionState& subscription,
        std::int64_t image_id, std::int32_t session_id, std::int64_t join_position);

    // conductor_images.cc
    void on_create_image(Instant now, const ImageRequest& request);
    void on_image_log(Instant now, std::size_t index, std::unique_ptr<ResourceTask> task);
    void create_image(Instant now, const PendingImage& pending, LogFile log);
    [[nodiscard]] bool has_image(const ReceiveChannelEndpoint& endpoint, const wire::Setup& setup) const;
    Status check_image(const ImageRequest& request, std::int32_t& window) const;
    [[nodiscard]] const SubscriptionState* matching_subscription(
        const ReceiveChannelEndpoint& endpoint, std::int32_t stream_id, std::int32_t session_id) const;
    void fail_image(ReceiveChannelEndpoint& endpoint, const wire::Setup& setup);
    bool allocate_image_counters(
        ImageState& image, std::int64_t position, transport::ImageCounters& counters);
    void release_image(ImageState& image);
    int reap_images(Instant now);
    bool advance_image(Instant now, ImageState& image);

    // conductor_image_links.cc
    [[nodiscard]] std::int64_t join_position(const ImageState& image) const;
    bool link_image_subscriber(SubscriptionState& subscription, ImageState& image);
    void tell_receiver(ReceiverCommand::Kind kind, const SubscriberLink& link);
    void announce_image(const SubscriberLink& link, std::int64_t image_id, std::int32_t session_id,
        std::int32_t stream_id, std::string_view log_path, std::string_view source);
    void announce_image_end(const SubscriberLink& link, std::int64_t image_id);
    void unlink_image(const ImageState& image);

    // conductor_clients.cc
    [[nodiscard]] ClientState* find_client(std::int64_t client_id);
    Result<ClientState*> client_for(std::int64_t client_id);
    void on_keepalive(std::int64_t client_id);
    void on_client_close(std::int64_t client_id);
    void check_clients(Instant now);
    void release_client(Instant now, ClientState& client);
    void on_add_counter(const layout::AddCounter& command);
    void on_add_static_counter(const layout::AddStaticCounter& command);
    void on_remove_counter(const layout::RemoveResource& command);

    // shared by several
    observe::Counter allocate_counter(const observe::CountersManager::Spec& spec);
    observe::Counter allocate_stream_counter(std::int32_t type_id, std::string_view name,
        const PublicationState& publication, std::int64_t initial_value);
    void free_counters(std::vector<std::int32_t>& ids);
    void delete_log(LogFile& log);
    [[nodiscard]] std::string log_path(std::string_view folder, std::int64_t id) const;
    void count_mapped(LogFile& log);

    ConductorContext context_;
    const DriverOptions& options_;
    ClientEvents events_;
    ResourceClient resources_;
    Outbox<SenderQueue, SenderCommand> to_sender_;
    Outbox<ReceiverQueue, ReceiverCommand> to_receiver_;
    std::string log_root_;
    base::Prng prng_;
    SessionIds session_ids_;
    std::int64_t next_receiver_id_;
    bool terminate_requested_ = false;
    bool shutting_down_ = false;

    std::vector<std::unique_ptr<ClientState>> clients_;
    std::vector<std::unique_ptr<SendChannelEndpoint>> send_endpoints_;
    std::vector<std::unique_ptr<ReceiveChannelEndpoint>> receive_endpoints_;
    std::vector<std::unique_ptr<NetworkPublicationState>> publications_;
    std::vector<std::unique_ptr<IpcPublicationState>> ipc_publications_;
    std::vector<PublicationLink> publication_links_;
    std::vector<std::unique_ptr<SubscriptionState>> subscriptions_;
    std::vector<SubscriberLink> subscriber_links_;
    std::vector<std::unique_ptr<ImageState>> images_;
    std::vector<PendingImage> pending_images_;
    std::vector<SendDestination> send_destinations_;
    std::vector<CounterState> counters_;
    struct ImageLoss {
        std::int64_t correlation_id = 0;
        observe::LossEntry entry;
    };
    std::vector<ImageLoss> losses_;

    std::optional<PendingAdd> add_;
    std::vector<std::byte> record_;  ///< private copy of the command being decoded

    Instant last_poll_;
    Instant next_life_cycle_;
    Instant next_timer_;
    bool started_ = false;
    std::int64_t liveness_floor_ms_ = 0;  ///< nobody is taken to be silent since before this
    std::uint64_t commands_read_ = 0;
    std::uint64_t commands_read_before_ = 0;  ///< at the last progress check
    Instant ring_progress_;
    std::int64_t ring_corruptions_ = 0;
};

}  // namespace fulmar::agent

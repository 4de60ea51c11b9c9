/// A driver as far as a client can tell: the CnC file on heap memory, commands read raw, events and logs made
/// by the test. Time is a variable.
#pragma once

#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "drivers/memory_map/heap_memory_map.h"
#include "fulmar/client.h"
#include "layout/cnc.h"
#include "layout/commands.h"
#include "layout/counter_keys.h"
#include "layout/events.h"
#include "layout/log_buffer.h"
#include "observe/counters.h"
#include "port/clock.h"
#include "ring/shm_broadcast.h"
#include "ring/shm_mpsc_ring.h"

namespace fulmar::client::test {

class FakeClock final : public port::Clock {
  public:
    [[nodiscard]] Instant now() override { return now_; }
    [[nodiscard]] std::int64_t epoch_ms() override { return kEpochStartMs + now_.ns / 1'000'000; }
    void advance(Duration by) { now_ = now_ + by; }

  private:
    static constexpr std::int64_t kEpochStartMs = 1'700'000'000'000;
    Instant now_{1'000'000'000};
};

struct Command {
    layout::CommandType type{};
    std::vector<std::byte> bytes;

    template <class T>
    [[nodiscard]] T as() const {
        return T::decode(bytes).value();
    }
    [[nodiscard]] std::int64_t correlation_id() const { return as<layout::ClientCommand>().correlation_id; }
};

inline constexpr const char* kDir = "/heap/driver";
inline constexpr std::int32_t kTermLength = 64 * 1024;
inline constexpr std::int32_t kMtu = 1408;
inline constexpr std::int32_t kCounterCapacity = 256;
inline constexpr std::int32_t kStream = 1001;
inline constexpr std::int32_t kSession = 777;
inline constexpr std::int32_t kInitialTermId = -5;
inline constexpr const char* kChannel = "aeron:udp?endpoint=localhost:20121";

class FakeDriver {
  public:
    FakeDriver() { start(); }

    /// Makes the CnC file; the heartbeat is fresh.
    void start(std::int32_t ring_capacity = 16 * 1024, std::int32_t broadcast_capacity = 16 * 1024) {
        layout::CncParams params;
        params.lengths = {ring_capacity + layout::kRingTrailerLength,
            broadcast_capacity + layout::kBroadcastTrailerLength, kCounterCapacity * 512,
            kCounterCapacity * 128, 4096};
        params.client_liveness_timeout_ns = 10'000'000'000;
        (void)memory.remove(cnc_path());
        mapping_ =
            memory.create(cnc_path(), layout::cnc_file_length(params.lengths, 4096).value(), false).value();
        cnc = layout::CncFile::create(mapping_->bytes(), params).value();
        ring = ring::ShmMpscRing::attach(cnc.to_driver()).value();
        events = ring::BroadcastTransmitter::attach(cnc.to_clients()).value();
        counters =
            std::make_unique<observe::CountersManager>(cnc.counter_metadata(), cnc.counter_values(), 1000);
        (void)ring.next_correlation_id();  // as drivers do, so that 0 is nobody's id
        beat();
        cnc.mark_ready();
    }
    [[nodiscard]] static std::string cnc_path() { return std::string(kDir) + "/cnc.dat"; }

    void beat() { ring.set_consumer_heartbeat_ms(clock.epoch_ms()); }
    /// Time passes with the driver alive.
    void advance(Duration by) {
        clock.advance(by);
        beat();
    }

    [[nodiscard]] ClientPorts ports() { return {&memory, &clock}; }
    [[nodiscard]] ClientOptions options() {
        ClientOptions options;
        options.dir = kDir;
        options.name = "tester";
        options.own_thread = false;
        options.on_error = [this](const Error& error) { errors.push_back(error); };
        options.on_wait = [this] { on_wait(); };
        return options;
    }

    /// All commands since the last call.
    std::vector<Command> take_commands() {
        std::vector<Command> commands;
        while (ring.read([&](std::int32_t type, std::span<const std::byte> body) {
            commands.push_back({static_cast<layout::CommandType>(type), {body.begin(), body.end()}});
        }) > 0) {
        }
        return commands;
    }
    /// The only command since the last call.
    Command take_command() {
        auto commands = take_commands();
        return commands.size() == 1 ? commands.front() : Command{};
    }

    template <class Event>
    void send(layout::EventType type, const Event& event) {
        std::vector<std::byte> bytes(event.encoded_length());
        bytes.resize(event.encode(bytes));
        send_raw(type, bytes);
    }
    void send_raw(layout::EventType type, std::span<const std::byte> bytes) {
        events.transmit(static_cast<std::int32_t>(type), bytes);
    }
    void send_error(std::int64_t correlation_id, ErrorCode code, std::string_view message) {
        send(layout::EventType::kError,
            layout::ErrorEvent{correlation_id, static_cast<std::int32_t>(code), message});
    }

    /// A log as drivers make them, still mapped here.
    layout::LogBuffer make_log(const std::string& path, layout::LogType type, std::int64_t correlation_id,
        std::int32_t session_id = kSession) {
        layout::LogMetadata metadata;
        metadata.correlation_id = correlation_id;
        metadata.initial_term_id = kInitialTermId;
        metadata.mtu = kMtu;
        metadata.term_length = kTermLength;
        metadata.session_id = session_id;
        metadata.stream_id = kStream;
        metadata.type = type;
        logs_.push_back(
            memory.create(path, layout::log_file_length(kTermLength, layout::kPageSizeMin), false).value());
        auto log = layout::LogBuffer::create(logs_.back()->bytes(), metadata);
        log.set_end_of_stream_position(INT64_MAX);
        return log;
    }
    void forget_logs() { logs_.clear(); }

    observe::Counter allocate(std::int32_t type_id, std::int64_t registration_id, std::int64_t value = 0) {
        return counters->allocate({.type_id = type_id,
                                      .label = "counter",
                                      .registration_id = registration_id,
                                      .initial_value = value},
            clock.epoch_ms());
    }
    void make_heartbeat_counter(std::int64_t client_id) {
        const auto key = layout::client_heartbeat_key(client_id);
        const auto label = layout::client_heartbeat_label(client_id);
        heartbeat = counters->allocate({.type_id = layout::counter_type::kClientHeartbeat,
                                           .key = key.span(),
                                           .label = label.view(),
                                           .registration_id = client_id,
                                           .owner_id = client_id,
                                           .initial_value = clock.epoch_ms()},
            clock.epoch_ms());
    }

    struct MadePublication {
        layout::LogBuffer log;
        observe::Counter limit;
    };
    /// Answers an add of a publication; `original` when it shares another's log.
    MadePublication answer_publication(const Command& command, std::int64_t original = -1) {
        const bool exclusive = command.type == layout::CommandType::kAddExclusivePublication;
        const std::int64_t id = command.correlation_id();
        MadePublication made;
        const std::int64_t registration = original < 0 ? id : original;
        const std::string path =
            std::string(kDir) + "/publications/" + std::to_string(registration) + ".logbuffer";
        if (original < 0) {
            made.log = make_log(path,
                exclusive ? layout::LogType::kExclusivePublication : layout::LogType::kConcurrentPublication,
                id);
            made.log.init_tails(kInitialTermId, 0);
            made.log.set_connected(true);
        }
        made.limit = allocate(layout::counter_type::kPublisherLimit, registration, kTermLength / 2);
        send(exclusive ? layout::EventType::kExclusivePublicationReady : layout::EventType::kPublicationReady,
            layout::PublicationReady{id, registration, kSession,
                command.as<layout::AddPublication>().stream_id, made.limit.id(), 17, path});
        return made;
    }
    void answer_subscription(const Command& command, std::int32_t channel_status_id = -1) {
        send(layout::EventType::kSubscriptionReady,
            layout::SubscriptionReady{command.correlation_id(), channel_status_id});
    }

    struct MadeImage {
        std::int64_t id = 0;
        layout::LogBuffer log;
        observe::Counter position;
        std::string path;
    };
    MadeImage make_image(std::int32_t session_id, std::int64_t join_position = 0) {
        MadeImage made;
        made.id = ring.next_correlation_id();
        made.path = std::string(kDir) + "/images/" + std::to_string(made.id) + ".logbuffer";
        made.log = make_log(made.path, layout::LogType::kImage, made.id, session_id);
        made.position = allocate(layout::counter_type::kSubscriberPosition, made.id, join_position);
        return made;
    }
    void announce(const MadeImage& image, std::int64_t subscription_id, std::int32_t session_id = kSession) {
        send(layout::EventType::kAvailableImage,
            layout::AvailableImage{image.id, session_id, kStream, subscription_id, image.position.id(),
                image.path, "127.0.0.1:5000"});
    }
    void end(const MadeImage& image, std::int64_t subscription_id) {
        send(layout::EventType::kUnavailableImage,
            layout::UnavailableImage{image.id, subscription_id, kStream, kChannel});
    }

    FakeClock clock;
    drivers::HeapMemoryMap memory;
    layout::CncFile cnc;
    ring::ShmMpscRing ring;
    ring::BroadcastTransmitter events;
    std::unique_ptr<observe::CountersManager> counters;
    observe::Counter heartbeat;
    std::vector<Error> errors;
    /// What happens while the client waits; by default time passes, so that a wait ends by its time-out.
    std::function<void()> on_wait = [this] { advance(milliseconds(100)); };

  private:
    std::unique_ptr<port::Mapping> mapping_;
    std::vector<std::unique_ptr<port::Mapping>> logs_;
};

/// A client on it, with the handles a test needs.
struct Connected {
    Connected() { client = Client::try_connect(driver.options(), driver.ports()).value(); }
    /// change(ClientOptions&) before connecting.
    template <class Change>
    explicit Connected(Change&& change) {
        ClientOptions options = driver.options();
        change(options);
        client = Client::try_connect(std::move(options), driver.ports()).value();
    }

    int poll() { return client->poll(driver.clock.now()); }

    std::unique_ptr<Publication> publication(FakeDriver::MadePublication* made = nullptr) {
        (void)driver.take_commands();
        const auto id = client->async_add_publication(kChannel, kStream).value();
        auto answered = driver.answer_publication(driver.take_command());
        if (made != nullptr) {
            *made = answered;
        }
        poll();
        return client->find_publication(id).value();
    }
    std::unique_ptr<ExclusivePublication> exclusive(FakeDriver::MadePublication* made = nullptr) {
        (void)driver.take_commands();
        const auto id = client->async_add_exclusive_publication(kChannel, kStream).value();
        auto answered = driver.answer_publication(driver.take_command());
        if (made != nullptr) {
            *made = answered;
        }
        poll();
        return client->find_exclusive_publication(id).value();
    }
    std::unique_ptr<Subscription> subscription(SubscriptionHandlers handlers = {}) {
        (void)driver.take_commands();
        const auto id = client->async_add_subscription(kChannel, kStream, std::move(handlers)).value();
        driver.answer_subscription(driver.take_command());
        poll();
        return client->find_subscription(id).value();
    }
    FakeDriver::MadeImage image(
        Subscription& subscription, std::int32_t session_id = kSession, std::int64_t join = 0) {
        auto made = driver.make_image(session_id, join);
        driver.announce(made, subscription.registration_id(), session_id);
        poll();
        return made;
    }

    FakeDriver driver;
    std::unique_ptr<Client> client;
};

inline std::span<const std::byte> bytes_of(std::string_view text) {
    return std::as_bytes(std::span(text.data(), text.size()));
}
inline std::string text_of(std::span<const std::byte> bytes) {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

}  // namespace fulmar::client::test

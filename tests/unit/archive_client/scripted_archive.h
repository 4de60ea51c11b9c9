/// A client of an archive, a driver, and an archive that answers what a test tells it to: on heap memory and
/// a virtual clock, polled by whoever waits. threads: one.
#pragma once

#include <algorithm>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include "archive/messages.h"
#include "fulmar/archive_client.h"
#include "fulmar/fragment_assembler.h"
#include "fulmar/sbe/decoder.h"
#include "fulmar/sbe/encoder.h"
#include "tests/unit/agent/driver_harness.h"

namespace fulmar::archive_client::test {

inline constexpr std::int64_t kControlSession = 42;
inline constexpr std::int64_t kArchiveId = 7;
inline constexpr const char* kControlChannel = "aeron:udp?endpoint=10.77.0.1:8010";
inline constexpr const char* kResponseChannel = "aeron:udp?endpoint=10.77.0.1:0";
inline constexpr std::int32_t kControlStream = 10;

/// A message as the archive received it.
struct Request {
    std::uint16_t template_id = 0;
    std::vector<std::byte> bytes;

    template <class M>
    [[nodiscard]] bool is() const {
        return template_id == M::kId;
    }
    template <class M>
    [[nodiscard]] sbe::Decoder<M> as() const {
        const auto decoded = sbe::Decoder<M>::decode(bytes);
        REQUIRE_MESSAGE(decoded, "not a ", M::kName);
        return *decoded;
    }
    [[nodiscard]] std::int64_t correlation_id() const {
        // Second in all requests but AuthConnectRequest, where it is the first.
        return base::load_le<std::int64_t>(bytes.data(), is<archive::AuthConnectRequest>() ? 8 : 16);
    }
};

/// The archive's side. By itself it accepts a session, tells its id and keeps the rest for the test.
class ScriptedArchive {
  public:
    explicit ScriptedArchive(Client& client) : client_(client) {}

    void listen(const std::string& channel) {
        request_id_ = client_.async_add_subscription(channel, kControlStream).value();
    }
    [[nodiscard]] bool is_listening() const { return requests_stream_ != nullptr; }

    /// What it does with a request; true: nothing more. Before what it does by itself.
    std::function<bool(const Request&)> script;
    std::int32_t version = archive::kControlProtocolVersion;
    bool accepts_streams = true;  ///< opens the response stream that it is asked for
    bool reads_requests = true;
    std::vector<Request> requests;  ///< all but those of connecting

    void poll() {
        if (requests_stream_ == nullptr && request_id_ != -1) {
            requests_stream_ = client_.find_subscription(request_id_).value();
        }
        if (responses_ == nullptr && response_id_ != -1) {
            responses_ = client_.find_exclusive_publication(response_id_).value();
        }
        if (requests_stream_ != nullptr && reads_requests) {
            requests_stream_->poll(assembler_, 100);
        }
        if (responses_ != nullptr && responses_->is_connected()) {
            while (!unsent_.empty() && responses_->offer(unsent_.front()).is_ok()) {
                unsent_.erase(unsent_.begin());
            }
        }
    }

    template <class M, class Fill>
    void send(Fill&& fill) {
        std::vector<std::byte> buffer(4096);
        sbe::Encoder<M> encoder(buffer);
        fill(encoder);
        const auto encoded = encoder.finish();
        REQUIRE(encoded);
        send_raw(*encoded);
    }
    void send_raw(std::span<const std::byte> bytes) { unsent_.emplace_back(bytes.begin(), bytes.end()); }

    struct Response {
        std::int64_t relevant_id = 0;
        archive::ControlResponseCode code = archive::ControlResponseCode::kOk;
        std::string message;
        std::int64_t control_session_id = kControlSession;
    };
    void respond(std::int64_t correlation_id, const Response& response) {
        send<archive::ControlResponse>([&](auto& encoder) {
            encoder.template set<"controlSessionId">(response.control_session_id);
            encoder.template set<"correlationId">(correlation_id);
            encoder.template set<"relevantId">(response.relevant_id);
            encoder.template set<"code">(response.code);
            encoder.template set<"version">(version);
            encoder.template data<"errorMessage">(response.message);
        });
    }
    void respond_ok(std::int64_t correlation_id, std::int64_t relevant_id = 0) {
        respond(correlation_id, {.relevant_id = relevant_id});
    }
    void respond_error(std::int64_t correlation_id, std::int64_t code, const std::string& message) {
        respond(correlation_id, {code, archive::ControlResponseCode::kError, message});
    }
    void list(std::int64_t correlation_id, std::int64_t recording_id) {
        send<archive::RecordingDescriptor>([&](auto& encoder) {
            encoder.template set<"controlSessionId">(kControlSession);
            encoder.template set<"correlationId">(correlation_id);
            encoder.template set<"recordingId">(recording_id);
            encoder.template set<"stopPosition">(4096);
            encoder.template data<"strippedChannel">("aeron:ipc");
            encoder.template data<"originalChannel">("aeron:ipc?alias=x");
            encoder.template data<"sourceIdentity">("10.77.0.1:1");
        });
    }
    /// As if its process had ended.
    void vanish() {
        end_responses();
        requests_stream_.reset();
        request_id_ = -1;
    }
    void end_responses() {
        if (responses_ == nullptr && response_id_ != -1) {
            client_.cancel(response_id_);
        }
        responses_.reset();
        response_id_ = -1;
    }

    [[nodiscard]] std::size_t count(std::uint16_t template_id) const {
        return static_cast<std::size_t>(std::count_if(requests.begin(), requests.end(),
            [&](const Request& request) { return request.template_id == template_id; }));
    }

  private:
    struct Assembled {
        ScriptedArchive* archive;
        void operator()(std::span<const std::byte> message, const Header&) const {
            archive->on_request(message);
        }
    };

    void on_request(std::span<const std::byte> message) {
        const auto header = sbe::read_header<archive::ControlSchema>(message);
        REQUIRE(header);
        const Request request{header->template_id, {message.begin(), message.end()}};
        if (request.is<archive::AuthConnectRequest>() && accepts_streams && response_id_ == -1) {
            const auto connect = request.as<archive::AuthConnectRequest>();
            response_id_ =
                client_
                    .async_add_exclusive_publication(
                        std::string(connect.data<"responseChannel">()), connect.get<"responseStreamId">())
                    .value();
        }
        if (script && script(request)) {
            return;
        }
        if (request.is<archive::AuthConnectRequest>()) {
            respond_ok(request.as<archive::AuthConnectRequest>().get<"correlationId">(), kControlSession);
        } else if (request.is<archive::ArchiveIdRequest>()) {
            respond_ok(request.correlation_id(), kArchiveId);
        } else {
            requests.push_back(request);
        }
    }

    Client& client_;
    std::int64_t request_id_ = -1;
    std::int64_t response_id_ = -1;
    std::unique_ptr<Subscription> requests_stream_;
    std::unique_ptr<ExclusivePublication> responses_;
    FragmentAssembler<Assembled> assembler_{Assembled{this}};
    std::vector<std::vector<std::byte>> unsent_;
};

/// Driver, archive and client. Whoever waits makes a millisecond pass.
class Stage {
  public:
    explicit Stage(const std::string& control_channel = kControlChannel)
        : driver_(world_.make_driver(0)),
          archive_client_(connect()),
          client(connect()),
          archive(*archive_client_) {
        archive.listen(control_channel);
        REQUIRE(run_until([&] { return archive.is_listening(); }));
        options.control_request_channel = control_channel;
        options.control_response_channel = kResponseChannel;
        options.message_timeout = seconds(2);
        options.client_name = "tester";
        options.on_error = [this](const ArchiveError& error) { errors.push_back(error); };
        options.on_signal = [this](const RecordingSignalEvent& event) { signals.push_back(event); };
    }

    void step(Duration by = milliseconds(1)) {
        world_.clock.advance(by);
        driver_->poll_inline(world_.clock.now());
        archive_client_->poll();
        archive.poll();
    }
    /// A step, and the client's own polling.
    void run(Duration duration) {
        for (const Instant end = world_.clock.now() + duration; world_.clock.now() < end;) {
            step();
            client->poll();
            if (session != nullptr) {
                session->poll();
            }
        }
    }
    template <class Condition>
    bool run_until(Condition&& condition, Duration limit = seconds(5)) {
        for (const Instant end = world_.clock.now() + limit; world_.clock.now() < end;) {
            if (condition()) {
                return true;
            }
            run(milliseconds(1));
        }
        return condition();
    }
    /// The session, or why there is none.
    ArchiveResult<std::unique_ptr<ArchiveClient>> try_connect() {
        return ArchiveClient::connect(*client, options);
    }
    ArchiveClient& connected() {
        auto made = try_connect();
        REQUIRE_MESSAGE(made, (made ? "" : made.error().message));
        session = std::move(*made);
        // The sign of life that ends connecting has come, so that only what a test asks for follows.
        REQUIRE(run_until([&] { return archive.count(archive::KeepAliveRequest::kId) == 1; }));
        archive.requests.clear();
        return *session;
    }
    /// Waits until the archive has the next request.
    Request next_request() {
        REQUIRE(run_until([&] { return !archive.requests.empty(); }));
        Request request = archive.requests.front();
        archive.requests.erase(archive.requests.begin());
        return request;
    }
    ArchiveResult<std::int64_t> await(std::int64_t correlation_id) {
        return session->await_response(correlation_id);
    }
    /// Streams that the driver has for anybody.
    std::size_t stream_count() {
        std::size_t count = 0;
        client->counters().for_each([&](const observe::CounterView& counter) {
            count += counter.type_id == layout::counter_type::kPublisherLimit ||
                     counter.type_id == layout::counter_type::kReceiveChannelStatus ||
                     counter.type_id == layout::counter_type::kSubscriberPosition;
        });
        return count;
    }
    [[nodiscard]] Instant now() { return world_.clock.now(); }

  private:
    std::unique_ptr<Client> connect() {
        ClientOptions made;
        made.dir = "/driver0";
        made.on_wait = [this] { step(); };
        driver_->poll_inline(world_.clock.now());
        auto result = Client::try_connect(std::move(made), {&world_.memory, &world_.clock});
        REQUIRE_MESSAGE(result, (result ? "" : result.error().message));
        return std::move(*result);
    }

    agent::World world_;
    std::unique_ptr<agent::DriverCore> driver_;
    std::unique_ptr<Client> archive_client_;

  public:
    std::unique_ptr<Client> client;
    ScriptedArchive archive;
    ArchiveClientOptions options;
    std::vector<ArchiveError> errors;
    std::vector<RecordingSignalEvent> signals;
    std::unique_ptr<ArchiveClient> session;
};

}  // namespace fulmar::archive_client::test

/// An archive server, its driver, and clients of it, on heap memory, a disk in memory and a virtual clock,
/// polled by whoever waits. threads: one.
#pragma once

#include <algorithm>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include "archive_server/server.h"
#include "archive_server/start_up.h"
#include "drivers/storage_memory/memory_disk.h"
#include "drivers/storage_memory/memory_storage.h"
#include "fulmar/archive_client.h"
#include "tests/unit/agent/driver_harness.h"

namespace fulmar::archive_server::test {

using namespace fulmar::archive;  // the server itself
using fulmar::RecordingSignalEvent;

inline constexpr const char* kControlChannel = "aeron:udp?endpoint=10.77.0.1:8010";
inline constexpr const char* kResponseChannel = "aeron:udp?endpoint=10.77.0.1:0";
inline constexpr std::int32_t kStream = 1001;

/// Whoever waits makes a millisecond pass. Settle `options`, then start().
class Rig {
  public:
    explicit Rig(std::uint64_t seed = 1, std::uint64_t space = std::uint64_t{64} << 20)
        : driver_(world_.make_driver(0)), disk(space), storage_(disk, {.seed = seed}) {
        options.control_channel = kControlChannel;
        options.segment_file_length = 64 * 1024;
        options.low_storage_space_threshold = 1 << 20;
        options.on_error = [this](const Error& error) { server_errors.push_back(error.message); };
        client = connect("tester");
        server_client_ = connect("archive");
    }

    void start() { REQUIRE(begins()); }
    /// Whether the server is ready in time.
    bool begins() {
        StartUp start_up(hub_, {.now_ms = world_.clock.epoch_ms()});
        while (!start_up.is_done()) {
            start_up.poll(world_.clock.now());
        }
        REQUIRE_FALSE(start_up.error());
        server = std::make_unique<Server>(options,
            ServerPorts{.client = server_client_.get(),
                .clock = &world_.clock,
                .storage = &hub_,
                .recorder_storage = &hub_,
                .replayer_storage = &hub_},
            start_up);
        return run_until([&] { return server->is_ready() || server->error(); }) && !server->error();
    }

    void step(Duration by = milliseconds(1)) {
        world_.clock.advance(by);
        driver_->poll_inline(world_.clock.now());
        if (server != nullptr) {
            server->poll(world_.clock.now());
        }
        if (on_step) {
            on_step();
        }
    }
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
    bool run_until(Condition&& condition, Duration limit = seconds(10)) {
        for (const Instant end = world_.clock.now() + limit; world_.clock.now() < end;) {
            if (condition()) {
                return true;
            }
            run(milliseconds(1));
        }
        return condition();
    }

    [[nodiscard]] ArchiveClientOptions session_options(const std::string& channel = "aeron:ipc") {
        ArchiveClientOptions made;
        made.control_request_channel = channel;
        made.control_response_channel = channel == "aeron:ipc" ? channel : kResponseChannel;
        made.message_timeout = seconds(3);
        made.client_name = "tester";
        made.on_error = [this](const ArchiveError& error) { errors.push_back(error); };
        made.on_signal = [this](const RecordingSignalEvent& event) { signals.push_back(event); };
        return made;
    }
    ArchiveResult<std::unique_ptr<ArchiveClient>> try_connect(ArchiveClientOptions made) {
        return ArchiveClient::connect(*client, std::move(made));
    }
    ArchiveClient& connected() {
        auto made = try_connect(session_options());
        REQUIRE_MESSAGE(made, (made ? "" : made.error().message));
        session = *std::move(made);
        return *session;
    }

    /// Of the archive, by its type; null: there is none.
    [[nodiscard]] std::optional<observe::CounterView> counter(std::int32_t type_id) {
        std::optional<observe::CounterView> found;
        client->counters().for_each([&](const observe::CounterView& counter) {
            if (counter.type_id == type_id) {
                found = counter;
            }
        });
        return found;
    }
    [[nodiscard]] std::size_t count_counters(std::int32_t type_id) {
        std::size_t count = 0;
        client->counters().for_each(
            [&](const observe::CounterView& counter) { count += counter.type_id == type_id ? 1 : 0; });
        return count;
    }
    [[nodiscard]] bool has_signal(fulmar::RecordingSignal signal) const {
        return std::any_of(signals.begin(), signals.end(),
            [&](const RecordingSignalEvent& event) { return event.signal == signal; });
    }
    [[nodiscard]] port::Clock& clock() { return world_.clock; }

    std::unique_ptr<Client> connect(const std::string& name) {
        ClientOptions made;
        made.dir = "/driver0";
        made.name = name;
        made.on_wait = [this] { step(); };
        driver_->poll_inline(world_.clock.now());
        auto result = Client::try_connect(std::move(made), {&world_.memory, &world_.clock});
        REQUIRE_MESSAGE(result, (result ? "" : result.error().message));
        return *std::move(result);
    }

  private:
    agent::World world_;
    std::unique_ptr<agent::DriverCore> driver_;

  public:
    drivers::MemoryDisk disk;
    ServerOptions options;
    std::vector<std::string> server_errors;
    std::vector<ArchiveError> errors;
    std::vector<RecordingSignalEvent> signals;
    std::function<void()> on_step;

  private:
    drivers::MemoryStorage storage_;
    StorageHub hub_{storage_};
    std::unique_ptr<Client> server_client_;

  public:
    std::unique_ptr<Server> server;
    std::unique_ptr<Client> client;
    std::unique_ptr<ArchiveClient> session;
};

}  // namespace fulmar::archive_server::test

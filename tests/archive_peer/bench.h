/// What the cases against a running archive share. The archive and its driver, ours or stock ones, are
/// started by who runs the program, and named in the environment:
///   FULMAR_DIR                the driver that the client attaches to, and that the archive records from
///   ARCHIVE_CONTROL_CHANNEL   where the archive takes requests
///   ARCHIVE_SECOND_CHANNEL    the same of another archive, for replication; its cases are skipped without
/// Cases leave recordings behind, so that each looks only at its own.
/// threads: one; the client may have its own.
#pragma once

#include <cstdlib>
#include <cstring>
#include <functional>
#include <memory>
#include <netinet/in.h>
#include <string>
#include <sys/socket.h>
#include <unistd.h>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include "fulmar/archive_client.h"
#include "fulmar/fragment_assembler.h"
#include "fulmar/idle.h"

namespace fulmar::archive_peer {

inline std::string variable(const char* name) {
    const char* value = std::getenv(name);
    return value == nullptr ? "" : value;
}

inline std::string control_channel() {
    const std::string channel = variable("ARCHIVE_CONTROL_CHANNEL");
    REQUIRE_MESSAGE(!channel.empty(), "ARCHIVE_CONTROL_CHANNEL does not say where the archive is");
    return channel;
}

/// A stream id that no other case has, of this run or of an earlier one against the same archive.
inline std::int32_t next_stream_id() {
    static std::int32_t next = 10'000 + ::getpid() * 100;
    return next++;
}

/// `localhost:port` that nobody is bound to now.
inline std::string free_endpoint() {
    const int fd = ::socket(AF_INET, SOCK_DGRAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t length = sizeof address;
    auto* generic = reinterpret_cast<sockaddr*>(&address);
    REQUIRE(::bind(fd, generic, length) == 0);
    REQUIRE(::getsockname(fd, generic, &length) == 0);
    ::close(fd);
    return "localhost:" + std::to_string(ntohs(address.sin_port));
}

template <class T, class E>
T value_of(Result<T, E> result) {
    REQUIRE_MESSAGE(result, (result ? "" : result.error().message));
    return std::move(result).value();
}

template <class E>
void require_ok(const Result<Done, E>& status) {
    REQUIRE_MESSAGE(status, (status ? "" : status.error().message));
}

template <class T>
ArchiveErrorCode code_of(const ArchiveResult<T>& result) {
    REQUIRE_FALSE(result);
    return result.error().archive_code;
}

/// A client of the driver and a session with the archive, and what the archive told.
class Bench {
  public:
    explicit Bench(bool own_thread = false) : Bench(control_channel(), own_thread) {}
    explicit Bench(const std::string& channel, bool own_thread = false) {
        ClientOptions options;
        options.name = "archive-peer";
        options.own_thread = own_thread;
        options.on_error = [](const Error& error) { FAIL_CHECK(error.message); };
        client = value_of(Client::connect(std::move(options)));
        archive = value_of(ArchiveClient::connect(*client, options_for(channel)));
    }

    ~Bench() {
        // Archives count the subscriptions that they record from.
        for (const auto& [stream_id, channel] : recorded) {
            (void)archive->async_stop_recording(channel, stream_id);
        }
    }
    Bench(const Bench&) = delete;
    Bench& operator=(const Bench&) = delete;

    ArchiveClientOptions options_for(const std::string& channel) {
        ArchiveClientOptions options;
        options.control_request_channel = channel;
        options.client_name = "peer";
        options.on_signal = [this](const RecordingSignalEvent& event) { signals.push_back(event); };
        options.on_error = [this](const ArchiveError& error) { errors.push_back(error); };
        return options;
    }

    /// Polls everything until the condition holds; fails the case when it never does.
    template <class Condition>
    void await(const std::string& what, Condition&& condition, Duration limit = seconds(20)) {
        const Instant end = client->now() + limit;
        BackoffIdle idle;
        while (!condition()) {
            REQUIRE_MESSAGE(client->now() < end, what, ": not in time", on_late ? on_late() : "");
            idle.idle(client->poll() + archive->poll());
        }
    }
    RecordingSignalEvent await_signal(RecordingSignal signal, std::int64_t correlation_id = -1) {
        RecordingSignalEvent found;
        await(std::string(to_string(signal)), [&] {
            for (auto event = signals.begin(); event != signals.end(); ++event) {
                if (event->signal == signal &&
                    (correlation_id == -1 || event->correlation_id == correlation_id)) {
                    found = *event;
                    signals.erase(event);
                    return true;
                }
            }
            return false;
        });
        return found;
    }

    std::vector<std::pair<std::int32_t, std::string>> recorded;  ///< what is to be stopped at the end
    std::function<std::string()> on_late;                        ///< what to say beside what was awaited
    std::unique_ptr<Client> client;
    std::vector<RecordingSignalEvent> signals;
    std::vector<ArchiveError> errors;
    std::unique_ptr<ArchiveClient> archive;  // last: its handlers use the others
};

/// Messages of which each says which it is, so that a reader knows what is missing.
class Numbers {
  public:
    static constexpr std::size_t kLength = 1000;

    static std::vector<std::byte> message(std::int64_t number) {
        std::vector<std::byte> bytes(kLength, static_cast<std::byte>(number));
        std::memcpy(bytes.data(), &number, sizeof number);
        return bytes;
    }
    /// Publishes `count` more.
    template <class Publication>
    void publish(Bench& bench, Publication& publication, std::int64_t count) {
        for (const std::int64_t end = published + count; published < end; ++published) {
            const auto bytes = message(published);
            bench.await("room for a message", [&] { return publication.offer(bytes).is_ok(); });
        }
    }
    /// For a poll: each message must be the next one.
    void operator()(std::span<const std::byte> bytes, const Header&) {
        const auto expected = message(read);
        REQUIRE(bytes.size() == expected.size());
        CHECK(std::memcmp(bytes.data(), expected.data(), bytes.size()) == 0);
        ++read;
    }

    std::int64_t published = 0;
    std::int64_t read = 0;
};

/// A stream with a recording of its own.
struct Recorded {
    std::int32_t stream_id = 0;
    std::string channel;
    std::unique_ptr<ExclusivePublication> publication;
    std::int64_t recording_id = kNullRecordingId;
    Numbers numbers;

    /// Publishes and waits until the archive has all of it.
    void publish(Bench& bench, std::int64_t count) {
        numbers.publish(bench, *publication, count);
        bench.await("all is recorded", [&] {
            return value_of(bench.archive->recording_position(recording_id)) == publication->position();
        });
    }
    /// Ends it; answers where it stopped.
    std::int64_t stop(Bench& bench) {
        require_ok(bench.archive->stop_recording(*publication));
        std::int64_t stopped = kNullPosition;
        bench.await("the recording stops", [&] {
            stopped = value_of(bench.archive->stop_position(recording_id));
            return stopped != kNullPosition;
        });
        return stopped;
    }
};

inline Recorded record(Bench& bench) {
    const std::string channel = "aeron:ipc";
    Recorded recorded;
    recorded.stream_id = next_stream_id();
    recorded.channel = channel;
    recorded.publication =
        value_of(bench.archive->add_recorded_exclusive_publication(channel, recorded.stream_id));
    bench.recorded.emplace_back(
        recorded.stream_id, channel + "?session-id=" + std::to_string(recorded.publication->session_id()));
    recorded.recording_id = bench.await_signal(RecordingSignal::kStart).recording_id;
    return recorded;
}

}  // namespace fulmar::archive_peer

/// An archive: its conductor, recorder and replayer, made on a catalog that is open and recovered.
///
/// The three are polled by whoever has threads for them, each by one: together (poll), or apart
/// (poll_conductor, poll_recorder, poll_replayer).
/// threads: as above; everything else on the conductor's.
/// errors: ServerOptions::on_error hears of them; requests are answered.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "archive_server/catalog_file.h"
#include "archive_server/context.h"
#include "archive_server/control_sessions.h"
#include "archive_server/event_stream.h"
#include "archive_server/recorder.h"
#include "archive_server/recordings.h"
#include "archive_server/replayer.h"
#include "archive_server/replays.h"
#include "archive_server/replications.h"
#include "archive_server/requests.h"
#include "archive_server/segment_ops.h"
#include "archive_server/server_counters.h"
#include "fulmar/client.h"
#include "fulmar/fragment_assembler.h"

namespace fulmar::archive {

/// What a server stands on. All outlive it. The three storages may be one; then one thread polls everything.
struct ServerPorts {
    Client* client = nullptr;  ///< polled by the conductor
    port::Clock* clock = nullptr;
    StorageHub* storage = nullptr;  ///< the conductor's
    StorageHub* recorder_storage = nullptr;
    StorageHub* replayer_storage = nullptr;
};

class Server {
  public:
    /// `start_up` is done and has no error.
    Server(ServerOptions options, const ServerPorts& ports, StartUp& start_up);
    ~Server();
    Server(const Server&) = delete;
    Server& operator=(const Server&) = delete;

    /// All three.
    int poll(Instant now);
    int poll_conductor(Instant now);
    int poll_recorder(Instant now) { return recorder_.poll(now); }
    int poll_replayer(Instant now) { return replayer_.poll(now); }

    /// Control streams are there: clients may come.
    [[nodiscard]] bool is_ready() const { return is_ready_; }
    /// Why it cannot go on; nothing while it can.
    [[nodiscard]] const std::optional<Error>& error() const { return error_; }

    /// Ends recordings and replays in order; go on polling until is_closed.
    void close();
    [[nodiscard]] bool is_closed() const;

    [[nodiscard]] std::int64_t archive_id() const { return context_.archive_id; }
    [[nodiscard]] const Catalog& catalog() const { return catalog_.catalog(); }
    /// Of all recordings that have ended.
    [[nodiscard]] const WriterCounts& written() const { return recordings_.written(); }
    /// Where network requests are taken, ports resolved.
    [[nodiscard]] std::vector<std::string> control_addresses() const;

  private:
    struct ControlStream {
        std::int64_t request = -1;
        std::unique_ptr<Subscription> subscription;
    };
    struct OnFragment {
        Server* server;
        void operator()(std::span<const std::byte> message, const Header& header) const {
            server->on_message(message, header);
        }
    };

    void subscribe(const std::string& channel, std::int32_t stream_id);
    int poll_streams();
    void on_message(std::span<const std::byte> message, const Header& header);
    void ask_for_space();
    void count(Instant now);

    /// Asks how much space is left, from time to time.
    class Space final : public StorageUser {
      public:
        explicit Space(Server& server) : server_(server) {}
        void on_storage(port::StorageCompletion& completion) override;
        bool is_asked = false;
        bool is_known = false;
        Instant next_time;

      private:
        Server& server_;
    };

    static constexpr int kFragmentsMax = 16;
    static constexpr int kCompletionsMax = 256;

    const ServerOptions options_;
    CatalogFile catalog_;
    ControlSessions sessions_;
    EventStream events_;
    ServerContext context_;
    Recorder recorder_;
    Replayer replayer_;
    Recordings recordings_;
    Replays replays_;
    SegmentOps segments_;
    Replications replications_;
    Requests requests_;
    std::vector<ControlStream> streams_;
    FragmentAssembler<OnFragment> assembler_{OnFragment{this}};
    Subscription* polled_ = nullptr;
    Space space_{*this};
    bool is_ready_ = false;
    bool is_closing_ = false;
    bool has_counters_ = false;
    ServerCounters counters_;
    std::optional<Error> error_;
};

}  // namespace fulmar::archive

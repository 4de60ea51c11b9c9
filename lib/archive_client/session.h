/// A control session: requests out, responses matched to them, signals and errors to their handlers. Bytes in
/// and out go through the streams it was given; time comes from the media driver's client.
/// threads: one.
/// bounds: kPendingMax requests without an outcome, or with one nobody fetched.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <variant>
#include <vector>

#include "archive/messages.h"
#include "archive_client/errand.h"
#include "archive_client/request_writer.h"
#include "fulmar/archive_client.h"
#include "fulmar/fragment_assembler.h"
#include "fulmar/idle.h"
#include "fulmar/sbe/decoder.h"

namespace fulmar::archive_client {

/// What a control session consists of once the archive has accepted it.
struct SessionInit {
    Client* client = nullptr;
    ArchiveClientOptions options;
    RequestWriter writer;
    std::unique_ptr<Subscription> responses;
    std::int64_t control_session_id = -1;
    std::int64_t archive_id = -1;
    std::int32_t protocol_version = 0;
};

/// What a listing is asked for: the handler of each thing listed, and how many there may be.
struct Listing {
    std::variant<std::monostate, RecordingHandler, RecordingSubscriptionHandler> handler;
    std::int64_t limit = 0;
};

class Session {
  public:
    static constexpr std::size_t kPendingMax = 4096;
    /// Fragments taken in by one poll.
    static constexpr int kFragmentsPerPoll = 32;

    explicit Session(SessionInit init);
    ~Session() { close(); }
    Session(const Session&) = delete;
    Session& operator=(const Session&) = delete;

    /// Sends a request of type M; `fill` sets what comes after session and correlation id. Answers the
    /// latter.
    template <class M, class Fill>
    ArchiveResult<std::int64_t> ask(std::string_view what, Fill&& fill, Listing listing = {}) {
        FULMAR_TRY_VOID(check_may_ask(what));
        const std::int64_t id = init_.client->next_correlation_id();
        FULMAR_TRY_VOID(checked(init_.writer.write<M>([&](sbe::Encoder<M>& request) {
            request.template set<"controlSessionId">(init_.control_session_id);
            request.template set<"correlationId">(id);
            fill(request);
        })));
        add_pending(id, what, std::move(listing));
        return id;
    }
    /// Sends a message of type M that nothing answers.
    template <class M, class Fill>
    ArchiveStatus tell(Fill&& fill) {
        FULMAR_TRY_VOID(check_connected());
        return checked(init_.writer.write<M>([&](sbe::Encoder<M>& request) {
            request.template set<"controlSessionId">(init_.control_session_id);
            fill(request);
        }));
    }

    int poll();
    [[nodiscard]] ArchiveResult<std::optional<std::int64_t>> find(std::int64_t correlation_id);
    void cancel(std::int64_t correlation_id);
    /// A request with this id, whose message the errand will send.
    [[nodiscard]] ArchiveStatus run(
        std::string_view what, std::int64_t correlation_id, std::unique_ptr<Errand> errand);
    void close();

    /// errors: kClient from inside a handler, which must not wait.
    [[nodiscard]] ArchiveStatus check_may_wait();
    /// One round of a wait: takes in what came, and lets time pass when there was nothing.
    void wait_step();

    [[nodiscard]] bool is_connected() const { return !ended_.has_value(); }
    [[nodiscard]] Client& client() const { return *init_.client; }
    [[nodiscard]] const SessionInit& init() const { return init_; }
    /// Now by the client's clock, and the message timeout from then.
    [[nodiscard]] Instant deadline() const { return init_.client->now() + init_.options.message_timeout; }

  private:
    struct Pending {
        std::string_view what;  ///< a literal
        Instant deadline;
        Listing listing;
        std::int64_t listed = 0;
        std::unique_ptr<Errand> errand;  ///< null for a request that is one message
        std::optional<ArchiveResult<std::int64_t>> outcome;

        [[nodiscard]] bool is_listing() const { return listing.handler.index() != 0; }
        /// Of the thing listed.
        template <class Handler>
        [[nodiscard]] bool lists() const {
            return std::holds_alternative<Handler>(listing.handler);
        }
    };
    /// Gets each message that the archive sent.
    struct Receiver;
    struct Assembled {
        Session* session;
        void operator()(std::span<const std::byte> message, const Header&) const {
            session->on_message(message);
        }
    };

    [[nodiscard]] ArchiveStatus check_connected() const;
    [[nodiscard]] ArchiveStatus check_may_ask(std::string_view what) const;
    /// A failed write may have found the session at its end.
    ArchiveStatus checked(ArchiveStatus status);
    void add_pending(std::int64_t id, std::string_view what, Listing listing);
    [[nodiscard]] Pending* waiting(std::int64_t correlation_id);

    void on_message(std::span<const std::byte> message);
    void on_response(const sbe::Decoder<archive::ControlResponse>& response);
    void on_failure(const sbe::Decoder<archive::ControlResponse>& response, ArchiveErrorCode code);
    template <class Handler, class Item>
    void on_listed(std::int64_t correlation_id, const Item& item);
    int run_errands();
    void time_out(Instant now);
    void end(ArchiveError why);
    void report(const ArchiveError& error);

    SessionInit init_;
    FragmentAssembler<Assembled> assembler_{Assembled{this}};
    std::map<std::int64_t, Pending> pending_;
    std::vector<std::int64_t> errands_;  ///< those of pending_ that may have one
    Instant next_timeout_ = Instant::never();
    std::optional<ArchiveError> ended_;
    BackoffIdle idle_;
    bool is_in_handler_ = false;
};

}  // namespace fulmar::archive_client

/// Watches the wire as a third party: whatever our cores think of themselves, a sender must stay within what
/// its receivers asked for, and a receiver must ask no more often than it may.
/// threads: one.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <utility>

#include "fulmar/time.h"
#include "tests/sim/counts.h"
#include "tests/sim/ledger.h"
#include "tests/sim/sim_net.h"
#include "tests/sim/workload.h"
#include "wire/frame.h"

namespace fulmar::sim {

class WireMonitor final : public PacketObserver {
  public:
    struct Rules {
        Duration nak_retry = microseconds(100);
        Duration connection_timeout = seconds(5);
        /// Streams that move on without being sent, as far as spies have read, while nobody receives them.
        std::set<std::int32_t> simulated_streams;
        /// Streams that go to several destinations, and whether the slowest receiver is waited for.
        std::map<std::int32_t, std::optional<GroupRule>> casts;
    };
    /// Called when a packet is in a host's queue, so that its agent can be woken.
    class Arrivals {
      public:
        virtual ~Arrivals() = default;
        virtual void on_arrival(int host, port::PacketQueue& queue) = 0;
        /// True when the host's agents did not run as they should lately, so that they may judge by old news.
        [[nodiscard]] virtual bool was_disturbed(int host) const = 0;
    };

    WireMonitor(const Rules& rules, const WorldTime& time, Ledger& ledger, Arrivals& arrivals,
        Verdict& verdict, Counts& counts)
        : rules_(rules),
          time_(time),
          ledger_(ledger),
          arrivals_(arrivals),
          verdict_(verdict),
          counts_(counts) {}

    void on_sent(int host, const port::Endpoint& source, const port::Endpoint& to,
        std::span<const std::byte> bytes) override;
    void on_arrived(int host, port::PacketQueue& queue, std::span<const std::byte> bytes) override;

  private:
    static constexpr std::size_t kNaksRemembered = 32;

    struct SentNak {
        std::int64_t begin = -1;
        std::uint16_t from = 0;  ///< UDP port: a subscription may ask in several ways
        Instant at;
    };
    /// What one receiving host was sent and answered.
    struct Hearing {
        std::int64_t highest = 0;    ///< end of what arrived, heartbeats included
        std::int64_t consumed = -1;  ///< least of the positions below
        /// Last status message's position, by receiver: one subscription's image may still drain there.
        std::map<std::int64_t, std::int64_t> consumed_by;
        std::array<SentNak, kNaksRemembered> naks;
        std::size_t next_nak = 0;
    };
    /// What a receiver last told the sender.
    struct Heard {
        Instant at;
        std::int64_t position = 0;
        std::int64_t limit = 0;
        std::int64_t granted = 0;  ///< what others had invited when it joined: that is not taken back
        Instant since;             ///< of being heard without an interruption
        bool is_member = false;    ///< of a group that waits for it
    };
    /// One session, from its first setup on, whoever knows of it.
    struct Watched {
        const Stream* stream = nullptr;  ///< null until its publisher has heard of it
        std::int32_t initial_term_id = 0;
        std::int32_t term_length = 0;
        std::int32_t mtu = 0;
        std::int64_t sent = 0;        ///< end of what was sent
        std::int64_t last_begin = 0;  ///< of the packet that ends there
        std::int64_t limit = 0;       ///< what receivers invited, as far as it reached the sender
        /// By receiver id: the last status message that reached the sender; gone once it said farewell.
        std::map<std::int64_t, Heard> heard;
        Instant heard_since;     ///< of a time without receivers the end; the sender may not know yet
        bool has_ended = false;  ///< its end was announced
        std::map<int, Hearing> hearings;
    };

    using Key = std::pair<std::int32_t, std::int32_t>;  // session, stream
    [[nodiscard]] Watched* find(std::int32_t session_id, std::int32_t stream_id);
    [[nodiscard]] static std::int64_t position(
        const Watched& state, std::int32_t term_id, std::int32_t term_offset);
    [[nodiscard]] static std::string name(const Watched& state, std::int32_t session_id);
    [[nodiscard]] bool has_receiver(const Watched& state, std::int64_t sent) const;
    [[nodiscard]] bool may_leave_out(
        int host, const Watched& state, std::int32_t stream_id, std::int64_t position) const;
    [[nodiscard]] bool is_between_copies(
        const Watched& state, std::int32_t stream_id, std::int64_t position) const;
    void follow_spies(int host, Watched& state, std::int32_t stream_id, std::int64_t position);
    void on_data_sent(int host, Watched& state, std::span<const std::byte> bytes);
    void on_heartbeat_sent(int host, Watched& state, const wire::DataHeader& header);
    void on_setup_sent(int host, const wire::Setup& setup);
    void on_status_message_sent(int host, Watched& state, const wire::StatusMessage& message);
    void on_nak_sent(int host, std::uint16_t from, Watched& state, const wire::Nak& nak);
    void check_destination(int host, const Watched& state, const port::Endpoint& to);
    void check_group(int host, Watched& state, std::int32_t stream_id, std::int64_t end);
    void hear(Watched& state, const wire::StatusMessage& message, std::int64_t at);

    Rules rules_;
    const WorldTime& time_;
    Ledger& ledger_;
    Arrivals& arrivals_;
    Verdict& verdict_;
    Counts& counts_;
    std::map<Key, Watched> watched_;
};

}  // namespace fulmar::sim

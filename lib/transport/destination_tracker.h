/// Where a multi-destination publication's packets go: addresses that commands name, or those of receivers
/// that are heard from.
/// threads: the sender agent; the counter is its, too.  Bound: kDestinationsMax, allocated at construction.
/// source: Aeron multi-destination cast.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "fulmar/time.h"
#include "observe/counters.h"
#include "port/endpoint.h"

namespace fulmar::transport {

class DestinationTracker {
  public:
    static constexpr std::size_t kDestinationsMax = 256;
    /// A receiver silent for longer is none any more; a named address is then looked up again.
    static constexpr Duration kTimeout = seconds(5);
    static constexpr std::int64_t kNoRegistration = -1;

    enum class Mode : std::uint8_t { kManual, kDynamic };

    struct Destination {
        port::Endpoint address;
        std::int64_t registration_id = kNoRegistration;
        std::int64_t receiver_id = 0;
        bool has_receiver = false;  ///< receiver_id was heard
        bool has_name = false;      ///< its address may change
        Instant heard;
    };

    DestinationTracker(Mode mode, const observe::Counter& count);

    [[nodiscard]] Mode mode() const { return mode_; }
    [[nodiscard]] std::span<const Destination> all() const { return destinations_; }

    /// Any status message that reaches the endpoint. False: a further receiver than there is room for.
    bool on_status_message(Instant now, std::int64_t receiver_id, const port::Endpoint& source);
    /// A destination that a command names; the conductor keeps to the bound.
    void add(Instant now, const port::Endpoint& address, std::int64_t registration_id, bool has_name);
    void remove(std::int64_t registration_id);
    /// Its name means another address by now.
    void move(std::int64_t registration_id, const port::Endpoint& address);
    /// The destination that a receiver belongs to; kNoRegistration: none that was named.
    [[nodiscard]] std::int64_t registration_of(std::int64_t receiver_id, const port::Endpoint& source) const;

    /// Drops receivers that fell silent.
    void expire(Instant now);
    /// A named destination that fell silent, once per time-out; kNoRegistration: none.
    [[nodiscard]] std::int64_t next_silent(Instant now);
    /// We did not listen for that long: nobody was silent meanwhile.
    void forgive(Duration silence);

  private:
    [[nodiscard]] static bool matches(
        const Destination& destination, std::int64_t receiver_id, const port::Endpoint& source);
    void show_count();

    Mode mode_;
    observe::Counter count_;
    std::vector<Destination> destinations_;
};

}  // namespace fulmar::transport

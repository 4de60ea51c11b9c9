/// IPv4 neighbours and their MAC addresses: asks for those that somebody needs, keeps them fresh, forgets
/// the rest. It decides; the caller turns its questions into ARP requests.
///
/// An entry is made only by need (somebody sends there) or by an ARP request to us (somebody is about to
/// send here); the second kind may take half of the table at most. Anything else heard, unsolicited replies
/// included, only updates entries that exist.
///
/// threads: one owner.  source: RFC 826, RFC 4861 section 7.3 (states), RFC 1122 section 2.3.2 (refresh).
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "fulmar/time.h"
#include "net/net_stats.h"
#include "wire/ethernet.h"

namespace fulmar::net {

enum class NeighbourState : std::uint8_t {
    kFree,
    kIncomplete,  ///< asked by broadcast, no answer yet
    kReachable,   ///< heard of lately
    kStale,       ///< not heard of for a while and not in use: usable, will be checked at the next use
    kProbing,     ///< usable, being checked
    kFailed,      ///< no answer; asked again at the next need after a pause
};

/// Where to ask: by broadcast while the MAC is unknown or stays silent, else to the MAC itself.
struct NeighbourQuestion {
    std::uint32_t ip = 0;
    wire::MacAddress destination;
};

class NeighbourTable {
  public:
    struct Options {
        std::size_t capacity = 256;  ///< a power of two
        Duration retry = milliseconds(100);
        int attempts = 5;  ///< by broadcast, until it counts as failed
        Duration failed_pause = seconds(1);
        Duration reachable_time = seconds(30);
        Duration refresh_before = seconds(5);  ///< how long before its end a used entry is checked
        Duration probe_retry = seconds(1);
        int unicast_probes = 3;
        int broadcast_probes = 3;
        Duration forget_unused = seconds(600);
    };
    static constexpr std::uint32_t kNone = 0xFFFF'FFFF;

    NeighbourTable(const Options& options, NetStats& stats);

    /// The index of a neighbour, or kNone. Constant time.
    [[nodiscard]] std::uint32_t find(std::uint32_t ip) const;
    /// Somebody wants to send there: starts asking if nobody knows. kNone when the table is full of needed
    /// ones.
    [[nodiscard]] std::uint32_t need(Instant now, std::uint32_t ip);
    [[nodiscard]] bool usable(std::uint32_t index) const { return usable_[index] != 0; }
    [[nodiscard]] const wire::MacAddress& mac(std::uint32_t index) const { return entries_[index].mac; }
    [[nodiscard]] std::uint32_t ip(std::uint32_t index) const { return entries_[index].ip; }
    [[nodiscard]] NeighbourState state(std::uint32_t index) const { return entries_[index].state; }
    /// A packet went there; keeps the entry fresh.
    void mark_used(std::uint32_t index) { used_[index] = 1; }
    /// Rises whenever a MAC address changes or an entry stops or starts being usable.
    [[nodiscard]] std::uint64_t version() const { return version_; }

    /// An ARP packet about `ip`. create: it was a request to us.
    void on_arp(Instant now, std::uint32_t ip, const wire::MacAddress& mac, bool create);
    /// Any other frame from a neighbour: confirms what we know, answers what we ask, never moves an entry.
    void on_heard(Instant now, std::uint32_t ip, const wire::MacAddress& mac);

    /// Runs the timers. ask(question) -> bool says whether it could be sent (else it is asked again soon);
    /// failed(ip) tells that nobody answered. Cheap while nothing is due.
    template <class Ask, class Failed>
    void poll(Instant now, Ask&& ask, Failed&& failed) {
        if (now < next_due_) {
            return;
        }
        next_due_ = Instant::never();
        for (std::uint32_t i = 0; i < entries_.size(); ++i) {
            if (entries_[i].due <= now) {
                poll_entry(now, i, ask, failed);
            }
            next_due_ = earlier(next_due_, entries_[i].due);
        }
    }
    [[nodiscard]] Instant next_due() const { return next_due_; }
    [[nodiscard]] std::size_t size() const { return size_; }

  private:
    struct Entry {
        std::uint32_t ip = 0;
        wire::MacAddress mac;
        NeighbourState state = NeighbourState::kFree;
        bool needed = false;  ///< made or used by a sender of ours
        std::uint8_t asked = 0;
        Instant heard;
        Instant due = Instant::never();
    };
    enum class Step : std::uint8_t { kNone, kAsk, kFail };

    template <class Ask, class Failed>
    void poll_entry(Instant now, std::uint32_t index, Ask& ask, Failed& failed) {
        switch (advance(now, index)) {
            case Step::kNone: return;
            case Step::kAsk: {
                NeighbourQuestion question;
                question.ip = entries_[index].ip;
                question.destination = question_destination(index);
                asked(now, index, ask(question));
                return;
            }
            case Step::kFail: failed(entries_[index].ip); return;
        }
    }
    [[nodiscard]] Step advance(Instant now, std::uint32_t index);
    [[nodiscard]] wire::MacAddress question_destination(std::uint32_t index) const;
    void asked(Instant now, std::uint32_t index, bool sent);

    [[nodiscard]] std::size_t home(std::uint32_t ip) const;
    [[nodiscard]] std::uint32_t make(Instant now, std::uint32_t ip, bool needed);
    [[nodiscard]] std::uint32_t pick_victim(bool needed) const;
    void link(std::uint32_t index);
    void unlink(std::uint32_t index);
    void drop(std::uint32_t index);
    void confirm(Instant now, std::uint32_t index, const wire::MacAddress& mac);
    void set_state(std::uint32_t index, NeighbourState state);
    void set_due(std::uint32_t index, Instant due);

    Options options_;
    NetStats& stats_;
    std::vector<Entry> entries_;
    std::vector<std::uint8_t> usable_;
    std::vector<std::uint8_t> used_;
    std::vector<std::uint32_t> slots_;  // open addressing, twice the capacity: index or kNone
    std::size_t size_ = 0;
    std::size_t unneeded_ = 0;
    std::uint64_t version_ = 1;
    Instant next_due_ = Instant::never();
};

}  // namespace fulmar::net

/// Vouches for what passes between this member and one other: that it was said by who holds their key, to
/// whom it came, in this life of either, and once. What is said can be read by anybody.
///
/// Each direction has sessions of its own, which the sender asks for and the receiver grants:
///
///     sender                                   receiver
///     SessionRequest {session}          ──►
///                                       ◄──    SessionChallenge {session, challenge}
///     SealedHeader {session, sequence}  ──►    takes up the session, and draws the next challenge
///
/// The session's key comes from both draws. The sender's keeps an old challenge from being taken for a new
/// one, the receiver's an old session; and as a challenge serves one session, none is ever taken up again.
/// Who comes back from a restart asks, and by its `life` the other side sees that it has to ask too; whoever
/// is not understood gets a challenge instead of an answer, and asks again. So there is nothing for an
/// operator to do, and the messages between are lost as if by the network.
///
/// The owner hands in what arrives, sends what poll gives until it gives nothing, and calls again at
/// deadline().
///
/// threads: one owner.  errors: verdicts; a flood of them allocates nothing.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "cluster/mac.h"
#include "cluster/replay_window.h"
#include "cluster/session_schema.h"
#include "fulmar/sbe/decoder.h"
#include "fulmar/sbe/encoder.h"
#include "fulmar/time.h"

namespace fulmar::cluster {

/// What a message grows by: in front, and behind.
inline constexpr std::size_t kSealFront = sbe::encoded_length<SealedHeader>;
inline constexpr std::size_t kSealBytes = kSealFront + kMacBytes;
/// The longest that poll gives.
inline constexpr std::size_t kHandshakeMax = sbe::encoded_length<SessionChallenge> + kMacBytes;

enum class AuthVerdict : std::uint8_t {
    kMessage,         ///< what was said is there to be read
    kHandshake,       ///< was for the session alone
    kMalformed,       ///< not of this protocol
    kElsewhere,       ///< of another cluster or between others
    kForged,          ///< or spoilt, or by a holder of another key
    kUnknownSession,  ///< one that is over, or was lost with a restart; or forged
    kRepeated,
    kTooOld,  ///< overtaken by ReplayWindow::kReach others
};

struct Opened {
    AuthVerdict verdict = AuthVerdict::kMalformed;
    std::span<const std::byte> message{};  ///< within what was handed in
};

class MemberAuth {
  public:
    struct Options {
        Direction out;  ///< from this member to the other
        Secret key{};   ///< that both hold
        /// From the system's source of randomness, at each start anew: what is drawn again can be replayed.
        Secret draw{};
        /// How often what was not answered is asked again.
        Duration ask_interval = milliseconds(10);
    };

    MemberAuth(const Options& options, Instant now);

    /// Who claims to have sent it, to find whose MemberAuth will tell.
    [[nodiscard]] static std::optional<raft::MemberId> claimed_sender(std::span<const std::byte> datagram);

    /// Whether there is a session to send in.
    [[nodiscard]] bool is_open() const { return sending_.has_value(); }
    /// Closes a datagram around a message of `length` that lies kSealFront bytes into the buffer. Its whole
    /// length; 0 while there is no session.
    [[nodiscard]] std::size_t seal(std::span<std::byte> buffer, std::size_t length);
    [[nodiscard]] Opened open(std::span<const std::byte> datagram);

    /// A datagram for the other member, into a buffer of kHandshakeMax; its length, 0 for none.
    [[nodiscard]] std::size_t poll(std::span<std::byte> buffer, Instant now);
    [[nodiscard]] Instant deadline() const;

    /// Of what is opened.
    [[nodiscard]] Direction incoming() const { return out_.reversed(); }

  private:
    struct Challenge {
        std::uint64_t life = 0;
        std::uint64_t number = 0;
        bool operator==(const Challenge&) const = default;
    };
    struct Sending {
        std::uint64_t session = 0;
        Challenge challenge;
        MacKey key;
        std::uint64_t sequence = 0;
    };
    struct Receiving {
        std::uint64_t session = 0;
        MacKey key;
        ReplayWindow window;
    };
    struct Keys {
        MacKey handshake;
        MacKey sessions;  ///< signs what the sessions' keys are made of
    };

    [[nodiscard]] static Keys keys_of(const Secret& key, const Direction& direction);
    [[nodiscard]] static MacKey session_key(
        const Keys& keys, std::uint64_t session, const Challenge& challenge);
    [[nodiscard]] std::uint64_t draw();
    void ask();
    template <class M, class Fill>
    [[nodiscard]] std::size_t put(std::span<std::byte> buffer, Fill&& fill) const;
    template <class M>
    [[nodiscard]] AuthVerdict check(
        const sbe::Decoder<M>& message, std::span<const std::byte> datagram) const;
    [[nodiscard]] Opened on(const sbe::Decoder<SealedHeader>& header, std::span<const std::byte> datagram);
    [[nodiscard]] Opened on(const sbe::Decoder<SessionRequest>& request, std::span<const std::byte> datagram);
    [[nodiscard]] Opened on(
        const sbe::Decoder<SessionChallenge>& message, std::span<const std::byte> datagram);

    const Direction out_;
    const Duration ask_interval_;
    const Keys out_keys_;
    const Keys in_keys_;
    const MacKey draws_;
    std::uint64_t drawn_ = 0;

    // Sending.
    std::optional<Sending> sending_;
    std::optional<std::uint64_t> asked_;  // the session, until it is granted
    Instant ask_due_;

    // Receiving.
    std::optional<Receiving> receiving_;
    Challenge challenge_;                     // for the next session
    std::optional<std::uint64_t> requested_;  // by the other side, to be answered
    std::optional<std::uint64_t> not_known_;  // what came in it, to be answered less eagerly
    Instant not_known_due_;
};

}  // namespace fulmar::cluster

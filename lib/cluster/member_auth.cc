#include "cluster/member_auth.h"

#include <algorithm>
#include <cstring>
#include <string_view>
#include <type_traits>
#include <utility>

#include "base/assert.h"
#include "base/bytes.h"
#include "fulmar/sbe/dispatch.h"

namespace fulmar::cluster {
namespace {

/// How often at most whoever sends in a session that is not known is told so: it need not be who it says.
constexpr Duration kNotKnownInterval = milliseconds(1);

/// A key for one purpose between two members.
MacKey key_for(std::string_view purpose, const MacKey& key, const Direction& direction) {
    std::array<std::byte, 32> text{};
    FULMAR_ASSERT(purpose.size() <= 16, "purpose and direction fit");
    std::memcpy(text.data(), purpose.data(), purpose.size());
    base::store_le(text.data(), 16, direction.cluster_id);
    base::store_le(text.data(), 20, direction.from);
    base::store_le(text.data(), 24, direction.to);
    return MacKey(key.sign(text));
}

std::span<const std::byte> vouched_for(std::span<const std::byte> datagram) {
    return datagram.first(datagram.size() - kMacBytes);
}

bool is_signed(const MacKey& key, std::span<const std::byte> datagram) {
    return key.is_signed(vouched_for(datagram), datagram.last<kMacBytes>());
}

}  // namespace

MemberAuth::Keys MemberAuth::keys_of(const Secret& key, const Direction& direction) {
    const MacKey root(key);
    return {key_for("handshake", root, direction), key_for("session", root, direction)};
}

MacKey MemberAuth::session_key(const Keys& keys, std::uint64_t session, const Challenge& challenge) {
    std::array<std::byte, 24> text{};
    base::store_le(text.data(), 0, session);
    base::store_le(text.data(), 8, challenge.life);
    base::store_le(text.data(), 16, challenge.number);
    return MacKey(keys.sessions.sign(text));
}

MemberAuth::MemberAuth(const Options& options, Instant now)
    : out_(options.out),
      ask_interval_(options.ask_interval),
      out_keys_(keys_of(options.key, options.out)),
      in_keys_(keys_of(options.key, options.out.reversed())),
      draws_(key_for("draw", MacKey(options.draw), options.out)),
      ask_due_(now),
      challenge_{draw(), 1},
      not_known_due_(now) {
    FULMAR_ASSERT(out_.from != out_.to, "between two members");
    ask();
}

std::uint64_t MemberAuth::draw() {
    std::array<std::byte, 8> number{};
    base::store_le(number.data(), 0, ++drawn_);
    return base::load_le<std::uint64_t>(draws_.sign(number).data(), 0);
}

void MemberAuth::ask() {
    if (!asked_) {
        asked_ = draw();
    }
}

std::optional<raft::MemberId> MemberAuth::claimed_sender(std::span<const std::byte> datagram) {
    std::optional<raft::MemberId> from;
    (void)sbe::dispatch<SessionMessages>(
        datagram, [&](const auto& message) { from = message.template get<"from">(); });
    return from;
}

// ---- out

std::size_t MemberAuth::seal(std::span<std::byte> buffer, std::size_t length) {
    FULMAR_ASSERT(
        buffer.size() >= kSealBytes + length, "a buffer has room for the message and what it grows by");
    if (!sending_) {
        return 0;
    }
    sbe::Encoder<SealedHeader> header(buffer.first(kSealFront));
    put_direction(header, out_);
    header.set<"session">(sending_->session).set<"sequence">(++sending_->sequence);
    FULMAR_ASSERT(header.finish().has_value(), "a header has one length");
    const std::size_t end = kSealFront + length;
    sending_->key.sign(buffer.first(end), buffer.subspan(end).first<kMacBytes>());
    return end + kMacBytes;
}

template <class M, class Fill>
std::size_t MemberAuth::put(std::span<std::byte> buffer, Fill&& fill) const {
    FULMAR_ASSERT(buffer.size() >= kHandshakeMax, "a buffer has room for the longest");
    sbe::Encoder<M> message(buffer);
    put_direction(message, out_);
    fill(message);
    const auto bytes = message.finish();
    FULMAR_ASSERT(bytes.has_value(), "a message has one length");
    out_keys_.handshake.sign(*bytes, buffer.subspan(bytes->size()).template first<kMacBytes>());
    return bytes->size() + kMacBytes;
}

std::size_t MemberAuth::poll(std::span<std::byte> buffer, Instant now) {
    std::optional<std::uint64_t> answered;
    if (requested_) {
        answered = std::exchange(requested_, std::nullopt);
    } else if (not_known_ && now >= not_known_due_) {
        answered = std::exchange(not_known_, std::nullopt);
        not_known_due_ = now + kNotKnownInterval;
    }
    if (answered) {
        return put<SessionChallenge>(buffer, [&](auto& message) {
            message.template set<"session">(*answered);
            message.template composite<"challenge">()
                .template set<"life">(challenge_.life)
                .template set<"number">(challenge_.number);
        });
    }
    if (asked_ && now >= ask_due_) {
        ask_due_ = now + ask_interval_;
        return put<SessionRequest>(buffer, [&](auto& message) {
            message.template set<"session">(*asked_).template set<"life">(challenge_.life);
        });
    }
    return 0;
}

Instant MemberAuth::deadline() const {
    if (requested_) {
        return {};
    }
    return earlier(asked_ ? ask_due_ : Instant::never(), not_known_ ? not_known_due_ : Instant::never());
}

// ---- in

template <class M>
AuthVerdict MemberAuth::check(const sbe::Decoder<M>& message, std::span<const std::byte> datagram) const {
    constexpr bool holds_more = std::is_same_v<M, SealedHeader>;
    const std::size_t own = message.encoded_length() + kMacBytes;
    if (message.acting_version() != MemberSchema::kVersion ||
        message.acting_block_length() != sbe::block_length<M> ||
        (holds_more ? datagram.size() < own : datagram.size() != own)) {
        return AuthVerdict::kMalformed;
    }
    return direction_of(message) == incoming() ? AuthVerdict::kHandshake : AuthVerdict::kElsewhere;
}

Opened MemberAuth::open(std::span<const std::byte> datagram) {
    Opened opened;
    (void)sbe::dispatch<SessionMessages>(datagram, [&](const auto& message) {
        opened.verdict = check(message, datagram);
        if (opened.verdict == AuthVerdict::kHandshake) {
            opened = on(message, datagram);
        }
    });
    return opened;
}

Opened MemberAuth::on(const sbe::Decoder<SealedHeader>& header, std::span<const std::byte> datagram) {
    const std::uint64_t session = header.get<"session">();
    if (receiving_ && receiving_->session == session) {
        if (!is_signed(receiving_->key, datagram)) {
            return {AuthVerdict::kForged};
        }
    } else {
        const MacKey key = session_key(in_keys_, session, challenge_);
        if (!is_signed(key, datagram)) {
            not_known_ = session;
            return {AuthVerdict::kUnknownSession};
        }
        receiving_.emplace(Receiving{session, key, {}});
        // Never this one again: what was sealed with it in another session cannot come back.
        ++challenge_.number;
    }
    switch (receiving_->window.admit(header.get<"sequence">())) {
        case ReplayWindow::Verdict::kNew: break;
        case ReplayWindow::Verdict::kRepeated: return {AuthVerdict::kRepeated};
        case ReplayWindow::Verdict::kTooOld: return {AuthVerdict::kTooOld};
    }
    return {AuthVerdict::kMessage, vouched_for(datagram).subspan(kSealFront)};
}

Opened MemberAuth::on(const sbe::Decoder<SessionRequest>& request, std::span<const std::byte> datagram) {
    if (!is_signed(in_keys_.handshake, datagram)) {
        return {AuthVerdict::kForged};
    }
    requested_ = request.get<"session">();
    // It has restarted, and does not know our session any more; or this is an old message, and we ask in
    // vain.
    if (sending_ && sending_->challenge.life != request.get<"life">()) {
        ask();
    }
    return {AuthVerdict::kHandshake};
}

Opened MemberAuth::on(const sbe::Decoder<SessionChallenge>& message, std::span<const std::byte> datagram) {
    if (!is_signed(in_keys_.handshake, datagram)) {
        return {AuthVerdict::kForged};
    }
    const std::uint64_t session = message.get<"session">();
    const auto challenge = message.get<"challenge">();
    const Challenge theirs{challenge.get<"life">(), challenge.get<"number">()};
    if (asked_ == session) {
        asked_.reset();
        sending_.emplace(Sending{session, theirs, session_key(out_keys_, session, theirs)});
    } else if (sending_ && sending_->session == session && sending_->challenge != theirs) {
        ask();
    }
    return {AuthVerdict::kHandshake};
}

}  // namespace fulmar::cluster

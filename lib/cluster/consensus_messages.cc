#include "cluster/consensus_messages.h"

#include <optional>
#include <type_traits>
#include <variant>

#include "base/assert.h"
#include "fulmar/sbe/decoder.h"
#include "wire/frame.h"

namespace fulmar::cluster {
namespace {

template <class M>
using Taken = sbe::Decoder<M>;

using Fault = std::optional<ConsensusFault>;

Fault unless(bool is_well, ConsensusFault fault) {
    return is_well ? Fault{} : Fault{fault};
}

YesNo yes_no(bool value) {
    return value ? YesNo::kYes : YesNo::kNo;
}

/// Where a message of the log may end.
bool is_position(std::int64_t position) {
    return position >= 0 && position <= kPositionMax && position % wire::kFrameAlignment == 0;
}

/// Of what the log has in a term in which `term` has begun.
bool is_log_term(raft::Term log_term, raft::Term term) {
    return log_term >= 0 && log_term <= term;
}

// For each body: its message, how it is written, how it is read, and what is wrong with it in a message of
// `term`.

template <class Body>
struct Coding;

template <>
struct Coding<raft::VoteRequest> {
    using Message = VoteRequestMessage;
    static void put(sbe::Encoder<Message>& to, const raft::VoteRequest& body) {
        FULMAR_ASSERT(!body.is_pre || !body.is_transfer, "a transfer is not asked about first");
        const VoteKind kind = body.is_pre        ? VoteKind::kPre
                              : body.is_transfer ? VoteKind::kTransfer
                                                 : VoteKind::kElection;
        to.set<"logTerm">(body.log_term).set<"logEnd">(body.log_end).set<"kind">(kind);
    }
    static raft::VoteRequest get(const Taken<Message>& from) {
        const VoteKind kind = from.get<"kind">();
        return {.is_pre = kind == VoteKind::kPre,
            .is_transfer = kind == VoteKind::kTransfer,
            .log_term = from.get<"logTerm">(),
            .log_end = from.get<"logEnd">()};
    }
    static Fault fault(const Taken<Message>& from, raft::Term term) {
        if (!sbe::known<VoteKindType>(from.get<"kind">())) {
            return ConsensusFault::kValue;
        }
        // The term is one to come, or just begun: no log has it yet.
        if (!is_log_term(from.get<"logTerm">(), term - 1)) {
            return ConsensusFault::kTerm;
        }
        return unless(is_position(from.get<"logEnd">()), ConsensusFault::kPosition);
    }
};

template <>
struct Coding<raft::VoteReply> {
    using Message = VoteReplyMessage;
    static void put(sbe::Encoder<Message>& to, const raft::VoteReply& body) {
        to.set<"isPre">(yes_no(body.is_pre)).set<"isGranted">(yes_no(body.is_granted));
    }
    static raft::VoteReply get(const Taken<Message>& from) {
        return {.is_pre = from.get<"isPre">() == YesNo::kYes,
            .is_granted = from.get<"isGranted">() == YesNo::kYes};
    }
    static Fault fault(const Taken<Message>& from, raft::Term term) {
        const YesNo is_granted = from.get<"isGranted">();
        if (!sbe::known<YesNoType>(from.get<"isPre">()) || !sbe::known<YesNoType>(is_granted)) {
            return ConsensusFault::kValue;
        }
        // Only who has seen no term yet, and refuses, speaks of none.
        return unless(term > 0 || is_granted == YesNo::kNo, ConsensusFault::kTerm);
    }
};

template <>
struct Coding<raft::Heartbeat> {
    using Message = HeartbeatMessage;
    static void put(sbe::Encoder<Message>& to, const raft::Heartbeat& body) {
        to.set<"logEnd">(body.log_end).set<"commit">(body.commit).set<"round">(body.round);
    }
    static raft::Heartbeat get(const Taken<Message>& from) {
        return {
            .log_end = from.get<"logEnd">(), .commit = from.get<"commit">(), .round = from.get<"round">()};
    }
    static Fault fault(const Taken<Message>& from, raft::Term term) {
        if (term == 0) {
            return ConsensusFault::kTerm;
        }
        const std::int64_t end = from.get<"logEnd">();
        const std::int64_t commit = from.get<"commit">();
        return unless(is_position(end) && is_position(commit) && commit <= end, ConsensusFault::kPosition);
    }
};

template <>
struct Coding<raft::Ack> {
    using Message = AckMessage;
    static void put(sbe::Encoder<Message>& to, const raft::Ack& body) {
        to.set<"position">(body.position).set<"round">(body.round);
    }
    static raft::Ack get(const Taken<Message>& from) {
        return {.position = from.get<"position">(), .round = from.get<"round">()};
    }
    static Fault fault(const Taken<Message>& from, raft::Term term) {
        if (term == 0) {
            return ConsensusFault::kTerm;
        }
        const std::int64_t position = from.get<"position">();
        return unless(position == -1 || is_position(position), ConsensusFault::kPosition);
    }
};

template <>
struct Coding<raft::MatchRequest> {
    using Message = MatchRequestMessage;
    static void put(sbe::Encoder<Message>& to, const raft::MatchRequest& body) {
        to.set<"question">(body.question).set<"logTerm">(body.log_term);
    }
    static raft::MatchRequest get(const Taken<Message>& from) {
        return {.question = from.get<"question">(), .log_term = from.get<"logTerm">()};
    }
    static Fault fault(const Taken<Message>& from, raft::Term term) {
        if (from.get<"question">() == 0) {
            return ConsensusFault::kValue;
        }
        return unless(term > 0 && is_log_term(from.get<"logTerm">(), term), ConsensusFault::kTerm);
    }
};

template <>
struct Coding<raft::MatchReply> {
    using Message = MatchReplyMessage;
    static void put(sbe::Encoder<Message>& to, const raft::MatchReply& body) {
        to.set<"question">(body.question)
            .set<"logTerm">(body.log_term)
            .set<"end">(body.end)
            .set<"begin">(body.begin);
    }
    static raft::MatchReply get(const Taken<Message>& from) {
        return {.question = from.get<"question">(),
            .log_term = from.get<"logTerm">(),
            .end = from.get<"end">(),
            .begin = from.get<"begin">()};
    }
    static Fault fault(const Taken<Message>& from, raft::Term term) {
        // A follower that has not asked waits for the answer to question 0.
        if (from.get<"question">() == 0) {
            return ConsensusFault::kValue;
        }
        if (term == 0 || !is_log_term(from.get<"logTerm">(), term)) {
            return ConsensusFault::kTerm;
        }
        const std::int64_t begin = from.get<"begin">();
        const std::int64_t end = from.get<"end">();
        return unless(is_position(begin) && is_position(end) && begin <= end, ConsensusFault::kPosition);
    }
};

template <>
struct Coding<raft::TimeoutNow> {
    using Message = TimeoutNowMessage;
    static void put(sbe::Encoder<Message>& /*to*/, const raft::TimeoutNow& /*body*/) {}
    static raft::TimeoutNow get(const Taken<Message>& /*from*/) { return {}; }
    static Fault fault(const Taken<Message>& /*from*/, raft::Term term) {
        return unless(term > 0, ConsensusFault::kTerm);
    }
};

/// What is wrong with what all messages have.
template <class M>
Fault common_fault(const Taken<M>& from, const Direction& way, std::span<const std::byte> bytes) {
    // Other versions too: what a newer one adds may change what the rest means.
    if (from.acting_version() != MemberSchema::kVersion ||
        from.acting_block_length() != sbe::block_length<M> || from.encoded_length() != bytes.size()) {
        return ConsensusFault::kBytes;
    }
    const Direction claimed = direction_of(from);
    if (claimed != way || claimed.from < 0 || claimed.to < 0 || claimed.from == claimed.to) {
        return ConsensusFault::kDirection;
    }
    if (!raft::DiskId{from.template get<"diskHigh">(), from.template get<"diskLow">()}.is_set()) {
        return ConsensusFault::kDisk;
    }
    const raft::Term term = from.template get<"term">();
    return unless(term >= 0 && term <= kTermMax, ConsensusFault::kTerm);
}

using Result = fulmar::Result<raft::Message, ConsensusFault>;

template <class Body>
Result take(const Direction& way, std::span<const std::byte> bytes) {
    const auto from = Taken<typename Coding<Body>::Message>::decode(bytes);
    if (!from) {
        return Unexpected{ConsensusFault::kBytes};
    }
    if (const Fault fault = common_fault(*from, way, bytes)) {
        return Unexpected{*fault};
    }
    const raft::Term term = from->template get<"term">();
    if (const Fault fault = Coding<Body>::fault(*from, term)) {
        return Unexpected{*fault};
    }
    return raft::Message{.from = way.from,
        .to = way.to,
        .disk = {from->template get<"diskHigh">(), from->template get<"diskLow">()},
        .term = term,
        .after = {},
        .body = Coding<Body>::get(*from)};
}

template <class... Bodies>
Result take_any(std::type_identity<std::variant<Bodies...>> /*of*/, std::uint16_t template_id,
    const Direction& way, std::span<const std::byte> bytes) {
    Result taken = Unexpected{ConsensusFault::kBytes};
    (void)((template_id == Coding<Bodies>::Message::kId && (taken = take<Bodies>(way, bytes), true)) || ...);
    return taken;
}

}  // namespace

std::string_view to_string(ConsensusFault fault) {
    switch (fault) {
        case ConsensusFault::kBytes: return "no message of the consensus, or of another version";
        case ConsensusFault::kDirection: return "between others than those it came by";
        case ConsensusFault::kDisk: return "names no disk";
        case ConsensusFault::kTerm: return "a term that cannot be";
        case ConsensusFault::kPosition: return "a position that cannot be";
        case ConsensusFault::kValue: return "a value that cannot be";
    }
    return "?";
}

std::size_t encode(std::int32_t cluster_id, const raft::Message& message, std::span<std::byte> buffer) {
    return std::visit(
        [&]<class Body>(const Body& body) {
            sbe::Encoder<typename Coding<Body>::Message> to(buffer);
            put_direction(to, {cluster_id, message.from, message.to});
            to.template set<"diskHigh">(message.disk.high)
                .template set<"diskLow">(message.disk.low)
                .template set<"term">(message.term);
            Coding<Body>::put(to, body);
            const auto bytes = to.finish();
            FULMAR_ASSERT(bytes.has_value(), "the buffer has room for the longest message");
            return bytes->size();
        },
        message.body);
}

Result decode(const Direction& way, std::span<const std::byte> bytes) {
    const auto header = sbe::read_header<MemberSchema>(bytes);
    if (!header) {
        return Unexpected{ConsensusFault::kBytes};
    }
    return take_any(std::type_identity<decltype(raft::Message::body)>{}, header->template_id, way, bytes);
}

}  // namespace fulmar::cluster

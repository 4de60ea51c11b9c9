/// What members say to each other. How it is put into bytes, and authenticated, is not known here.
///
/// `Message::after` is part of the meaning: what is said earlier is a lie that a crash brings to light.
/// threads: values.
#pragma once

#include <cstdint>
#include <variant>

#include "raft/types.h"

namespace fulmar::raft {

/// May I lead?
struct VoteRequest {
    /// Only asked whether it would be granted; nobody's term changes. The message's term is the one to come.
    bool is_pre = false;
    /// The leader of the last term wants it: that it is well is no reason to refuse.
    bool is_transfer = false;
    Term log_term = 0;  ///< that wrote the candidate's last byte
    std::int64_t log_end = 0;
};

struct VoteReply {
    bool is_pre = false;
    bool is_granted = false;
};

/// I lead. To everybody, at intervals and when commit has moved.
struct Heartbeat {
    std::int64_t log_end = 0;  ///< of mine
    std::int64_t commit = 0;
    std::uint64_t round = 0;  ///< grows; comes back in acknowledgements
};

/// You lead, and I have your bytes up to here.
struct Ack {
    /// Equal to the leader's log up to here, and at the configured durability; −1: not known yet.
    std::int64_t position = -1;
    std::uint64_t round = 0;  ///< of the last heartbeat heard
};

/// How far does your log go with one that has this term?
struct MatchRequest {
    /// Drawn anew for each question: the answer to an earlier one, of an earlier life even, says how far the
    /// leader's log went then, and what has come since would be cut.
    std::uint64_t question = 0;
    Term log_term = 0;
};

struct MatchReply {
    std::uint64_t question = 0;
    Term log_term = 0;       ///< my last one that is not above
    std::int64_t end = 0;    ///< where it ends in my log
    std::int64_t begin = 0;  ///< where my log begins; what ends before needs a snapshot
};

/// Become leader now.
struct TimeoutNow {};

/// What has to be durable before a message leaves.
struct Needs {
    std::uint64_t state = 0;  ///< the State of this number, or a later one
};

struct Message {
    MemberId from = kNobody;
    MemberId to = kNobody;
    DiskId disk;  ///< the sender's
    Term term = 0;
    Needs after;
    std::variant<VoteRequest, VoteReply, Heartbeat, Ack, MatchRequest, MatchReply, TimeoutNow> body;
};

}  // namespace fulmar::raft

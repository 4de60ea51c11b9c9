/// Known bugs that a test build can put into the protocol cores, so that the simulator can prove that it
/// would find them. `if (FULMAR_PLANTED(kName))` is `if (false)` in every production build: only the
/// simulator compiles the cores with FULMAR_PLANT, and even there nothing changes until one is chosen.
/// threads: chosen once, before any core runs.
#pragma once

namespace fulmar::base {

#ifdef FULMAR_PLANT
enum class Plant : int {
    kNone,
    // transport
    kGapForgetsSplit,          ///< a packet inside a gap closes its second half too
    kGapOverrun,               ///< what a packet skips is not recorded as missing
    kNakOnce,                  ///< a gap is asked for once and never again
    kNakWithoutDelay,          ///< a gap is asked for in every duty cycle
    kDuplicateOverwrites,      ///< a repeated packet is inserted again
    kPartialPacketWhole,       ///< a packet of which a part is new moves the stream without being inserted
    kImageEndLeftDirty,        ///< an earlier lap's bytes are left behind what has arrived
    kSlowReaderForgotten,      ///< the window follows what arrived, not what the slowest subscriber read
    kWindowUnbounded,          ///< the sender does not heed its receiver's limit
    kLimitMovesBack,           ///< an older status message takes the sender's limit back
    kPublicationCleansUnsent,  ///< a publication is cleaned one term too far
    kPublicationNeverCleans,   ///< sent terms are not zeroed
    kPublisherLimitWide,       ///< producers may run two terms ahead of the sender
    kEosBeforeDrained,         ///< the end of a stream is announced while data is unsent
    kEarlyLinger,              ///< an image leaves before its subscribers have read it
    kRetransmitBeyondSent,     ///< a retransmit runs on into what was never sent
    kRetransmitTrustsNak,      ///< a retransmit begins wherever a NAK says
    kUnsentRestForgotten,      ///< packets that the port did not take count as sent
    kUnblockImpatient,         ///< a claim is taken for dead at once
    kIpcIgnoresSlowest,        ///< limit and cleaner of an IPC log follow its fastest subscriber
    kSpiesForgotten,           ///< the publisher limit follows the sender alone
    kGroupFollowsFastest,      ///< a group's limit is that of its fastest receiver
    kDeadReceiverStays,        ///< a receiver that fell silent is waited for all the same
    kDestinationStays,         ///< a removed destination is still sent to
    kOneReceiverLearned,       ///< only the first receiver that asks becomes a destination
    // term
    kInsertDropsTail,       ///< the end of a packet's last block is not copied
    kScanIgnoresLimit,      ///< a packet grows beyond what it may hold
    kUnblockPadsCommitted,  ///< what lies behind a dead claim is padded with it
    kRotateSkipsTerm,       ///< a rotation moves on by two terms
    kTripWithoutPadding,    ///< the end of a full term is left empty
    // agent
    kJoinOffByOneFrame,    ///< a subscriber joins an image a little too late
    kJoinAtHighest,        ///< a late subscriber joins behind a gap
    kClientNeverTimesOut,  ///< a dead client's resources are kept
    kNeverRejoins,         ///< a session that cooled down never comes back
    kAnswerToAnybody,      ///< a response goes to the first that waits for any
    // archive
    kAcknowledgedBeforeSync,        ///< durable counts what a sync is only asked for
    kSyncErrorSwallowed,            ///< a sync that failed is taken for one that did not
    kRollOverWithoutDirectorySync,  ///< a segment's content is synced, its name is not
    kCutTooEarly,                   ///< corruption before the last completed epoch is cut like a torn end
    kTailUnchecked,                 ///< what the last entries cover is taken without looking at it
    kExtendsOverOldTail,            ///< what lies behind the stop position stays when a recording goes on
    // archive server
    kCatalogToldEarly,    ///< changes of the catalog are told before they are on disk
    kEntryWrittenAtOnce,  ///< a new catalog entry is there before it is whole
    kMemoryFreedEarly,    ///< a block's memory is given back before it is written
    kReplayUnchecked,     ///< what is replayed is not checked
    // raft
    kVoteNotPersisted,     ///< a vote is given before it is durable
    kCommitOfEarlierTerm,  ///< what a quorum holds is commit, whichever term it is of
    kApplyBeyondLog,       ///< a follower's commit runs ahead of its log
    kLostTruncation,       ///< a log that is not its leader's is followed without being cut
    kStaleRead,            ///< a read is answered without asking whether the leader still is one
    kStaleLeaderTrusted,   ///< a heartbeat of an earlier term is heeded
    kCount,
};

inline Plant planted_bug = Plant::kNone;

#define FULMAR_PLANTED(name) (::fulmar::base::planted_bug == ::fulmar::base::Plant::name)
#else
#define FULMAR_PLANTED(name) false
#endif

}  // namespace fulmar::base

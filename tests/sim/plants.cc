#include "tests/sim/plants.h"

#include <algorithm>
#include <array>

namespace fulmar::sim {

namespace {

using base::Plant;

constexpr std::array kTransport{
    PlantRow{
        Plant::kGapForgetsSplit, "gap-forgets-split", "a packet inside a gap closes its second half too"},
    PlantRow{Plant::kGapOverrun, "gap-overrun", "what a packet skips is not recorded as missing"},
    PlantRow{Plant::kNakOnce, "nak-once", "a gap is asked for once and never again"},
    PlantRow{Plant::kNakWithoutDelay, "nak-without-delay", "a gap is asked for in every duty cycle"},
    PlantRow{Plant::kDuplicateOverwrites, "duplicate-overwrites", "a repeated packet is inserted again"},
    PlantRow{Plant::kPartialPacketWhole, "partial-packet-whole",
        "a packet of which a part is new moves the stream without being inserted"},
    PlantRow{Plant::kImageEndLeftDirty, "image-end-left-dirty",
        "an earlier lap's bytes are left behind what has arrived"},
    PlantRow{Plant::kSlowReaderForgotten, "slow-reader-forgotten",
        "the window follows what arrived, not what the slowest subscriber read"},
    PlantRow{Plant::kWindowUnbounded, "window-unbounded", "the sender does not heed its receiver's limit"},
    PlantRow{
        Plant::kLimitMovesBack, "limit-moves-back", "an older status message takes the sender's limit back"},
    PlantRow{Plant::kPublicationCleansUnsent, "publication-cleans-unsent",
        "a publication is cleaned one term too far"},
    PlantRow{Plant::kPublicationNeverCleans, "publication-never-cleans", "sent terms are not zeroed"},
    PlantRow{Plant::kPublisherLimitWide, "publisher-limit-wide",
        "producers may run two terms ahead of the sender"},
    PlantRow{Plant::kEosBeforeDrained, "eos-before-drained",
        "the end of a stream is announced while data is unsent"},
    PlantRow{Plant::kEarlyLinger, "early-linger", "an image leaves before its subscribers have read it"},
    PlantRow{Plant::kRetransmitBeyondSent, "retransmit-beyond-sent",
        "a retransmit runs on into what was never sent"},
    PlantRow{Plant::kRetransmitTrustsNak, "retransmit-trusts-nak", "a retransmit begins wherever a NAK says"},
    PlantRow{Plant::kUnsentRestForgotten, "unsent-rest-forgotten",
        "packets that the port did not take count as sent"},
    PlantRow{Plant::kUnblockImpatient, "unblock-impatient", "a claim is taken for dead at once"},
    PlantRow{Plant::kSpiesForgotten, "spies-forgotten", "the publisher limit follows the sender alone"},
    PlantRow{Plant::kIpcIgnoresSlowest, "ipc-ignores-slowest",
        "limit and cleaner of an IPC log follow its fastest subscriber"},
    PlantRow{Plant::kGroupFollowsFastest, "group-follows-fastest",
        "a group's limit is that of its fastest receiver"},
    PlantRow{Plant::kDeadReceiverStays, "dead-receiver-stays",
        "a receiver that fell silent is waited for all the same"},
    PlantRow{Plant::kDestinationStays, "destination-stays", "a removed destination is still sent to"},
    PlantRow{Plant::kOneReceiverLearned, "one-receiver-learned",
        "only the first receiver that asks becomes a destination"},
    PlantRow{Plant::kInsertDropsTail, "insert-drops-tail", "the end of a packet's last block is not copied"},
    PlantRow{Plant::kScanIgnoresLimit, "scan-ignores-limit", "a packet grows beyond what it may hold"},
    PlantRow{Plant::kUnblockPadsCommitted, "unblock-pads-committed",
        "what lies behind a dead claim is padded with it"},
    PlantRow{Plant::kRotateSkipsTerm, "rotate-skips-term", "a rotation moves on by two terms"},
    PlantRow{Plant::kTripWithoutPadding, "trip-without-padding", "the end of a full term is left empty"},
    PlantRow{
        Plant::kJoinOffByOneFrame, "join-off-by-one-frame", "a subscriber joins an image a little too late"},
    PlantRow{Plant::kJoinAtHighest, "join-at-highest", "a late subscriber joins behind a gap"},
    PlantRow{Plant::kClientNeverTimesOut, "client-never-times-out", "a dead client's resources are kept"},
    PlantRow{Plant::kNeverRejoins, "never-rejoins", "a session that cooled down never comes back"},
    PlantRow{Plant::kAnswerToAnybody, "answer-to-anybody", "a response goes to the first that waits for any"},
};
constexpr std::array kArchive{
    PlantRow{Plant::kAcknowledgedBeforeSync, "acknowledged-before-sync",
        "durable counts what a sync is only asked for"},
    PlantRow{Plant::kSyncErrorSwallowed, "sync-error-swallowed",
        "a sync that failed is taken for one that did not"},
    PlantRow{Plant::kRollOverWithoutDirectorySync, "roll-over-without-directory-sync",
        "a segment's content is synced, its name is not"},
    PlantRow{Plant::kCutTooEarly, "cut-too-early",
        "corruption before the last completed epoch is cut like a torn end"},
    PlantRow{Plant::kTailUnchecked, "tail-unchecked",
        "what the last entries cover is taken without looking at it"},
    PlantRow{Plant::kExtendsOverOldTail, "extends-over-old-tail",
        "what lies behind the stop position stays when a recording goes on"},
    PlantRow{Plant::kCatalogToldEarly, "catalog-told-early",
        "changes of the catalog are told before they are on disk"},
    PlantRow{Plant::kEntryWrittenAtOnce, "entry-written-at-once",
        "a new catalog entry is there before it is whole"},
    PlantRow{Plant::kMemoryFreedEarly, "memory-freed-early",
        "a block's memory is given back before it is written"},
    PlantRow{Plant::kReplayUnchecked, "replay-unchecked", "what is replayed is not checked"},
};
constexpr std::array kRaft{
    PlantRow{Plant::kVoteNotPersisted, "vote-not-persisted", "a vote is given before it is durable"},
    PlantRow{Plant::kCommitOfEarlierTerm, "commit-of-earlier-term",
        "what a quorum holds is commit, whichever term it is of"},
    PlantRow{Plant::kApplyBeyondLog, "apply-beyond-log", "a follower's commit runs ahead of its log"},
    PlantRow{Plant::kLostTruncation, "lost-truncation",
        "a log that is not its leader's is followed without being cut"},
    PlantRow{
        Plant::kStaleRead, "stale-read", "a read is answered without asking whether the leader still is one"},
    PlantRow{Plant::kStaleLeaderTrusted, "stale-leader-trusted", "a heartbeat of an earlier term is heeded"},
};
static_assert(
    kTransport.size() + kArchive.size() + kRaft.size() == static_cast<std::size_t>(Plant::kCount) - 1,
    "one row per plant");

}  // namespace

std::span<const PlantRow> plants(std::string_view profile) {
    if (profile == "transport") {
        return kTransport;
    }
    if (profile == "raft") {
        return kRaft;
    }
    return profile == "archive" ? std::span<const PlantRow>(kArchive) : std::span<const PlantRow>();
}

const PlantRow* find_plant(std::string_view profile, std::string_view name) {
    const auto rows = plants(profile);
    const auto found =
        std::find_if(rows.begin(), rows.end(), [name](const PlantRow& row) { return row.name == name; });
    return found == rows.end() ? nullptr : &*found;
}

}  // namespace fulmar::sim

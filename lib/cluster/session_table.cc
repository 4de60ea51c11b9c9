#include "cluster/session_table.h"

#include <algorithm>
#include <utility>

#include "base/assert.h"

namespace fulmar::cluster {

bool SessionTable::open(Opening opening, std::int64_t now_ns) {
    if (sessions_.size() >= limits_.sessions_max) {
        return false;
    }
    const SessionId id = opening.id;
    return sessions_
        .try_emplace(id, Session{.opening = std::move(opening), .active_ns = now_ns, .replies = {}})
        .second;
}

bool SessionTable::touch(SessionId id, std::int64_t now_ns) {
    const auto found = sessions_.find(id);
    if (found == sessions_.end()) {
        return false;
    }
    found->second.active_ns = std::max(found->second.active_ns, now_ns);
    return true;
}

SessionTable::Judged SessionTable::judge(
    SessionId id, std::uint64_t sequence, std::uint64_t acknowledged, std::int64_t now_ns) {
    const auto found = sessions_.find(id);
    if (found == sessions_.end() || !found->second.opening.is_counting) {
        return {Verdict::kUnknown};
    }
    Session& session = found->second;
    session.active_ns = std::max(session.active_ns, now_ns);
    acknowledge(session, acknowledged);
    if (sequence <= session.acknowledged) {
        return {Verdict::kForgotten};
    }
    if (sequence <= session.applied) {
        return {Verdict::kRepeated, &session.replies[sequence - session.acknowledged - 1]};
    }
    if (sequence > session.applied + 1) {
        return {Verdict::kAhead};
    }
    if (session.applied - session.acknowledged >= kWindow || session.reply_bytes > limits_.reply_bytes_max) {
        return {Verdict::kFull};
    }
    return {Verdict::kApply};
}

void SessionTable::reply(SessionId id, std::uint64_t sequence, std::span<const std::byte> bytes) {
    const auto found = sessions_.find(id);
    if (found == sessions_.end()) {
        return;  // the command closed it
    }
    Session& session = found->second;
    FULMAR_ASSERT(sequence == session.applied + 1, "commands follow one another");
    session.applied = std::max(session.applied, sequence);
    session.replies.push_back({sequence, {bytes.begin(), bytes.end()}});
    session.reply_bytes += bytes.size();
}

void SessionTable::acknowledge(Session& session, std::uint64_t sequence) {
    // A client cannot have the reply to what was not applied, whatever it says.
    const std::uint64_t known = std::min(sequence, session.applied);
    while (session.acknowledged < known) {
        session.reply_bytes -= session.replies.front().bytes.size();
        session.replies.pop_front();
        ++session.acknowledged;
    }
}

std::vector<SessionId> SessionTable::silent_since(std::int64_t before_ns) const {
    std::vector<SessionId> silent;
    for (const auto& [id, session] : sessions_) {
        if (session.active_ns < before_ns) {
            silent.push_back(id);
        }
    }
    return silent;
}

const SessionTable::Session* SessionTable::find(SessionId id) const {
    const auto found = sessions_.find(id);
    return found == sessions_.end() ? nullptr : &found->second;
}

bool SessionTable::restore(Session session) {
    bool is_whole = session.acknowledged <= session.applied &&
                    session.applied - session.acknowledged == session.replies.size() &&
                    session.replies.size() <= kWindow;
    std::uint64_t expected = session.acknowledged;
    session.reply_bytes = 0;
    for (const Reply& reply : session.replies) {
        is_whole = is_whole && reply.sequence == ++expected;
        session.reply_bytes += reply.bytes.size();
    }
    const SessionId id = session.opening.id;
    return is_whole && sessions_.try_emplace(id, std::move(session)).second;
}

}  // namespace fulmar::cluster

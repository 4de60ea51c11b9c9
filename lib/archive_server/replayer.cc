#include "archive_server/replayer.h"

namespace fulmar::archive {

void Replayer::count(Instant now) {
    counters_->replayer.on_cycle(now, cycle_threshold_);
    if (now < next_count_) {
        return;
    }
    next_count_ = now + kCountInterval;
    IoTotals totals = of_ended_;
    for (const ReplaySession* session : sessions_) {
        totals.add(session->reads());
    }
    counters_->reads.set(totals);
}

int Replayer::poll(Instant now) {
    int work = events.flush();
    ReplayerCommand command;
    while (commands.receive(command)) {
        if (command.kind == ReplayerCommand::Kind::kAdd) {
            sessions_.push_back(command.session);
        } else {
            command.session->stop();
        }
        ++work;
    }
    work += storage_.poll(kCompletionsMax);
    for (std::size_t i = 0; i < sessions_.size();) {
        ReplaySession* session = sessions_[i];
        const auto before = session->state();
        work += session->poll(now);
        if (before == ReplaySession::State::kOpening && session->state() == ReplaySession::State::kAwaiting) {
            events.send({ReplayerEvent::Kind::kReady, session});
        }
        if (session->state() != ReplaySession::State::kEnded) {
            ++i;
            continue;
        }
        of_ended_.add(session->reads());
        sessions_[i] = sessions_.back();
        sessions_.pop_back();
        events.send({ReplayerEvent::Kind::kEnded, session});
        ++work;
    }
    if (counters_ != nullptr) {
        count(now);
    }
    return work;
}

}  // namespace fulmar::archive

#include "archive_server/replayer.h"

namespace fulmar::archive {

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
        sessions_[i] = sessions_.back();
        sessions_.pop_back();
        events.send({ReplayerEvent::Kind::kEnded, session});
        ++work;
    }
    return work;
}

}  // namespace fulmar::archive

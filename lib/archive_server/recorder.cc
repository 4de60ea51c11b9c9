#include "archive_server/recorder.h"

namespace fulmar::archive {

int Recorder::poll(Instant now) {
    int work = ended.flush();
    RecorderCommand command;
    while (commands.receive(command)) {
        if (command.kind == RecorderCommand::Kind::kAdd) {
            sessions_.push_back(command.session);
        } else {
            command.session->stop();
        }
        ++work;
    }
    work += storage_.poll(kCompletionsMax);
    for (std::size_t i = 0; i < sessions_.size();) {
        RecordingSession* session = sessions_[i];
        work += session->poll(now);
        if (!session->has_ended()) {
            ++i;
            continue;
        }
        sessions_[i] = sessions_.back();
        sessions_.pop_back();
        ended.send(session);
        ++work;
    }
    return work;
}

}  // namespace fulmar::archive

#include "archive_server/recorder.h"

namespace fulmar::archive {
namespace {

IoTotals writes_of(const RecordingSession& session) {
    const WriterCounts& counts = session.counts();
    return {.bytes = counts.bytes, .ns_total = counts.write_ns_total, .ns_max = counts.write_ns_max};
}

}  // namespace

void Recorder::count(Instant now) {
    counters_->recorder.on_cycle(now, cycle_threshold_);
    if (now < next_count_) {
        return;
    }
    next_count_ = now + kCountInterval;
    IoTotals totals = of_ended_;
    for (const RecordingSession* session : sessions_) {
        totals.add(writes_of(*session));
    }
    counters_->writes.set(totals);
}

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
        of_ended_.add(writes_of(*session));
        sessions_[i] = sessions_.back();
        sessions_.pop_back();
        ended.send(session);
        ++work;
    }
    if (counters_ != nullptr) {
        count(now);
    }
    return work;
}

}  // namespace fulmar::archive

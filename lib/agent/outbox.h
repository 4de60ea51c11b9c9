/// The conductor's end of a command queue to another agent: what the queue cannot take now waits in order.
/// threads: the conductor.
#pragma once

#include <deque>

#include "observe/counters.h"

namespace fulmar::agent {

template <class Queue, class Command>
class Outbox {
  public:
    Outbox(Queue* queue, const observe::Counter& fails) : queue_(queue), fails_(fails) {}

    void send(const Command& command) {
        if (waiting_.empty() && queue_->try_push(command)) {
            return;
        }
        fails_.increment_shared();
        waiting_.push_back(command);
    }

    int flush() {
        int work = 0;
        while (!waiting_.empty() && queue_->try_push(waiting_.front())) {
            waiting_.pop_front();
            ++work;
        }
        return work;
    }

  private:
    Queue* queue_;
    observe::Counter fails_;
    std::deque<Command> waiting_;
};

}  // namespace fulmar::agent

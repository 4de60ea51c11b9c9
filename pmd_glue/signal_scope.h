/// Keeps signals away from code that cannot cope with them.
/// threads: affects the calling thread only, and threads it creates meanwhile.
#pragma once

#include <pthread.h>
#include <signal.h>
#include <time.h>

namespace fulmar::pmd_glue {

/// No signal reaches this thread; one created meanwhile never gets any. Around EAL start, whose threads would
/// otherwise run the program's handlers and die of SIGPIPE when a memif peer is gone.
class AllSignalsBlocked {
  public:
    AllSignalsBlocked() {
        sigset_t all;
        ::sigfillset(&all);
        ::pthread_sigmask(SIG_BLOCK, &all, &before_);
    }
    ~AllSignalsBlocked() { ::pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
    AllSignalsBlocked(const AllSignalsBlocked&) = delete;
    AllSignalsBlocked& operator=(const AllSignalsBlocked&) = delete;

  private:
    sigset_t before_{};
};

/// Writing to a peer that has gone is an error here, not the end of the process.
class SigpipeBlocked {
  public:
    SigpipeBlocked() {
        ::sigemptyset(&pipe_);
        ::sigaddset(&pipe_, SIGPIPE);
        ::pthread_sigmask(SIG_BLOCK, &pipe_, &before_);
    }
    ~SigpipeBlocked() {
        if (!::sigismember(&before_, SIGPIPE)) {
            const timespec at_once{};
            ::sigtimedwait(&pipe_, nullptr, &at_once);
            ::pthread_sigmask(SIG_SETMASK, &before_, nullptr);
        }
    }
    SigpipeBlocked(const SigpipeBlocked&) = delete;
    SigpipeBlocked& operator=(const SigpipeBlocked&) = delete;

  private:
    sigset_t pipe_{};
    sigset_t before_{};
};

}  // namespace fulmar::pmd_glue

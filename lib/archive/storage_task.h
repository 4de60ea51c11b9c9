/// Work on files that is a list of steps: one request after the other, each answer deciding about the next.
///
/// A task is polled by its owner until is_done. It may be destroyed earlier only together with the Storage,
/// as when a process dies. threads: as StorageHub.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "archive/storage_hub.h"
#include "fulmar/error.h"

namespace fulmar::archive {

/// How often something is read before it is believed to be bad: disks misread, too.
inline constexpr int kReadAttempts = 3;

class StorageTask : public StorageUser {
  public:
    explicit StorageTask(StorageHub& hub) : hub_(hub) {}

    /// Submits what the storage had no room for, and goes on with what needs no answer.
    void poll();
    [[nodiscard]] bool is_done() const { return done_; }
    /// Why it could not be carried out; set only when it is done.
    [[nodiscard]] const std::optional<Error>& error() const { return error_; }

    void on_storage(port::StorageCompletion& completion) final;

  protected:
    ~StorageTask() = default;

    /// Called while nothing is asked: asks, or finishes, or returns to be called on a later poll. Called
    /// again as soon as it has an answer.
    virtual void step() = 0;
    virtual void on_answer(port::StorageCompletion& completion) = 0;

    void ask(port::StorageRequest request);
    void finish() { done_ = true; }
    /// Closes what is still open, then is done.
    void fail(Error error);
    [[nodiscard]] StorageHub& hub() { return hub_; }

  private:
    void submit();
    void go_on();
    void note_open(const port::StorageCompletion& completion);

    StorageHub& hub_;
    std::optional<port::StorageRequest> waiting_;
    std::optional<Error> error_;
    std::vector<port::FileHandle> open_;
    bool asked_ = false;
    bool done_ = false;
};

/// What the storage answered, as an error that is told to people: kStorageSpace or kGeneric.
[[nodiscard]] Error storage_error(const port::StorageCompletion& completion, const std::string& what);

}  // namespace fulmar::archive

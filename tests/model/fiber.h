/// Fibres with stacks of their own on one real thread.
/// threads: one real thread.
#pragma once

#include <cstddef>
#include <memory>
#include <ucontext.h>

namespace fulmar::model {

/// One stack, reused by execution after execution; what ran on it before is simply forgotten.
class Fiber {
  public:
    Fiber() : stack_(std::make_unique<std::byte[]>(kStackBytes)) {}

    /// Makes the next switch_to() call `entry`, which must never return.
    void prepare(void (*entry)()) {
        getcontext(&context_);
        context_.uc_stack.ss_sp = stack_.get();
        context_.uc_stack.ss_size = kStackBytes;
        context_.uc_link = nullptr;
        makecontext(&context_, entry, 0);
    }

    static void switch_between(ucontext_t& from, ucontext_t& to) { swapcontext(&from, &to); }
    [[nodiscard]] ucontext_t& context() { return context_; }

  private:
    static constexpr std::size_t kStackBytes = 256 * 1024;
    std::unique_ptr<std::byte[]> stack_;
    ucontext_t context_{};
};

}  // namespace fulmar::model

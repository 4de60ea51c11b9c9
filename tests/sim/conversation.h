/// Conversations over response channels: a requester asks by its own stream, a responder answers every image
/// of a request on a stream of its own, and each requester hears what it asked, once and in order.
/// threads: one.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "fulmar/client.h"
#include "tests/sim/workload.h"

namespace fulmar::sim {

class Requester {
  public:
    /// What a dead process leaves in its memory; destroyed with the world.
    struct Handles {
        std::unique_ptr<Subscription> answers;
        std::unique_ptr<ExclusivePublication> requests;
    };

    Requester(WorkloadContext& context, const RequesterPlan& plan) : context_(context), plan_(plan) {}

    /// One turn; returns work done.
    int poll(Client& client);
    /// Its client is gone, with or without our help.
    void abandon();
    [[nodiscard]] Handles take_remains() { return std::move(handles_); }

    /// It asks and is answered.
    [[nodiscard]] bool is_talking() const { return heard_since_begin_; }
    /// True once the last questions are answered.
    [[nodiscard]] bool is_finished() const { return final_answers_ >= context_.final_messages; }
    [[nodiscard]] std::string describe() const;

  private:
    void add_answers(Client& client);
    void add_requests(Client& client);
    void ask();
    void on_answer(std::span<const std::byte> message);
    void judge_end();
    void start_over();
    template <class Found, class Handle>
    void take(Found found, Handle& handle);

    WorkloadContext& context_;
    RequesterPlan plan_;
    Handles handles_;
    std::int64_t adding_ = 0;
    Instant next_turn_;
    Instant next_add_;
    Instant began_;         ///< or was last answered
    std::uint64_t id_ = 0;  ///< of this conversation; each has another one
    std::uint64_t asked_ = 0;
    std::uint64_t answered_ = 0;
    bool may_skip_ = true;  ///< the image of the answers has just begun
    bool heard_since_begin_ = false;
    bool closing_ = false;
    bool ended_early_ = false;  ///< the image of the answers, without an end of its stream
    int final_answers_ = 0;
    std::string refusal_;
};

class Responder {
  public:
    struct Answer {
        Image* image = nullptr;
        std::int64_t adding = 0;
        Instant next_add;
        std::unique_ptr<ExclusivePublication> publication;
    };
    struct Handles {
        std::unique_ptr<Subscription> requests;
        std::map<std::int64_t, Answer> answers;  // by the image's correlation id
    };

    Responder(WorkloadContext& context, const ConversationPlan& about) : context_(context), about_(&about) {}

    int poll(Client& client);
    void abandon();
    [[nodiscard]] Handles take_remains() { return std::move(handles_); }

  private:
    void add(Client& client);
    void advance(Client& client, std::int64_t image_id, Answer& answer);
    void close();

    WorkloadContext& context_;
    const ConversationPlan* about_;
    Handles handles_;
    std::int64_t adding_ = 0;
    Instant next_add_;
    bool closing_ = false;
};

}  // namespace fulmar::sim

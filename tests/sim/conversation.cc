#include "tests/sim/conversation.h"

#include <algorithm>
#include <array>
#include <cstring>

namespace fulmar::sim {

namespace {

constexpr Duration kRetryAdd = milliseconds(2);
constexpr std::uint64_t kUnansweredMax = 16;
constexpr int kFragmentLimit = 8;

/// What a question says and its answer repeats.
struct Question {
    std::uint64_t conversation = 0;
    std::uint64_t number = 0;
};

}  // namespace

// ---- who asks --------------------------------------------------------------------------------------

int Requester::poll(Client& client) {
    judge_end();
    if (context_.phase >= Phase::kEnd) {
        if (adding_ != 0) {
            client.cancel(adding_);
        }
        start_over();
        return 0;
    }
    if (handles_.answers == nullptr) {
        add_answers(client);
        return 0;
    }
    if (handles_.requests == nullptr) {
        add_requests(client);
        return 0;
    }
    const bool faults = context_.phase == Phase::kFaults;
    // Whoever answered may have come back as somebody else, whom this subscription does not wait for.
    const bool is_stuck = context_.time.now - began_ > context_.timeouts.aftermath;
    if (is_stuck || (faults && context_.prng.chance(plan_.close))) {
        start_over();
        return 1;
    }
    const int heard = handles_.answers->poll(
        [this](std::span<const std::byte> message, const Header&) { on_answer(message); }, kFragmentLimit);
    if (context_.time.now < next_turn_) {
        return heard;
    }
    next_turn_ = context_.time.now + context_.up_to(plan_.gap_max);
    ask();
    return 1;
}

template <class Found, class Handle>
void Requester::take(Found found, Handle& handle) {
    if (!found) {
        refusal_ = found.error().message;
        ++context_.counts[Count::add_refused];
        adding_ = 0;
        next_add_ = context_.time.now + kRetryAdd;
    } else if (*found != nullptr) {
        handle = std::move(*found);
        adding_ = 0;
    }
}

void Requester::add_answers(Client& client) {
    if (adding_ != 0) {
        take(client.find_subscription(adding_), handles_.answers);
        return;
    }
    if (context_.time.now < next_add_) {
        return;
    }
    SubscriptionHandlers handlers;
    handlers.on_available_image = [this](Image&) { may_skip_ = true; };
    handlers.on_unavailable_image = [this](Image& image) {
        ended_early_ = ended_early_ || (!closing_ && !image.is_end_of_stream());
    };
    const auto asked = client.async_add_subscription(
        plan_.about->answer_channel, plan_.about->answer_stream, std::move(handlers));
    adding_ = asked ? *asked : 0;
}

void Requester::add_requests(Client& client) {
    if (adding_ != 0) {
        take(client.find_exclusive_publication(adding_), handles_.requests);
        if (handles_.requests != nullptr) {
            id_ = context_.prng.next();
            began_ = context_.time.now;
            ++context_.counts[Count::conversation];
        }
        return;
    }
    const auto asked = client.async_add_exclusive_publication(
        plan_.about->request_channel +
            "|response-correlation-id=" + std::to_string(handles_.answers->registration_id()),
        plan_.about->request_stream);
    adding_ = asked ? *asked : 0;
}

void Requester::ask() {
    // Nobody hears a question before there is somebody to answer it.
    if (asked_ - answered_ >= kUnansweredMax) {
        return;
    }
    std::array<std::byte, 160> message{};
    const Question question{id_, asked_ + 1};
    std::memcpy(message.data(), &question, sizeof question);
    const auto length = sizeof question + context_.prng.below(message.size() - sizeof question + 1);
    if (handles_.requests->offer(std::span<const std::byte>(message.data(), length)).is_ok()) {
        ++asked_;
    }
}

void Requester::on_answer(std::span<const std::byte> message) {
    Question answer;
    if (message.size() < sizeof answer) {
        context_.verdict.fail("an answer is shorter than any question");
        return;
    }
    std::memcpy(&answer, message.data(), sizeof answer);
    const bool follows = may_skip_ ? answer.number > answered_ : answer.number == answered_ + 1;
    if (answer.conversation != id_) {
        context_.verdict.fail("somebody else's answer came: " + describe());
    } else if (!follows || answer.number > asked_) {
        context_.verdict.fail(
            "an answer is not the next one: number " + std::to_string(answer.number) + ", " + describe());
    }
    may_skip_ = false;
    heard_since_begin_ = true;
    answered_ = answer.number;
    began_ = context_.time.now;
    ++context_.counts[Count::answered];
    final_answers_ += context_.phase == Phase::kFinal ? 1 : 0;
    context_.trace.add(TraceKind::kDeliver, answer.number, answer.conversation, message.size());
}

/// Behind the client's cycle: where the client itself has ended, nobody asks.
void Requester::judge_end() {
    if (ended_early_ && !context_.was_disturbed(plan_.node, plan_.about->node)) {
        context_.verdict.fail("answers ended although nothing was wrong: " + describe());
    }
    ended_early_ = false;
}

std::string Requester::describe() const {
    return "requester at node " + std::to_string(plan_.node) + " of stream " +
           std::to_string(plan_.about->request_stream) + ", asked " + std::to_string(asked_) + ", answered " +
           std::to_string(answered_) + (handles_.requests == nullptr ? ", not open: " + refusal_ : "");
}

void Requester::start_over() {
    closing_ = true;
    handles_ = {};
    closing_ = false;
    abandon();
}

void Requester::abandon() {
    adding_ = 0;
    asked_ = 0;
    answered_ = 0;
    heard_since_begin_ = false;
    ended_early_ = false;
}

// ---- who answers -----------------------------------------------------------------------------------

int Responder::poll(Client& client) {
    if (context_.phase >= Phase::kEnd) {
        if (adding_ != 0) {
            client.cancel(adding_);
        }
        close();
        return 0;
    }
    if (handles_.requests == nullptr) {
        add(client);
        return 0;
    }
    for (auto& [image_id, answer] : handles_.answers) {
        if (answer.publication == nullptr) {
            advance(client, image_id, answer);
            continue;
        }
        answer.image->controlled_poll(
            [&publication = *answer.publication](std::span<const std::byte> message, const Header&) {
                return publication.offer(message).is_ok() ? ControlledAction::kContinue
                                                          : ControlledAction::kAbort;
            },
            kFragmentLimit);
    }
    return handles_.answers.empty() ? 0 : 1;
}

void Responder::add(Client& client) {
    if (adding_ == 0) {
        if (context_.time.now < next_add_) {
            return;
        }
        SubscriptionHandlers handlers;
        handlers.on_available_image = [this](Image& image) {
            handles_.answers[image.correlation_id()].image = &image;
        };
        handlers.on_unavailable_image = [this](Image& image) {
            if (!closing_) {
                handles_.answers.erase(image.correlation_id());
            }
        };
        const auto asked = client.async_add_subscription(
            about_->listen_channel, about_->request_stream, std::move(handlers));
        adding_ = asked ? *asked : 0;
        return;
    }
    auto found = client.find_subscription(adding_);
    if (!found) {
        ++context_.counts[Count::add_refused];
        adding_ = 0;
        next_add_ = context_.time.now + kRetryAdd;
    } else if (*found != nullptr) {
        handles_.requests = std::move(*found);
        adding_ = 0;
    }
}

void Responder::advance(Client& client, std::int64_t image_id, Answer& answer) {
    if (answer.adding == 0) {
        if (context_.time.now >= answer.next_add) {
            const auto asked = client.async_add_exclusive_publication(
                about_->answer_channel + "|response-correlation-id=" + std::to_string(image_id),
                about_->answer_stream);
            answer.adding = asked ? *asked : 0;
        }
        return;
    }
    auto found = client.find_exclusive_publication(answer.adding);
    if (!found) {
        ++context_.counts[Count::add_refused];
        answer.adding = 0;
        answer.next_add = context_.time.now + kRetryAdd;
    } else if (*found != nullptr) {
        answer.publication = std::move(*found);
    }
}

void Responder::close() {
    closing_ = true;
    handles_ = {};
    closing_ = false;
    abandon();
}

void Responder::abandon() {
    adding_ = 0;
}

}  // namespace fulmar::sim

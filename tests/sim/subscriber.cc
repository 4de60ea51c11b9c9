#include "tests/sim/subscriber.h"

#include <algorithm>

namespace fulmar::sim {

namespace {
constexpr Duration kRetryAdd = milliseconds(2);
}

Subscriber::Subscriber(WorkloadContext& context, const SubscriberPlan& plan)
    : context_(context),
      plan_(plan),
      assembler_(Deliver{this}),
      destinations_(context, plan.destinations, plan.move) {}

int Subscriber::poll(Client& client) {
    if (!is_open()) {
        if (context_.phase < Phase::kGone) {
            add(client);
        } else if (adding_ != 0) {
            client.cancel(adding_);
            adding_ = 0;
        }
        return 0;
    }
    if (context_.phase == Phase::kGone) {
        close();
        return 1;
    }
    destinations_.poll(client, *subscription_);
    if (context_.time.now < next_turn_) {
        return 0;
    }
    const bool faults = context_.phase == Phase::kFaults;
    next_turn_ = context_.time.now + (faults ? context_.up_to(plan_.gap_max) : Duration{});
    if (faults && context_.prng.chance(plan_.close)) {
        close();
        next_add_ = context_.time.now + context_.up_to(milliseconds(5));
        return 1;
    }
    if (faults && context_.prng.chance(plan_.reject) && !subscription_->has_no_images()) {
        Image* image = subscription_->images()[0];
        rejected_[image->session_id()] = context_.time.now;
        // All subscriptions that share the image lose it.
        context_.disturbances.on_node(plan_.node(), context_.time.now + context_.timeouts.image_liveness);
        context_.counts[Count::image_rejected] += image->reject("not wanted any more") ? 1 : 0;
    }
    return poll_messages(plan_.fragment_limit);
}

int Subscriber::poll_messages(int fragment_limit) {
    const int fragments = subscription_->poll(assembler_, fragment_limit);
    context_.counts[Count::slow_consumer] += plan_.is_slow && fragments > 0 ? 1 : 0;
    return fragments;
}

void Subscriber::add(Client& client) {
    if (adding_ == 0) {
        if (context_.time.now < next_add_) {
            return;
        }
        SubscriptionHandlers handlers;
        handlers.on_available_image = [this](Image& image) { on_available(image); };
        handlers.on_unavailable_image = [this](Image& image) { on_unavailable(image); };
        const auto asked =
            client.async_add_subscription(plan_.channel(), plan_.topic->stream_id, std::move(handlers));
        if (asked) {
            adding_ = *asked;
        }
        return;
    }
    auto found = client.find_subscription(adding_);
    if (!found) {
        refusal_ = found.error().message;
        ++context_.counts[Count::add_refused];
        adding_ = 0;
        next_add_ = context_.time.now + kRetryAdd;
        return;
    }
    if (*found != nullptr) {
        adding_ = 0;
        subscription_ = std::move(*found);
        ++context_.counts[Count::subscription_added];
    }
}

void Subscriber::on_available(Image& image) {
    const std::int32_t session = image.session_id();
    ++context_.counts[Count::image_created];
    context_.trace.add(TraceKind::kImage, static_cast<std::uint64_t>(context_.time.now.ns),
        static_cast<std::uint64_t>(session), static_cast<std::uint64_t>(image.join_position()));
    if (context_.verdict.verbose()) {
        context_.verdict.note("image of session " + std::to_string(session) + " stream " +
                              std::to_string(image.stream_id()) + " from " +
                              std::to_string(image.join_position()) + " at topic " +
                              std::to_string(plan_.topic->index));
    }
    const auto before = reached_.find(session);
    if (before != reached_.end()) {
        context_.counts[Count::came_back] += plan_.is_untethered ? 1 : 0;
        ++context_.counts[Count::image_rejoined];
        if (image.join_position() < before->second) {
            context_.verdict.fail("an image came back where it had been before: joined at " +
                                  std::to_string(image.join_position()) + ", had reached " +
                                  std::to_string(before->second) + ", session " + std::to_string(session));
        }
    }
    if (readers_.count(session) != 0) {
        context_.verdict.fail("a subscription has two images of session " + std::to_string(session));
    }
    context_.counts[Count::late_join] += image.join_position() > 0 ? 1 : 0;
    readers_.insert_or_assign(session, Reader(session, image.stream_id(), image.join_position()));
}

void Subscriber::on_unavailable(Image& image) {
    ++context_.counts[Count::image_ended];
    context_.trace.add(TraceKind::kImage, static_cast<std::uint64_t>(context_.time.now.ns),
        static_cast<std::uint64_t>(image.session_id()), static_cast<std::uint64_t>(image.position()) | 1);
    assembler_.remove_session(image.session_id());
    if (closing_) {
        return;
    }
    const auto found = readers_.find(image.session_id());
    if (found == readers_.end()) {
        context_.verdict.fail(
            "an image ended that never began: session " + std::to_string(image.session_id()));
        return;
    }
    // A client that slept hears of the end and of the session's next image in one cycle.
    reached_[image.session_id()] = image.position();
    ended_.push_back({found->second, image.position(), image.is_end_of_stream()});
    readers_.erase(found);
}

void Subscriber::judge_ended(bool client_ended) {
    std::vector<Ended> ended;
    ended.swap(ended_);
    for (Ended& one : ended) {
        if (!client_ended) {
            judge(one);
        }
    }
}

void Subscriber::judge(Ended& ended) {
    Stream* stream = ended.reader.stream(context_.ledger);
    if (stream == nullptr) {
        return;  // invented, or nothing was ever written to it
    }
    context_.counts[Count::left_behind] += plan_.is_untethered && !ended.is_end_of_stream ? 1 : 0;
    ended_by_eos_ += ended.is_end_of_stream ? 1 : 0;
    context_.counts[Count::image_eos] += ended.is_end_of_stream ? 1 : 0;
    const bool excused = stream->is_revoked || stream->is_over || rejected_.count(stream->session_id) != 0 ||
                         !plan_.is_promised_all ||
                         stream->was_detached(plan_.node(), context_.time.now, context_.timeouts.aftermath) ||
                         context_.was_disturbed(plan_.node(), stream->node);
    context_.counts[Count::liveness_timeout] += !ended.is_end_of_stream && excused ? 1 : 0;
    if (context_.verdict.verbose()) {
        context_.verdict.note("image ended at " + std::to_string(ended.position) +
                              (ended.is_end_of_stream ? " (end of stream) " : " ") + stream->name());
    }
    if (excused) {
        return;
    }
    if (!ended.is_end_of_stream) {
        context_.verdict.fail("an image ended although nothing was wrong: at " +
                              std::to_string(ended.position) + " of " + std::to_string(stream->end()) + ", " +
                              stream->name());
        return;
    }
    const Entry* missing = ended.reader.missing(context_.ledger);
    if (missing != nullptr && stream->is_reliable && !stream->is_of_group) {
        context_.verdict.fail("an image ended before all was delivered: " + std::to_string(missing->end) +
                              " is missing, ended at " + std::to_string(ended.position) + ", " +
                              stream->name());
    }
}

void Subscriber::on_message(std::span<const std::byte> message, const Header& header) {
    Reader* known = reader(header.session_id());
    if (known == nullptr) {
        context_.verdict.fail(
            "a message came before its image: session " + std::to_string(header.session_id()));
        return;
    }
    known->on_message(context_.ledger, message, header, context_.verdict);
    ++context_.counts[plan_.topic->is_ipc ? Count::delivered_ipc
                      : plan_.is_spy()    ? Count::delivered_spy
                                          : Count::delivered];
    context_.counts[Count::delivered_untethered] += plan_.is_untethered ? 1 : 0;
    context_.counts[Count::delivered_merged] += plan_.topic->cast == Cast::kMerged ? 1 : 0;
    context_.counts[Count::delivered_group] +=
        plan_.topic->cast == Cast::kDynamic || plan_.topic->cast == Cast::kManual ? 1 : 0;
    context_.counts[Count::spied_alone] += plan_.topic->is_spied_alone ? 1 : 0;
    context_.trace.add(TraceKind::kDeliver, static_cast<std::uint64_t>(header.position()),
        static_cast<std::uint64_t>(header.session_id()), message.size());
}

Reader* Subscriber::reader(std::int32_t session_id) {
    const auto found = readers_.find(session_id);
    return found == readers_.end() ? nullptr : &found->second;
}

std::size_t Subscriber::image_count() {
    std::size_t count = 0;
    for (auto& [session, known] : readers_) {
        count += known.stream(context_.ledger) != nullptr ? 1 : 0;
    }
    return count;
}

void Subscriber::close() {
    if (!is_open()) {
        return;
    }
    ++context_.counts[Count::subscription_closed];
    closing_ = true;
    subscription_.reset();
    closing_ = false;
    abandon();
}

void Subscriber::abandon() {
    adding_ = 0;
    destinations_.reset();
    // A new subscription begins anew: what the old one had read says nothing about it.
    readers_.clear();
    reached_.clear();
    ended_.clear();
    rejected_.clear();
    assembler_ = FragmentAssembler<Deliver>(Deliver{this});
}

}  // namespace fulmar::sim

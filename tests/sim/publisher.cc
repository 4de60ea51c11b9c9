#include "tests/sim/publisher.h"

#include <algorithm>
#include <limits>

namespace fulmar::sim {

namespace {

constexpr Duration kRetryAdd = milliseconds(2);

/// Stops an append at one of its points.
struct Dying {
    term::KillPoint point;
    bool* died;
    [[nodiscard]] bool dies(term::KillPoint here) const {
        *died = *died || here == point;
        return here == point;
    }
};

Count count_of(term::KillPoint point) {
    switch (point) {
        case term::KillPoint::kAfterTail: return Count::died_after_tail;
        case term::KillPoint::kAfterNegativeLength: return Count::died_negative_length;
        case term::KillPoint::kBeforeCommit: return Count::died_before_commit;
        case term::KillPoint::kBeforeRotate: return Count::died_before_rotate;
    }
    return Count::died_after_tail;
}

}  // namespace

int Publisher::poll(Client& client, Node& node) {
    if (!is_open()) {
        if (context_.phase < Phase::kEnd) {
            add(client, node);
        } else if (adding_ != 0) {
            client.cancel(adding_);
            adding_ = 0;
        }
        return 0;
    }
    if (claim_.is_open() && context_.time.now >= claim_due_) {
        finish_claim(!context_.prng.chance(plan_.abort));
    }
    if (context_.phase >= Phase::kEnd) {
        close();
        return 1;
    }
    poll_destinations(client);
    if (context_.time.now < next_turn_) {
        return 0;
    }
    next_turn_ = context_.time.now + context_.up_to(plan_.gap_max);
    turn();
    return 1;
}

void Publisher::poll_destinations(Client& client) {
    if (plan_.destinations.empty()) {
        return;
    }
    with_publication([&](auto& publication) { destinations_.poll(client, publication); });
    destinations_.for_each(
        [this](const DestinationPlan& plan, bool is_gone) {
            stream_->detached[plan.node] = context_.time.now;
            if (is_gone) {
                stream_->removed.try_emplace({plan.node, plan.udp_port}, context_.time.now);
            } else {
                stream_->removed.erase({plan.node, plan.udp_port});  // On its way, in or out.
            }
        },
        [this](const DestinationPlan& plan) {
            stream_->removed.erase({plan.node, plan.udp_port});
        });
}

void Publisher::add(Client& client, Node& node) {
    if (adding_ == 0) {
        if (context_.time.now < next_add_) {
            return;
        }
        const auto asked = plan_.is_exclusive ? client.async_add_exclusive_publication(
                                                    plan_.topic->publication_channel, plan_.topic->stream_id)
                                              : client.async_add_publication(
                                                    plan_.topic->publication_channel, plan_.topic->stream_id);
        if (asked) {
            adding_ = *asked;
        }
        return;
    }
    const auto take = [&](auto found, auto& handle) {
        if (!found) {
            refusal_ = found.error().message;
            ++context_.counts[Count::add_refused];
            adding_ = 0;
            next_add_ = context_.time.now + kRetryAdd;
            return;
        }
        handle = std::move(*found);
    };
    if (plan_.is_exclusive) {
        take(client.find_exclusive_publication(adding_), exclusive_);
    } else {
        take(client.find_publication(adding_), concurrent_);
    }
    if (is_open()) {
        adding_ = 0;
        open(node);
    }
}

void Publisher::open(Node& node) {
    Stream description;
    with_publication([&](const auto& publication) {
        description.session_id = publication.session_id();
        description.stream_id = publication.stream_id();
        description.initial_term_id = publication.initial_term_id();
        description.term_length = publication.term_length();
        description.mtu = publication.mtu();
        description.registration_id = publication.original_registration_id();
        buffer_.resize(static_cast<std::size_t>(publication.max_message_length()));
    });
    description.node = node.index();
    description.incarnation = node.incarnation();
    description.topic = plan_.topic->index;
    description.is_ipc = plan_.topic->is_ipc;
    description.is_exclusive = plan_.is_exclusive;
    description.is_reliable = plan_.topic->is_reliable;
    description.is_of_group = plan_.topic->group && plan_.topic->group->size_min > 0;
    stream_ = &context_.ledger.stream_for(description, context_.verdict);
    ++stream_->handles;
    ++context_.counts[Count::publication_added];
    context_.counts[Count::publication_shared] += stream_->handles > 1 ? 1 : 0;
    const std::string path =
        node.dir() + "/publications/" + std::to_string(description.registration_id) + ".logbuffer";
    auto mapping = node.memory().open(path, true);
    if (!mapping) {
        return;  // the driver has crashed meanwhile
    }
    mapping_ = std::move(mapping).value();
    const auto log = layout::LogBuffer::open(mapping_->bytes());
    if (!log) {
        context_.verdict.fail("a publication's log makes no sense: " + log.error().message);
        return;
    }
    log_ = *log;
    context_.trace.add(TraceKind::kClient, static_cast<std::uint64_t>(context_.time.now.ns),
        static_cast<std::uint64_t>(description.session_id), static_cast<std::uint64_t>(description.node));
    if (context_.verdict.verbose()) {
        context_.verdict.note("opened " + stream_->name() + " topic " + std::to_string(plan_.topic->index));
    }
}

Fate Publisher::fate_now() const {
    // A log whose end is decided still takes what is offered before its producers hear of it.
    const bool ended = stream_->is_over || mapping_ == nullptr ||
                       log_.end_of_stream_position() != std::numeric_limits<std::int64_t>::max();
    return ended ? Fate::kMaybe : Fate::kMust;
}

void Publisher::turn() {
    const bool faults = context_.phase == Phase::kFaults;
    if (faults && context_.prng.chance(plan_.close)) {
        close();
        next_add_ = context_.time.now + context_.up_to(milliseconds(5));
        return;
    }
    int burst = 1 + static_cast<int>(context_.prng.below(static_cast<std::uint64_t>(plan_.burst_max)));
    if (context_.phase == Phase::kFinal) {
        burst = std::min(burst, context_.final_messages - final_sent_);
    } else if (bytes_ >= plan_.bytes_max) {
        return;
    }
    for (int i = 0; i < burst && is_open(); ++i) {
        if (faults && !claim_.is_open() && context_.prng.chance(plan_.claim)) {
            if (!claim(draw_length(), context_.up_to(plan_.claim_hold_max))) {
                return;
            }
        } else if (!offer(draw_length())) {
            return;
        }
    }
}

std::int32_t Publisher::draw_length() {
    if (context_.prng.chance(plan_.large)) {
        return static_cast<std::int32_t>(context_.prng.below(buffer_.size() + 1));
    }
    return static_cast<std::int32_t>(context_.prng.below(static_cast<std::uint64_t>(plan_.small_max) + 1));
}

void Publisher::count_refusal(const OfferResult& result) {
    refusal_ = result.to_string();
    context_.counts[Count::back_pressure] += result.is_back_pressured() ? 1 : 0;
    context_.counts[Count::not_connected] += result.is_not_connected() ? 1 : 0;
    context_.counts[Count::admin_action] += result.is_admin_action() ? 1 : 0;
    if (result.is_bad_length() || result.is_max_position_exceeded()) {
        context_.verdict.fail("an offer was refused: " + refusal_);
    }
}

bool Publisher::offer(std::int32_t length) {
    const std::uint64_t seed = context_.prng.next();
    const std::span<std::byte> message(buffer_.data(), static_cast<std::size_t>(length));
    write_content(message, seed);
    const OfferResult result = with_publication(
        [&](auto& publication) { return publication.offer(message, static_cast<std::int64_t>(seed)); });
    if (!result.is_ok()) {
        count_refusal(result);
        // The log went on to its next term: the next turn may be at once.
        next_turn_ = result.is_admin_action() ? context_.time.now : next_turn_;
        return false;
    }
    Ledger::record(*stream_, result.position(), length, seed, fate_now(), context_.verdict);
    const bool whole =
        with_publication([&](const auto& publication) { return length <= publication.max_payload_length(); });
    ++context_.counts[plan_.topic->is_ipc ? Count::offered_ipc : Count::offered];
    context_.counts[Count::offered_exclusive] += plan_.is_exclusive ? 1 : 0;
    context_.counts[Count::fragmented] += whole ? 0 : 1;
    context_.counts[Count::empty_message] += length == 0 ? 1 : 0;
    context_.trace.add(TraceKind::kOffer, static_cast<std::uint64_t>(result.position()), seed, stream_->id);
    bytes_ += length;
    final_sent_ += context_.phase == Phase::kFinal ? 1 : 0;
    return true;
}

bool Publisher::claim(std::int32_t length, Duration hold) {
    const std::uint64_t seed = context_.prng.next();
    length = std::min(
        length, with_publication([](const auto& publication) { return publication.max_payload_length(); }));
    const OfferResult result =
        with_publication([&](auto& publication) { return publication.try_claim(length, claim_); });
    if (!result.is_ok()) {
        count_refusal(result);
        return false;
    }
    write_content(claim_.data(), seed);
    claim_.set_reserved_value(static_cast<std::int64_t>(seed));
    Ledger::record(*stream_, result.position(), length, seed, Fate::kOpen, context_.verdict).claimed_at =
        context_.time.now;
    claim_entry_ = stream_->entries.size() - 1;
    claimed_at_ = context_.time.now;
    claim_due_ = context_.time.now + hold;
    bytes_ += length;
    return true;
}

void Publisher::finish_claim(bool commit) {
    Entry& entry = stream_->entries[claim_entry_];
    if (commit) {
        // What was claimed before the end of the stream was decided may lie before or behind that end.
        entry.fate = fate_now();
        claim_.commit();
    } else {
        entry.fate = Fate::kVoid;
        claim_.abort();
    }
    ++context_.counts[commit ? Count::claim_commit : Count::claim_abort];
    context_.trace.add(TraceKind::kOffer, static_cast<std::uint64_t>(entry.end), entry.seed, commit ? 1 : 0);
}

std::string Publisher::describe_log() const {
    if (mapping_ == nullptr) {
        return "no log";
    }
    std::string text = "initial term " + std::to_string(log_.initial_term_id()) + ", active count " +
                       std::to_string(log_.active_term_count_acquire()) + ", tails";
    for (int i = 0; i < layout::kPartitionCount; ++i) {
        const layout::RawTail tail = log_.tail_acquire(i);
        text += " " + std::to_string(tail.term_id()) + ":" + std::to_string(tail.raw_offset());
    }
    const std::int64_t limit = concurrent_  ? concurrent_->position_limit()
                               : exclusive_ ? exclusive_->position_limit()
                                            : -1;
    return text + ", limit " + std::to_string(limit) + ", connected " + std::to_string(log_.is_connected());
}

bool Publisher::has_room() const {
    return is_connected() &&
           (concurrent_ ? concurrent_->available_window() : exclusive_->available_window()) > 0;
}

bool Publisher::must_die() const {
    return claim_.is_open() && context_.time.now - claimed_at_ > context_.timeouts.unblock / 2;
}

void Publisher::close() {
    if (!is_open()) {
        return;
    }
    if (claim_.is_open()) {
        finish_claim(true);
    }
    ++context_.counts[Count::publication_closed];
    if (exclusive_ != nullptr && context_.phase == Phase::kFaults && context_.prng.chance(plan_.revoke)) {
        ++context_.counts[Count::publication_revoked];
        stream_->is_revoked = true;
        exclusive_->revoke();
    }
    if (context_.verdict.verbose()) {
        context_.verdict.note("closed " + stream_->name() + " at " + std::to_string(stream_->end()));
    }
    --stream_->handles;
    concurrent_.reset();
    exclusive_.reset();
    mapping_.reset();
    destinations_.reset();
    stream_ = nullptr;
}

Publisher::Remains Publisher::take_remains() {
    return {std::move(concurrent_), std::move(exclusive_), std::move(claim_)};
}

void Publisher::abandon() {
    if (stream_ != nullptr) {
        if (claim_.is_open()) {
            stream_->entries[claim_entry_].fate = Fate::kVoid;
        }
        --stream_->handles;
    }
    stream_ = nullptr;
    mapping_.reset();
    destinations_.reset();
    adding_ = 0;
}

bool Publisher::die_at(term::KillPoint point, std::int32_t length) {
    if (concurrent_ == nullptr || mapping_ == nullptr || concurrent_->is_closed()) {
        return false;
    }
    if (point == term::KillPoint::kBeforeRotate) {
        // Only who runs over the end of a term rotates.
        const std::int64_t position = log_.producer_position();
        const auto left = static_cast<std::int32_t>(log_.term_length() - position % log_.term_length());
        length = left;
        if (length > concurrent_->max_message_length()) {
            return false;
        }
    }
    bool died = false;
    const std::uint64_t seed = context_.prng.next();
    const std::span<std::byte> message(buffer_.data(), static_cast<std::size_t>(length));
    write_content(message, seed);
    const std::span<const std::byte> piece(message);
    const std::int64_t position = term::append_concurrent(log_,
        {concurrent_->session_id(), concurrent_->stream_id()}, concurrent_->position_limit(),
        term::Buffers(&piece, 1), length, static_cast<std::int64_t>(seed), Dying{point, &died});
    if (!died) {
        if (position >= 0) {
            Ledger::record(*stream_, position, length, seed, fate_now(), context_.verdict);
        }
        return false;
    }
    ++context_.counts[count_of(point)];
    return true;
}

bool Publisher::die_holding_claim() {
    if (!is_open() || !(claim_.is_open() || claim(draw_length(), seconds(1)))) {
        return false;
    }
    ++context_.counts[Count::died_holding_claim];
    return true;
}

}  // namespace fulmar::sim

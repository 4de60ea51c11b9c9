/// One application's publication, through the client library: offers, claims, closes, and dies in the middle
/// of a write.
/// threads: one.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "fulmar/client.h"
#include "layout/log_buffer.h"
#include "term/append.h"
#include "tests/sim/destinations.h"
#include "tests/sim/node.h"
#include "tests/sim/workload.h"

namespace fulmar::sim {

class Publisher {
  public:
    Publisher(WorkloadContext& context, const PublisherPlan& plan)
        : context_(context), plan_(plan), destinations_(context, plan.destinations, plan.move) {}

    /// One turn; returns work done.
    int poll(Client& client, Node& node);
    /// Its client is gone, with or without our help; handles are left to whoever keeps the client.
    void abandon();
    [[nodiscard]] bool is_open() const { return concurrent_ != nullptr || exclusive_ != nullptr; }
    [[nodiscard]] bool is_connected() const {
        return concurrent_ ? concurrent_->is_connected() : exclusive_ && exclusive_->is_connected();
    }
    /// It is connected, and its limit lets it write.
    [[nodiscard]] bool has_room() const;
    /// True once the last messages are in the log.
    [[nodiscard]] bool is_finished() const { return final_sent_ >= context_.final_messages; }
    [[nodiscard]] bool is_gone() const { return !is_open() && adding_ == 0; }
    [[nodiscard]] const PublisherPlan& plan() const { return plan_; }
    [[nodiscard]] const Stream* stream() const { return stream_; }
    [[nodiscard]] const std::string& last_refusal() const { return refusal_; }
    /// The state of its log, for who looks into a failure.
    [[nodiscard]] std::string describe_log() const;

    /// Starts to write and stops at a point, as a process that is killed there. False when it cannot be now.
    [[nodiscard]] bool die_at(term::KillPoint point) { return die_at(point, draw_length()); }
    [[nodiscard]] bool die_at(term::KillPoint point, std::int32_t length);
    /// Dies with a claim open. False when it cannot be now.
    [[nodiscard]] bool die_holding_claim();
    /// A claim has been held for so long that its process must not touch it any more.
    [[nodiscard]] bool must_die() const;

    // Scenarios call these directly.
    bool offer(std::int32_t length);
    bool claim(std::int32_t length, Duration hold);
    void finish_claim(bool commit);
    void close();

    /// What a dead process leaves in its memory; destroyed with the world.
    struct Remains {
        std::unique_ptr<Publication> concurrent;
        std::unique_ptr<ExclusivePublication> exclusive;
        BufferClaim claim;
    };
    [[nodiscard]] Remains take_remains();

  private:
    void add(Client& client, Node& node);
    void open(Node& node);
    void turn();
    void poll_destinations(Client& client);
    [[nodiscard]] std::int32_t draw_length();
    [[nodiscard]] Fate fate_now() const;
    template <class Do>
    auto with_publication(Do&& act) {
        return concurrent_ != nullptr ? act(*concurrent_) : act(*exclusive_);
    }
    void count_refusal(const OfferResult& result);

    WorkloadContext& context_;
    PublisherPlan plan_;
    std::int64_t adding_ = 0;
    Instant next_turn_;
    Instant next_add_;
    std::unique_ptr<Publication> concurrent_;
    std::unique_ptr<ExclusivePublication> exclusive_;
    std::unique_ptr<port::Mapping> mapping_;
    layout::LogBuffer log_;
    Stream* stream_ = nullptr;
    BufferClaim claim_;
    std::size_t claim_entry_ = 0;
    Instant claimed_at_;
    Instant claim_due_;
    std::int64_t bytes_ = 0;
    int final_sent_ = 0;
    Destinations destinations_;
    std::string refusal_;
    std::vector<std::byte> buffer_;
};

}  // namespace fulmar::sim

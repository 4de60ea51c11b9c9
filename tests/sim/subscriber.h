/// One application's subscription, through the client library, with what it may expect of each session.
/// threads: one.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "fulmar/client.h"
#include "fulmar/fragment_assembler.h"
#include "tests/sim/destinations.h"
#include "tests/sim/node.h"
#include "tests/sim/workload.h"

namespace fulmar::sim {

class Subscriber {
  public:
    Subscriber(WorkloadContext& context, const SubscriberPlan& plan);

    /// One turn; returns work done.
    int poll(Client& client);
    /// After the client was polled: judges the images that ended in it. `client_ended`: all of them did.
    void judge_ended(bool client_ended);
    /// Its client is gone, with or without our help.
    void abandon();
    void close();

    [[nodiscard]] bool is_open() const { return subscription_ != nullptr; }
    [[nodiscard]] const SubscriberPlan& plan() const { return plan_; }
    [[nodiscard]] const std::string& last_refusal() const { return refusal_; }
    /// The way through a session; null while there is no image of it.
    [[nodiscard]] Reader* reader(std::int32_t session_id);
    /// Images of sessions that our publishers made.
    [[nodiscard]] std::size_t image_count();
    [[nodiscard]] std::uint64_t ended_by_eos() const { return ended_by_eos_; }
    [[nodiscard]] std::unique_ptr<Subscription> take_remains() { return std::move(subscription_); }

    // Scenarios call these directly.
    int poll_messages(int fragment_limit);

  private:
    struct Ended {
        Reader reader;
        std::int64_t position = 0;
        bool is_end_of_stream = false;
        bool is_revoked = false;
    };
    struct Deliver {
        Subscriber* self;
        void operator()(std::span<const std::byte> message, const Header& header) const {
            self->on_message(message, header);
        }
    };

    void add(Client& client);
    void on_available(Image& image);
    void on_unavailable(Image& image);
    void on_message(std::span<const std::byte> message, const Header& header);
    void judge(Ended& ended);

    WorkloadContext& context_;
    SubscriberPlan plan_;
    std::int64_t adding_ = 0;
    Instant next_turn_;
    Instant next_add_;
    std::unique_ptr<Subscription> subscription_;
    FragmentAssembler<Deliver> assembler_;
    std::map<std::int32_t, Reader> readers_;        // by session, of open images
    std::map<std::int32_t, std::int64_t> reached_;  // by session, of images that ended
    std::vector<Ended> ended_;
    std::map<std::int32_t, Instant> rejected_;
    bool closing_ = false;
    std::uint64_t ended_by_eos_ = 0;
    Destinations destinations_;
    std::string refusal_;
};

}  // namespace fulmar::sim

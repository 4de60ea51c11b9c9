/// One client process of the virtual world: a client of its node's driver with publishers and subscribers.
/// It connects again when its driver or its own time-out ends it, and dies when the world says so.
/// threads: one.
#pragma once

#include <memory>
#include <vector>

#include "tests/sim/conversation.h"
#include "tests/sim/publisher.h"
#include "tests/sim/scheduler.h"
#include "tests/sim/subscriber.h"

namespace fulmar::sim {

struct AppPlan {
    int node = 0;
    std::vector<PublisherPlan> publishers;
    std::vector<SubscriberPlan> subscribers;
    std::vector<RequesterPlan> requesters;
    std::vector<const ConversationPlan*> answers;
    Scheduler::Pace pace;
};

class ClientApp final : public Actor {
  public:
    ClientApp(WorkloadContext& context, Node& node, const AppPlan& plan);
    ~ClientApp() override;

    int poll() override;

    /// The process ends here and now. It comes back as a new one after `absence`.
    void die(Duration absence);
    /// Dies in the middle of a write, at its next chance.
    void die_at(term::KillPoint point, Duration absence);
    void die_holding_claim(Duration absence);

    [[nodiscard]] Node& node() { return node_; }
    [[nodiscard]] bool is_connected() const { return client_ != nullptr; }
    [[nodiscard]] bool is_gone() const { return gone_; }
    [[nodiscard]] Client* client() { return client_.get(); }
    [[nodiscard]] std::vector<Publisher>& publishers() { return publishers_; }
    [[nodiscard]] std::vector<Subscriber>& subscribers() { return subscribers_; }
    [[nodiscard]] const std::vector<Requester>& requesters() const { return requesters_; }

  private:
    enum class Death : std::uint8_t { kNone, kAtPoint, kHoldingClaim };
    /// A dead process: its memory stays as it was until the world ends.
    struct Remains {
        std::vector<Publisher::Remains> publishers;
        std::vector<std::unique_ptr<Subscription>> subscriptions;
        std::vector<Requester::Handles> requesters;
        std::vector<Responder::Handles> responders;
        std::unique_ptr<Client> client;
    };

    void connect();
    void on_terminated();
    void abandon_streams();
    void bury();
    [[nodiscard]] bool try_planned_death();
    int poll_streams();

    WorkloadContext& context_;
    Node& node_;
    std::unique_ptr<Client> client_;
    int connected_to_ = 0;  ///< incarnation of the driver
    Instant next_connect_;
    Instant absent_until_;  ///< in the fault phase
    bool gone_ = false;
    Death death_ = Death::kNone;
    term::KillPoint kill_point_ = term::KillPoint::kAfterTail;
    Duration absence_;
    std::vector<Publisher> publishers_;
    std::vector<Subscriber> subscribers_;
    std::vector<Requester> requesters_;
    std::vector<Responder> responders_;
    std::vector<std::unique_ptr<Remains>> graves_;
};

}  // namespace fulmar::sim

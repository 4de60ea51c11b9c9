#include "tests/sim/client_app.h"

#include <utility>

namespace fulmar::sim {

namespace {
constexpr Duration kReconnect = milliseconds(5);
}

ClientApp::ClientApp(WorkloadContext& context, Node& node, const AppPlan& plan)
    : context_(context), node_(node) {
    publishers_.reserve(plan.publishers.size());
    for (const PublisherPlan& publisher : plan.publishers) {
        publishers_.emplace_back(context, publisher);
    }
    subscribers_.reserve(plan.subscribers.size());
    for (const SubscriberPlan& subscriber : plan.subscribers) {
        subscribers_.emplace_back(context, subscriber);
    }
    requesters_.reserve(plan.requesters.size());
    for (const RequesterPlan& requester : plan.requesters) {
        requesters_.emplace_back(context, requester);
    }
    responders_.reserve(plan.answers.size());
    for (const ConversationPlan* about : plan.answers) {
        responders_.emplace_back(context, *about);
    }
}

ClientApp::~ClientApp() {
    // Images tell their subscribers that they end; nobody judges any more.
    for (Subscriber& subscriber : subscribers_) {
        (void)subscriber.take_remains();
    }
    for (Requester& requester : requesters_) {
        (void)requester.take_remains();
    }
    for (Responder& responder : responders_) {
        (void)responder.take_remains();
    }
}

void ClientApp::connect() {
    const bool absent = context_.phase == Phase::kFaults && context_.time.now < absent_until_;
    if (absent || context_.time.now < next_connect_ || !node_.is_up()) {
        return;
    }
    next_connect_ = context_.time.now + kReconnect;
    ClientOptions options;
    options.dir = node_.dir();
    options.name = "app";
    options.driver_timeout = context_.timeouts.driver;
    options.keepalive_interval = context_.timeouts.client_liveness / 6;
    options.resource_linger = context_.timeouts.image_liveness;
    options.own_thread = false;
    auto connected = Client::try_connect(options, {&node_.memory(), &node_.clock()});
    if (connected) {
        client_ = std::move(*connected);
        connected_to_ = node_.incarnation();
        context_.trace.add(TraceKind::kClient, static_cast<std::uint64_t>(context_.time.now.ns),
            static_cast<std::uint64_t>(client_->client_id()));
    }
}

int ClientApp::poll() {
    if (gone_) {
        return 0;
    }
    if (client_ == nullptr) {
        if (context_.phase == Phase::kGone) {
            gone_ = true;
            return 0;
        }
        connect();
        return client_ != nullptr ? 1 : 0;
    }
    int work = client_->poll(node_.clock().now());
    if (client_->is_closed()) {
        on_terminated();
        return 1;
    }
    for (Subscriber& subscriber : subscribers_) {
        subscriber.judge_ended(false);
    }
    for (const Publisher& publisher : publishers_) {
        if (publisher.must_die()) {
            die(kReconnect);
            return 1;
        }
    }
    if (death_ != Death::kNone && context_.phase == Phase::kFaults && try_planned_death()) {
        return 1;
    }
    work += poll_streams();
    if (context_.phase == Phase::kGone) {
        client_.reset();
        gone_ = true;
    }
    return work;
}

int ClientApp::poll_streams() {
    int work = 0;
    for (Subscriber& subscriber : subscribers_) {
        work += subscriber.poll(*client_);
    }
    for (Publisher& publisher : publishers_) {
        work += publisher.poll(*client_, node_);
    }
    for (Responder& responder : responders_) {
        work += responder.poll(*client_);
    }
    for (Requester& requester : requesters_) {
        work += requester.poll(*client_);
    }
    return work;
}

void ClientApp::on_terminated() {
    const auto error = client_->terminal_error();
    const std::string why = error ? error->message : "no reason given";
    if (context_.verdict.verbose()) {
        context_.verdict.note("client of node " + std::to_string(node_.index()) + " ended: " + why);
    }
    const bool driver_is_gone = !node_.is_up() || node_.incarnation() != connected_to_;
    if (!driver_is_gone && !context_.was_disturbed(node_.index(), node_.index())) {
        context_.verdict.fail("a client ended although nothing was wrong: " + why);
    }
    for (Subscriber& subscriber : subscribers_) {
        subscriber.judge_ended(true);
    }
    abandon_streams();
    bury();
    next_connect_ = context_.time.now + kReconnect;
}

void ClientApp::die(Duration absence) {
    if (client_ == nullptr) {
        return;
    }
    ++context_.counts[Count::client_crash];
    if (context_.verdict.verbose()) {
        context_.verdict.note("client of node " + std::to_string(node_.index()) + " died");
    }
    abandon_streams();
    bury();
    absent_until_ = context_.time.now + absence;
    death_ = Death::kNone;
}

void ClientApp::die_at(term::KillPoint point, Duration absence) {
    death_ = Death::kAtPoint;
    kill_point_ = point;
    absence_ = absence;
}

void ClientApp::die_holding_claim(Duration absence) {
    death_ = Death::kHoldingClaim;
    absence_ = absence;
}

bool ClientApp::try_planned_death() {
    for (Publisher& publisher : publishers_) {
        const bool died =
            death_ == Death::kAtPoint ? publisher.die_at(kill_point_) : publisher.die_holding_claim();
        if (died) {
            die(absence_);
            return true;
        }
    }
    return false;
}

void ClientApp::abandon_streams() {
    for (Subscriber& subscriber : subscribers_) {
        subscriber.abandon();
    }
    for (Publisher& publisher : publishers_) {
        publisher.abandon();
    }
    for (Requester& requester : requesters_) {
        requester.abandon();
    }
    for (Responder& responder : responders_) {
        responder.abandon();
    }
}

void ClientApp::bury() {
    auto remains = std::make_unique<Remains>();
    for (Publisher& publisher : publishers_) {
        remains->publishers.push_back(publisher.take_remains());
    }
    for (Subscriber& subscriber : subscribers_) {
        remains->subscriptions.push_back(subscriber.take_remains());
    }
    for (Requester& requester : requesters_) {
        remains->requesters.push_back(requester.take_remains());
    }
    for (Responder& responder : responders_) {
        remains->responders.push_back(responder.take_remains());
    }
    remains->client = std::move(client_);
    graves_.push_back(std::move(remains));
}

}  // namespace fulmar::sim

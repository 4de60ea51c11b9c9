#include "perf/e2e/echo.h"

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include "base/histogram.h"
#include "base/prng.h"
#include "fulmar/fragment_assembler.h"
#include "perf/e2e/channels.h"
#include "perf/e2e/node.h"
#include "perf/e2e/pacing.h"
#include "perf/e2e/port_counters.h"
#include "perf/e2e/report.h"

namespace fulmar::perf {

namespace {

constexpr int kFragmentLimit = 16;
constexpr Duration kConnectTimeout = seconds(20);
/// With nothing coming back for this long the rest counts as lost.
constexpr Duration kSilenceMax = seconds(5);
/// A pong that has echoed all it was asked to serves retransmits this long, or until ping is gone.
constexpr Duration kFarewell = seconds(2);

int cannot_run(const Error& error) {
    fmt::print(stderr, "fulmar-perf: {}\n", error.message);
    return 2;
}

class Ping {
  public:
    Ping(const Options& options, Node& node, ExclusivePublication& publication, Subscription& subscription)
        : options_(options),
          node_(node),
          publication_(publication),
          subscription_(subscription),
          writer_(options.size_max, options.check),
          reader_(options.check),
          sizes_(1) {}

    int run() {
        if (!connected()) {
            fmt::print(stderr,
                "fulmar-perf: no pong answered on {} within 20 s; is it running with the same --channel?\n",
                options_.channel);
            return 1;
        }
        exchange(options_.warmup, {}, 0);
        rtt_.reset();
        const Instant start = Node::clock_now();
        const double epoch = Node::epoch_s();
        Progress progress(start, "round trips", options_.json);
        const Instant end = options_.duration_s > 0
                                ? start + Duration{static_cast<std::int64_t>(options_.duration_s * 1e9)}
                                : Instant::never();
        const auto before = reader_.counts();
        exchange(
            options_.messages > 0 ? options_.messages : INT64_MAX, {start, end, &progress}, options_.rate);

        Figures figures;
        figures.test = "echo";
        figures.device = node_.device();
        figures.elapsed_s = static_cast<double>((Node::clock_now() - start).ns) / 1e9;
        figures.start_epoch_s = epoch;
        figures.counts = reader_.counts();
        figures.counts.messages -= before.messages;
        figures.counts.bytes -= before.bytes;
        figures.pass = figures.counts.clean() && figures.counts.messages > 0;
        figures.rtt = &rtt_;
        nlohmann::ordered_json extra = driver_figures(node_.client().counters());
        extra["in_flight"] = options_.in_flight;
        return report(figures, options_, extra);
    }

  private:
    struct Limits {
        Instant start;
        Instant end = Instant::never();
        Progress* progress = nullptr;
    };

    bool connected() {
        const Instant give_up = Node::clock_now() + kConnectTimeout;
        while (!publication_.is_connected() || !subscription_.is_connected()) {
            node_.poll();
            if (node_.now() > give_up || stop_requested()) {
                return false;
            }
        }
        return true;
    }

    /// Handler of whole replies.
    struct OnReply {
        Ping* ping;
        void operator()(std::span<const std::byte> body, const Header&) const {
            BodyHeader header;
            if (ping->reader_.read(body, header)) {
                ping->rtt_.record(Node::clock_now().ns - header.sent_ns);
            }
        }
    };

    void exchange(std::int64_t messages, Limits limits, double rate) {
        Pacing pacing(rate, limits.start);
        const std::uint64_t first = sequence_;
        const auto target = messages == INT64_MAX ? UINT64_MAX : first + static_cast<std::uint64_t>(messages);
        Instant last_reply = Node::clock_now();
        std::uint64_t answered = reader_.next_sequence();
        bool sending = true;
        while (sending || reader_.next_sequence() < sequence_) {
            node_.poll();
            subscription_.poll(assembler_, kFragmentLimit);
            const Instant now = node_.now();
            if (reader_.next_sequence() != answered) {
                answered = reader_.next_sequence();
                last_reply = now;
            }
            const auto in_flight = static_cast<int>(sequence_ - answered);
            sending = sending && sequence_ < target && now < limits.end && !stop_requested();
            if (sending && in_flight < options_.in_flight && pacing.due(now)) {
                offer(pacing, rate > 0 ? pacing.intended(now) : Node::clock_now());
            }
            if (limits.progress != nullptr) {
                limits.progress->show(now, static_cast<std::int64_t>(answered - first), messages);
            }
            if (in_flight > 0 && now - last_reply > kSilenceMax) {
                break;
            }
        }
        reader_.finish(sequence_);
    }

    void offer(Pacing& pacing, Instant intended) {
        const auto size =
            options_.size_min == options_.size_max
                ? options_.size_min
                : static_cast<std::size_t>(sizes_.between(static_cast<std::int64_t>(options_.size_min),
                      static_cast<std::int64_t>(options_.size_max)));
        if (publication_.offer(writer_.write(sequence_, intended.ns, size))) {
            ++sequence_;
            pacing.sent();
        }
    }

    const Options& options_;
    Node& node_;
    ExclusivePublication& publication_;
    Subscription& subscription_;
    BodyWriter writer_;
    BodyReader reader_;
    base::Prng sizes_;
    base::Histogram rtt_;
    FragmentAssembler<OnReply> assembler_{OnReply{this}};
    std::uint64_t sequence_ = 0;
};

int run_ping(const Options& options, Node& node) {
    auto subscription = node.client().add_subscription(options.reply_channel, options.reply_stream);
    if (!subscription) {
        return cannot_run(subscription.error());
    }
    auto publication = node.client().add_exclusive_publication(options.channel, options.stream);
    if (!publication) {
        return cannot_run(publication.error());
    }
    return Ping(options, node, **publication, **subscription).run();
}

/// Sends each message back on one reply publication per requester it currently hears; ends on SIGTERM or
/// after
/// --messages.
int run_pong(const Options& options, Node& node) {
    auto subscription = node.client().add_subscription(options.channel, options.stream);
    if (!subscription) {
        return cannot_run(subscription.error());
    }
    std::unique_ptr<ExclusivePublication> reply;
    std::int64_t echoed = 0;
    std::int64_t served = 0;
    const auto send_back = [&reply, &echoed](std::span<const std::byte> body, const Header&) {
        if (reply->offer(body)) {
            ++echoed;
            return ControlledAction::kContinue;
        }
        return ControlledAction::kAbort;
    };
    ControlledFragmentAssembler assembler(send_back);
    const Instant start = Node::clock_now();
    while (!stop_requested() && (options.messages == 0 || echoed < options.messages + options.warmup)) {
        node.poll();
        if ((*subscription)->has_no_images()) {
            reply.reset();
            continue;
        }
        Image& image = *(*subscription)->images().front();
        if (reply == nullptr || image.correlation_id() != served) {
            auto added = node.client().add_exclusive_publication(
                reply_channel_for(options, image.source_identity()), options.reply_stream);
            if (!added) {
                return cannot_run(added.error());
            }
            reply = std::move(*added);
            served = image.correlation_id();
        }
        image.controlled_poll(assembler, kFragmentLimit);
    }
    // The last replies may have to be sent again.
    const Instant until = Node::clock_now() + kFarewell;
    while (reply != nullptr && reply->is_connected() && node.now() < until) {
        node.poll();
    }
    Figures figures;
    figures.test = "echo";
    figures.device = node.device();
    figures.counts.messages = echoed;
    figures.elapsed_s = static_cast<double>((Node::clock_now() - start).ns) / 1e9;
    return report(figures, options, {{"role", "pong"}});
}

}  // namespace

int run_echo(const Options& options) {
    auto node = Node::open(options);
    if (!node) {
        return cannot_run(node.error());
    }
    return options.role == Role::kPing ? run_ping(options, **node) : run_pong(options, **node);
}

}  // namespace fulmar::perf

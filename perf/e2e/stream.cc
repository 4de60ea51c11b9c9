#include "perf/e2e/stream.h"

#include <cstring>
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

constexpr int kFragmentLimit = 256;
/// Offers between two polls of the driver, so that neither waits long for the other.
constexpr int kOffersPerPoll = 64;
constexpr Duration kConnectTimeout = seconds(20);
constexpr Duration kSilenceMax = seconds(10);
/// A reader that has the whole stream keeps its driver alive this long, so that its end reaches the sender.
constexpr Duration kFarewell = milliseconds(450);
/// In place of a body: the stream ends here. Its sequence is the number of bodies sent.
constexpr std::uint32_t kEndMark = 1;

int cannot_run(const Error& error) {
    fmt::print(stderr, "fulmar-perf: {}\n", error.message);
    return 2;
}

class Publisher {
  public:
    Publisher(const Options& options, Node& node, ExclusivePublication& publication)
        : options_(options),
          node_(node),
          publication_(publication),
          writer_(options.size_max, options.check),
          sizes_(2) {}

    int run() {
        if (!connected()) {
            fmt::print(stderr,
                "fulmar-perf: no subscriber on {} within 20 s; is sub running with the same --channel?\n",
                options_.channel);
            return 1;
        }
        const Instant start = Node::clock_now();
        const double epoch = Node::epoch_s();
        const bool complete = send(start);
        const double elapsed = static_cast<double>((Node::clock_now() - start).ns) / 1e9;
        const bool ended = complete && say_end();

        Figures figures;
        figures.test = "stream";
        figures.device = node_.device();
        figures.elapsed_s = elapsed;
        figures.start_epoch_s = epoch;
        figures.counts.messages = static_cast<std::int64_t>(sequence_);
        figures.counts.bytes = bytes_;
        figures.pass = ended && sequence_ > 0;
        nlohmann::ordered_json extra = driver_figures(node_.client().counters());
        extra.update({{"role", "pub"}, {"elapsed_s", elapsed}, {"back_pressured", back_pressured_},
            {"end_heard", ended}});
        return report(figures, options_, extra);
    }

  private:
    bool connected() {
        const Instant give_up = Node::clock_now() + kConnectTimeout;
        while (!publication_.is_connected()) {
            node_.poll();
            if (node_.now() > give_up || stop_requested()) {
                return false;
            }
        }
        return true;
    }

    bool send(Instant start) {
        Pacing pacing(options_.rate, start);
        Progress progress(start, "messages sent", options_.json);
        const Instant end = options_.duration_s > 0
                                ? start + Duration{static_cast<std::int64_t>(options_.duration_s * 1e9)}
                                : Instant::never();
        const auto target =
            options_.messages > 0 ? static_cast<std::uint64_t>(options_.messages) : UINT64_MAX;
        std::size_t size = next_size();
        while (sequence_ < target && node_.now() < end && !stop_requested()) {
            node_.poll();
            progress.show(node_.now(), static_cast<std::int64_t>(sequence_), options_.messages);
            for (int n = 0; n < kOffersPerPoll && sequence_ < target && pacing.due(node_.now()); ++n) {
                const auto body = writer_.write(sequence_, pacing.intended(node_.now()).ns, size);
                const OfferResult result = publication_.offer(body);
                if (!result) {
                    if (!result.is_worth_retrying()) {
                        return false;
                    }
                    back_pressured_ += result.is_back_pressured() ? 1 : 0;
                    break;
                }
                bytes_ += static_cast<std::int64_t>(size);
                ++sequence_;
                pacing.sent();
                size = next_size();
            }
        }
        return true;
    }

    /// Offers the end mark and serves retransmits until the subscriber has taken leave.
    bool say_end() {
        BodyHeader mark;
        mark.sequence = sequence_;
        mark.reserved = kEndMark;
        const Instant give_up = Node::clock_now() + kSilenceMax;
        bool offered = false;
        while (publication_.is_connected()) {
            node_.poll();
            if (!offered) {
                offered = publication_.offer(std::as_bytes(std::span(&mark, 1))).is_ok();
            }
            if (node_.now() > give_up) {
                return false;
            }
        }
        return offered;
    }

    std::size_t next_size() {
        return options_.size_min == options_.size_max
                   ? options_.size_min
                   : static_cast<std::size_t>(sizes_.between(static_cast<std::int64_t>(options_.size_min),
                         static_cast<std::int64_t>(options_.size_max)));
    }

    const Options& options_;
    Node& node_;
    ExclusivePublication& publication_;
    BodyWriter writer_;
    base::Prng sizes_;
    std::uint64_t sequence_ = 0;
    std::int64_t bytes_ = 0;
    std::int64_t back_pressured_ = 0;
};

class Subscriber {
  public:
    Subscriber(const Options& options, Node& node, Subscription& subscription)
        : options_(options), node_(node), subscription_(subscription), reader_(options.check) {}

    int run() {
        const double epoch = Node::epoch_s();
        Progress progress(Node::clock_now(), "messages received", options_.json);
        while (!ended_ && !stop_requested() &&
               (options_.messages == 0 || reader_.counts().messages < options_.messages)) {
            node_.poll();
            const int fragments = subscription_.poll(assembler_, kFragmentLimit);
            if (fragments > 0) {
                last_ = node_.now();
                started_ = started_ == Instant{} ? last_ : started_;
            } else if (started_ != Instant{} && node_.now() - last_ > kSilenceMax) {
                break;
            }
            progress.show(node_.now(), reader_.counts().messages, options_.messages);
        }
        if (options_.messages > 0 && !ended_) {
            reader_.finish(static_cast<std::uint64_t>(options_.messages));
        }
        nlohmann::ordered_json extra = driver_figures(node_.client().counters());
        farewell();

        Figures figures;
        figures.test = "stream";
        figures.device = node_.device();
        figures.elapsed_s = static_cast<double>((last_ - started_).ns) / 1e9;
        figures.start_epoch_s = epoch;
        figures.counts = reader_.counts();
        figures.pass = figures.counts.clean() && figures.counts.messages > 0;
        figures.rtt = timed() ? &latency_ : nullptr;
        figures.latency = "one_way_ns";
        extra.update({{"role", "sub"}, {"elapsed_s", figures.elapsed_s}});
        return report(figures, options_, extra);
    }

  private:
    struct OnMessage {
        Subscriber* subscriber;
        void operator()(std::span<const std::byte> body, const Header&) const {
            subscriber->on_message(body);
        }
    };

    [[nodiscard]] bool timed() const { return options_.rate > 0; }

    void on_message(std::span<const std::byte> body) {
        BodyHeader header;
        if (body.size() == sizeof header) {
            std::memcpy(&header, body.data(), sizeof header);
            if (header.reserved == kEndMark && header.length == 0) {
                reader_.finish(header.sequence);
                ended_ = true;
                return;
            }
        }
        if (reader_.read(body, header) && timed()) {
            latency_.record(Node::clock_now().ns - header.sent_ns);
        }
    }

    void farewell() {
        subscription_.close();
        const Instant until = Node::clock_now() + kFarewell;
        do {
            node_.poll();
        } while (node_.now() < until && node_.driver() != nullptr);
    }

    const Options& options_;
    Node& node_;
    Subscription& subscription_;
    BodyReader reader_;
    base::Histogram latency_;
    FragmentAssembler<OnMessage> assembler_{OnMessage{this}};
    Instant started_;
    Instant last_;
    bool ended_ = false;
};

}  // namespace

int run_stream(const Options& options) {
    auto node = Node::open(options);
    if (!node) {
        return cannot_run(node.error());
    }
    if (options.role == Role::kPub) {
        auto publication = (*node)->client().add_exclusive_publication(options.channel, options.stream);
        if (!publication) {
            return cannot_run(publication.error());
        }
        return Publisher(options, **node, **publication).run();
    }
    auto subscription = (*node)->client().add_subscription(options.channel, options.stream);
    if (!subscription) {
        return cannot_run(subscription.error());
    }
    return Subscriber(options, **node, **subscription).run();
}

}  // namespace fulmar::perf

// fulmar ping and pong: round trips through two streams.
#include <fmt/core.h>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>

#include "apps/fulmar/stream_options.h"
#include "base/bytes.h"
#include "base/histogram.h"
#include "fulmar/idle.h"

namespace fulmar::cli {

namespace {

constexpr int kFragmentLimit = 10;
constexpr Duration kAnswerTimeout = seconds(1);

/// The two ends of one party.
struct Pair {
    std::unique_ptr<Client> client;
    std::unique_ptr<Subscription> subscription;
    std::unique_ptr<ExclusivePublication> publication;
};

Result<Pair> open_ping(const StreamOptions& options) {
    Pair pair;
    FULMAR_TRY(client, connect(options.common, "ping"));
    pair.client = std::move(client);
    FULMAR_TRY(subscription, pair.client->add_subscription(options.reply_channel, options.reply_stream));
    pair.subscription = std::move(subscription);
    FULMAR_TRY(publication, pair.client->add_exclusive_publication(options.channel, options.stream));
    pair.publication = std::move(publication);
    return pair;
}

Result<Pair> open_pong(const StreamOptions& options) {
    Pair pair;
    FULMAR_TRY(client, connect(options.common, "pong"));
    pair.client = std::move(client);
    FULMAR_TRY(subscription, pair.client->add_subscription(options.channel, options.stream));
    pair.subscription = std::move(subscription);
    FULMAR_TRY(
        publication, pair.client->add_exclusive_publication(options.reply_channel, options.reply_stream));
    pair.publication = std::move(publication);
    return pair;
}

/// One round trip; nothing when no answer came in time.
Result<std::optional<std::int64_t>> round_trip(Pair& pair) {
    const Instant sent = pair.client->now();
    FULMAR_TRY_VOID(offer_all(*pair.publication, std::as_bytes(std::span(&sent.ns, 1))));
    bool answered = false;
    const auto on_reply = [&](std::span<const std::byte> message, const Header&) {
        // A late answer to an earlier one counts for nothing.
        answered = answered || (message.size() == sizeof sent.ns &&
                                   base::load_le<std::int64_t>(message.data(), 0) == sent.ns);
    };
    while (!answered && pair.client->now() - sent < kAnswerTimeout) {
        pair.subscription->poll(on_reply, kFragmentLimit);
    }
    return answered ? std::optional((pair.client->now() - sent).ns) : std::nullopt;
}

int report_ping(const StreamOptions& options, const base::Histogram& rtt, std::int64_t lost) {
    const bool pass = lost == 0 && rtt.total() > 0;
    if (options.common.json) {
        print_json({{"answers", rtt.total()}, {"lost", lost}, {"min_ns", rtt.min()},
            {"p50_ns", rtt.value_at_percentile(50)}, {"p99_ns", rtt.value_at_percentile(99)},
            {"max_ns", rtt.max()}, {"pass", pass}});
    } else {
        const auto us = [](std::int64_t ns) { return static_cast<double>(ns) / 1000; };
        fmt::print("{} answers, {} lost: min {:.1f} us, p50 {:.1f} us, p99 {:.1f} us, max {:.1f} us\n",
            rtt.total(), lost, us(rtt.min()), us(rtt.value_at_percentile(50)),
            us(rtt.value_at_percentile(99)), us(rtt.max()));
    }
    return pass ? kExitPass : kExitFailed;
}

int run_ping(const StreamOptions& options) {
    auto pair = open_ping(options);
    if (!pair) {
        return report("ping", pair.error());
    }
    const auto both = [&] { return pair->publication->is_connected() && pair->subscription->is_connected(); };
    if (!wait_for(both, options.timeout_s)) {
        return report("ping",
            {ErrorCode::kGeneric,
                fmt::format("nobody answers on {} stream {} within {} s; start an answerer with: fulmar pong",
                    options.channel, options.stream, options.timeout_s)});
    }
    base::Histogram rtt;
    std::int64_t lost = 0;
    for (std::int64_t i = 0; i < options.count && !stop_requested(); ++i) {
        const auto answer = round_trip(*pair);
        if (!answer) {
            return report("ping", answer.error());
        }
        if (*answer) {
            rtt.record(**answer);
        } else {
            ++lost;
        }
    }
    return report_ping(options, rtt, lost);
}

int run_pong(const StreamOptions& options) {
    auto pair = open_pong(options);
    if (!pair) {
        return report("pong", pair.error());
    }
    std::int64_t answered = 0;
    const auto echo = [&](std::span<const std::byte> message, const Header&) {
        // Fragments go back as they came. One that nobody hears is no reason to end: pings come and go.
        answered += offer_all(*pair->publication, message) ? 1 : 0;
    };
    BackoffIdle idle;
    while (!stop_requested()) {
        const int work = pair->subscription->poll(echo, kFragmentLimit);
        if (work == 0) {
            if (const Status alive = check_client(*pair->client); !alive) {
                return report("pong", alive.error());
            }
        }
        idle.idle(work);
    }
    if (options.common.json) {
        print_json({{"answered", answered}});
    } else {
        fmt::print("{} messages sent back\n", answered);
    }
    return kExitPass;
}

}  // namespace

Run add_ping(CLI::App& app) {
    auto options = std::make_shared<StreamOptions>();
    options->count = 10;
    auto* verb = app.add_subcommand("ping", "round trips to a pong");
    add_stream_options(*verb, *options);
    add_reply_options(*verb, *options);
    verb->add_option("--count", options->count, "how many")
        ->capture_default_str()
        ->check(CLI::PositiveNumber);
    add_timeout_option(*verb, *options, "seconds to wait for the other end");
    return [options] {
        watch_signals();
        return run_ping(*options);
    };
}

Run add_pong(CLI::App& app) {
    auto options = std::make_shared<StreamOptions>();
    auto* verb = app.add_subcommand("pong", "send each message of a stream back, until interrupted");
    add_stream_options(*verb, *options);
    add_reply_options(*verb, *options);
    return [options] {
        watch_signals();
        return run_pong(*options);
    };
}

}  // namespace fulmar::cli

// fulmar pub, sub and ping: a stream by hand.
#include <fmt/core.h>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>

#include "apps/fulmar/command.h"
#include "base/histogram.h"
#include "fulmar/client.h"
#include "fulmar/fragment_assembler.h"
#include "fulmar/idle.h"

namespace fulmar::cli {

namespace {

struct Options {
    Common common;
    std::string channel = "aeron:udp?endpoint=localhost:40123";
    std::int32_t stream = 1001;
    std::string reply_channel = "aeron:udp?endpoint=localhost:40124";
    std::int32_t reply_stream = 1002;
    std::int64_t count = 0;
    double timeout_s = 10;
    std::string message;
};

void add_stream_options(CLI::App& verb, Options& options) {
    add_common(verb, options.common);
    verb.add_option("--channel", options.channel, "channel URI")->capture_default_str();
    verb.add_option("--stream", options.stream, "stream id")->capture_default_str();
}

Result<std::unique_ptr<Client>> connect(const Options& options, const char* name) {
    ClientOptions client;
    client.dir = options.common.dir;
    client.name = name;
    client.driver_timeout = seconds(2);
    return Client::connect(std::move(client));
}

/// Offers until the log takes it; false when it never will.
bool offer_all(ExclusivePublication& publication, std::span<const std::byte> bytes) {
    for (;;) {
        const OfferResult result = publication.offer(bytes);
        if (result) {
            return true;
        }
        if (!result.is_worth_retrying() || stop_requested()) {
            fmt::print(stderr, "fulmar pub: {}\n", result.to_string());
            return false;
        }
    }
}

/// Waits for a condition that another process brings about; the pause is short against its cause.
template <class Condition>
bool wait_for(Condition&& condition, double timeout_s) {
    for (double waited = 0; !condition(); waited += 0.01) {
        if (waited >= timeout_s || !wait_seconds(0.01)) {
            return false;
        }
    }
    return true;
}

int run_pub(const Options& options) {
    auto client = connect(options, "fulmar-pub");
    if (!client) {
        return report("pub", client.error());
    }
    auto publication = (*client)->add_exclusive_publication(options.channel, options.stream);
    if (!publication) {
        return report("pub", publication.error());
    }
    if (!wait_for([&] { return (*publication)->is_connected(); }, options.timeout_s)) {
        return report("pub", {ErrorCode::kGeneric, fmt::format("no subscriber on {} stream {} within {} s",
                                                       options.channel, options.stream, options.timeout_s)});
    }
    std::int64_t sent = 0;
    const auto send = [&](const std::string& line) {
        const bool taken = offer_all(**publication, std::as_bytes(std::span(line)));
        sent += taken ? 1 : 0;
        return taken;
    };
    if (!options.message.empty()) {
        for (std::int64_t i = 0; i < std::max<std::int64_t>(1, options.count); ++i) {
            if (!send(options.message)) {
                return kExitFailed;
            }
        }
    } else {
        for (std::string line; std::getline(std::cin, line) && !stop_requested();) {
            if (!send(line)) {
                return kExitFailed;
            }
        }
    }
    if (options.common.json) {
        fmt::print(
            "{}\n", nlohmann::ordered_json{{"sent", sent}, {"position", (*publication)->position()}}.dump());
    } else {
        fmt::print("{} messages sent\n", sent);
    }
    return kExitPass;
}

int run_sub(const Options& options) {
    auto client = connect(options, "fulmar-sub");
    if (!client) {
        return report("sub", client.error());
    }
    auto subscription = (*client)->add_subscription(options.channel, options.stream);
    if (!subscription) {
        return report("sub", subscription.error());
    }
    std::int64_t received = 0;
    const auto show = [&](std::span<const std::byte> message, const Header& header) {
        ++received;
        const std::string_view text(reinterpret_cast<const char*>(message.data()), message.size());
        if (options.common.json) {
            const nlohmann::ordered_json line{{"session_id", header.session_id()},
                {"stream_id", header.stream_id()}, {"position", header.position()},
                {"length", message.size()}, {"message", text}};
            fmt::print("{}\n", line.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace));
        } else {
            fmt::print("{}\n", text);
        }
        std::fflush(stdout);
    };
    FragmentAssembler assembler(show);
    while (!stop_requested() && (options.count == 0 || received < options.count)) {
        if ((*subscription)->poll(assembler, 64) == 0 && !wait_seconds(0.001)) {
            break;
        }
    }
    return kExitPass;
}

int run_ping(const Options& options) {
    auto client = connect(options, "fulmar-ping");
    if (!client) {
        return report("ping", client.error());
    }
    auto subscription = (*client)->add_subscription(options.reply_channel, options.reply_stream);
    if (!subscription) {
        return report("ping", subscription.error());
    }
    auto publication = (*client)->add_exclusive_publication(options.channel, options.stream);
    if (!publication) {
        return report("ping", publication.error());
    }
    if (!wait_for([&] { return (*publication)->is_connected() && (*subscription)->is_connected(); },
            options.timeout_s)) {
        return report("ping",
            {ErrorCode::kGeneric,
                fmt::format("nobody answers on {} within {} s; a stock or our own pong must echo to {}",
                    options.channel, options.timeout_s, options.reply_channel)});
    }
    base::Histogram rtt;
    std::int64_t lost = 0;
    for (std::int64_t i = 0; i < options.count && !stop_requested(); ++i) {
        const std::int64_t sent_ns = (*client)->now().ns;
        bool answered = false;
        if (!offer_all(**publication, std::as_bytes(std::span(&sent_ns, 1)))) {
            return kExitFailed;
        }
        const auto on_reply = [&](std::span<const std::byte> message, const Header&) {
            answered = answered || (message.size() == sizeof sent_ns &&
                                       base::load_le<std::int64_t>(message.data(), 0) == sent_ns);
        };
        while (!answered && (*client)->now().ns - sent_ns < 1'000'000'000) {
            (*subscription)->poll(on_reply, 10);
        }
        if (answered) {
            rtt.record((*client)->now().ns - sent_ns);
        } else {
            ++lost;
        }
    }
    const nlohmann::ordered_json result{{"pings", rtt.total()}, {"lost", lost}, {"min_ns", rtt.min()},
        {"p50_ns", rtt.value_at_percentile(50)}, {"p99_ns", rtt.value_at_percentile(99)},
        {"max_ns", rtt.max()}};
    if (options.common.json) {
        fmt::print("{}\n", result.dump());
    } else {
        fmt::print("{} answers, {} lost: min {} ns, p50 {} ns, p99 {} ns, max {} ns\n", rtt.total(), lost,
            rtt.min(), rtt.value_at_percentile(50), rtt.value_at_percentile(99), rtt.max());
    }
    return lost == 0 && rtt.total() > 0 ? kExitPass : kExitFailed;
}

}  // namespace

Run add_pub(CLI::App& app) {
    auto options = std::make_shared<Options>();
    auto* verb = app.add_subcommand("pub", "publish lines of stdin, or --message");
    add_stream_options(*verb, *options);
    verb->add_option("--message", options->message, "this text instead of stdin");
    verb->add_option("--count", options->count, "how often to send --message");
    verb->add_option("--timeout", options->timeout_s, "seconds to wait for a subscriber")
        ->capture_default_str();
    return [options] {
        watch_signals();
        return run_pub(*options);
    };
}

Run add_sub(CLI::App& app) {
    auto options = std::make_shared<Options>();
    auto* verb = app.add_subcommand("sub", "print the messages of a stream");
    add_stream_options(*verb, *options);
    verb->add_option("--count", options->count, "stop after so many messages");
    return [options] {
        watch_signals();
        return run_sub(*options);
    };
}

Run add_ping(CLI::App& app) {
    auto options = std::make_shared<Options>();
    options->count = 10;
    auto* verb = app.add_subcommand("ping", "round trips to a pong");
    add_stream_options(*verb, *options);
    verb->add_option("--reply-channel", options->reply_channel, "where the answers come back")
        ->capture_default_str();
    verb->add_option("--reply-stream", options->reply_stream, "stream id of the answers")
        ->capture_default_str();
    verb->add_option("--count", options->count, "how many")->capture_default_str();
    verb->add_option("--timeout", options->timeout_s, "seconds to wait for the other end")
        ->capture_default_str();
    return [options] {
        watch_signals();
        return run_ping(*options);
    };
}

}  // namespace fulmar::cli

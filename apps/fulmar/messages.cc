// fulmar pub and sub: the messages of a stream, by hand.
#include <fmt/core.h>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>

#include "apps/fulmar/message_text.h"
#include "apps/fulmar/stream_options.h"
#include "fulmar/fragment_assembler.h"

namespace fulmar::cli {

namespace {

constexpr int kFragmentLimit = 64;

struct PubOptions : StreamOptions {
    std::string message;
    bool from_stdin = true;
};

/// Sends what was asked for; `sent` counts also when it fails half way.
Status send_all(const PubOptions& options, ExclusivePublication& publication, std::int64_t& sent) {
    if (!options.from_stdin) {
        const std::int64_t count = std::max<std::int64_t>(1, options.count);
        for (; sent < count && !stop_requested(); ++sent) {
            FULMAR_TRY_VOID(offer_all(publication, std::as_bytes(std::span(options.message))));
        }
        return Done{};
    }
    for (std::string line; !stop_requested() && std::getline(std::cin, line); ++sent) {
        FULMAR_TRY_VOID(offer_all(publication, std::as_bytes(std::span(line))));
    }
    return Done{};
}

int run_pub(const PubOptions& options) {
    auto client = connect(options.common, "pub");
    if (!client) {
        return report("pub", client.error());
    }
    auto publication = (*client)->add_exclusive_publication(options.channel, options.stream);
    if (!publication) {
        return report("pub", publication.error());
    }
    if (const Status added = add_destinations(options, **publication); !added) {
        return report("pub", added.error());
    }
    if (!wait_for([&] { return (*publication)->is_connected(); }, options.timeout_s)) {
        return report("pub",
            {ErrorCode::kGeneric,
                fmt::format("no subscriber on {} stream {} within {} s; start one with: "
                            "fulmar sub --channel '{}' --stream {}",
                    options.channel, options.stream, options.timeout_s, options.channel, options.stream)});
    }
    std::int64_t sent = 0;
    const Status done = send_all(options, **publication, sent);
    const bool all = done.has_value();
    if (options.common.json) {
        print_json({{"sent", sent}, {"position", (*publication)->position()}, {"pass", all}});
    } else {
        fmt::print("{} messages sent\n", sent);
    }
    return all ? kExitPass : report("pub", done.error());
}

int run_sub(const StreamOptions& options) {
    auto client = connect(options.common, "sub");
    if (!client) {
        return report("sub", client.error());
    }
    auto subscription = (*client)->add_subscription(options.channel, options.stream);
    if (!subscription) {
        return report("sub", subscription.error());
    }
    if (const Status added = add_destinations(options, **subscription); !added) {
        return report("sub", added.error());
    }
    std::int64_t received = 0;
    const auto wants_more = [&] { return options.count == 0 || received < options.count; };
    FragmentAssembler assembler([&](std::span<const std::byte> message, const Header& header) {
        if (wants_more()) {
            ++received;
            print_message(options.common.json, message, header);
        }
    });
    while (wants_more() && !stop_requested()) {
        if ((*subscription)->poll(assembler, kFragmentLimit) > 0) {
            continue;
        }
        if (const Status alive = check_client(**client); !alive) {
            return report("sub", alive.error());
        }
        if (!wait_seconds(0.001)) {
            break;
        }
    }
    return kExitPass;
}

}  // namespace

Run add_pub(CLI::App& app) {
    auto options = std::make_shared<PubOptions>();
    auto* verb = app.add_subcommand("pub", "publish the lines of stdin, or --message");
    add_stream_options(*verb, *options);
    auto* message = verb->add_option("--message", options->message, "this text instead of stdin");
    verb->add_option("--count", options->count, "how often to send --message")
        ->needs(message)
        ->check(CLI::PositiveNumber);
    add_timeout_option(*verb, *options, "seconds to wait for a subscriber");
    add_destination_option(
        *verb, *options, "send there, where --channel has control-mode=manual; may be given again");
    return [options, message] {
        watch_signals();
        options->from_stdin = message->count() == 0;
        return run_pub(*options);
    };
}

Run add_sub(CLI::App& app) {
    auto options = std::make_shared<StreamOptions>();
    auto* verb = app.add_subcommand("sub", "print the messages of a stream until interrupted");
    add_stream_options(*verb, *options);
    verb->add_option("--count", options->count, "stop after so many messages")->check(CLI::PositiveNumber);
    add_destination_option(
        *verb, *options, "receive by it, where --channel has control-mode=manual; may be given again");
    return [options] {
        watch_signals();
        return run_sub(*options);
    };
}

}  // namespace fulmar::cli

#include "apps/fulmar/stream_options.h"

#include <fmt/core.h>

#include "apps/fulmar/driver_view.h"

namespace fulmar::cli {

void add_stream_options(CLI::App& verb, StreamOptions& options) {
    add_common(verb, options.common);
    verb.add_option("--channel", options.channel, "channel URI")->capture_default_str();
    verb.add_option("--stream", options.stream, "stream id")->capture_default_str();
}

void add_reply_options(CLI::App& verb, StreamOptions& options) {
    verb.add_option("--reply-channel", options.reply_channel, "where the answers come back")
        ->capture_default_str();
    verb.add_option("--reply-stream", options.reply_stream, "stream id of the answers")
        ->capture_default_str();
}

void add_timeout_option(CLI::App& verb, StreamOptions& options, const char* what) {
    verb.add_option("--timeout", options.timeout_s, what)->capture_default_str()->check(CLI::PositiveNumber);
}

void add_destination_option(CLI::App& verb, StreamOptions& options, const char* what) {
    verb.add_option("--destination", options.destinations, what)
        ->type_name("CHANNEL")
        ->allow_extra_args(false);
}

Result<std::unique_ptr<Client>> connect(const Common& common, std::string_view verb) {
    // A service waits for its driver; who types a command wants to know at once that there is none.
    FULMAR_TRY(driver, DriverView::open(common.dir));
    if (driver.heartbeat_age_ms() < 0) {
        return fail(ErrorCode::kGeneric, fmt::format("the driver in {} has shut down; start one with: "
                                                     "fulmard --dir {}",
                                             common.dir, common.dir));
    }
    ClientOptions client;
    client.dir = common.dir;
    client.name = fmt::format("fulmar-{}", verb);
    return Client::connect(std::move(client));
}

Status offer_all(ExclusivePublication& publication, std::span<const std::byte> bytes) {
    for (;;) {
        const OfferResult result = publication.offer(bytes);
        if (result) {
            return Done{};
        }
        if (result.is_not_connected()) {
            return fail(ErrorCode::kGeneric, "the subscriber is gone");
        }
        if (!result.is_worth_retrying()) {
            return fail(ErrorCode::kGeneric,
                fmt::format("a message of {} bytes was not taken: {}", bytes.size(), result.to_string()));
        }
        if (stop_requested()) {
            return fail(ErrorCode::kGeneric, "interrupted");
        }
    }
}

Status check_client(const Client& client) {
    if (const auto error = client.terminal_error()) {
        return Unexpected{*error};
    }
    return Done{};
}

}  // namespace fulmar::cli

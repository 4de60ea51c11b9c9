/// What pub, sub, ping and pong share: a channel, a stream, a client, and waiting that a signal ends.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "apps/fulmar/command.h"
#include "fulmar/client.h"

namespace fulmar::cli {

struct StreamOptions {
    Common common;
    std::string channel = "aeron:udp?endpoint=localhost:40123";
    std::int32_t stream = 1001;
    std::string reply_channel = "aeron:udp?endpoint=localhost:40124";
    std::int32_t reply_stream = 1002;
    std::vector<std::string> destinations;  ///< of a channel with control-mode=manual
    std::int64_t count = 0;
    double timeout_s = 10;
};

void add_stream_options(CLI::App& verb, StreamOptions& options);
void add_reply_options(CLI::App& verb, StreamOptions& options);
void add_timeout_option(CLI::App& verb, StreamOptions& options, const char* what);
void add_destination_option(CLI::App& verb, StreamOptions& options, const char* what);

/// Named `fulmar-VERB` where counters show it.
[[nodiscard]] Result<std::unique_ptr<Client>> connect(const Common& common, std::string_view verb);

/// Offers until the log takes it.
/// errors: kGeneric, why it never will, or that a signal came.
[[nodiscard]] Status offer_all(ExclusivePublication& publication, std::span<const std::byte> bytes);

/// Adds the destinations that were named to a publication or a subscription.
template <class Stream>
[[nodiscard]] Status add_destinations(const StreamOptions& options, Stream& stream) {
    for (const std::string& destination : options.destinations) {
        FULMAR_TRY_VOID(stream.add_destination(destination));
    }
    return Done{};
}

/// Why the client ended by itself, or that nothing did.
[[nodiscard]] Status check_client(const Client& client);

/// Waits for what another process brings about; the pause is short against its cause.
template <class Condition>
[[nodiscard]] bool wait_for(Condition&& condition, double timeout_s) {
    for (double waited_s = 0; !condition(); waited_s += 0.01) {
        if (waited_s >= timeout_s || !wait_seconds(0.01)) {
            return false;
        }
    }
    return true;
}

}  // namespace fulmar::cli

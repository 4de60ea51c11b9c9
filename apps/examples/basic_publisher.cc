// Publishes a numbered greeting, one message per interval. Start basic_subscriber beside it.
#include <chrono>
#include <thread>

#include "apps/examples/example.h"

using namespace fulmar;
using namespace fulmar::examples;

namespace {

/// Tries until the message is taken, or says why it never will be.
bool publish(Publication& publication, std::string_view text) {
    const auto message = std::as_bytes(std::span(text));
    while (running) {
        const OfferResult result = publication.offer(message);
        if (result.is_ok()) {
            return true;
        }
        if (!result.is_worth_retrying()) {
            std::printf("not taken: %s\n", std::string(result.to_string()).c_str());
            return result.is_not_connected();
        }
    }
    return false;
}

}  // namespace

int main(int argc, char** argv) {
    StreamFlags flags;
    std::int64_t messages = 10'000'000;
    std::int64_t interval_ms = 1000;
    CLI::App app{"Publishes a numbered greeting."};
    flags.add_to(app);
    app.add_option("--messages", messages, "How many")->capture_default_str();
    app.add_option("--interval", interval_ms, "Milliseconds between two")->capture_default_str();
    CLI11_PARSE(app, argc, argv);
    stop_on_signal();

    auto client = connect(flags.dir, "basic_publisher");
    if (!client) {
        return failed(client.error());
    }
    auto publication = (*client)->add_publication(flags.channel, flags.stream_id);
    if (!publication) {
        return failed(publication.error());
    }
    std::printf("publishing to %s stream %d\n", flags.channel.c_str(), flags.stream_id);
    for (std::int64_t i = 0; running && i < messages; ++i) {
        const std::string text = "Hello World! " + std::to_string(i);
        std::printf("offering %lld/%lld\n", static_cast<long long>(i), static_cast<long long>(messages));
        if (!publish(**publication, text)) {
            return 1;
        }
        std::this_thread::sleep_for(std::chrono::milliseconds(interval_ms));
    }
    return 0;
}

// Prints the messages of a stream. Start basic_publisher beside it.
#include "apps/examples/example.h"
#include "fulmar/fragment_assembler.h"
#include "fulmar/idle.h"

using namespace fulmar;
using namespace fulmar::examples;

int main(int argc, char** argv) {
    StreamFlags flags;
    std::int64_t messages = 0;
    CLI::App app{"Prints the messages of a stream."};
    flags.add_to(app);
    app.add_option("--messages", messages, "End after so many; 0: never")->capture_default_str();
    CLI11_PARSE(app, argc, argv);
    stop_on_signal();

    auto client = connect(flags.dir, "basic_subscriber");
    if (!client) {
        return failed(client.error());
    }
    SubscriptionHandlers handlers;
    handlers.on_available_image = [](Image& image) {
        std::printf("session %d from %s is there\n", image.session_id(), image.source_identity().c_str());
    };
    handlers.on_unavailable_image = [](Image& image) {
        std::printf("session %d has gone at position %lld\n", image.session_id(),
            static_cast<long long>(image.position()));
    };
    auto subscription = (*client)->add_subscription(flags.channel, flags.stream_id, std::move(handlers));
    if (!subscription) {
        return failed(subscription.error());
    }
    std::printf("subscribed to %s stream %d\n", flags.channel.c_str(), flags.stream_id);

    std::int64_t received = 0;
    FragmentAssembler print([&](std::span<const std::byte> message, const Header& header) {
        ++received;
        std::printf("session %d position %lld: %.*s\n", header.session_id(),
            static_cast<long long>(header.position()), static_cast<int>(message.size()),
            reinterpret_cast<const char*>(message.data()));
    });
    BackoffIdle idle;
    while (running && (messages == 0 || received < messages)) {
        idle.idle((*subscription)->poll(print, 10));
    }
    return 0;
}

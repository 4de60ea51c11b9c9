// Sends each message of one stream back on another. Start ping beside it.
#include "apps/examples/example.h"
#include "fulmar/idle.h"

using namespace fulmar;
using namespace fulmar::examples;

int main(int argc, char** argv) {
    StreamFlags ping;
    ping.channel = "aeron:udp?endpoint=localhost:20123";
    ping.stream_id = 1002;
    std::string pong_channel = "aeron:udp?endpoint=localhost:20124";
    std::int32_t pong_stream_id = 1003;
    CLI::App app{"Sends each message of one stream back on another."};
    ping.add_to(app);
    app.add_option("--reply-channel", pong_channel, "Where to send back")->capture_default_str();
    app.add_option("--reply-stream", pong_stream_id, "Stream id there")->capture_default_str();
    CLI11_PARSE(app, argc, argv);
    stop_on_signal();

    auto client = connect(ping.dir, "pong");
    if (!client) {
        return failed(client.error());
    }
    auto subscription = (*client)->add_subscription(ping.channel, ping.stream_id);
    if (!subscription) {
        return failed(subscription.error());
    }
    auto publication = (*client)->add_exclusive_publication(pong_channel, pong_stream_id);
    if (!publication) {
        return failed(publication.error());
    }
    std::printf("echoing %s stream %d to %s stream %d\n", ping.channel.c_str(), ping.stream_id,
        pong_channel.c_str(), pong_stream_id);

    // Fragments go back as they came: ping puts its messages together itself.
    const auto echo = [&](std::span<const std::byte> message, const Header& header) {
        BufferClaim claim;
        for (;;) {
            const auto result = (*publication)->try_claim(static_cast<std::int32_t>(message.size()), claim);
            if (result.is_ok()) {
                break;
            }
            if (!running || !result.is_worth_retrying()) {
                return;
            }
        }
        std::copy(message.begin(), message.end(), claim.data().begin());
        claim.set_reserved_value(header.reserved_value());
        claim.commit();
    };
    BusySpinIdle idle;
    while (running) {
        idle.idle((*subscription)->poll(echo, 10));
    }
    return 0;
}

// Measures round trips: one message out, its echo back, then the next. Start pong beside it.
#include <algorithm>
#include <chrono>
#include <vector>

#include "apps/examples/example.h"
#include "fulmar/idle.h"

using namespace fulmar;
using namespace fulmar::examples;

namespace {

std::int64_t now_ns() {
    return std::chrono::steady_clock::now().time_since_epoch().count();
}

/// One round trip in nanoseconds; negative when stopped.
std::int64_t round_trip(
    ExclusivePublication& publication, Subscription& subscription, std::span<std::byte> message) {
    bool echoed = false;
    const auto on_echo = [&](std::span<const std::byte>, const Header&) { echoed = true; };
    const std::int64_t start = now_ns();
    while (!publication.offer(message).is_ok()) {
        if (!running) {
            return -1;
        }
    }
    while (!echoed) {
        if (subscription.poll(on_echo, 1) == 0 && !running) {
            return -1;
        }
    }
    return now_ns() - start;
}

void print(std::vector<std::int64_t>& times_ns) {
    std::sort(times_ns.begin(), times_ns.end());
    const auto at = [&](double share) {
        const auto index = static_cast<std::size_t>(share * static_cast<double>(times_ns.size() - 1));
        return static_cast<double>(times_ns[index]) / 1000.0;
    };
    std::printf("round trip us: min %.2f p50 %.2f p90 %.2f p99 %.2f p99.9 %.2f max %.2f (%zu messages)\n",
        at(0), at(0.5), at(0.9), at(0.99), at(0.999), at(1), times_ns.size());
}

}  // namespace

int main(int argc, char** argv) {
    StreamFlags ping;
    ping.channel = "aeron:udp?endpoint=localhost:20123";
    ping.stream_id = 1002;
    std::string pong_channel = "aeron:udp?endpoint=localhost:20124";
    std::int32_t pong_stream_id = 1003;
    std::size_t messages = 100'000;
    std::size_t size = 32;
    CLI::App app{"Measures round trips through pong."};
    ping.add_to(app);
    app.add_option("--reply-channel", pong_channel, "Where the echo comes back")->capture_default_str();
    app.add_option("--reply-stream", pong_stream_id, "Stream id there")->capture_default_str();
    app.add_option("--messages", messages, "How many; as many again warm up")->capture_default_str();
    app.add_option("--size", size, "Bytes per message, in one fragment")->capture_default_str();
    CLI11_PARSE(app, argc, argv);
    stop_on_signal();

    auto client = connect(ping.dir, "ping");
    if (!client) {
        return failed(client.error());
    }
    auto subscription = (*client)->add_subscription(pong_channel, pong_stream_id);
    if (!subscription) {
        return failed(subscription.error());
    }
    auto publication = (*client)->add_exclusive_publication(ping.channel, ping.stream_id);
    if (!publication) {
        return failed(publication.error());
    }
    std::vector<std::byte> message(size);
    std::vector<std::int64_t> times_ns;
    for (std::size_t i = 0; running && i < messages * 2; ++i) {
        const auto time_ns = round_trip(**publication, **subscription, message);
        if (time_ns >= 0 && i >= messages) {
            times_ns.push_back(time_ns);
        }
    }
    if (times_ns.empty()) {
        return failed({ErrorCode::kGeneric, "no message came back; is pong running on the same channels?"});
    }
    print(times_ns);
    return 0;
}

#include "perf/e2e/node.h"

#include <atomic>
#include <ctime>
#include <fmt/core.h>
#include <unistd.h>

#include "drivers/memory_map/file_memory_map.h"
#include "drivers/memory_map/system_clock.h"
#include "pmd_glue/placement.h"

namespace fulmar::perf {

namespace {

std::atomic<bool> g_stop{false};

drivers::SystemClock& system_clock() {
    static drivers::SystemClock clock;
    return clock;
}

drivers::FileMemoryMap& files() {
    static drivers::FileMemoryMap map;
    return map;
}

}  // namespace

void watch_signals() {
    struct sigaction action {};
    action.sa_handler = [](int) { g_stop.store(true, std::memory_order_relaxed); };
    sigaction(SIGINT, &action, nullptr);
    sigaction(SIGTERM, &action, nullptr);
}

bool stop_requested() {
    return g_stop.load(std::memory_order_relaxed);
}

Instant Node::clock_now() {
    return system_clock().now();
}

double Node::epoch_s() {
    timespec t{};
    clock_gettime(CLOCK_REALTIME, &t);
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_nsec) / 1e9;
}

Result<std::unique_ptr<Node>> Node::open(const Options& options) {
    std::unique_ptr<Node> node(new Node);
    if (options.cpu >= 0) {
        FULMAR_TRY_VOID(pmd_glue::pin_this_thread(options.cpu));
    }
    ClientOptions client;
    client.dir = options.dir;
    client.name = "fulmar-perf";
    client.own_thread = false;
    client.pre_touch = true;
    if (options.inline_driver) {
        MediaDriverOptions driver;
        driver.threading = MediaDriverOptions::Threading::kInline;
        driver.ports = options.ports;
        driver.settings = options.settings;
        driver.settings.insert(driver.settings.begin(), "timer-interval=100ms");
        driver.on_error = [](const Error& error) {
            fmt::print(stderr, "fulmar-perf: driver: {}\n", error.message);
        };
        FULMAR_TRY(started, MediaDriver::start(std::move(driver)));
        node->driver_ = std::move(started);
        node->device_ = options.ports.front();
        client.dir = node->driver_->dir();
        MediaDriver* polled = node->driver_.get();
        client.on_wait = [polled] { polled->poll(clock_now()); };
    } else {
        node->device_ = options.channel.rfind("aeron:ipc", 0) == 0 ? "ipc" : "driver";
    }
    FULMAR_TRY(connected, Client::connect(std::move(client), {&files(), &system_clock()}));
    node->client_ = std::move(connected);
    node->now_ = clock_now();
    return node;
}

Node::~Node() {
    client_.reset();
    driver_.reset();
}

Progress::Progress(Instant start, std::string what, bool quiet)
    : next_(start + seconds(2)), what_(std::move(what)), enabled_(!quiet && isatty(STDERR_FILENO) != 0) {}

void Progress::show(Instant now, std::int64_t done, std::int64_t of) {
    if (!enabled_ || now < next_) {
        return;
    }
    next_ = now + seconds(1);
    shown_ = true;
    if (of > 0 && of < INT64_MAX) {
        fmt::print(stderr, "\r  {} of {} {} ", done, of, what_);
    } else {
        fmt::print(stderr, "\r  {} {} ", done, what_);
    }
}

Progress::~Progress() {
    if (shown_) {
        fmt::print(stderr, "\r\033[K");
    }
}

}  // namespace fulmar::perf

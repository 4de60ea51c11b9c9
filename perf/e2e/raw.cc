#include "perf/e2e/raw.h"

#include <algorithm>
#include <atomic>
#include <fmt/core.h>
#include <nlohmann/json.hpp>
#include <thread>

#include "config/port_spec.h"
#include "drivers/driver_runtime/port_factory.h"
#include "perf/e2e/node.h"
#include "perf/e2e/raw_engine.h"
#include "perf/e2e/report.h"
#include "pmd_glue/eal.h"
#include "pmd_glue/placement.h"

namespace fulmar::perf {

namespace {

/// Ethernet, IP, UDP and Aeron data header before a body, which is padded to frames of 32.
std::uint32_t wire_length(std::size_t body) {
    const std::size_t frame = (body + 32 + 31) / 32 * 32;
    return static_cast<std::uint32_t>(kRawHeaderBytes + frame);
}

RawOptions::Role raw_role(Role role) {
    switch (role) {
        case Role::kPing: return RawOptions::Role::kPing;
        case Role::kPong: return RawOptions::Role::kPong;
        case Role::kPub: return RawOptions::Role::kPub;
        case Role::kSub: break;
    }
    return RawOptions::Role::kSub;
}

pmd_glue::EalOptions::Hugepages hugepages_of(const std::string& text) {
    using Hugepages = pmd_glue::EalOptions::Hugepages;
    return text == "on" ? Hugepages::kOn : text == "off" ? Hugepages::kOff : Hugepages::kAuto;
}

struct Opened {
    pmd_glue::EalMode mode;
    std::unique_ptr<pmd_glue::Device> device;
};

Result<Opened> open_device(const Options& options) {
    if (options.ports.size() != 1) {
        return fail(ErrorCode::kGeneric,
            "raw measures one device: give one --port, such as memif:server:/tmp/raw.sock");
    }
    FULMAR_TRY(spec, config::parse_port_spec(options.ports.front()));
    if (spec.has_kernel_stack()) {
        return fail(ErrorCode::kGeneric, "raw measures a poll-mode device; udp has a kernel below it");
    }
    pmd_glue::EalOptions eal;
    eal.hugepages = hugepages_of(options.hugepages);
    if (spec.kind == config::DeviceKind::kPci) {
        eal.pci_devices.push_back(spec.device);
    }
    FULMAR_TRY(mode, pmd_glue::start_eal(eal));
    pmd_glue::DeviceOptions device_options;
    device_options.mtu = spec.mtu;
    FULMAR_TRY(device, pmd_glue::Device::open(drivers::device_spec_of(spec), device_options));
    return Opened{mode, std::move(device)};
}

/// Lets signals end a run that has no end of its own.
class StopFlag {
  public:
    StopFlag()
        : watcher_([this] {
              while (!done_.load(std::memory_order_acquire)) {
                  flag.store(stop_requested(), std::memory_order_relaxed);
                  std::this_thread::sleep_for(std::chrono::milliseconds(20));
              }
          }) {}
    ~StopFlag() {
        done_.store(true, std::memory_order_release);
        watcher_.join();
    }
    std::atomic<bool> flag{false};

  private:
    std::atomic<bool> done_{false};
    std::thread watcher_;
};

}  // namespace

int run_raw_test(const Options& options) {
    if (options.cpu >= 0) {
        if (const auto pinned = pmd_glue::pin_this_thread(options.cpu); !pinned) {
            fmt::print(stderr, "fulmar-perf: {}\n", pinned.error().message);
            return 2;
        }
    }
    auto opened = open_device(options);
    if (!opened) {
        fmt::print(stderr, "fulmar-perf: {}\n", opened.error().message);
        return 2;
    }
    base::Histogram rtt;
    const StopFlag stop;
    RawOptions raw;
    raw.role = raw_role(options.role);
    raw.frame_bytes = std::max(wire_length(options.size_max), kRawFrameBytesMin);
    raw.messages = options.messages;
    raw.warmup = options.warmup;
    raw.duration_ns = static_cast<std::int64_t>(options.duration_s * 1e9);
    raw.burst = options.burst;
    raw.copy = options.copy;
    raw.stop = &stop.flag;
    raw.on_rtt = [](void* context, std::int64_t ns) { static_cast<base::Histogram*>(context)->record(ns); };
    raw.context = &rtt;
    const double epoch = Node::epoch_s();
    const auto result = run_raw(*opened->device, raw);
    if (!result) {
        fmt::print(stderr, "fulmar-perf: {}\n", result.error().message);
        return 1;
    }
    Figures figures;
    figures.test = "raw";
    figures.device = options.ports.front();
    figures.start_epoch_s = epoch;
    figures.elapsed_s = static_cast<double>(result->elapsed_ns) / 1e9;
    figures.counts.messages = result->messages;
    figures.counts.bytes = result->bytes;
    figures.counts.lost = result->lost;
    // A bare device may drop; that is a figure, not a failure.
    figures.pass = result->messages > 0;
    figures.rtt = rtt.total() > 0 ? &rtt : nullptr;
    return report(figures, options,
        {{"frame_bytes", raw.frame_bytes}, {"frames_per_burst", result->frames_per_burst()},
            {"copy", options.copy}, {"zero_copy", opened->device->info().zero_copy},
            {"hugepages_used", opened->mode.hugepages}});
}

}  // namespace fulmar::perf

#include "drivers/driver_runtime/media_driver.h"

#include <atomic>
#include <random>
#include <unistd.h>
#include <utility>

#include "agent/driver_core.h"
#include "config/settings_loader.h"
#include "drivers/driver_runtime/agent_runner.h"
#include "drivers/driver_runtime/port_factory.h"
#include "drivers/driver_runtime/settings_map.h"
#include "drivers/driver_runtime/system_resolver.h"
#include "drivers/driver_runtime/threading.h"
#include "drivers/memory_map/file_memory_map.h"
#include "drivers/memory_map/system_clock.h"
#include "fulmar/client.h"
#include "pmd_glue/eal.h"

extern char** environ;

namespace fulmar::drivers {
namespace {

using config::ThreadingMode;

class CallbackListener final : public agent::ErrorListener {
  public:
    explicit CallbackListener(std::function<void(const Error&)> callback) : callback_(std::move(callback)) {}
    void on_new_error(ErrorCode code, std::string_view text) override {
        if (callback_) {
            callback_(Error{code, std::string(text)});
        }
    }

  private:
    std::function<void(const Error&)> callback_;
};

std::uint64_t random_seed() {
    std::random_device device;
    return (std::uint64_t{device()} << 32) | device();
}

class RunningDriver final : public MediaDriver {
  public:
    explicit RunningDriver(DriverCallbacks callbacks)
        : listener_(std::move(callbacks.on_error)), on_terminate_(std::move(callbacks.on_terminate)) {}
    ~RunningDriver() override { close(); }

    Status start(config::DriverSettings settings);

    int poll(Instant now) override {
        if (!inline_ || core_ == nullptr) {
            return 0;
        }
        if (!adopted_) {
            adopted_ = true;
            (void)(ports_.has_devices && pmd_glue::adopt_data_thread());
        }
        return core_->poll_inline(now);
    }
    int poll() override { return poll(clock_.now()); }
    [[nodiscard]] const std::string& dir() const override { return dir_; }
    [[nodiscard]] const std::vector<std::string>& description() const override { return description_; }
    [[nodiscard]] bool terminate_requested() const override {
        return inline_ ? core_ != nullptr && core_->terminate_requested()
                       : terminated_.load(std::memory_order_relaxed);  // relaxed: a flag alone
    }
    void close() override;

  private:
    Status start_threads(const ThreadingPlan& plan);
    AgentRunner::Poll poll_of(const std::string& role);
    int poll_conductor(Instant now);
    void describe(const std::vector<std::string>& lines) {
        description_.insert(description_.end(), lines.begin(), lines.end());
    }

    SystemClock clock_;
    FileMemoryMap memory_;
    SystemResolver resolver_;
    CallbackListener listener_;
    std::function<void()> on_terminate_;
    OpenPorts ports_;
    std::unique_ptr<agent::DriverCore> core_;
    std::vector<std::unique_ptr<AgentRunner>> runners_;
    std::string dir_;
    std::vector<std::string> description_;
    std::atomic<bool> terminated_{false};
    bool inline_ = true;
    bool adopted_ = false;
};

Status RunningDriver::start(config::DriverSettings settings) {
    if (settings.ports.empty()) {
        settings.ports.emplace_back("udp");
    }
    FULMAR_TRY(options, to_driver_options(settings));
    FULMAR_TRY(ports, open_ports(settings.ports, settings.eal));
    ports_ = std::move(ports);
    dir_ = options.dir;

    agent::DriverParts parts;
    parts.options = std::move(options);
    parts.ports = ports_.ports;
    parts.memory = &memory_;
    parts.clock = &clock_;
    parts.resolver = &resolver_;
    parts.error_listener = &listener_;
    parts.seed = random_seed();
    FULMAR_TRY(plan, plan_threading(settings, agent::PortTable(ports_.ports).needs_one_network_thread(),
                         ports_.numa_node));
    parts.options.threading = config::aeron_name(plan.mode);
    FULMAR_TRY(core, agent::DriverCore::create(std::move(parts)));
    core_ = std::move(core);
    describe(ports_.description);
    describe(plan.description);
    inline_ = plan.mode == ThreadingMode::kInvoker;
    return inline_ ? Status(Done{}) : start_threads(plan);
}

int RunningDriver::poll_conductor(Instant now) {
    const int work = core_->poll_conductor(now);
    if (core_->terminate_requested() && !terminated_.exchange(true, std::memory_order_relaxed) &&
        on_terminate_) {
        on_terminate_();
    }
    return work;
}

AgentRunner::Poll RunningDriver::poll_of(const std::string& role) {
    if (role == "conductor") {
        return [this](Instant now) { return poll_conductor(now); };
    }
    if (role == "sender") {
        return [this](Instant now) { return core_->poll_sender(now); };
    }
    if (role == "receiver") {
        return [this](Instant now) { return core_->poll_receiver(now); };
    }
    if (role == "network") {
        return [this](Instant now) { return core_->poll_network(now); };
    }
    return [this](Instant now) { return core_->poll_network(now) + poll_conductor(now); };
}

Status RunningDriver::start_threads(const ThreadingPlan& plan) {
    const auto run = [this](AgentRunner::Options options, AgentRunner::Poll poll) {
        runners_.push_back(std::make_unique<AgentRunner>(std::move(options), clock_, std::move(poll)));
        return runners_.back()->start();
    };
    for (const ThreadPlan& thread : plan.threads) {
        AgentRunner::Options options;
        options.name = "fulmar-" + thread.role;
        options.cpu = thread.cpu;
        options.idle = thread.idle;
        options.polls_devices = ports_.has_devices && thread.role != "conductor";
        FULMAR_TRY_VOID(run(std::move(options), poll_of(thread.role)));
    }
    // Blocking work stays away from all of them.
    AgentRunner::Options resource;
    resource.name = "fulmar-resource";
    return run(std::move(resource), [this](Instant now) { return core_->poll_resource(now); });
}

void RunningDriver::close() {
    for (const auto& runner : runners_) {
        runner->stop();
    }
    runners_.clear();
    if (core_ != nullptr) {
        core_->close(clock_.now());
        core_.reset();
    }
    ports_.close();
}

ThreadingMode mode_of(MediaDriverOptions::Threading threading) {
    switch (threading) {
        case MediaDriverOptions::Threading::kInline: return ThreadingMode::kInvoker;
        case MediaDriverOptions::Threading::kAuto: return ThreadingMode::kAuto;
        case MediaDriverOptions::Threading::kDedicated: return ThreadingMode::kDedicated;
        case MediaDriverOptions::Threading::kSharedNetwork: return ThreadingMode::kSharedNetwork;
        case MediaDriverOptions::Threading::kShared: return ThreadingMode::kShared;
    }
    return ThreadingMode::kInvoker;
}

/// Our own directory, so that several inline drivers, and this and that process, never collide.
std::string inline_directory() {
    static std::atomic<int> count{0};
    const int index = count.fetch_add(1, std::memory_order_relaxed);  // relaxed: a number alone
    std::string dir = "/dev/shm/fulmar-" + std::to_string(::getpid());
    if (index > 0) {
        dir += '-';
        dir += std::to_string(index);
    }
    return dir;
}

Status apply_setting(config::SettingsLoader& loader, const std::string& setting) {
    const auto equals = setting.find('=');
    const std::string name = setting.substr(0, equals);
    if (equals != std::string::npos && config::find_setting(name) != nullptr) {
        return loader.apply_option(name, std::string_view(setting).substr(equals + 1));
    }
    return loader.apply_define(setting);
}

}  // namespace

Result<std::unique_ptr<MediaDriver>> start_driver(
    config::DriverSettings settings, DriverCallbacks callbacks) {
    auto driver = std::make_unique<RunningDriver>(std::move(callbacks));
    FULMAR_TRY_VOID(driver->start(std::move(settings)));
    return std::unique_ptr<MediaDriver>(std::move(driver));
}

}  // namespace fulmar::drivers

namespace fulmar {

Result<std::unique_ptr<MediaDriver>> MediaDriver::start(MediaDriverOptions options) {
    config::SettingsLoader loader;
    if (options.use_environment) {
        FULMAR_TRY_VOID(loader.apply_environment(environ));
    }
    for (const std::string& setting : options.settings) {
        FULMAR_TRY_VOID(drivers::apply_setting(loader, setting));
    }
    FULMAR_TRY(settings, loader.finish());
    const bool is_inline = options.threading == MediaDriverOptions::Threading::kInline;
    if (!options.dir.empty()) {
        settings.dir = options.dir;
    } else if (is_inline) {
        settings.dir = drivers::inline_directory();
        settings.dir_delete_on_shutdown = true;
    } else if (loader.origin("dir").layer == config::SettingLayer::kDefault) {
        settings.dir = default_directory();
    }
    if (!options.ports.empty()) {
        settings.ports = options.ports;
    }
    settings.threading_mode = drivers::mode_of(options.threading);
    return drivers::start_driver(
        std::move(settings), {std::move(options.on_error), std::move(options.on_terminate)});
}

}  // namespace fulmar

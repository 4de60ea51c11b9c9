// Binds the client to this machine: files, clocks, and a thread if one is wanted.
#include <array>
#include <cstdlib>
#include <pwd.h>
#include <unistd.h>

#include "client/conductor.h"
#include "drivers/client_runtime/conductor_thread.h"
#include "drivers/memory_map/file_memory_map.h"
#include "drivers/memory_map/system_clock.h"
#include "fulmar/client.h"
#include "fulmar/idle.h"

namespace fulmar {

namespace {

/// What every client of this process stands on. Neither has state, and both live to the process's end, since
/// clients may be destroyed by other statics.
ClientPorts machine_ports() {
    static auto* memory_map = new drivers::FileMemoryMap();
    static auto* clock = new drivers::SystemClock();
    return {memory_map, clock};
}

std::string user_name() {
    // NOLINTNEXTLINE(concurrency-mt-unsafe): nothing here changes the environment
    if (const char* user = std::getenv("USER"); user != nullptr) {
        return user;
    }
    std::array<char, 16 * 1024> buffer{};
    passwd entry{};
    passwd* found = nullptr;
    const int error = ::getpwuid_r(::getuid(), &entry, buffer.data(), buffer.size(), &found);
    const bool named = error == 0 && found != nullptr && found->pw_name != nullptr && *found->pw_name != 0;
    return named ? found->pw_name : "default";
}

}  // namespace

std::string default_directory() {
    for (const char* variable : {"FULMAR_DIR", "AERON_DIR"}) {
        // NOLINTNEXTLINE(concurrency-mt-unsafe): as above
        if (const char* dir = std::getenv(variable); dir != nullptr && *dir != 0) {
            return dir;
        }
    }
    return "/dev/shm/aeron-" + user_name();
}

Result<std::unique_ptr<Client>> Client::connect(ClientOptions options) {
    if (options.dir.empty()) {
        options.dir = default_directory();
    }
    if (!options.on_wait) {
        options.on_wait = [idle = BackoffIdle()]() mutable { idle.idle(0); };
    }
    if (!options.own_thread) {
        return connect(std::move(options), machine_ports());
    }
    const ClientPorts ports = machine_ports();
    const Duration idle_max = options.idle_max;
    FULMAR_TRY(conductor, client::Conductor::await_driver(options, ports));
    auto thread = std::make_unique<drivers::ConductorThread>(conductor, idle_max);
    return std::make_unique<Client>(std::move(conductor), std::move(thread));
}

Status request_driver_termination(const std::string& dir, std::span<const std::byte> token) {
    const auto ports = machine_ports();
    const client::LivenessCheck check{ports.clock->epoch_ms(), ClientOptions{}.driver_timeout};
    FULMAR_TRY(link, client::DriverLink::open(dir, *ports.memory_map, check));
    layout::TerminateDriver command;
    command.client_id = link.next_correlation_id();
    command.correlation_id = link.next_correlation_id();
    command.token = token;
    return link.send(layout::CommandType::kTerminateDriver, command);
}

}  // namespace fulmar

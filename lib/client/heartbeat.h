/// The counter in which a client shows the driver that it lives.
/// threads: the client's conductor.  source: Aeron client heartbeat counter, type 11.
#pragma once

#include <cstdint>
#include <string>

#include "client/driver_link.h"
#include "fulmar/result.h"

namespace fulmar::client {

/// Version and commit of this library, as tools show them.
[[nodiscard]] std::string version_text();

class Heartbeat {
  public:
    Heartbeat() = default;
    Heartbeat(std::int64_t client_id, std::string client_name)
        : client_id_(client_id), client_name_(std::move(client_name)) {}

    /// Writes the time; before that, finds the counter, which the driver makes at the first command.
    /// errors: kGeneric when the driver took the counter away, that is, gave us up.
    [[nodiscard]] Status beat(const DriverLink& link, std::int64_t epoch_ms);
    /// The driver knows this client, so being silent for long has consequences.
    [[nodiscard]] bool is_established() const { return counter_.id() != layout::kNullCounterId; }

  private:
    [[nodiscard]] bool is_ours(const CountersReader& counters, std::int32_t id) const;
    void find(const DriverLink& link);
    void extend_label(std::span<std::byte> metadata, std::int32_t id) const;

    std::int64_t client_id_ = 0;
    std::string client_name_;
    observe::Counter counter_;
};

}  // namespace fulmar::client

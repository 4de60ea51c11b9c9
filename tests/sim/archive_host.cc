#include "tests/sim/archive_host.h"

#include <algorithm>

namespace fulmar::sim {
namespace {

constexpr Duration kReconnect = milliseconds(2);

void add(drivers::StorageFaultCounts& sum, const drivers::StorageFaultCounts& more) {
    sum.requests += more.requests;
    sum.read_errors += more.read_errors;
    sum.write_errors += more.write_errors;
    sum.sync_errors += more.sync_errors;
    sum.syncs_lost += more.syncs_lost;
    sum.bytes_lost += more.bytes_lost;
    sum.no_space += more.no_space;
    sum.misdirected += more.misdirected;
    sum.flipped_reads += more.flipped_reads;
    sum.flipped_at_rest += more.flipped_at_rest;
    sum.slowed += more.slowed;
}

}  // namespace

ArchiveHost::ArchiveHost(Node& node, ArchiveHostOptions options, std::uint64_t seed, Verdict& verdict)
    : node_(node),
      options_(std::move(options)),
      verdict_(verdict),
      draws_(seed, 11),
      disk_(options_.disk_space) {}

ArchiveHost::~ArchiveHost() {
    if (process_ != nullptr) {
        kill(std::nullopt);
    }
}

void ArchiveHost::start() {
    process_ = std::make_unique<Process>();
    drivers::MemoryStorage::Options storage;
    storage.seed = draws_.next();
    auto memory = std::make_unique<drivers::MemoryStorage>(disk_, storage);
    drivers::StorageFaultSpec faults = options_.faults;
    faults.seed = draws_.next();
    auto faulty = std::make_unique<drivers::FaultStorage>(std::move(memory), faults, node_.clock());
    process_->faults = faulty.get();
    process_->storage = std::make_unique<Cable>(std::move(faulty));
    process_->hub = std::make_unique<archive::StorageHub>(*process_->storage);
    next_connect_ = {};
    last_error_.clear();
    damaged_.clear();
}

void ArchiveHost::kill(const std::optional<drivers::MemoryDisk::PowerCut>& cut) {
    add(fault_counts_, process_->faults->counts());
    process_->storage->cut();
    // Its memory stays as it was until the world ends: other processes look at parts of it.
    dead_.push_back(std::move(process_));
    if (cut) {
        disk_.power_cut(*cut, draws_);
    }
}

bool ArchiveHost::called_damaged(std::int64_t recording_id) const {
    return std::find(damaged_.begin(), damaged_.end(), recording_id) != damaged_.end();
}

void ArchiveHost::end_by_itself(const std::string& why) {
    last_error_ = why;
    if (verdict_.verbose()) {
        verdict_.note("the archive ended: " + why);
    }
    kill(std::nullopt);
}

int ArchiveHost::poll() {
    if (process_ == nullptr) {
        return 0;
    }
    if (process_->server == nullptr) {
        return poll_start();
    }
    const int work = process_->server->poll(node_.clock().now());
    if (const auto& error = process_->server->error()) {
        end_by_itself(error->message);
    }
    return work;
}

int ArchiveHost::poll_start() {
    const Instant now = node_.clock().now();
    Process& process = *process_;
    if (process.client == nullptr) {
        if (now < next_connect_ || !node_.is_up()) {
            return 0;
        }
        next_connect_ = now + kReconnect;
        ClientOptions options;
        options.dir = node_.dir();
        options.name = "archive";
        options.driver_timeout = milliseconds(100);
        options.keepalive_interval = milliseconds(5);
        options.resource_linger = seconds(1);
        options.own_thread = false;
        auto connected = Client::try_connect(options, {&node_.memory(), &node_.clock()});
        if (!connected) {
            return 0;
        }
        process.client = *std::move(connected);
    }
    if (process.start_up == nullptr) {
        process.start_up = std::make_unique<archive::StartUp>(*process.hub,
            archive::RecoveryOptions{.checksum_frames = false, .now_ms = node_.clock().epoch_ms()},
            64 * 1024);
    }
    (void)process.client->poll(now);
    const int work = process.start_up->poll(now);
    if (!process.start_up->is_done()) {
        return work;
    }
    if (process.start_up->error()) {
        end_by_itself(process.start_up->error()->message);
        return 1;
    }
    for (const archive::DamagedRecording& damaged : process.start_up->damaged()) {
        damaged_.push_back(damaged.id);
        if (verdict_.verbose()) {
            verdict_.note(damaged.why);
        }
    }
    if (verdict_.verbose()) {
        for (const std::string& note : process.start_up->notes()) {
            verdict_.note("recovery: " + note);
        }
    }
    recovered_ += process.start_up->notes().size();
    archive::ServerPorts ports;
    ports.client = process.client.get();
    ports.clock = &node_.clock();
    ports.storage = process.hub.get();
    ports.recorder_storage = process.hub.get();
    ports.replayer_storage = process.hub.get();
    archive::ServerOptions server = options_.server;
    server.on_error = [this](const Error& error) {
        if (verdict_.verbose()) {
            verdict_.note("archive: " + error.message);
        }
    };
    process.server = std::make_unique<archive::Server>(std::move(server), ports, *process.start_up);
    return 1;
}

}  // namespace fulmar::sim

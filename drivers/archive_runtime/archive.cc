#include "drivers/archive_runtime/archive.h"

#include <array>
#include <cerrno>
#include <csignal>
#include <filesystem>
#include <mutex>
#include <optional>
#include <unistd.h>

#include "archive/storage_hub.h"
#include "archive_server/credentials.h"
#include "archive_server/mark_file.h"
#include "archive_server/server.h"
#include "archive_server/start_up.h"
#include "drivers/archive_runtime/directory_lock.h"
#include "drivers/archive_runtime/mark_link.h"
#include "drivers/driver_runtime/agent_runner.h"
#include "drivers/memory_map/file_memory_map.h"
#include "drivers/memory_map/system_clock.h"
#include "drivers/secret_file/secret_file.h"
#include "drivers/storage_fault/fault_storage.h"
#include "fulmar/client.h"
#include "fulmar/idle.h"

namespace fulmar::drivers {
namespace {

using Threading = ArchiveOptions::Threading;

constexpr Duration kReadyTimeout = seconds(10);
constexpr Duration kCloseTimeout = seconds(10);
constexpr std::int64_t kTouchIntervalMs = 1000;
/// Of an image that ended: longer than any disk should hold up what is on its way.
constexpr Duration kImageLinger = seconds(30);

class RunningArchive final : public Archive {
  public:
    explicit RunningArchive(ArchiveOptions options) : options_(std::move(options)) {}
    ~RunningArchive() override { close(); }

    Status start();
    int poll() override;
    [[nodiscard]] const std::vector<std::string>& description() const override { return description_; }
    [[nodiscard]] std::optional<Error> error() const override {
        const std::scoped_lock lock(mutex_);
        return error_;
    }
    [[nodiscard]] archive::WriterCounts written() const override {
        const std::scoped_lock lock(mutex_);
        return written_;
    }
    void close() override;

  private:
    Status read_credentials();
    Status open_directory();
    Status open_mark();
    [[nodiscard]] archive::MarkFile::Owner mark_owner() const;
    Status open_storages();
    Result<std::unique_ptr<port::Storage>> open_storage();
    Status open_driver();
    Status start_server();
    Status start_threads();
    Status run(const std::string& role, AgentRunner::Poll poll);
    int poll_conductor(Instant now);
    int poll_all(Instant now);
    void on_error(const Error& error);

    ArchiveOptions options_;
    SystemClock clock_;
    FileMemoryMap memory_;
    std::vector<std::string> description_;
    std::unique_ptr<archive::Credentials> credentials_;
    std::optional<DirectoryLock> lock_;
    std::unique_ptr<archive::MarkFile> mark_;
    std::int64_t next_touch_ms_ = 0;
    std::unique_ptr<MediaDriver> driver_;
    std::array<std::unique_ptr<port::Storage>, 3> storages_;
    std::array<std::unique_ptr<archive::StorageHub>, 3> hubs_;
    std::unique_ptr<Client> client_;
    std::unique_ptr<archive::Server> server_;
    std::vector<std::unique_ptr<AgentRunner>> runners_;
    std::function<void(const Error&)> listener_;
    bool is_closed_ = false;
    mutable std::mutex mutex_;
    std::optional<Error> error_;
    archive::WriterCounts written_;
};

Status RunningArchive::start() {
    listener_ = std::move(options_.server.on_error);
    options_.server.on_error = [this](const Error& error) { on_error(error); };
    constexpr std::array kModes{"DEDICATED", "SHARED", "INVOKER"};
    options_.server.threading_mode = kModes.at(static_cast<std::size_t>(options_.threading));
    FULMAR_TRY_VOID(read_credentials());
    FULMAR_TRY_VOID(open_directory());
    FULMAR_TRY_VOID(open_storages());
    FULMAR_TRY_VOID(open_driver());
    FULMAR_TRY_VOID(open_mark());
    FULMAR_TRY_VOID(start_server());
    return options_.threading == Threading::kInline ? Status(Done{}) : start_threads();
}

Status RunningArchive::read_credentials() {
    const std::string& path = options_.credentials_file;
    if (path.empty()) {
        description_.emplace_back("authentication: none");
        return Done{};
    }
    FULMAR_TRY(text, read_secret_file(path, Readers::kOwnerAndGroup));
    auto credentials = archive::Credentials::parse(text);
    if (!credentials) {
        return fail(ErrorCode::kGeneric, path + ": " + credentials.error().message);
    }
    credentials_ = *std::move(credentials);
    options_.server.authenticator = credentials_.get();
    description_.push_back("authentication: " + std::to_string(credentials_->size()) + " lines of " + path);
    return Done{};
}

Status RunningArchive::open_directory() {
    const std::string& directory = options_.archive_dir;
    std::error_code failed;
    std::filesystem::create_directories(directory, failed);
    if (failed) {
        return fail(ErrorCode::kGeneric, "cannot make " + directory + ": " + failed.message());
    }
    FULMAR_TRY(lock, DirectoryLock::take(directory));
    lock_.emplace(std::move(lock));
    // Other archives than ours do not know the lock: their mark file tells of them, and before anything is
    // deleted.
    FULMAR_TRY_VOID(archive::MarkFile::refuse_if_active(directory, mark_owner(), memory_, clock_));
    if (const auto linked = read_mark_link(directory)) {
        FULMAR_TRY_VOID(archive::MarkFile::refuse_if_active(*linked, mark_owner(), memory_, clock_));
    }
    if (options_.delete_dir_on_start) {
        for (const auto& entry : std::filesystem::directory_iterator(directory, failed)) {
            if (entry.path().filename() != DirectoryLock::kFileName) {
                std::filesystem::remove_all(entry.path(), failed);
            }
        }
    }
    return Done{};
}

archive::MarkFile::Owner RunningArchive::mark_owner() const {
    archive::MarkFile::Owner owner;
    owner.pid = ::getpid();
    owner.aeron_directory = client_ != nullptr ? client_->dir() : std::string();
    owner.archive_id = options_.server.archive_id;
    owner.is_alive = [](std::int64_t pid) {
        return pid > 0 && pid != ::getpid() && (::kill(static_cast<pid_t>(pid), 0) == 0 || errno != ESRCH);
    };
    return owner;
}

/// After the driver: the mark file may be in its directory, which it clears when it starts.
Status RunningArchive::open_mark() {
    const std::string& directory =
        options_.mark_file_dir.empty() ? options_.archive_dir : options_.mark_file_dir;
    std::error_code failed;
    std::filesystem::create_directories(directory, failed);
    if (failed) {
        return fail(ErrorCode::kGeneric, "cannot make " + directory + ": " + failed.message());
    }
    FULMAR_TRY(mark, archive::MarkFile::create(directory, options_.server, mark_owner(), memory_, clock_));
    mark_ = std::move(mark);
    return write_mark_link(options_.archive_dir, directory);
}

Result<std::unique_ptr<port::Storage>> RunningArchive::open_storage() {
    FileStorage::Options file;
    file.directory = options_.archive_dir;
    file.engine = options_.engine;
    file.capacity = 1024;
    FULMAR_TRY(storage, FileStorage::create(file));
    if (storages_[0] == nullptr) {
        description_.push_back("storage: " + storage->describe());
    }
    if (options_.storage_fault.empty()) {
        return std::unique_ptr<port::Storage>(std::move(storage));
    }
    FULMAR_TRY(spec, parse_storage_fault(options_.storage_fault));
    return std::unique_ptr<port::Storage>(std::make_unique<FaultStorage>(std::move(storage), spec, clock_));
}

Status RunningArchive::open_storages() {
    // A disk that forgets what was not synced must be one for all who look at it.
    const std::size_t count = options_.storage_fault.empty() ? storages_.size() : 1;
    if (count == 1 && options_.threading == Threading::kDedicated) {
        return fail(ErrorCode::kGeneric, "storage-fault needs --threading shared or inline");
    }
    for (std::size_t i = 0; i < count; ++i) {
        FULMAR_TRY(storage, open_storage());
        storages_[i] = std::move(storage);
        hubs_[i] = std::make_unique<archive::StorageHub>(*storages_[i]);
    }
    return Done{};
}

Status RunningArchive::open_driver() {
    ClientOptions client;
    client.dir = options_.attach_to;
    client.name = "fulmar-archive";
    client.own_thread = false;
    client.resource_linger = kImageLinger;
    if (options_.attach_to.empty()) {
        options_.driver.threading = options_.threading == Threading::kInline
                                        ? MediaDriverOptions::Threading::kInline
                                        : options_.driver.threading;
        FULMAR_TRY(driver, MediaDriver::start(options_.driver));
        driver_ = std::move(driver);
        client.dir = driver_->dir();
        for (const std::string& line : driver_->description()) {
            description_.push_back("driver: " + line);
        }
        if (options_.threading == Threading::kInline) {
            client.on_wait = [this] { (void)driver_->poll(); };
        }
    }
    FULMAR_TRY(connected, Client::connect(std::move(client), {&memory_, &clock_}));
    client_ = std::move(connected);
    return Done{};
}

Status RunningArchive::start_server() {
    archive::StorageHub& hub = *hubs_[0];
    archive::StartUp start_up(
        hub, {.checksum_frames = options_.server.writer.checksum_frames, .now_ms = clock_.epoch_ms()});
    BackoffIdle idle;
    while (!start_up.is_done()) {
        idle.idle(start_up.poll(clock_.now()));
    }
    if (start_up.error()) {
        return Unexpected{*start_up.error()};
    }
    archive::ServerPorts ports;
    ports.client = client_.get();
    ports.clock = &clock_;
    ports.storage = &hub;
    ports.recorder_storage = hubs_[1] != nullptr ? hubs_[1].get() : &hub;
    ports.replayer_storage = hubs_[2] != nullptr ? hubs_[2].get() : &hub;
    server_ = std::make_unique<archive::Server>(options_.server, ports, start_up);
    for (const std::string& note : start_up.notes()) {
        description_.push_back("recovery: " + note);
    }
    for (const archive::DamagedRecording& damaged : start_up.damaged()) {
        on_error({ErrorCode::kGeneric, damaged.why});
    }
    mark_->set_archive_id(server_->archive_id());
    const Instant deadline = clock_.now() + kReadyTimeout;
    while (!server_->is_ready()) {
        idle.idle(poll_all(clock_.now()));
        if (server_->error()) {
            return Unexpected{*server_->error()};
        }
        if (clock_.now() > deadline) {
            return fail(ErrorCode::kGeneric,
                "the control streams did not open in time: is the driver in " + client_->dir() + " alive?");
        }
    }
    description_.push_back("recordings: " + std::to_string(server_->catalog().size()));
    for (const std::string& address : server_->control_addresses()) {
        description_.push_back("control: " + address);
    }
    description_.push_back("driver directory: " + client_->dir());
    return Done{};
}

Status RunningArchive::run(const std::string& role, AgentRunner::Poll poll) {
    AgentRunner::Options options;
    options.name = "archive-" + role;
    options.idle = options_.idle;
    runners_.push_back(std::make_unique<AgentRunner>(std::move(options), clock_, std::move(poll)));
    return runners_.back()->start();
}

Status RunningArchive::start_threads() {
    if (options_.threading == Threading::kShared) {
        return run("shared", [this](Instant now) { return poll_all(now); });
    }
    FULMAR_TRY_VOID(run("recorder", [this](Instant now) { return server_->poll_recorder(now); }));
    FULMAR_TRY_VOID(run("replayer", [this](Instant now) { return server_->poll_replayer(now); }));
    return run("conductor", [this](Instant now) { return poll_conductor(now); });
}

int RunningArchive::poll() {
    return poll_all(clock_.now());
}

int RunningArchive::poll_conductor(Instant now) {
    const std::int64_t epoch_ms = clock_.epoch_ms();
    if (epoch_ms >= next_touch_ms_) {
        next_touch_ms_ = epoch_ms + kTouchIntervalMs;
        mark_->touch(epoch_ms);
    }
    const int work = server_->poll_conductor(now);
    if (server_->error() || server_->written().writes != written_.writes) {
        const std::scoped_lock lock(mutex_);
        error_ = server_->error();
        written_ = server_->written();
    }
    return work;
}

int RunningArchive::poll_all(Instant now) {
    int work = poll_conductor(now) + server_->poll_recorder(now) + server_->poll_replayer(now);
    if (options_.threading == Threading::kInline && driver_ != nullptr) {
        work += driver_->poll(now);
    }
    return work;
}

void RunningArchive::on_error(const Error& error) {
    // Each is worth one line: who lies a thousand times must not fill a terminal, nor wait for it.
    if (mark_->record(error, clock_.epoch_ms()) && listener_) {
        listener_(error);
    }
}

void RunningArchive::close() {
    if (is_closed_) {
        return;
    }
    is_closed_ = true;
    runners_.clear();
    if (server_ != nullptr) {
        server_->close();
        const Instant deadline = clock_.now() + kCloseTimeout;
        BackoffIdle idle;
        while (!server_->is_closed() && clock_.now() < deadline && !client_->is_closed()) {
            idle.idle(poll_all(clock_.now()));
        }
        server_.reset();
    }
    client_.reset();
    if (driver_ != nullptr) {
        driver_->close();
    }
    for (std::size_t i = 0; i < storages_.size(); ++i) {
        hubs_[i].reset();
        storages_[i].reset();
    }
    mark_.reset();
    lock_.reset();
}

}  // namespace

Result<std::unique_ptr<Archive>> Archive::start(ArchiveOptions options) {
    auto archive = std::make_unique<RunningArchive>(std::move(options));
    FULMAR_TRY_VOID(archive->start());
    return std::unique_ptr<Archive>(std::move(archive));
}

}  // namespace fulmar::drivers

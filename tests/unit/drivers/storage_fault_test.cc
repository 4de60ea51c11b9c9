#include <algorithm>
#include <csignal>
#include <memory>
#include <string>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include "drivers/storage_fault/fault_storage.h"
#include "drivers/storage_file/file_storage.h"
#include "drivers/storage_memory/memory_storage.h"
#include "tests/temporary_directory.h"

using namespace fulmar;
using namespace fulmar::drivers;
using port::FileHandle;
using port::StorageCompletion;
using port::StorageRequest;
using Op = StorageRequest::Op;
using Code = StorageCompletion::Code;
using Bytes = std::vector<std::byte>;

namespace {

StorageFaultSpec parsed(std::string_view text) {
    auto spec = parse_storage_fault(text);
    if (!spec) {
        FAIL(spec.error().message);
    }
    return *spec;
}

struct TestClock final : port::Clock {
    Instant at{};
    [[nodiscard]] Instant now() override { return at; }
    [[nodiscard]] std::int64_t epoch_ms() override { return 0; }
};

StorageCompletion run(port::Storage& storage, StorageRequest request) {
    REQUIRE(storage.submit(request));
    std::vector<StorageCompletion> completions;
    while (storage.poll(completions, 1) == 0) {
        std::this_thread::yield();
    }
    return std::move(completions[0]);
}

/// A disk in memory, a process on it, and one file of 64 KiB of sevens, synced.
struct Rig {
    explicit Rig(std::string_view spec) {
        start("hold-unsynced");
        REQUIRE(call({.op = Op::kSync, .file = file}).ok());
        fill(7);
        REQUIRE(call({.op = Op::kSync, .file = file}).ok());
        REQUIRE(call({.op = Op::kSyncDirectory}).ok());
        storage->set_spec(parsed(spec));
    }
    void start(std::string_view spec) {
        storage.reset();
        storage = std::make_unique<FaultStorage>(
            std::make_unique<MemoryStorage>(disk, MemoryStorage::Options{}), parsed(spec), clock);
        const bool first = call({.op = Op::kList}).entries.empty();
        file = call({.op = first ? Op::kCreate : Op::kOpen, .length = kLength, .name = "f"}).file;
    }
    StorageCompletion call(StorageRequest request) { return run(*storage, std::move(request)); }
    void fill(int value) {
        const Bytes data(kLength, static_cast<std::byte>(value));
        REQUIRE(call({.op = Op::kWrite, .file = file, .data = data}).ok());
    }
    Code write(std::uint64_t offset, std::size_t length, int value) {
        const Bytes data(length, static_cast<std::byte>(value));
        return call({.op = Op::kWrite, .file = file, .offset = offset, .data = data}).code;
    }
    Bytes read() {
        Bytes into(kLength);
        REQUIRE(call({.op = Op::kRead, .file = file, .into = into}).ok());
        return into;
    }
    /// Bytes of the file, or bits, that are not seven.
    std::size_t strange_bytes() {
        std::size_t count = 0;
        for (const auto byte : read()) {
            count += byte != std::byte{7} ? 1 : 0;
        }
        return count;
    }

    static constexpr std::size_t kLength = 65'536;
    MemoryDisk disk;
    TestClock clock;
    std::unique_ptr<FaultStorage> storage;
    FileHandle file{};
};

}  // namespace

TEST_CASE("storage_fault_spec: every part is read, and what is left out is off") {
    const auto spec = parsed(
        "hold-unsynced,torn,sector:4k,read:0.1,write:0.2,sync:0.3,sync-lost:0.4,misdirect:0.5,flip-read:0.6,"
        "flip-rest:0.7,slow:0.8,delay:20ms,space:64m,seed:9");
    CHECK(spec == StorageFaultSpec{true, true, 4'096, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8,
                      milliseconds(20), 64 << 20, 9});
    CHECK(parsed("") == StorageFaultSpec{});
    CHECK(parsed("none") == StorageFaultSpec{});
    CHECK(parsed("hold-unsynced").hold_unsynced);
    CHECK_FALSE(parsed("hold-unsynced").torn);
}

TEST_CASE("storage_fault_spec: its own text reads back to the same value") {
    for (const char* text :
        {"none", "hold-unsynced", "hold-unsynced,torn", "read:0.01", "delay:5s", "space:0",
            "hold-unsynced,torn,read:0.01,write:0.02,sync:0.03,sync-lost:0.04,misdirect:0.05,flip-read:0.06,"
            "flip-rest:0.07,slow:0.08,delay:3ms,sector:4k,space:64m,seed:18446744073709551615"}) {
        CHECK(to_string(parsed(text)) == text);
    }
}

TEST_CASE("storage_fault_spec: bad text is refused and named") {
    const std::vector<std::pair<std::string, std::string>> cases{{"torn", "needs hold-unsynced"},
        {"sync-lost:0.1", "needs hold-unsynced"}, {"hold", "'hold' is not one of"}, {"read", "'read' is not"},
        {"read:", "probability"}, {"read:1.1", "'read:1.1'"}, {"read:-0.1", "probability"},
        {"read:nan", "nan"}, {"reed:0.1", "'reed:0.1' is not one of"}, {"read:0.1,", "''"},
        {",read:0.1", "''"}, {"read:0.1,read:0.2", "twice"}, {"hold-unsynced,hold-unsynced", "twice"},
        {"delay:10", "wants a time"}, {"delay:61s", "'delay:61s'"}, {"delay:-1s", "wants a time"},
        {"sector:1k", "512 or 4k"}, {"space:-1", "bytes"}, {"space:x", "bytes"}, {"seed:-1", "whole number"},
        {"torn:1", "is not one of"}, {"read:0.1+write:0.1", "probability"}, {"READ:0.1", "READ"},
        {"read\n:0.1", "read?"}};
    for (const auto& one : cases) {
        const std::string& text = one.first;
        const std::string& named = one.second;
        CAPTURE(text);
        const auto spec = parse_storage_fault(text);
        REQUIRE_FALSE(spec);
        CHECK_MESSAGE(spec.error().message.find(named) != std::string::npos, spec.error().message);
        CHECK(spec.error().message.find('\n') == std::string::npos);
    }
}

TEST_CASE("storage_fault: errors of reads, writes and syncs, each counted") {
    Rig rig("hold-unsynced,read:1");
    Bytes into(10);
    CHECK(rig.call({.op = Op::kRead, .file = rig.file, .into = into}).code == Code::kIo);
    CHECK(rig.storage->counts().read_errors == 1);

    rig.storage->set_spec(parsed("hold-unsynced,write:1"));
    CHECK(rig.write(0, 8'192, 9) == Code::kIo);
    CHECK(rig.storage->counts().write_errors == 1);
    const auto written = rig.strange_bytes();
    CHECK(written < 8'192);
    CHECK(written % 512 == 0);

    rig.storage->set_spec(parsed("hold-unsynced,sync:1"));
    CHECK(rig.write(0, 8'192, 9) == Code::kOk);
    CHECK(rig.call({.op = Op::kSync, .file = rig.file}).code == Code::kIo);
    CHECK(rig.call({.op = Op::kSyncDirectory}).code == Code::kIo);
    CHECK(rig.storage->counts().sync_errors == 2);
    rig.storage->set_spec(parsed("hold-unsynced"));
    CHECK(rig.call({.op = Op::kSync, .file = rig.file}).ok());  // nothing was lost by it
    rig.start("none");
    CHECK(rig.strange_bytes() == 8'192);
}

TEST_CASE("storage_fault: a sync that fails once and then says success has lost what it was for") {
    Rig rig("hold-unsynced,sync-lost:1");
    CHECK(rig.write(1'000, 5'000, 9) == Code::kOk);
    CHECK(rig.call({.op = Op::kSync, .file = rig.file}).code == Code::kIo);
    CHECK(rig.storage->counts().syncs_lost == 1);
    CHECK(rig.storage->counts().bytes_lost == 5'000);
    CHECK(rig.strange_bytes() == 5'000);  // still in the page cache
    rig.storage->set_spec(parsed("hold-unsynced"));
    CHECK(rig.write(40'000, 100, 9) == Code::kOk);
    CHECK(rig.call({.op = Op::kSync, .file = rig.file}).ok());
    CHECK(rig.strange_bytes() == 5'100);
    rig.start("none");
    CHECK(rig.strange_bytes() == 100);
}

TEST_CASE("storage_fault: space ends in the middle of a file") {
    Rig rig("hold-unsynced,space:10000");
    CHECK(rig.call({.op = Op::kFreeSpace}).value == 10'000);
    CHECK(rig.write(0, 6'000, 9) == Code::kOk);
    CHECK(rig.write(6'000, 6'000, 9) == Code::kNoSpace);
    CHECK(rig.strange_bytes() == 6'000);
    CHECK(rig.call({.op = Op::kCreate, .length = 4'001, .name = "g"}).code == Code::kNoSpace);
    CHECK(rig.call({.op = Op::kCreate, .length = 4'000, .name = "g"}).ok());
    CHECK(rig.call({.op = Op::kFreeSpace}).value == 0);
    CHECK(rig.storage->counts().no_space == 2);
}

TEST_CASE("storage_fault: a misdirected write leaves its place alone and takes another") {
    for (int seed = 0; seed < 50; ++seed) {
        CAPTURE(seed);
        Rig rig("hold-unsynced,misdirect:1,seed:" + std::to_string(seed));
        CHECK(rig.write(10'000, 700, 9) == Code::kOk);
        CHECK(rig.storage->counts().misdirected == 1);
        CHECK(rig.strange_bytes() == 700);
        // It may reach into its place, but does not begin there.
        const Bytes content = rig.read();
        CHECK_FALSE(std::all_of(content.begin() + 10'000, content.begin() + 10'700,
            [](std::byte byte) { return byte == std::byte{9}; }));
    }
}

TEST_CASE("storage_fault: a bit flips in what is read, or for good") {
    Rig rig("flip-read:1");
    for (int i = 0; i < 5; ++i) {
        CHECK(rig.strange_bytes() == 1);
    }
    CHECK(rig.storage->counts().flipped_reads == 5);
    rig.storage->set_spec({});
    CHECK(rig.strange_bytes() == 0);
    rig.storage->set_spec(parsed("flip-rest:1"));
    rig.fill(7);
    CHECK(rig.storage->counts().flipped_at_rest == 1);
    CHECK(rig.strange_bytes() == 1);
    rig.start("none");
    CHECK(rig.strange_bytes() == 1);
}

TEST_CASE("storage_fault: a slow completion waits, and a sync waits for the writes that it covers") {
    Rig rig("hold-unsynced,slow:1,delay:10ms");
    const Bytes data(100, std::byte{9});
    StorageRequest write{.op = Op::kWrite, .token = 1, .file = rig.file, .data = data};
    REQUIRE(rig.storage->submit(write));
    std::vector<StorageCompletion> completions;
    for (int i = 0; i < 50; ++i) {
        CHECK(rig.storage->poll(completions, 10) == 0);
    }
    rig.storage->set_spec(parsed("hold-unsynced"));
    StorageRequest sync{.op = Op::kSync, .token = 2, .file = rig.file};
    StorageRequest space{.op = Op::kFreeSpace, .token = 3};
    REQUIRE(rig.storage->submit(sync));
    REQUIRE(rig.storage->submit(space));
    std::vector<std::uint64_t> order;
    const auto collect = [&] {
        for (int i = 0; i < 50; ++i) {
            (void)rig.storage->poll(completions, 10);
            for (const auto& done : completions) {
                order.push_back(done.token);
            }
        }
    };
    rig.clock.at = Instant{milliseconds(9).ns};
    collect();
    CHECK(order == std::vector<std::uint64_t>{3});
    rig.clock.at = Instant{milliseconds(10).ns};
    collect();
    CHECK(order == std::vector<std::uint64_t>{3, 1, 2});
    CHECK(rig.storage->counts().slowed == 1);
    CHECK(rig.storage->under_way() == 0);
}

TEST_CASE("storage_fault: the same seed draws the same faults") {
    const auto errors = [](std::string_view spec) {
        Rig rig(spec);
        std::vector<bool> drawn;
        for (int i = 0; i < 200; ++i) {
            drawn.push_back(rig.write(0, 1, 7) == Code::kOk);
        }
        return drawn;
    };
    CHECK(errors("write:0.3,seed:1") == errors("write:0.3,seed:1"));
    CHECK(errors("write:0.3,seed:1") != errors("write:0.3,seed:2"));
    CHECK(errors("write:0.3,seed:1") == errors("write:0.3,misdirect:0.5,seed:1"));  // kinds draw apart
}

TEST_CASE("storage_fault: kill -9 of a process that holds is a power cut on real files") {
    const test::TemporaryDirectory directory;
    const auto start = [&directory](port::Clock& clock, std::string_view spec) {
        auto files = FileStorage::create({.directory = directory.path()});
        REQUIRE(files);
        return std::make_unique<FaultStorage>(std::move(*files), parsed(spec), clock);
    };
    const Bytes synced(10'000, std::byte{1});
    const Bytes unsynced(5'000, std::byte{2});
    const pid_t child = ::fork();
    REQUIRE(child >= 0);
    if (child == 0) {
        TestClock clock;
        auto storage = start(clock, "hold-unsynced");
        const auto file = run(*storage, {.op = Op::kCreate, .length = 10'000, .name = "a"}).file;
        (void)run(*storage, {.op = Op::kWrite, .file = file, .data = synced});
        (void)run(*storage, {.op = Op::kSync, .file = file});
        (void)run(*storage, {.op = Op::kSyncDirectory});
        (void)run(*storage, {.op = Op::kWrite, .file = file, .offset = 2'000, .data = unsynced});
        (void)run(*storage, {.op = Op::kCreate, .length = 10'000, .name = "b"});
        (void)run(*storage, {.op = Op::kRename, .name = "a", .new_name = "c"});
        const bool holds = storage->held_bytes() == 5'000 && storage->held_names() == 2;
        if (holds) {
            (void)::kill(::getpid(), SIGKILL);
        }
        ::_exit(1);
    }
    int status = 0;
    REQUIRE(::waitpid(child, &status, 0) == child);
    REQUIRE(WIFSIGNALED(status));

    auto files = FileStorage::create({.directory = directory.path()});
    REQUIRE(files);
    CHECK(run(**files, {.op = Op::kList}).entries.size() == 2);  // one of them without a name yet
    files->reset();
    TestClock clock;
    auto storage = start(clock, "none");
    const auto listed = run(*storage, {.op = Op::kList}).entries;
    REQUIRE(listed.size() == 1);
    CHECK(listed[0].name == "a");
    const auto file = run(*storage, {.op = Op::kOpen, .name = "a"}).file;
    Bytes into(20'000);
    const auto done = run(*storage, {.op = Op::kRead, .file = file, .into = into});
    into.resize(done.value);
    CHECK(into == synced);
    storage.reset();
    files = FileStorage::create({.directory = directory.path()});
    REQUIRE(files);
    CHECK(run(**files, {.op = Op::kList}).entries.size() == 1);
}

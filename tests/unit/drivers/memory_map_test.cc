#include <cstdio>
#include <cstring>
#include <memory>
#include <mntent.h>
#include <string>
#include <sys/stat.h>
#include <unistd.h>

#include <doctest/doctest.h>

#include "drivers/memory_map/file_memory_map.h"
#include "drivers/memory_map/heap_memory_map.h"
#include "drivers/memory_map/system_clock.h"

using fulmar::ErrorCode;
using fulmar::drivers::FileMemoryMap;
using fulmar::drivers::HeapMemoryMap;
using fulmar::drivers::SystemClock;
using fulmar::port::MemoryMap;

namespace {

/// Each map with a directory that may be filled: the contract is one, so the tests are.
struct FileFixture {
    FileMemoryMap map;
    std::string directory;
    FileFixture() {
        char name[] = "/dev/shm/fulmar-memory-map-test-XXXXXX";
        REQUIRE(::mkdtemp(name) != nullptr);
        directory = name;
    }
    ~FileFixture() { (void)map.remove_directory(directory); }
};
struct HeapFixture {
    HeapMemoryMap map;
    std::string directory = "/sim/fulmar";
};

/// A writable hugetlbfs mount of this machine; empty if there is none.
std::string hugetlbfs_mount() {
    std::string found;
    if (std::FILE* mounts = ::setmntent("/proc/mounts", "re"); mounts != nullptr) {
        while (const auto* entry = ::getmntent(mounts)) {
            if (std::strcmp(entry->mnt_type, "hugetlbfs") == 0 && ::access(entry->mnt_dir, W_OK) == 0) {
                found = entry->mnt_dir;
            }
        }
        (void)::endmntent(mounts);
    }
    return found;
}

void check_sharing(MemoryMap& map, const std::string& directory) {
    const auto path = directory + "/a.logbuffer";
    auto created = map.create(path, 10'000, true);
    REQUIRE(created);
    const auto bytes = (*created)->bytes();
    REQUIRE(bytes.size() == 10'000);
    for (const auto b : bytes) {
        REQUIRE(b == std::byte{0});
    }
    auto opened = map.open(path, true);
    REQUIRE(opened);
    REQUIRE((*opened)->bytes().size() == 10'000);
    bytes[9'999] = std::byte{42};
    CHECK((*opened)->bytes()[9'999] == std::byte{42});

    CHECK(map.remove(path));
    CHECK_FALSE(map.exists(path));
    CHECK_FALSE(map.open(path, true));
    CHECK((*opened)->bytes()[9'999] == std::byte{42});
}

void check_existing_is_refused(MemoryMap& map, const std::string& directory) {
    const auto path = directory + "/taken";
    const auto first = map.create(path, 4096, false);
    REQUIRE(first);
    (*first)->bytes()[0] = std::byte{7};
    const auto second = map.create(path, 4096, false);
    REQUIRE_FALSE(second);
    CHECK(second.error().code == ErrorCode::kGeneric);
    CHECK(second.error().message.find(path) != std::string::npos);
    CHECK((*first)->bytes()[0] == std::byte{7});
}

void check_directories(MemoryMap& map, const std::string& directory) {
    const auto path = directory + "/x/y";
    REQUIRE(map.make_directory(path));
    CHECK(map.make_directory(path));
    CHECK(map.exists(path));
    const auto sibling = directory + "/xy";
    REQUIRE(map.create(path + "/log", 4096, false));
    REQUIRE(map.create(sibling, 4096, false));
    CHECK(map.remove_directory(directory + "/x"));
    CHECK_FALSE(map.exists(path));
    CHECK_FALSE(map.exists(path + "/log"));
    CHECK(map.exists(sibling));
    CHECK(map.remove_directory(directory + "/x"));
    CHECK_FALSE(map.remove_directory("/"));
    CHECK_FALSE(map.remove_directory(""));
}

void check_bad_input(MemoryMap& map, const std::string& directory) {
    CHECK_FALSE(map.create(directory + "/zero", 0, true));
    CHECK_FALSE(map.create(directory + "/negative", -1, false));
    CHECK_FALSE(map.exists(directory + "/zero"));
    CHECK_FALSE(map.open(directory + "/absent", false));
    CHECK_FALSE(map.remove(directory + "/absent"));
}

}  // namespace

TEST_CASE("memory_map: files are shared by path and survive their name while mapped") {
    FileFixture f;
    check_sharing(f.map, f.directory);
}
TEST_CASE("memory_map: heap regions are shared by path and survive their name while mapped") {
    HeapFixture f;
    check_sharing(f.map, f.directory);
}
TEST_CASE("memory_map: creating over an existing file is refused and leaves it alone") {
    FileFixture f;
    check_existing_is_refused(f.map, f.directory);
}
TEST_CASE("memory_map: creating over an existing heap region is refused and leaves it alone") {
    HeapFixture f;
    check_existing_is_refused(f.map, f.directory);
}
TEST_CASE("memory_map: directories of files are made with parents and removed whole") {
    FileFixture f;
    check_directories(f.map, f.directory);
}
TEST_CASE("memory_map: heap directories are removed whole") {
    HeapFixture f;
    check_directories(f.map, f.directory);
}
TEST_CASE("memory_map: bad lengths and absent files are errors") {
    FileFixture f;
    check_bad_input(f.map, f.directory);
}
TEST_CASE("memory_map: bad lengths and absent heap regions are errors") {
    HeapFixture f;
    check_bad_input(f.map, f.directory);
}

TEST_CASE("memory_map: a reserved file takes its space at once, a sparse one does not") {
    FileFixture f;
    const auto reserved = f.map.create(f.directory + "/reserved", 1 << 20, true);
    const auto sparse = f.map.create(f.directory + "/sparse", 1 << 20, false);
    REQUIRE(reserved);
    REQUIRE(sparse);
    struct stat facts {};
    REQUIRE(::stat((f.directory + "/reserved").c_str(), &facts) == 0);
    CHECK(facts.st_blocks * 512 >= 1 << 20);
    REQUIRE(::stat((f.directory + "/sparse").c_str(), &facts) == 0);
    CHECK(facts.st_blocks == 0);
}

TEST_CASE("memory_map: a reservation beyond the file system says STORAGE_SPACE and leaves no file") {
    FileFixture f;
    const auto path = f.directory + "/huge";
    const auto length = (f.map.usable_space(f.directory) / 4096 + 1'000'000) * 4096;
    const auto created = f.map.create(path, length, true);
    REQUIRE_FALSE(created);
    CHECK(created.error().code == ErrorCode::kStorageSpace);
    CHECK_FALSE(f.map.exists(path));
}

TEST_CASE("memory_map: usable space answers for a path that does not exist yet") {
    FileFixture f;
    CHECK(f.map.usable_space(f.directory + "/not/yet") > 0);
    CHECK(FileMemoryMap::page_size(f.directory + "/not/yet") == ::sysconf(_SC_PAGESIZE));
}

TEST_CASE("memory_map: on hugetlbfs lengths are whole large pages, taken at once, or refused") {
    FileMemoryMap map;
    const auto mount = hugetlbfs_mount();
    const auto page_size = mount.empty() ? 0 : FileMemoryMap::page_size(mount);
    if (mount.empty() || map.usable_space(mount) < 2 * page_size) {
        MESSAGE("skipped: no hugetlbfs mount with two free pages here");
        return;
    }
    CHECK(page_size >= 2 << 20);
    const auto path = mount + "/fulmar-memory-map-test-" + std::to_string(::getpid());
    const auto space = map.usable_space(mount);
    auto created = map.create(path, page_size + 1, true);
    REQUIRE(created);
    CHECK((*created)->bytes().size() == static_cast<std::size_t>(2 * page_size));
    CHECK(map.usable_space(mount) <= space - 2 * page_size);
    (*created)->bytes().back() = std::byte{9};
    const auto opened = map.open(path, false);
    REQUIRE(opened);
    CHECK((*opened)->bytes().size() == static_cast<std::size_t>(2 * page_size));
    CHECK((*opened)->bytes().back() == std::byte{9});
    CHECK(map.remove(path));

    const auto refused = map.create(path, space + 64 * page_size, true);
    REQUIRE_FALSE(refused);
    CHECK(refused.error().code == ErrorCode::kStorageSpace);
    CHECK_FALSE(map.exists(path));
}

TEST_CASE("memory_map: opening a file of another kind or without content is an error") {
    FileFixture f;
    CHECK_FALSE(f.map.open(f.directory, false));
    CHECK_FALSE(f.map.open("/dev/null", false));
}

TEST_CASE("memory_map: heap space runs out and comes back with the last mapping") {
    HeapMemoryMap map(10'000);
    auto a = map.create("a", 6'000, true);
    REQUIRE(a);
    CHECK(map.usable_space("") == 4'000);
    const auto refused = map.create("b", 6'000, true);
    REQUIRE_FALSE(refused);
    CHECK(refused.error().code == ErrorCode::kStorageSpace);
    CHECK(map.remove("a"));
    CHECK(map.usable_space("") == 4'000);
    (*a).reset();
    CHECK(map.usable_space("") == 10'000);
}

TEST_CASE("memory_map: a heap mapping outlives its map") {
    auto map = std::make_unique<HeapMemoryMap>();
    auto mapping = map->create("a", 64, true);
    REQUIRE(mapping);
    map.reset();
    (*mapping)->bytes()[63] = std::byte{1};
    CHECK((*mapping)->bytes()[63] == std::byte{1});
}

TEST_CASE("system_clock: monotonic time does not go back and wall time is this century") {
    SystemClock clock;
    const auto before = clock.now();
    CHECK(clock.now() >= before);
    CHECK(clock.epoch_ms() > 1'600'000'000'000);
}

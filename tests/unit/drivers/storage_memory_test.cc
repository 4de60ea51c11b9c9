#include <array>
#include <cstdint>
#include <set>
#include <vector>

#include <doctest/doctest.h>

#include "drivers/storage_memory/memory_storage.h"

using namespace fulmar;
using Op = port::StorageRequest::Op;

namespace {

/// Tokens in the order in which twenty reads complete.
std::vector<std::uint64_t> order_of(std::uint64_t seed) {
    drivers::MemoryDisk disk;
    drivers::MemoryStorage storage(disk, {.seed = seed});
    for (std::uint64_t i = 0; i < 20; ++i) {
        port::StorageRequest request{.op = Op::kFreeSpace, .token = i};
        REQUIRE(storage.submit(request));
    }
    std::vector<std::uint64_t> order;
    std::vector<port::StorageCompletion> completions;
    while (storage.under_way() > 0) {
        (void)storage.poll(completions, 3);
        CHECK(completions.size() <= 3);
        for (const auto& done : completions) {
            order.push_back(done.token);
        }
    }
    return order;
}

}  // namespace

TEST_CASE("storage_memory: completions come in an order that the seed draws, and draws again") {
    std::set<std::vector<std::uint64_t>> orders;
    for (std::uint64_t seed = 0; seed < 10; ++seed) {
        const auto order = order_of(seed);
        CHECK(order.size() == 20);
        CHECK(order == order_of(seed));
        orders.insert(order);
    }
    CHECK(orders.size() == 10);
}

TEST_CASE("storage_memory: the disk knows what is not synced") {
    drivers::MemoryDisk disk(10'000);
    const auto created = disk.create("a", 1'000);
    REQUIRE(created.code == port::StorageCompletion::Code::kOk);
    CHECK(disk.unsynced_bytes() == 1'000);
    CHECK(disk.unsynced_names() == 1);
    disk.sync(created.file);
    CHECK(disk.unsynced_bytes() == 0);
    const std::array<std::byte, 100> data{};
    CHECK(disk.write(created.file, 950, data) == port::StorageCompletion::Code::kOk);
    CHECK(disk.unsynced_bytes() > 0);
    disk.sync_directory();
    CHECK(disk.unsynced_names() == 0);
    CHECK(disk.free_space() == 10'000 - 1'050);
    disk.close(created.file);

    base::Prng draws(1);
    disk.power_cut({}, draws);
    CHECK(disk.unsynced_bytes() == 0);
    REQUIRE(disk.list().size() == 1);
    CHECK(disk.list()[0].length == 1'000);
    CHECK(disk.free_space() == 9'000);
}

TEST_CASE("storage_memory: space comes back when a file has neither a name nor a user") {
    drivers::MemoryDisk disk(1'000);
    const auto created = disk.create("a", 1'000);
    disk.sync(created.file);
    disk.sync_directory();
    CHECK(disk.create("b", 1).code == port::StorageCompletion::Code::kNoSpace);
    CHECK(disk.remove("a") == port::StorageCompletion::Code::kOk);
    CHECK(disk.free_space() == 0);
    disk.sync_directory();
    CHECK(disk.free_space() == 0);
    disk.close(created.file);
    CHECK(disk.free_space() == 1'000);
}

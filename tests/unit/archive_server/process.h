/// A process that has an archive's directory and catalog, until it goes; without a server. threads: one.
#pragma once

#include <memory>

#include <doctest/doctest.h>

#include "archive_server/catalog_file.h"
#include "archive_server/start_up.h"
#include "drivers/storage_memory/memory_disk.h"
#include "drivers/storage_memory/memory_storage.h"

namespace fulmar::archive_server::test {

struct Process {
    drivers::MemoryStorage storage;
    archive::StorageHub hub{storage};
    archive::StartUp start_up;
    std::unique_ptr<archive::CatalogFile> file;

    /// Starts up; goes after so many steps of it.
    Process(drivers::MemoryDisk& disk, std::uint64_t seed, int steps_max = 1'000'000)
        : storage(disk, {.seed = seed}), start_up(hub, {.now_ms = 1}, 1024) {
        for (int i = 0; i < steps_max && !start_up.is_done(); ++i) {
            start_up.poll(Instant{});
        }
        if (start_up.is_done()) {
            REQUIRE_MESSAGE(!start_up.error(), (start_up.error() ? start_up.error()->message : ""));
            file = std::make_unique<archive::CatalogFile>(
                hub, start_up.catalog_file(), start_up.take_catalog(), true);
        }
    }
    void step() {
        (void)hub.poll(1);
        (void)file->poll();
        REQUIRE_FALSE(file->error());
    }
    void persist() {
        const auto ticket = file->commit();
        while (!file->is_persisted(ticket)) {
            step();
        }
    }
};

}  // namespace fulmar::archive_server::test

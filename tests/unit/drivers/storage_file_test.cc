#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <sys/stat.h>
#include <thread>
#include <vector>

#include <doctest/doctest.h>

#include "drivers/storage_file/file_storage.h"
#include "tests/temporary_directory.h"

using namespace fulmar;
using drivers::FileStorage;
using port::StorageCompletion;
using port::StorageRequest;
using Op = StorageRequest::Op;
using Code = StorageCompletion::Code;

namespace {

StorageCompletion run(port::Storage& storage, StorageRequest request) {
    REQUIRE(storage.submit(request));
    std::vector<StorageCompletion> completions;
    while (storage.poll(completions, 1) == 0) {
        std::this_thread::yield();
    }
    return std::move(completions[0]);
}

}  // namespace

TEST_CASE("storage_file: it says how it writes") {
    const test::TemporaryDirectory directory;
    auto calls = FileStorage::create({.directory = directory.path(), .engine = FileStorage::Engine::kCalls});
    REQUIRE(calls);
    CHECK((*calls)->describe() == "pwritev");
    auto best = FileStorage::create({.directory = directory.path()});
    REQUIRE(best);
    const auto uring = drivers::make_uring_engine();
    CHECK((*best)->describe() == (uring ? "io_uring" : "pwritev (" + uring.error().message + ")"));
}

TEST_CASE("storage_file: a directory that is not one is refused and named") {
    const test::TemporaryDirectory directory;
    const std::string missing = directory.path() + "/missing";
    const auto none = FileStorage::create({.directory = missing});
    REQUIRE_FALSE(none);
    CHECK(none.error().message.find(missing) != std::string::npos);
    std::ofstream(missing).put('x');
    CHECK_FALSE(FileStorage::create({.directory = missing}));
}

TEST_CASE("storage_file: what is not a regular file is neither opened nor listed, and holds nobody up") {
    const test::TemporaryDirectory directory;
    const auto in = [&directory](const char* name) { return directory.path() + "/" + name; };
    REQUIRE(::mkfifo(in("pipe").c_str(), 0600) == 0);
    std::filesystem::create_directory(in("folder"));
    std::ofstream(in("file")).put('x');
    std::filesystem::create_symlink("file", in("link"));
    auto storage = FileStorage::create({.directory = directory.path()});
    REQUIRE(storage);
    for (const char* name : {"pipe", "folder", "link"}) {
        CAPTURE(name);
        const auto opened = run(**storage, {.op = Op::kOpen, .name = name});
        CHECK(opened.code == Code::kIo);
        CHECK(opened.detail.find(name) != std::string::npos);
        CHECK(run(**storage, {.op = Op::kCreate, .length = 1, .name = name}).code == Code::kExists);
    }
    const auto listed = run(**storage, {.op = Op::kList});
    REQUIRE(listed.entries.size() == 1);
    CHECK(listed.entries[0].name == "file");
    CHECK(listed.entries[0].length == 1);
}

TEST_CASE("storage_file: the blocks of a created file are its own") {
    const test::TemporaryDirectory directory;
    auto storage = FileStorage::create({.directory = directory.path()});
    REQUIRE(storage);
    REQUIRE(run(**storage, {.op = Op::kCreate, .length = 1 << 20, .name = "a"}).ok());
    struct stat facts {};
    REQUIRE(::stat((directory.path() + "/a").c_str(), &facts) == 0);
    CHECK(facts.st_size == 1 << 20);
    CHECK(facts.st_blocks * 512 >= 1 << 20);
}

TEST_CASE("storage_file: what was submitted is carried out before it ends") {
    const test::TemporaryDirectory directory;
    const std::vector<std::byte> data(1 << 16, std::byte{7});
    for (int round = 0; round < 20; ++round) {
        const std::string name = "f" + std::to_string(round);
        {
            auto storage = FileStorage::create({.directory = directory.path()});
            REQUIRE(storage);
            const auto file = run(**storage, {.op = Op::kCreate, .length = 1, .name = name}).file;
            for (std::uint64_t i = 0; i < 8; ++i) {
                StorageRequest write{.op = Op::kWrite, .file = file, .offset = i << 16, .data = data};
                REQUIRE((*storage)->submit(write));
            }
        }
        CHECK(std::filesystem::file_size(directory.path() + "/" + name) == 8 << 16);
    }
}

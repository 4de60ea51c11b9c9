/// What every Storage must do, whatever is below it. A program per implementation includes this and defines
/// open_storage().
/// threads: one.
#pragma once

#include <algorithm>
#include <array>
#include <optional>
#include <set>

#include "base/prng.h"
#include "tests/conformance/storage_rig.h"

namespace fulmar::test {

using Listing = std::map<std::string, std::uint64_t>;

TEST_CASE("storage: a created file has its length, reads as zero, and is listed") {
    StorageRig rig = open_storage({});
    Process process(rig);
    const auto file = process.create("a.rec", 10'000);
    CHECK(file != FileHandle::kNone);
    CHECK(process.read(file, 0, 10'000) == Bytes(10'000));
    CHECK(process.list() == Listing{{"a.rec", 10'000}});
    const auto empty = process.create("b", 0);
    CHECK(empty != file);
    CHECK(process.read(empty, 0, 16).empty());
    CHECK(process.list() == Listing{{"a.rec", 10'000}, {"b", 0}});
}

TEST_CASE("storage: what was written is read, by any handle and after a restart") {
    StorageRig rig = open_storage({});
    const Bytes data = pattern(70'001, 3);
    {
        Process process(rig);
        const auto file = process.create("f", 100'000);
        process.write(file, 4'095, data);
        CHECK(process.read(file, 4'095, data.size()) == data);
        CHECK(process.read(file, 0, 4'095) == Bytes(4'095));
        const auto again = process.run({.op = Op::kOpen, .name = "f"});
        REQUIRE(again.ok());
        CHECK(again.value == 100'000);
        CHECK(again.file != file);
        CHECK(process.read(again.file, 4'095, data.size()) == data);
        process.must({.op = Op::kSync, .file = again.file});
        process.must({.op = Op::kSyncDirectory});
    }
    Process process(rig);
    const auto file = process.open("f");
    CHECK(process.read(file, 4'095, data.size()) == data);
}

TEST_CASE("storage: a read ends where the file does, and a write lengthens it") {
    StorageRig rig = open_storage({});
    Process process(rig);
    const auto file = process.create("f", 1'000);
    CHECK(process.read(file, 900, 200).size() == 100);
    CHECK(process.read(file, 1'000, 1).empty());
    CHECK(process.read(file, 1'000'000, 1).empty());
    process.write(file, 1'500, pattern(100, 1));
    CHECK(process.list() == Listing{{"f", 1'600}});
    CHECK(process.read(file, 1'000, 1'000).size() == 600);
    CHECK(process.read(file, 1'000, 500) == Bytes(500));
    process.write(file, 5'000, {});
    CHECK(process.list() == Listing{{"f", 1'600}});
    CHECK(process.read(file, 0, 0).empty());
}

TEST_CASE("storage: zeroed ranges read as zero, also beyond the end") {
    StorageRig rig = open_storage({});
    Process process(rig);
    const auto file = process.create("f", 20'000);
    process.write(file, 0, pattern(20'000, 1));
    process.must({.op = Op::kZero, .file = file, .offset = 1'000, .length = 9'001});
    Bytes expected = pattern(20'000, 1);
    std::fill_n(expected.begin() + 1'000, 9'001, std::byte{});
    CHECK(process.read(file, 0, 30'000) == expected);
    process.must({.op = Op::kZero, .file = file, .offset = 19'000, .length = 3'000});
    CHECK(process.list() == Listing{{"f", 22'000}});
    CHECK(process.read(file, 19'000, 3'000) == Bytes(3'000));
    process.must({.op = Op::kZero, .file = file, .offset = 30'000, .length = 0});
    CHECK(process.list() == Listing{{"f", 22'000}});
}

TEST_CASE("storage: a file that was cut and grows again has zeros there") {
    StorageRig rig = open_storage({});
    Process process(rig);
    const auto file = process.create("f", 8'192);
    process.write(file, 0, pattern(8'192, 1));
    process.must({.op = Op::kResize, .file = file, .length = 3'000});
    CHECK(process.read(file, 0, 8'192) == pattern(3'000, 1));
    process.must({.op = Op::kResize, .file = file, .length = 6'000});
    Bytes expected = pattern(3'000, 1);
    expected.resize(6'000);
    CHECK(process.read(file, 0, 8'192) == expected);
    process.must({.op = Op::kSync, .file = file});
    CHECK(process.read(file, 0, 8'192) == expected);
    CHECK(process.list() == Listing{{"f", 6'000}});
}

TEST_CASE("storage: names are made, renamed and removed once") {
    StorageRig rig = open_storage({});
    Process process(rig);
    const auto file = process.create("a", 100);
    process.write(file, 0, pattern(100, 1));
    CHECK(process.code({.op = Op::kCreate, .length = 1, .name = "a"}) == Code::kExists);
    process.must({.op = Op::kRename, .name = "a", .new_name = "b"});
    CHECK(process.code({.op = Op::kOpen, .name = "a"}) == Code::kNotFound);
    CHECK(process.code({.op = Op::kRename, .name = "a", .new_name = "c"}) == Code::kNotFound);
    (void)process.create("a", 7);
    CHECK(process.code({.op = Op::kRename, .name = "a", .new_name = "b"}) == Code::kExists);
    CHECK(process.code({.op = Op::kRename, .name = "a", .new_name = "a"}) == Code::kExists);
    CHECK(process.list() == Listing{{"a", 7}, {"b", 100}});
    CHECK(process.read(process.open("b"), 0, 100) == pattern(100, 1));
    process.must({.op = Op::kRemove, .name = "b"});
    CHECK(process.code({.op = Op::kRemove, .name = "b"}) == Code::kNotFound);
    CHECK(process.code({.op = Op::kOpen, .name = "b"}) == Code::kNotFound);
    process.must({.op = Op::kSyncDirectory});
    CHECK(process.list() == Listing{{"a", 7}});
}

TEST_CASE("storage: a file takes the place of another, which lives on in what is open") {
    StorageRig rig = open_storage({});
    {
        Process process(rig);
        const auto old = process.create("f", 100);
        process.write(old, 0, pattern(100, 1));
        const auto made = process.create("f.new", 50);
        process.write(made, 0, pattern(50, 2));
        process.must({.op = Op::kSync, .file = made});
        process.must({.op = Op::kReplace, .name = "f.new", .new_name = "f"});
        CHECK(process.list() == Listing{{"f", 50}});
        CHECK(process.read(old, 0, 100) == pattern(100, 1));
        CHECK(process.read(process.open("f"), 0, 100) == pattern(50, 2));
        process.write(made, 10, pattern(10, 3));
        CHECK(process.code({.op = Op::kReplace, .name = "f.new", .new_name = "f"}) == Code::kNotFound);
        CHECK(process.code({.op = Op::kReplace, .name = "f", .new_name = "f"}) == Code::kInvalid);
        process.must({.op = Op::kReplace, .name = "f", .new_name = "g"});
        process.must({.op = Op::kSync, .file = made});
        process.must({.op = Op::kSyncDirectory});
        CHECK(process.list() == Listing{{"g", 50}});
    }
    Process process(rig);
    Bytes expected = pattern(50, 2);
    std::copy_n(pattern(10, 3).begin(), 10, expected.begin() + 10);
    CHECK(process.read(process.open("g"), 0, 100) == expected);
}

TEST_CASE("storage: a name goes round, and the files keep apart") {
    StorageRig rig = open_storage({});
    {
        Process process(rig);
        const auto first = process.create("x", 10);
        process.write(first, 0, pattern(10, 1));
        process.must({.op = Op::kRename, .name = "x", .new_name = "old"});
        const auto second = process.create("x", 10);
        process.write(second, 0, pattern(10, 2));
        process.must({.op = Op::kRemove, .name = "old"});
        process.must({.op = Op::kRename, .name = "x", .new_name = "old"});
        (void)process.create("x", 3);
        process.must({.op = Op::kSync, .file = second});
        process.must({.op = Op::kSyncDirectory});
        CHECK(process.read(first, 0, 10) == pattern(10, 1));
    }
    Process process(rig);
    CHECK(process.read(process.open("old"), 0, 10) == pattern(10, 2));
    CHECK(process.list().size() == 2);
    CHECK(process.list().contains("x"));
}

TEST_CASE("storage: a removed file lives on in what is open") {
    StorageRig rig = open_storage({});
    Process process(rig);
    const auto file = process.create("f", 4'096);
    process.must({.op = Op::kRemove, .name = "f"});
    process.must({.op = Op::kSyncDirectory});
    process.write(file, 10, pattern(1'000, 5));
    process.must({.op = Op::kSync, .file = file});
    CHECK(process.read(file, 10, 1'000) == pattern(1'000, 5));
    CHECK(process.list().empty());
    process.must({.op = Op::kClose, .file = file});
}

TEST_CASE("storage: requests that nobody can carry out are refused, each with a reason") {
    StorageRig rig = open_storage({});
    Process process(rig);
    std::array<std::byte, 16> bytes{};
    for (const std::string& name : {std::string(), std::string("."), std::string(".."), std::string("a/b"),
             std::string("/a"), std::string("a\0b", 3), std::string(256, 'n')}) {
        CAPTURE(name);
        CHECK(process.code({.op = Op::kOpen, .name = name}) == Code::kInvalid);
        CHECK(process.code({.op = Op::kCreate, .length = 1, .name = name}) == Code::kInvalid);
        CHECK(process.code({.op = Op::kRemove, .name = name}) == Code::kInvalid);
        CHECK(process.code({.op = Op::kRename, .name = name, .new_name = "x"}) == Code::kInvalid);
        CHECK(process.code({.op = Op::kRename, .name = "x", .new_name = name}) == Code::kInvalid);
        CHECK(process.code({.op = Op::kReplace, .name = name, .new_name = "x"}) == Code::kInvalid);
        CHECK(process.code({.op = Op::kReplace, .name = "x", .new_name = name}) == Code::kInvalid);
    }
    const auto file = process.create(std::string(255, 'n'), 100);
    constexpr std::uint64_t kFar = std::uint64_t{1} << 63;
    CHECK(process.code({.op = Op::kRead, .file = file, .offset = kFar, .into = bytes}) == Code::kInvalid);
    CHECK(
        process.code({.op = Op::kWrite, .file = file, .offset = kFar - 3, .data = bytes}) == Code::kInvalid);
    CHECK(process.code({.op = Op::kZero, .file = file, .offset = 1, .length = kFar}) == Code::kInvalid);
    CHECK(process.code({.op = Op::kResize, .file = file, .length = kFar}) == Code::kInvalid);
    CHECK(process.code({.op = Op::kCreate, .length = kFar, .name = "far"}) == Code::kInvalid);

    const auto unknown = FileHandle{static_cast<std::uint32_t>(file) + 1'000};
    process.must({.op = Op::kClose, .file = file});
    for (const auto handle : {FileHandle::kNone, unknown, file}) {
        for (const auto op : {Op::kClose, Op::kRead, Op::kWrite, Op::kZero, Op::kResize, Op::kSync}) {
            CAPTURE(static_cast<int>(op));
            CHECK(process.code({.op = op, .file = handle, .length = 1, .data = bytes, .into = bytes}) ==
                  Code::kInvalid);
        }
    }
    CHECK(process.list() == Listing{{std::string(255, 'n'), 100}});
}

TEST_CASE("storage: a handle closed does not become another file") {
    StorageRig rig = open_storage({});
    Process process(rig);
    const auto first = process.create("a", 10);
    process.must({.op = Op::kClose, .file = first});
    const auto second = process.create("b", 10);
    CHECK(second != first);
    CHECK(process.code({.op = Op::kSync, .file = first}) == Code::kInvalid);
}

TEST_CASE("storage: each of many requests completes once, with what it asked for") {
    StorageRig rig = open_storage({.space = 8 << 20});
    Process process(rig);
    constexpr std::size_t kFiles = 3;
    constexpr std::size_t kBlocks = 400;
    constexpr std::size_t kBlockBytes = 3'000;
    std::array<FileHandle, kFiles> files;
    for (std::size_t i = 0; i < kFiles; ++i) {
        files[i] = process.create("f" + std::to_string(i), kBlocks * kBlockBytes);
    }
    std::vector<Bytes> blocks;
    for (std::size_t i = 0; i < kFiles * kBlocks; ++i) {
        blocks.push_back(pattern(kBlockBytes, static_cast<unsigned>(i)));
    }
    // Files take turns, so that what lies side by side in a file is not side by side in the queue.
    for (std::size_t i = 0; i < blocks.size(); ++i) {
        process.submit({.op = Op::kWrite,
            .token = 1'000 + i,
            .file = files[i % kFiles],
            .offset = i / kFiles * kBlockBytes,
            .data = blocks[i]});
    }
    for (std::size_t i = 0; i < kFiles; ++i) {
        process.submit({.op = Op::kSync, .token = i, .file = files[i]});
    }
    const auto completions = process.finish();
    std::set<std::uint64_t> tokens;
    std::array<std::size_t, kFiles> written{};
    for (const auto& done : completions) {
        REQUIRE_MESSAGE(done.ok(), done.detail);
        CHECK(tokens.insert(done.token).second);
        if (done.op == Op::kSync) {
            CHECK(done.file == files[done.token]);
            CHECK(written[done.token] == kBlocks);  // a sync completes after what it covers
        } else {
            CHECK(done.op == Op::kWrite);
            ++written[(done.token - 1'000) % kFiles];
        }
    }
    CHECK(tokens.size() == blocks.size() + kFiles);
    for (std::size_t i = 0; i < blocks.size(); ++i) {
        REQUIRE(process.read(files[i % kFiles], i / kFiles * kBlockBytes, kBlockBytes) == blocks[i]);
    }
}

TEST_CASE("storage: a file closes after everything asked of it before") {
    StorageRig rig = open_storage({});
    Process process(rig);
    const Bytes data = pattern(5'000, 9);
    for (unsigned round = 0; round < 20; ++round) {
        const std::string name = "f" + std::to_string(round);
        const auto file = process.create(name, 8'192);
        process.submit({.op = Op::kWrite, .token = 1, .file = file, .offset = 0, .data = data});
        process.submit({.op = Op::kSync, .token = 2, .file = file});
        process.submit({.op = Op::kClose, .token = 3, .file = file});
        const auto completions = process.finish();
        REQUIRE(completions.size() == 3);
        for (std::size_t i = 0; i < 3; ++i) {
            CHECK(completions[i].token == i + 1);
            CHECK(completions[i].ok());
        }
        CHECK(process.read(process.open(name), 0, data.size()) == data);
    }
}

TEST_CASE("storage: a full queue refuses and leaves the request as it is") {
    StorageRig rig = open_storage({});
    Process process(rig);
    const auto file = process.create("f", 100);
    std::size_t taken = 0;
    StorageRequest request{.op = Op::kOpen, .token = 77, .name = "f"};
    for (; taken < 1'000'000; ++taken) {
        request = {.op = Op::kOpen, .token = 77, .name = "f"};
        if (!process.storage().submit(request)) {
            break;
        }
    }
    REQUIRE(taken > 0);
    REQUIRE(taken < 1'000'000);
    CHECK(request.name == "f");
    CHECK(request.token == 77);
    CHECK(process.storage().under_way() == taken);
    const auto completions = process.finish();
    CHECK(completions.size() == taken);
    for (const auto& done : completions) {
        CHECK(done.ok());
        process.must({.op = Op::kClose, .file = done.file});
    }
    process.must({.op = Op::kClose, .file = file});
}

TEST_CASE("storage: free space is told, and what does not fit leaves nothing behind") {
    StorageRig rig = open_storage({.space = 1 << 20});
    Process process(rig);
    const auto space = process.run({.op = Op::kFreeSpace});
    REQUIRE(space.ok());
    CHECK(space.value > 0);
    CHECK(process.code({.op = Op::kCreate, .length = space.value * 2 + (1 << 20), .name = "big"}) ==
          Code::kNoSpace);
    CHECK(process.list().empty());
    (void)process.create("big", 1'000);
    if (rig.limits_space) {
        const auto file = process.open("big");
        process.write(file, 0, pattern(1'000, 1));
        const Bytes much = pattern(2 << 20, 2);
        CHECK(
            process.code({.op = Op::kWrite, .file = file, .offset = 1'000, .data = much}) == Code::kNoSpace);
        CHECK(process.read(file, 0, 1'000) == pattern(1'000, 1));
    }
}

TEST_CASE("storage: a process that goes away with requests under way does no harm") {
    StorageRig rig = open_storage({});
    const Bytes data = pattern(4'096, 1);
    {
        Process process(rig);
        const auto file = process.create("f", 1 << 16);
        process.must({.op = Op::kSync, .file = file});
        process.must({.op = Op::kSyncDirectory});
        for (std::uint64_t i = 0; i < 10; ++i) {
            process.submit({.op = Op::kWrite, .file = file, .offset = i * data.size(), .data = data});
        }
    }
    Process process(rig);
    CHECK(process.list() == Listing{{"f", 1 << 16}});
}

/// Random requests, one at a time, beside the simplest thing that could do the same.
class History {
  public:
    History(StorageRig& rig, std::uint64_t seed) : rig_(rig), draws_(seed), process_(std::in_place, rig) {}

    void step() {
        constexpr std::array<const char*, 4> kNames{"a", "b", "c", "d"};
        const std::string name = kNames[draws_.below(kNames.size())];
        const std::string other = kNames[draws_.below(kNames.size())];
        const bool exists = files_.contains(name);
        switch (draws_.below(13)) {
            case 12: {
                const auto expected = name == other ? Code::kInvalid : !exists ? Code::kNotFound : Code::kOk;
                CHECK(code({.op = Op::kReplace, .name = name, .new_name = other}, expected));
                if (expected == Code::kOk) {
                    files_[other] = std::move(files_[name]);
                    files_.erase(name);
                }
                break;
            }
            case 0:
                CHECK(code(
                    {.op = Op::kCreate, .length = 3'000, .name = name}, exists ? Code::kExists : Code::kOk));
                if (!exists) {
                    files_[name].resize(3'000);
                    close(last_.file);
                }
                break;
            case 1: {
                const auto expected = !exists                  ? Code::kNotFound
                                      : files_.contains(other) ? Code::kExists
                                                               : Code::kOk;
                CHECK(code({.op = Op::kRename, .name = name, .new_name = other}, expected));
                if (expected == Code::kOk) {
                    files_[other] = std::move(files_[name]);
                    files_.erase(name);
                }
                break;
            }
            case 2:
                CHECK(code({.op = Op::kRemove, .name = name}, exists ? Code::kOk : Code::kNotFound));
                files_.erase(name);
                break;
            case 3: CHECK(code({.op = Op::kSyncDirectory}, Code::kOk)); break;
            case 4: restart(); break;
            default:
                if (exists) {
                    on_file(name);
                }
        }
    }

    void restart() {
        for (const auto& [name, content] : files_) {
            const auto file = process_->open(name);
            process_->must({.op = Op::kSync, .file = file});
            close(file);
        }
        process_->must({.op = Op::kSyncDirectory});
        process_.reset();
        process_.emplace(rig_);
        Listing expected;
        for (const auto& [name, content] : files_) {
            expected[name] = content.size();
            const auto file = process_->open(name);
            REQUIRE(process_->read(file, 0, 20'000) == content);
            close(file);
        }
        CHECK(process_->list() == expected);
    }

  private:
    void on_file(const std::string& name) {
        Bytes& content = files_.at(name);
        const auto file = process_->open(name);
        const auto steps = draws_.between(1, 6);
        for (std::int64_t i = 0; i < steps; ++i) {
            const auto offset = draws_.below(6'000);
            const auto length = draws_.below(3'000);
            switch (draws_.below(5)) {
                case 0:
                    process_->must({.op = Op::kZero, .file = file, .offset = offset, .length = length});
                    put(content, offset, Bytes(length));
                    break;
                case 1:
                    process_->must({.op = Op::kResize, .file = file, .length = offset});
                    content.resize(offset);
                    break;
                case 2: process_->must({.op = Op::kSync, .file = file}); break;
                default: {
                    const Bytes data = pattern(length, static_cast<unsigned>(draws_.below(200)));
                    process_->write(file, offset, data);
                    put(content, offset, data);
                }
            }
            const auto at = draws_.below(4'000);
            REQUIRE(process_->read(file, at, 20'000) ==
                    Bytes(content.begin() +
                              static_cast<std::ptrdiff_t>(std::min<std::size_t>(at, content.size())),
                        content.end()));
        }
        close(file);
    }
    static void put(Bytes& content, std::uint64_t offset, const Bytes& data) {
        if (!data.empty()) {
            content.resize(std::max<std::size_t>(content.size(), offset + data.size()));
            std::copy(data.begin(), data.end(), content.begin() + static_cast<std::ptrdiff_t>(offset));
        }
    }
    bool code(StorageRequest request, Code expected) {
        last_ = process_->run(std::move(request));
        return last_.code == expected;
    }
    void close(FileHandle file) { process_->must({.op = Op::kClose, .file = file}); }

    StorageRig& rig_;
    base::Prng draws_;
    std::optional<Process> process_;
    std::map<std::string, Bytes> files_;
    StorageCompletion last_;
};

TEST_CASE("storage: a long history of every request reads as it was written") {
    StorageRig first = open_storage({});
    for (std::uint64_t seed = 1; seed <= (first.waits_for_a_disk ? 1U : 10U); ++seed) {
        for (const bool torn : {false, true}) {
            CAPTURE(seed);
            CAPTURE(torn);
            StorageRig rig = open_storage({.seed = seed, .torn = torn});
            History history(rig, seed);
            for (int i = 0; i < (rig.waits_for_a_disk ? 60 : 150); ++i) {
                history.step();
            }
            history.restart();
        }
    }
}

}  // namespace fulmar::test

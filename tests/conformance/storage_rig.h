/// What the suites over Storage stand on: an implementation, the life of the process it is in, and calls that
/// wait.
/// threads: one.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include "port/storage.h"

namespace fulmar::test {

using port::FileHandle;
using port::StorageCompletion;
using port::StorageRequest;
using Op = StorageRequest::Op;
using Code = StorageCompletion::Code;
using Bytes = std::vector<std::byte>;

struct StorageRigOptions {
    std::uint64_t seed = 1;
    /// Of a power cut: each sector and name is kept or lost by itself; otherwise all that is un-synced is
    /// lost.
    bool torn = false;
    std::uint64_t space = 1 << 20;  ///< at least; implementations that cannot limit it have more
};

inline constexpr std::uint64_t kSectorBytes = 512;

struct StorageRig {
    std::shared_ptr<void> owner;  ///< of the disk
    /// A process on the disk as it is now; the one before is gone.
    std::function<std::unique_ptr<port::Storage>()> start;
    /// Between two processes. Empty: what was written before the process ended is there for the next.
    std::function<void()> power_cut;
    bool limits_space = false;
    bool waits_for_a_disk = false;  ///< a sync takes milliseconds
};

[[nodiscard]] StorageRig open_storage(const StorageRigOptions& options);

inline Bytes pattern(std::size_t length, unsigned seed) {
    Bytes bytes(length);
    for (std::size_t i = 0; i < length; ++i) {
        bytes[i] = static_cast<std::byte>((i * 31 + i / 251 + seed * 7 + 1) & 0xff);
    }
    return bytes;
}

/// One process: requests by name, each waited for.
class Process {
  public:
    explicit Process(StorageRig& rig) : storage_(rig.start()) { REQUIRE(storage_ != nullptr); }

    [[nodiscard]] port::Storage& storage() { return *storage_; }

    void submit(StorageRequest request) {
        progress_ = std::chrono::steady_clock::now();
        while (!storage_->submit(request)) {
            collect(1);
        }
    }

    /// Waits until nothing is under way; what came, in the order it came.
    std::vector<StorageCompletion> finish() {
        while (storage_->under_way() > 0) {
            collect(64);
        }
        return std::exchange(collected_, {});
    }

    StorageCompletion run(StorageRequest request) {
        REQUIRE(storage_->under_way() == 0);
        request.token = ++last_token_;
        submit(std::move(request));
        auto completions = finish();
        REQUIRE(completions.size() == 1);
        CHECK(completions[0].token == last_token_);
        CHECK(completions[0].detail.empty() == completions[0].ok());
        return std::move(completions[0]);
    }

    FileHandle create(const std::string& name, std::uint64_t length) {
        const auto done = run({.op = Op::kCreate, .length = length, .name = name});
        REQUIRE_MESSAGE(done.ok(), done.detail);
        CHECK(done.value == length);
        return done.file;
    }
    FileHandle open(const std::string& name) {
        const auto done = run({.op = Op::kOpen, .name = name});
        REQUIRE_MESSAGE(done.ok(), done.detail);
        return done.file;
    }
    void write(FileHandle file, std::uint64_t offset, const Bytes& data) {
        const auto done = run({.op = Op::kWrite, .file = file, .offset = offset, .data = data});
        REQUIRE_MESSAGE(done.ok(), done.detail);
    }
    Bytes read(FileHandle file, std::uint64_t offset, std::size_t length) {
        Bytes into(length, std::byte{0xee});
        const auto done = run({.op = Op::kRead, .file = file, .offset = offset, .into = into});
        REQUIRE_MESSAGE(done.ok(), done.detail);
        REQUIRE(done.value <= length);
        into.resize(done.value);
        return into;
    }
    Code code(StorageRequest request) { return run(std::move(request)).code; }
    void must(StorageRequest request) {
        const auto done = run(std::move(request));
        REQUIRE_MESSAGE(done.ok(), done.detail);
    }
    std::map<std::string, std::uint64_t> list() {
        std::map<std::string, std::uint64_t> names;
        for (const auto& entry : run({.op = Op::kList}).entries) {
            CHECK(names.emplace(entry.name, entry.length).second);
        }
        return names;
    }

  private:
    void collect(int limit) {
        const int count = storage_->poll(polled_, limit);
        if (count != 0) {
            REQUIRE(count == static_cast<int>(polled_.size()));
            REQUIRE(count <= limit);
        }
        for (auto& completion : polled_) {
            collected_.push_back(std::move(completion));
        }
        if (count == 0) {
            // Whoever carries it out may be a thread on this very core.
            std::this_thread::yield();
            if (std::chrono::steady_clock::now() - progress_ > std::chrono::seconds(60)) {
                FAIL("a request that never completes");
            }
        } else {
            progress_ = std::chrono::steady_clock::now();
        }
    }

    std::unique_ptr<port::Storage> storage_;
    std::uint64_t last_token_ = 0;
    std::vector<StorageCompletion> polled_;
    std::vector<StorageCompletion> collected_;
    std::chrono::steady_clock::time_point progress_ = std::chrono::steady_clock::now();
};

}  // namespace fulmar::test

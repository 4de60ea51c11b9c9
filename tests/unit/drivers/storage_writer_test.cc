// The writer thread's work without its thread: what becomes of a batch, and of answers that files seldom
// give.
#include <array>
#include <cerrno>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <unistd.h>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include "drivers/storage_file/writer.h"
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

struct Seen {
    IoJob::Kind kind;
    std::uint64_t offset;
    std::size_t parts;
    std::uint64_t bytes;
};

/// Answers the next jobs as told, with a negative errno or by moving only so many bytes; then does its work.
class ScriptedEngine final : public IoEngine {
  public:
    std::vector<Seen> seen;
    std::deque<std::int64_t> answers;
    static constexpr std::int64_t kAll = INT64_MAX;

    [[nodiscard]] std::string_view name() const override { return "scripted"; }
    /// Syncs take until this is set again.
    bool syncs_end = true;

    void run(std::span<IoJob> transfers, IoSink& sink) override {
        for (IoJob& job : transfers) {
            see(job);
            const std::int64_t answer = next_answer();
            sink.on_done(job, answer <= 0 ? answer : move(job, answer));
        }
    }
    void begin(IoJob& job) override {
        see(job);
        syncs_.push_back(&job);
    }
    int poll(IoSink& sink) override {
        int count = 0;
        while (syncs_end && !syncs_.empty()) {
            IoJob* job = syncs_.front();
            syncs_.pop_front();
            const std::int64_t answer = next_answer();
            sink.on_done(*job, answer <= 0 ? answer : 0);
            ++count;
        }
        return count;
    }
    void wait(Duration /*patience*/) override {}

  private:
    std::deque<IoJob*> syncs_;

    void see(const IoJob& job) { seen.push_back({job.kind, job.offset, job.parts.size(), bytes_of(job)}); }
    std::int64_t next_answer() {
        const std::int64_t answer = answers.empty() ? kAll : answers.front();
        if (!answers.empty()) {
            answers.pop_front();
        }
        return answer;
    }
    static std::uint64_t bytes_of(const IoJob& job) {
        std::uint64_t total = 0;
        for (const iovec& part : job.parts) {
            total += part.iov_len;
        }
        return total;
    }
    static std::int64_t move(const IoJob& job, std::int64_t most) {
        std::int64_t moved = 0;
        for (const iovec& part : job.parts) {
            const auto count = std::min<std::int64_t>(static_cast<std::int64_t>(part.iov_len), most - moved);
            const auto at = static_cast<off_t>(job.offset) + moved;
            const auto length = static_cast<std::size_t>(count);
            const ssize_t result = job.kind == IoJob::Kind::kRead
                                       ? ::pread(job.fd, part.iov_base, length, at)
                                       : ::pwrite(job.fd, part.iov_base, length, at);
            REQUIRE(result >= 0);
            moved += result;
            if (result < static_cast<ssize_t>(part.iov_len)) {
                break;
            }
        }
        return moved;
    }
};

class Batches {
  public:
    explicit Batches(const test::TemporaryDirectory& directory)
        : slots_(64),
          finished_(64),
          engine_(new ScriptedEngine),
          writer_(*Directory::open(directory.path()), std::unique_ptr<IoEngine>(engine_), 64, finished_) {}

    [[nodiscard]] ScriptedEngine& engine() { return *engine_; }

    /// Carries them out as one batch.
    void begin(std::vector<StorageRequest> requests) {
        std::vector<StorageSlot*> batch;
        for (StorageRequest& request : requests) {
            StorageSlot& slot = slots_[next_slot_++ % slots_.size()];
            slot = {};
            slot.request = std::move(request);
            batch.push_back(&slot);
        }
        writer_.carry_out(batch);
    }
    /// What has completed, in that order.
    std::vector<StorageCompletion> completed() {
        while (writer_.poll() > 0) {
        }
        std::vector<StorageCompletion> completions;
        StorageSlot* slot = nullptr;
        while (finished_.try_pop(slot)) {
            completions.push_back(std::move(slot->completion));
        }
        return completions;
    }
    std::vector<StorageCompletion> run(std::vector<StorageRequest> requests) {
        engine_->seen.clear();
        const std::size_t count = requests.size();
        begin(std::move(requests));
        auto completions = completed();
        CHECK(completions.size() == count);
        CHECK(engine_->answers.empty());
        return completions;
    }
    Code code(StorageRequest request) { return run({std::move(request)}).at(0).code; }
    FileHandle create(const std::string& name) {
        const auto done = run({{.op = Op::kCreate, .length = 100'000, .name = name}});
        REQUIRE(done.at(0).ok());
        return done[0].file;
    }
    Bytes read(FileHandle file, std::uint64_t offset, std::size_t length) {
        Bytes into(length);
        const auto done = run({{.op = Op::kRead, .file = file, .offset = offset, .into = into}});
        REQUIRE(done.at(0).ok());
        into.resize(done[0].value);
        return into;
    }

  private:
    std::vector<StorageSlot> slots_;
    std::size_t next_slot_ = 0;
    SlotRing finished_;
    ScriptedEngine* engine_;
    Writer writer_;
};

Bytes block(int value) {
    return Bytes(1'000, static_cast<std::byte>(value));
}

StorageRequest write(std::uint64_t token, FileHandle file, std::uint64_t offset, const Bytes& data) {
    return {.op = Op::kWrite, .token = token, .file = file, .offset = offset, .data = data};
}

}  // namespace

TEST_CASE("storage_file: writes that lie side by side in a file go as one, whatever is between them") {
    const test::TemporaryDirectory directory;
    Batches batches(directory);
    const auto a = batches.create("a");
    const auto b = batches.create("b");
    const Bytes one = block(1);
    const Bytes two = block(2);
    const Bytes three = block(3);
    const auto done = batches.run({write(0, a, 0, one), write(1, b, 5'000, three), write(2, a, 1'000, two),
        {.op = Op::kFreeSpace}, write(4, b, 6'000, one), write(5, a, 3'000, three)});
    for (const auto& completion : done) {
        CHECK(completion.ok());
    }
    const auto& seen = batches.engine().seen;
    REQUIRE(seen.size() == 3);
    CHECK(seen[0].offset == 0);
    CHECK(seen[0].parts == 2);
    CHECK(seen[0].bytes == 2'000);
    CHECK(seen[1].offset == 3'000);  // a gap before it
    CHECK(seen[1].parts == 1);
    CHECK(seen[2].offset == 5'000);
    CHECK(seen[2].parts == 2);
    CHECK(batches.read(a, 0, 1'000) == one);
    CHECK(batches.read(a, 1'000, 1'000) == two);
    CHECK(batches.read(a, 2'000, 1'000) == block(0));
    CHECK(batches.read(a, 3'000, 1'000) == three);
    CHECK(batches.read(b, 5'000, 1'000) == three);
    CHECK(batches.read(b, 6'000, 1'000) == one);
}

TEST_CASE("storage_file: a batch syncs each file once, after its writes, however often it was asked") {
    const test::TemporaryDirectory directory;
    Batches batches(directory);
    const auto a = batches.create("a");
    const auto b = batches.create("b");
    const Bytes data = block(1);
    const auto done = batches.run({{.op = Op::kSync, .token = 1, .file = a}, write(2, a, 0, data),
        {.op = Op::kSync, .token = 3, .file = a}, {.op = Op::kSyncDirectory, .token = 4},
        write(5, b, 0, data), {.op = Op::kSync, .token = 6, .file = a},
        {.op = Op::kSyncDirectory, .token = 7}});
    const auto& seen = batches.engine().seen;
    REQUIRE(seen.size() == 4);
    CHECK(seen[0].kind == IoJob::Kind::kWrite);
    CHECK(seen[1].kind == IoJob::Kind::kWrite);
    CHECK(seen[2].kind == IoJob::Kind::kSyncData);
    CHECK(seen[3].kind == IoJob::Kind::kSyncAll);
    std::vector<std::uint64_t> order;
    for (const auto& completion : done) {
        CHECK(completion.ok());
        order.push_back(completion.token);
    }
    CHECK(order == std::vector<std::uint64_t>{2, 5, 1, 3, 6, 4, 7});
}

TEST_CASE("storage_file: what was moved in part or interrupted goes on where it stopped") {
    const test::TemporaryDirectory directory;
    Batches batches(directory);
    const auto file = batches.create("a");
    const Bytes one = block(1);
    const Bytes two = block(2);
    const Bytes three = block(3);
    // Ends inside the first part, on a boundary, and after an interruption.
    batches.engine().answers = {300, 700, -EINTR, 1'999, -EAGAIN};
    const auto done =
        batches.run({write(0, file, 10, one), write(1, file, 1'010, two), write(2, file, 2'010, three)});
    for (std::size_t i = 0; i < 3; ++i) {
        CHECK(done[i].ok());
        CHECK(done[i].token == i);
    }
    CHECK(batches.engine().seen.back().bytes == 1);
    CHECK(batches.engine().seen.back().offset == 3'009);

    Bytes expected = one;
    expected.insert(expected.end(), two.begin(), two.end());
    expected.insert(expected.end(), three.begin(), three.end());
    batches.engine().answers = {1, -EINTR, 1'500};
    CHECK(batches.read(file, 10, 3'000) == expected);
    CHECK(batches.engine().seen.size() == 4);
}

TEST_CASE("storage_file: a failure takes only the writes that were not done yet") {
    const test::TemporaryDirectory directory;
    Batches batches(directory);
    const auto a = batches.create("a");
    const auto b = batches.create("b");
    const Bytes data = block(1);
    batches.engine().answers = {1'200, ScriptedEngine::kAll, -ENOSPC};
    const auto done = batches.run(
        {write(0, a, 0, data), write(1, a, 1'000, data), write(2, a, 2'000, data), write(3, b, 0, data)});
    std::array<Code, 4> codes{};
    for (const auto& completion : done) {
        codes[completion.token] = completion.code;
        CHECK(completion.detail.empty() == completion.ok());
    }
    CHECK(codes == std::array<Code, 4>{Code::kOk, Code::kNoSpace, Code::kNoSpace, Code::kOk});
    batches.engine().answers = {-EIO};
    CHECK(batches.code(write(0, a, 0, data)) == Code::kIo);
    batches.engine().answers = {0};
    CHECK(batches.code(write(0, a, 0, data)) == Code::kIo);
    Bytes into(10);
    batches.engine().answers = {-EIO};
    CHECK(batches.code({.op = Op::kRead, .file = a, .into = into}) == Code::kIo);
    CHECK(batches.code(write(0, a, 0, data)) == Code::kOk);
}

TEST_CASE("storage_file: a failed sync sticks to the file, by whatever handle or name") {
    const test::TemporaryDirectory directory;
    Batches batches(directory);
    const auto a = batches.create("a");
    const auto again = batches.run({{.op = Op::kOpen, .name = "a"}}).at(0).file;
    const auto b = batches.create("b");
    batches.engine().answers = {-EIO};
    const auto failed = batches.run({{.op = Op::kSync, .file = a}, {.op = Op::kSync, .file = a}});
    CHECK(failed[0].code == Code::kIo);
    CHECK(failed[1].code == Code::kIo);
    CHECK_FALSE(failed[1].detail.empty());

    CHECK(batches.code({.op = Op::kSync, .file = a}) == Code::kIo);
    CHECK(batches.engine().seen.empty());  // the kernel is not even asked: it would say yes
    CHECK(batches.code({.op = Op::kSync, .file = again}) == Code::kIo);
    CHECK(batches.code({.op = Op::kClose, .file = a}) == Code::kOk);
    CHECK(batches.code({.op = Op::kRename, .name = "a", .new_name = "c"}) == Code::kOk);
    const auto renamed = batches.run({{.op = Op::kOpen, .name = "c"}}).at(0).file;
    CHECK(batches.code({.op = Op::kSync, .file = renamed}) == Code::kIo);
    CHECK(batches.code({.op = Op::kSync, .file = b}) == Code::kOk);

    batches.engine().answers = {-EIO};
    CHECK(batches.code({.op = Op::kSyncDirectory}) == Code::kIo);
    CHECK(batches.code({.op = Op::kSyncDirectory}) == Code::kIo);
}

TEST_CASE("storage_file: transfers go on while a file is synced, and one sync serves all who ask meanwhile") {
    const test::TemporaryDirectory directory;
    Batches batches(directory);
    const auto a = batches.create("a");
    const Bytes one = block(1);
    batches.engine().syncs_end = false;
    batches.engine().seen.clear();
    batches.begin({write(0, a, 0, one), {.op = Op::kSync, .token = 1, .file = a}});
    batches.begin({write(2, a, 1'000, one), {.op = Op::kSync, .token = 3, .file = a}});
    batches.begin({{.op = Op::kSync, .token = 4, .file = a}, {.op = Op::kClose, .token = 5, .file = a},
        {.op = Op::kClose, .token = 6, .file = a}});
    const auto meanwhile = batches.completed();
    REQUIRE(meanwhile.size() == 2);
    CHECK(meanwhile[0].token == 0);
    CHECK(meanwhile[1].token == 2);
    REQUIRE(batches.engine().seen.size() == 3);  // the second sync waits for the first

    batches.engine().syncs_end = true;
    const auto then = batches.completed();
    std::vector<std::uint64_t> order;
    for (const auto& completion : then) {
        CHECK(completion.ok() == (completion.token != 6));
        order.push_back(completion.token);
    }
    CHECK(order == std::vector<std::uint64_t>{1, 3, 4, 5, 6});
    CHECK(batches.engine().seen.size() == 4);
}

TEST_CASE("storage_file: whoever asks while a sync fails hears of it, by whatever handle") {
    const test::TemporaryDirectory directory;
    Batches batches(directory);
    const auto a = batches.create("a");
    const auto again = batches.run({{.op = Op::kOpen, .name = "a"}}).at(0).file;
    batches.engine().syncs_end = false;
    batches.begin({{.op = Op::kSync, .token = 1, .file = a}, {.op = Op::kSync, .token = 2, .file = again}});
    batches.begin({{.op = Op::kSync, .token = 3, .file = a}});
    batches.engine().syncs_end = true;
    batches.engine().answers = {-EINTR, -EIO, 0};
    for (const auto& completion : batches.completed()) {
        CAPTURE(completion.token);
        // The one that was interrupted is begun again, behind the one that fails.
        CHECK(completion.code == Code::kIo);
    }
    CHECK(batches.engine().answers.empty());
}

TEST_CASE("storage_file: a sync without room is a failed sync") {
    const test::TemporaryDirectory directory;
    Batches batches(directory);
    const auto a = batches.create("a");
    batches.engine().answers = {-ENOSPC};
    CHECK(batches.code({.op = Op::kSync, .file = a}) == Code::kIo);
    CHECK(batches.code({.op = Op::kSync, .file = a}) == Code::kIo);
}

TEST_CASE("storage_file: more parts than a call takes become several calls") {
    const test::TemporaryDirectory directory;
    SlotRing finished(2'048);
    auto* engine = new ScriptedEngine;
    Writer writer(*Directory::open(directory.path()), std::unique_ptr<IoEngine>(engine), 2'048, finished);
    std::vector<StorageSlot> slots(1'500);
    slots[0].request = {.op = Op::kCreate, .length = 1, .name = "a"};
    StorageSlot* slot = slots.data();
    writer.carry_out(std::span(&slot, 1));
    REQUIRE(finished.try_pop(slot));
    const auto file = slot->completion.file;
    const Bytes data(3, std::byte{7});
    std::vector<StorageSlot*> batch;
    for (std::size_t i = 0; i < slots.size(); ++i) {
        slots[i].request = write(i, file, i * data.size(), data);
        batch.push_back(&slots[i]);
    }
    writer.carry_out(batch);
    REQUIRE(engine->seen.size() == 2);
    CHECK(engine->seen[0].parts == IoEngine::kPartsMax);
    CHECK(engine->seen[1].parts == slots.size() - IoEngine::kPartsMax);
    std::size_t count = 0;
    while (finished.try_pop(slot)) {
        CHECK(slot->completion.ok());
        ++count;
    }
    CHECK(count == slots.size());
}

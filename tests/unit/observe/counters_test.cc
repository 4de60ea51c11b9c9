#include "observe/counters.h"

#include <limits>
#include <string>
#include <thread>
#include <vector>

#include <doctest/doctest.h>

using namespace fulmar::observe;
namespace layout = fulmar::layout;
using fulmar::base::load_le;
using fulmar::base::store_le;

namespace {

struct Buffers {
    explicit Buffers(std::size_t capacity)
        : metadata(capacity * layout::kCounterMetadataLength),
          values(capacity * layout::kCounterValueLength) {}

    [[nodiscard]] std::vector<CounterView> all() const {
        std::vector<CounterView> found;
        for_each_counter(metadata, values, [&](const CounterView& view) { found.push_back(view); });
        return found;
    }
    std::byte* record(std::int32_t id) {
        return metadata.data() + static_cast<std::size_t>(id) * layout::kCounterMetadataLength;
    }
    [[nodiscard]] std::int32_t state(std::int32_t id) {
        return load_le<std::int32_t>(record(id), layout::counter_metadata_field::kState);
    }

    std::vector<std::byte> metadata;
    std::vector<std::byte> values;
};

constexpr std::int64_t kReuseTimeoutMs = 1000;

}  // namespace

TEST_CASE("counters: what is allocated is what a reader sees") {
    Buffers buffers(4);
    CountersManager manager(buffers.metadata, buffers.values, kReuseTimeoutMs);
    CHECK(manager.capacity() == 4);
    const std::string key = "key";
    const auto counter = manager.allocate({.type_id = 7,
                                              .key = std::as_bytes(std::span(key)),
                                              .label = "a label",
                                              .registration_id = 11,
                                              .owner_id = 12,
                                              .reference_id = 13,
                                              .initial_value = 14},
        0);
    CHECK(counter.id() == 0);
    counter.increment_relaxed(2);
    const auto found = buffers.all();
    REQUIRE(found.size() == 1);
    CHECK(found[0].id == 0);
    CHECK(found[0].type_id == 7);
    CHECK(found[0].value == 16);
    CHECK(found[0].registration_id == 11);
    CHECK(found[0].owner_id == 12);
    CHECK(found[0].reference_id == 13);
    CHECK(found[0].label == "a label");
    CHECK(found[0].key.size() == 112);
    CHECK(found[0].key[2] == std::byte{'y'});
    CHECK(found[0].key[3] == std::byte{0});
    CHECK(load_le<std::int64_t>(buffers.record(0), 8) == std::numeric_limits<std::int64_t>::max());
}

TEST_CASE("counters: a freed id rests for its time, then starts afresh") {
    Buffers buffers(2);
    CountersManager manager(buffers.metadata, buffers.values, kReuseTimeoutMs);
    const std::string key = "old key";
    const auto first =
        manager.allocate({.type_id = 1, .key = std::as_bytes(std::span(key)), .label = "old label"}, 0);
    first.set_release(99);
    manager.free(first.id(), 500);
    CHECK(buffers.state(0) == layout::kCounterReclaimed);
    CHECK(load_le<std::int64_t>(buffers.record(0), 8) == 1500);
    CHECK(load_le<std::int64_t>(buffers.record(0), 16) == 0);
    CHECK_FALSE(manager.is_allocated(0));

    CHECK(manager.allocate({.label = "b"}, 1499).id() == 1);
    CHECK(manager.allocate({.label = "c"}, 1499).id() == layout::kNullCounterId);
    CHECK(buffers.all().size() == 1);
    const auto again = manager.allocate({.type_id = 2, .label = "new"}, 1500);
    CHECK(again.id() == 0);
    const auto found = buffers.all();
    REQUIRE(found.size() == 2);
    CHECK(found[0].value == 0);
    CHECK(found[0].type_id == 2);
    CHECK(found[0].label == "new");
    CHECK(manager.allocate({.label = "d"}, 9999).id() == layout::kNullCounterId);
}

TEST_CASE("counters: freed ids come back in the order they were freed, round and round") {
    Buffers buffers(3);
    CountersManager manager(buffers.metadata, buffers.values, kReuseTimeoutMs);
    for (std::int32_t id = 0; id < 3; ++id) {
        CHECK(manager.allocate({}, 0).id() == id);
    }
    std::int64_t now_ms = 0;
    for (int round = 0; round < 5; ++round) {
        for (const std::int32_t id : {2, 0, 1}) {
            manager.free(id, now_ms++);
        }
        now_ms += kReuseTimeoutMs;
        for (const std::int32_t id : {2, 0, 1}) {
            CHECK(manager.allocate({}, now_ms).id() == id);
        }
    }
}

TEST_CASE("counters: freeing twice or an id that never was changes nothing") {
    Buffers buffers(2);
    CountersManager manager(buffers.metadata, buffers.values, 0);
    const auto counter = manager.allocate({}, 0);
    for (const std::int32_t id : {-1, 1, 2, std::numeric_limits<std::int32_t>::max()}) {
        manager.free(id, 0);
    }
    CHECK(manager.is_allocated(counter.id()));
    manager.free(counter.id(), 0);
    manager.free(counter.id(), 0);
    CHECK(manager.allocate({}, 0).id() == 0);
    CHECK(manager.allocate({}, 0).id() == 1);
    CHECK(manager.allocate({}, 0).id() == layout::kNullCounterId);
}

TEST_CASE("counters: keys and labels are cut at what a record holds") {
    Buffers buffers(2);
    CountersManager manager(buffers.metadata, buffers.values, 0);
    const std::string text(1000, 'x');
    const auto counter = manager.allocate({.key = std::as_bytes(std::span(text)), .label = text}, 0);
    manager.append_to_label(counter.id(), "more");
    CHECK(buffers.all()[0].label == text.substr(0, 380));
    CHECK(buffers.state(1) == layout::kCounterUnused);
    manager.set_label(counter.id(), "short");
    manager.append_to_label(counter.id(), " and longer");
    CHECK(buffers.all()[0].label == "short and longer");
    manager.append_to_label(counter.id(), text);
    CHECK(buffers.all()[0].label.size() == 380);
    manager.append_to_label(-1, "nobody's");
}

TEST_CASE("counters: lengths and states that somebody else wrote are bounded") {
    Buffers buffers(3);
    CountersManager manager(buffers.metadata, buffers.values, 0);
    for (int i = 0; i < 3; ++i) {
        CHECK(manager.allocate({.label = "label"}, 0).id() == i);
    }
    for (const std::int32_t length :
        {-1, 381, std::numeric_limits<std::int32_t>::max(), std::numeric_limits<std::int32_t>::min()}) {
        CAPTURE(length);
        store_le(buffers.record(2), layout::counter_metadata_field::kLabelLength, length);
        CHECK(buffers.all()[2].label.size() == (length < 0 ? 0 : 380));
        manager.append_to_label(2, "suffix");
        CHECK(buffers.all()[2].label.size() <= 380);
    }
    // A stranger's state word hides a counter from readers, but does not free it.
    store_le(buffers.record(1), layout::counter_metadata_field::kState, std::int32_t{-1});
    CHECK(buffers.all().size() == 2);
    CHECK(manager.allocate({}, 0).id() == layout::kNullCounterId);
    store_le(buffers.record(1), layout::counter_metadata_field::kState, std::int32_t{0});
    CHECK(buffers.all().size() == 1);
}

TEST_CASE("counters: readers take the shorter of two buffers that do not match") {
    Buffers buffers(3);
    CountersManager manager(buffers.metadata, buffers.values, 0);
    for (int i = 0; i < 3; ++i) {
        CHECK(manager.allocate({}, 0).id() == i);
    }
    int count = 0;
    const auto values = std::span(buffers.values).first(2 * layout::kCounterValueLength + 1);
    for_each_counter(buffers.metadata, values, [&](const CounterView&) { ++count; });
    CHECK(count == 2);
    for_each_counter({}, {}, [&](const CounterView&) { ++count; });
    CHECK(count == 2);
}

TEST_CASE("counters: a handle outside the file counts into its sink") {
    Buffers buffers(1);
    const CountersManager manager(buffers.metadata, buffers.values, 0);
    CHECK(manager.counter(0).id() == 0);
    for (const std::int32_t id : {-1, 1}) {
        const auto counter = manager.counter(id);
        CHECK(counter.id() == layout::kNullCounterId);
        counter.increment_relaxed();
    }
    const Counter none;
    none.increment_shared();
    CHECK(none.id() == layout::kNullCounterId);
}

TEST_CASE("counters: proposing a maximum only ever raises") {
    Buffers buffers(1);
    CountersManager manager(buffers.metadata, buffers.values, 0);
    const auto counter = manager.allocate({}, 0);
    CHECK(counter.propose_max_release(5));
    CHECK_FALSE(counter.propose_max_release(5));
    CHECK_FALSE(counter.propose_max_release(4));
    CHECK(counter.get_acquire() == 5);
}

#include <doctest/doctest.h>

#include "fake_driver.h"
#include "fulmar/counter.h"

using namespace fulmar;
using namespace fulmar::client::test;
using layout::CommandType;

namespace {
constexpr std::int32_t kType = 7100;
}

TEST_CASE("counter: adding one sends type, key and label, and the answer makes it writable") {
    Connected at;
    const auto id = at.client->async_add_counter({kType, bytes_of("key"), "my label"}).value();
    const auto command = at.driver.take_command();
    CHECK(command.type == CommandType::kAddCounter);
    const auto add = command.as<layout::AddCounter>();
    CHECK(add.type_id == kType);
    CHECK(text_of(add.key) == "key");
    CHECK(add.label == "my label");
    const auto allocated = at.driver.allocate(kType, id);
    at.driver.send(layout::EventType::kCounterReady, layout::CounterEvent{id, allocated.id()});
    at.poll();
    const auto counter = at.client->find_counter(id).value();
    REQUIRE(counter != nullptr);
    CHECK(counter->id() == allocated.id());
    CHECK(counter->registration_id() == id);
    counter->set(5);
    counter->add(2);
    CHECK(allocated.get_acquire() == 7);
    counter->close();
    counter->set(100);
    CHECK(allocated.get_acquire() == 7);
    const auto removal = at.driver.take_command();
    CHECK(removal.type == CommandType::kRemoveCounter);
    CHECK(removal.as<layout::RemoveResource>().registration_id == id);
}

TEST_CASE("counter: a static one carries its registration and is never removed") {
    Connected at;
    const auto id = at.client->async_add_static_counter({kType, {}, "static"}, 4711).value();
    const auto command = at.driver.take_command();
    CHECK(command.type == CommandType::kAddStaticCounter);
    CHECK(command.as<layout::AddStaticCounter>().registration_id == 4711);
    const auto allocated = at.driver.allocate(kType, 4711);
    at.driver.send(layout::EventType::kStaticCounter, layout::CounterEvent{id, allocated.id()});
    at.poll();
    auto counter = at.client->find_counter(id).value();
    REQUIRE(counter != nullptr);
    CHECK(counter->is_static());
    CHECK(counter->registration_id() == 4711);
    counter.reset();
    CHECK(at.driver.take_commands().empty());
}

TEST_CASE("counter: an error of a static one keeps its code") {
    Connected at;
    const auto id = at.client->async_add_static_counter({kType, {}, "static"}, 4711).value();
    at.driver.send_error(id, ErrorCode::kStorageSpace, "full");
    at.poll();
    CHECK(at.client->find_counter(id).error().code == ErrorCode::kStorageSpace);
}

TEST_CASE("counter: an id that cannot be is an error") {
    Connected at;
    for (const std::int32_t bad : {-1, kCounterCapacity, INT32_MAX}) {
        const auto id = at.client->async_add_counter({kType, {}, "x"}).value();
        at.driver.send(layout::EventType::kCounterReady, layout::CounterEvent{id, bad});
        at.poll();
        CHECK_FALSE(at.client->find_counter(id).has_value());
    }
}

TEST_CASE("counter: comings and goings reach the handlers, and one taken away is written no more") {
    std::vector<std::int64_t> came;
    std::vector<std::int64_t> went;
    Connected at([&](ClientOptions& options) {
        options.on_available_counter = [&](std::int64_t id, std::int32_t) { came.push_back(id); };
        options.on_unavailable_counter = [&](std::int64_t id, std::int32_t) { went.push_back(id); };
    });
    const auto id = at.client->async_add_counter({kType, {}, "x"}).value();
    const auto allocated = at.driver.allocate(kType, id);
    at.driver.send(layout::EventType::kCounterReady, layout::CounterEvent{id, allocated.id()});
    at.driver.send(layout::EventType::kCounterReady, layout::CounterEvent{id + 50, 3});
    at.poll();
    const auto counter = at.client->find_counter(id).value();
    CHECK(came == std::vector{id, id + 50});
    at.driver.send(layout::EventType::kUnavailableCounter, layout::CounterEvent{id, allocated.id()});
    at.poll();
    CHECK(went == std::vector{id});
    CHECK(counter->is_closed());
    counter->set(9);
    CHECK(allocated.get_acquire() == 0);
}

TEST_CASE("counter: the next session id is asked for and answered") {
    Connected at;
    Command command;
    at.driver.on_wait = [&] {
        command = at.driver.take_command();
        at.driver.send(layout::EventType::kNextAvailableSessionId,
            layout::NextAvailableSessionId{command.correlation_id(), -77});
    };
    CHECK(at.client->next_available_session_id(kStream).value() == -77);
    CHECK(command.type == CommandType::kGetNextAvailableSessionId);
    CHECK(command.as<layout::GetNextAvailableSessionId>().stream_id == kStream);
    const auto id = at.client->async_next_available_session_id(kStream).value();
    CHECK_FALSE(at.client->find_session_id(id).value().has_value());
}

TEST_CASE("counters reader: finds, reads and lists what is allocated") {
    Connected at;
    const auto first = at.driver.allocate(kType, 1, 10);
    const auto second = at.driver.allocate(kType, 2, 20);
    const auto reader = at.client->counters();
    CHECK(reader.capacity() == kCounterCapacity);
    CHECK(reader.find(kType, 2) == second.id());
    CHECK_FALSE(reader.find(kType, 3).has_value());
    CHECK(reader.value(first.id()) == 10);
    CHECK(reader.label(first.id()) == "counter");
    CHECK(reader.type_id(first.id()) == kType);
    at.driver.counters->free(first.id(), at.driver.clock.epoch_ms());
    CHECK_FALSE(reader.is_allocated(first.id()));
    CHECK(reader.find(kType, 2) == second.id());
    std::vector<std::int64_t> values;
    reader.for_each([&](const observe::CounterView& counter) { values.push_back(counter.value); });
    CHECK(values == std::vector<std::int64_t>{20});
}

TEST_CASE("counters reader: ids and lengths out of range read as nothing") {
    Connected at;
    const auto counter = at.driver.allocate(kType, 1);
    const auto reader = at.client->counters();
    for (const std::int32_t id : {-1, kCounterCapacity, INT32_MAX, INT32_MIN}) {
        CHECK(reader.value(id) == 0);
        CHECK(reader.label(id).empty());
        CHECK(reader.key(id).empty());
        CHECK_FALSE(reader.is_allocated(id));
    }
    auto* record = at.driver.cnc.counter_metadata().data() + counter.id() * 512;
    base::store_le<std::int32_t>(record, layout::counter_metadata_field::kLabelLength, INT32_MAX);
    CHECK(reader.label(counter.id()).size() == 380);
    base::store_le<std::int32_t>(record, layout::counter_metadata_field::kLabelLength, -5);
    CHECK(reader.label(counter.id()).empty());
}

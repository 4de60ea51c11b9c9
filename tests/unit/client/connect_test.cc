#include <doctest/doctest.h>

#include "fake_driver.h"

using namespace fulmar;
using namespace fulmar::client::test;

namespace {
ErrorCode try_code(FakeDriver& driver) {
    auto client = Client::try_connect(driver.options(), driver.ports());
    return client ? ErrorCode::kNone : client.error().code;
}
}  // namespace

TEST_CASE("client: connects to a ready driver and takes an id from its ring") {
    FakeDriver driver;
    const auto before = driver.ring.next_correlation_id();
    auto client = Client::try_connect(driver.options(), driver.ports());
    REQUIRE(client);
    CHECK((*client)->client_id() == before + 1);
    CHECK((*client)->next_correlation_id() == before + 2);
    CHECK((*client)->dir() == kDir);
    CHECK_FALSE((*client)->is_closed());
}

TEST_CASE("client: without a directory the error names it and may be tried again") {
    FakeDriver driver;
    REQUIRE(driver.memory.remove(FakeDriver::cnc_path()));
    auto client = Client::try_connect(driver.options(), driver.ports());
    REQUIRE_FALSE(client);
    CHECK(client.error().code == ErrorCode::kResourceTemporarilyUnavailable);
    CHECK(client.error().message.find(kDir) != std::string::npos);
    CHECK(client.error().message.find("fulmard --dir") != std::string::npos);
}

TEST_CASE("client: a driver that is still starting may be tried again") {
    FakeDriver driver;
    auto cnc = driver.memory.open(FakeDriver::cnc_path(), true).value();
    base::store_release<std::int32_t>(cnc->bytes().data(), 0, 0);
    CHECK(try_code(driver) == ErrorCode::kResourceTemporarilyUnavailable);
}

TEST_CASE("client: another major version is refused for good") {
    FakeDriver driver;
    auto cnc = driver.memory.open(FakeDriver::cnc_path(), true).value();
    base::store_release<std::int32_t>(cnc->bytes().data(), 0, 1 << 16);
    CHECK(try_code(driver) == ErrorCode::kGeneric);
}

TEST_CASE("client: impossible section lengths are refused") {
    FakeDriver driver;
    auto cnc = driver.memory.open(FakeDriver::cnc_path(), true).value();
    for (const std::size_t offset : {4U, 8U, 12U, 16U, 20U}) {
        const auto good = base::load_le<std::int32_t>(cnc->bytes().data(), offset);
        for (const std::int32_t bad : {-1, 0, 1 << 30}) {
            base::store_le(cnc->bytes().data(), offset, bad);
            CHECK(try_code(driver) == ErrorCode::kGeneric);
        }
        base::store_le(cnc->bytes().data(), offset, good);
    }
    CHECK(try_code(driver) == ErrorCode::kNone);
}

TEST_CASE("client: a driver without a fresh heartbeat does not count") {
    FakeDriver driver;
    SUBCASE("it has shut down") {
        driver.ring.set_consumer_heartbeat_ms(-1);
    }
    SUBCASE("it never beat") {
        driver.ring.set_consumer_heartbeat_ms(0);
    }
    SUBCASE("it is silent for longer than the time-out") {
        driver.clock.advance(seconds(10) + milliseconds(1));
    }
    CHECK(try_code(driver) == ErrorCode::kResourceTemporarilyUnavailable);
}

TEST_CASE("client: connect waits for a driver that comes later") {
    FakeDriver driver;
    REQUIRE(driver.memory.remove(FakeDriver::cnc_path()));
    int waits = 0;
    driver.on_wait = [&] {
        driver.clock.advance(milliseconds(100));
        if (++waits == 5) {
            driver.start();
        }
    };
    CHECK(Client::connect(driver.options(), driver.ports()).has_value());
    CHECK(waits == 5);
}

TEST_CASE("client: connect gives up after the driver time-out") {
    FakeDriver driver;
    REQUIRE(driver.memory.remove(FakeDriver::cnc_path()));
    const Instant start = driver.clock.now();
    driver.on_wait = [&] { driver.clock.advance(milliseconds(100)); };
    auto client = Client::connect(driver.options(), driver.ports());
    REQUIRE_FALSE(client);
    CHECK(client.error().code == ErrorCode::kGeneric);
    CHECK(driver.clock.now() == start + seconds(10));
}

TEST_CASE("client: closing tells the driver, once") {
    Connected at;
    int closed = 0;
    {
        Connected watched([&](ClientOptions& options) { options.on_close = [&] { ++closed; }; });
        watched.client->close();
        watched.client->close();
        CHECK(watched.client->is_closed());
        CHECK_FALSE(watched.client->terminal_error().has_value());
        const auto command = watched.driver.take_command();
        CHECK(command.type == layout::CommandType::kClientClose);
        CHECK(command.as<layout::ClientCommand>().client_id == watched.client->client_id());
    }
    CHECK(closed == 1);
}

// What the conductor answers to commands that are wrong, foreign or not built.
#include <array>
#include <cstring>

#include "driver_harness.h"

namespace fulmar::agent {
namespace {

std::int64_t errors(const DriverCore& driver) {
    return driver.system_counters()[layout::SystemCounter::kErrors].get_relaxed();
}

std::int32_t code(ErrorCode value) {
    return static_cast<std::int32_t>(value);
}

}  // namespace

TEST_CASE("agent: a channel that cannot be is refused by its correlation id") {
    World world;
    auto driver = world.make_driver();
    RawClient client(world, *driver);
    struct Case {
        const char* channel;
        ErrorCode code;
        const char* names;
    };
    const Case cases[] = {
        {"", ErrorCode::kInvalidChannel, "channel"},
        {"aeron:tcp?endpoint=x:1", ErrorCode::kInvalidChannel, "tcp"},
        {"aeron:udp", ErrorCode::kInvalidChannel, "endpoint"},
        {"aeron:udp?endpoint=10.77.0.2:40123|mtu=33", ErrorCode::kInvalidChannel, "mtu"},
        {"aeron:udp?endpoint=10.77.0.2:40123|mtu=8k", ErrorCode::kInvalidChannel, "mtu"},
        {"aeron:udp?endpoint=10.77.0.2:40123|term-length=100k", ErrorCode::kInvalidChannel, "term-length"},
        {"aeron:udp?endpoint=10.77.0.2:0", ErrorCode::kInvalidChannel, "port"},
        {"aeron:udp?endpoint=192.168.7.7:40123", ErrorCode::kInvalidChannel, "192.168.7.7"},
        {"aeron:udp?endpoint=224.0.1.2:40123", ErrorCode::kInvalidChannel, "odd"},
        {"aeron:udp?endpoint=224.0.1.1:0", ErrorCode::kInvalidChannel, "port"},
        {"aeron:udp?endpoint=224.0.1.1:40123|control=10.77.0.1:40124", ErrorCode::kInvalidChannel, "control"},
        {"aeron:udp?endpoint=224.0.1.1:40123|control-mode=manual", ErrorCode::kInvalidChannel,
            "control-mode"},
        {"aeron:udp?endpoint=224.0.1.1:40123|interface=[::1]", ErrorCode::kInvalidChannel, "family"},
        {"aeron:udp?endpoint=224.0.1.1:40123|interface={eth0}", ErrorCode::kInvalidChannel, "eth0"},
        {"aeron:udp?endpoint=10.77.0.2:40123|control=224.0.1.1:40123", ErrorCode::kInvalidChannel, "control"},
        {"aeron:udp?endpoint=nowhere.test:40123", ErrorCode::kUnknownHost, "nowhere.test"},
        {"aeron:udp?control=10.77.0.1:40124", ErrorCode::kInvalidChannel, "control-mode"},
        {"aeron-spy:aeron:udp?endpoint=10.77.0.2:40123", ErrorCode::kInvalidChannel, "aeron-spy"},
        {"aeron:udp?endpoint=10.77.0.2:40123|interface={eth0}", ErrorCode::kInvalidChannel, "eth0"},
        {"aeron:udp?endpoint=10.77.0.2:40123|term-length=64k|init-term-id=1|term-id=2|term-offset=65568",
            ErrorCode::kInvalidChannel, "term-offset"},
    };
    std::int64_t expected_errors = 0;
    for (const Case& each : cases) {
        CAPTURE(each.channel);
        const std::int64_t correlation_id = client.add_publication(each.channel, 1001);
        const auto error = client.await_error();
        CHECK(error.offending_correlation_id == correlation_id);
        CHECK(error.error_code == code(each.code));
        CHECK(error.message.find(each.names) != std::string_view::npos);
        CHECK(errors(*driver) == ++expected_errors);
    }
    world.run({driver.get()}, milliseconds(10));
    CHECK(driver->conductor().network_publication_count() == 0);
    CHECK(driver->conductor().endpoint_count() == 0);
    layout::ErrorLogCursor cursor(driver->cnc().error_log());
    layout::ErrorRecord record;
    CHECK(cursor.next(record));
}

TEST_CASE("agent: an unknown channel key is kept unless the driver is strict") {
    World world;
    auto lenient = world.make_driver(0);
    RawClient client(world, *lenient);
    client.add_publication("aeron:udp?endpoint=10.77.0.2:40123|colour=blue", 1001);
    (void)client.await_publication();

    DriverOptions options = small_options("/strict");
    options.strict_uri = true;
    auto strict = world.make_driver(1, options);
    RawClient other(world, *strict);
    other.add_publication("aeron:udp?endpoint=10.77.0.1:40123|mtv=1408", 1001);
    const auto error = other.await_error();
    CHECK(error.error_code == code(ErrorCode::kInvalidChannel));
    CHECK(error.message.find("mtu") != std::string_view::npos);  // the suggestion
}

TEST_CASE("agent: commands about what does not exist name it") {
    World world;
    auto driver = world.make_driver();
    RawClient client(world, *driver);
    client.remove_publication(12345);
    CHECK(client.await_error().error_code == code(ErrorCode::kUnknownPublication));
    client.remove(layout::CommandType::kRemoveSubscription, 12345);
    CHECK(client.await_error().error_code == code(ErrorCode::kUnknownSubscription));
    client.remove(layout::CommandType::kRemoveCounter, 12345);
    CHECK(client.await_error().error_code == code(ErrorCode::kUnknownCounter));
    client.send(layout::CommandType::kRejectImage,
        layout::RejectImage{client.id(), client.next_id(), 12345, 0, "no"});
    CHECK(client.await_error().error_code == code(ErrorCode::kGeneric));
}

TEST_CASE("agent: a client cannot remove what belongs to another") {
    World world;
    auto driver = world.make_driver();
    RawClient owner(world, *driver);
    RawClient stranger(world, *driver);
    const std::int64_t publication = owner.add_publication("aeron:ipc", 1001);
    (void)owner.await_publication();
    stranger.forget();
    stranger.remove_publication(publication);
    CHECK(stranger.await_error().error_code == code(ErrorCode::kUnknownPublication));
    CHECK(driver->conductor().ipc_publication_count() == 1);
}

TEST_CASE("agent: malformed commands are answered where they hold a correlation id, and logged in any case") {
    World world;
    auto driver = world.make_driver();
    RawClient client(world, *driver);
    std::array<std::byte, 24> record{};
    std::memcpy(record.data() + 8, "\x55\0\0\0\0\0\0\0", 8);
    const std::int32_t length = 1'000'000;
    std::memcpy(record.data() + 20, &length, sizeof length);  // a channel beyond the record
    client.send_raw(static_cast<std::int32_t>(layout::CommandType::kAddPublication), record);
    const auto error = client.await_error();
    CHECK(error.offending_correlation_id == 0x55);
    CHECK(error.error_code == code(ErrorCode::kMalformedCommand));

    const std::int64_t before = errors(*driver);
    for (std::int32_t type = 1; type <= 0x12; ++type) {
        client.send_raw(type, std::span<const std::byte>(record).first(8));
    }
    client.send_raw(0x77, record);  // no such command
    world.run({driver.get()}, milliseconds(10));
    CHECK(errors(*driver) == before + 0x12 + 1);
    CHECK(client.count(layout::EventType::kError) == 0);
}

TEST_CASE("agent: a driver ends on request only where that is allowed") {
    World world;
    auto careful = world.make_driver(0);
    DriverOptions options = small_options("/obliging");
    options.allow_terminate = true;
    auto obliging = world.make_driver(1, options);
    for (DriverCore* driver : {careful.get(), obliging.get()}) {
        RawClient client(world, *driver);
        client.send(layout::CommandType::kTerminateDriver,
            layout::TerminateDriver{client.id(), client.next_id(), {}});
        world.run({driver}, milliseconds(2));
    }
    CHECK_FALSE(careful->terminate_requested());
    CHECK(obliging->terminate_requested());
}

TEST_CASE("agent: a command abandoned in mid-write is passed over after the client liveness time-out") {
    World world;
    auto driver = world.make_driver();
    RawClient client(world, *driver);
    const auto claim = client.ring().try_claim(1, 100);
    REQUIRE(claim.valid());
    client.send(layout::CommandType::kGetNextAvailableSessionId,
        layout::GetNextAvailableSessionId{client.id(), client.next_id(), 7});
    world.run({driver.get()}, seconds(9), milliseconds(100));
    CHECK(client.count(layout::EventType::kNextAvailableSessionId) == 0);
    world.run({driver.get()}, seconds(3), milliseconds(100));
    CHECK(client.count(layout::EventType::kNextAvailableSessionId) == 1);
    CHECK(driver->system_counters()[layout::SystemCounter::kUnblockedCommands].get_relaxed() == 1);
}

TEST_CASE("agent: a name is resolved while other work goes on") {
    World world;
    auto driver = world.make_driver();
    RawClient client(world, *driver);
    client.add_publication("aeron:udp?endpoint=second.test:40123", 1001);
    (void)client.await_publication();
    const std::size_t before = driver->conductor().endpoint_count();
    client.add_publication("aeron:udp?endpoint=10.77.0.2:40123", 1002);
    (void)client.await_publication();
    CHECK(driver->conductor().endpoint_count() == before);  // the same address, the same endpoint
}

}  // namespace fulmar::agent

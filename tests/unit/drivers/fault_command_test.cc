// The command that changes a port's faults while the driver runs.
#include <functional>
#include <string>

#include "drivers/packet_fault/fault_port.h"
#include "layout/fulmar_commands.h"
#include "layout/port_counters.h"
#include "tests/unit/agent/driver_harness.h"

namespace fulmar::agent {
namespace {

/// A port of a network that others own, for a decorator that wants to own it.
class Borrowed final : public port::PacketPort {
  public:
    explicit Borrowed(port::PacketPort& port) : port_(port) {}
    [[nodiscard]] std::string_view name() const override { return port_.name(); }
    [[nodiscard]] std::int32_t payload_max() const override { return port_.payload_max(); }
    [[nodiscard]] port::Endpoint address() const override { return port_.address(); }
    [[nodiscard]] int prefix_length() const override { return port_.prefix_length(); }
    [[nodiscard]] bool has_separate_queues() const override { return port_.has_separate_queues(); }
    [[nodiscard]] port::PacketQueue& queue(Role role) override { return port_.queue(role); }
    [[nodiscard]] Result<std::unique_ptr<port::Binding>> open(const port::BindRequest& request) override {
        return port_.open(request);
    }

  private:
    port::PacketPort& port_;
};

/// A driver with one port that may be told to fail and one that may not.
struct Fixture {
    World world;
    drivers::FaultPort faulty{std::make_unique<Borrowed>(world.network.port(0)), {}, 16};
    std::unique_ptr<DriverCore> driver;
    std::unique_ptr<RawClient> client;

    Fixture() {
        DriverParts parts;
        parts.options = small_options("/driver");
        parts.ports = {&faulty, &world.network.port(1)};
        parts.memory = &world.memory;
        parts.clock = &world.clock;
        parts.resolver = &world.resolver;
        auto created = DriverCore::create(std::move(parts));
        REQUIRE(created);
        driver = std::move(created).value();
        client = std::make_unique<RawClient>(world, *driver);
    }

    /// Empty: done; else what the driver answered.
    Error set(std::string_view port, std::string_view spec) {
        const std::int64_t id = client->next_id();
        client->send(static_cast<layout::CommandType>(layout::FulmarCommandType::kSetFault),
            layout::SetFault{client->id(), id, port, spec});
        return answer(id);
    }

    Error answer(std::int64_t id) {
        world.run({driver.get()}, milliseconds(5));
        if (client->count(layout::EventType::kError) == 0) {
            const auto done =
                client->await_as<layout::OperationSuccess>(layout::EventType::kOperationSuccess);
            CHECK(done.correlation_id == id);
            return {};
        }
        const auto error = client->await_error();
        CHECK(error.offending_correlation_id == id);
        return {static_cast<ErrorCode>(error.error_code), std::string(error.message)};
    }

    std::string shown() {
        std::string label;
        observe::for_each_counter(driver->cnc().counter_metadata(), driver->cnc().counter_values(),
            [&label](const observe::CounterView& counter) {
                if (counter.type_id == layout::counter_type::kPortFault) {
                    CHECK(label.empty());
                    CHECK(counter.value == (counter.label.ends_with(" none") ? 0 : 1));
                    label = counter.label;
                }
            });
        return label;
    }
};

}  // namespace

TEST_CASE("fault command: takes force at once, is shown, and is taken back") {
    Fixture fixture;
    const std::string name(fixture.faulty.name());
    CHECK(fixture.shown() == "port " + name + " fault none");
    CHECK(fixture.set("", "loss:0.5+seed:9").message.empty());
    CHECK(fixture.faulty.spec().loss == 0.5);
    CHECK(fixture.shown() == "port " + name + " fault loss:0.5+seed:9");
    CHECK(fixture.set(name, "none").message.empty());
    CHECK(fixture.faulty.spec() == net::FaultSpec{});
    CHECK(fixture.shown() == "port " + name + " fault none");
}

TEST_CASE("fault command: what cannot be done is answered and changes nothing") {
    Fixture fixture;
    const Error bad = fixture.set("", "loss:2");
    CHECK(bad.message.find("loss:2") != std::string::npos);
    const Error nobody = fixture.set("eth9", "loss:0.1");
    CHECK(nobody.message.find("eth9") != std::string::npos);
    CHECK(nobody.message.find(std::string(fixture.faulty.name())) != std::string::npos);
    const Error plain = fixture.set(fixture.world.network.port(1).name(), "loss:0.1");
    CHECK(plain.code == ErrorCode::kNotSupported);
    CHECK(plain.message.find("fault=none") != std::string::npos);
    CHECK(fixture.faulty.spec() == net::FaultSpec{});
}

TEST_CASE("fault command: a damaged one is answered where it names who asked") {
    Fixture fixture;
    const std::int64_t id = fixture.client->next_id();
    layout::SetFault command{fixture.client->id(), id, "", "loss:0.5"};
    std::vector<std::byte> bytes(command.encoded_length());
    REQUIRE(command.encode(bytes) == bytes.size());
    base::store_le<std::int32_t>(bytes.data(), 16, 1'000'000);
    fixture.client->send_raw(static_cast<std::int32_t>(layout::FulmarCommandType::kSetFault), bytes);
    CHECK(fixture.answer(id).code == ErrorCode::kMalformedCommand);
    CHECK(fixture.faulty.spec() == net::FaultSpec{});
}

}  // namespace fulmar::agent

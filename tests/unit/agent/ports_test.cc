// Which port carries an address.
#include "agent/port_table.h"
#include "driver_harness.h"

namespace fulmar::agent {
namespace {

/// Answers what routes are chosen by, and nothing else.
class NamedPort final : public port::PacketPort {
  public:
    NamedPort(std::string name, port::IpAddress ip, int prefix, bool separate)
        : name_(std::move(name)), ip_(ip), prefix_(prefix), separate_(separate) {}
    [[nodiscard]] std::string_view name() const override { return name_; }
    [[nodiscard]] std::int32_t payload_max() const override { return 1472; }
    [[nodiscard]] port::Endpoint address() const override { return {ip_, 0}; }
    [[nodiscard]] int prefix_length() const override { return prefix_; }
    [[nodiscard]] bool has_separate_queues() const override { return separate_; }
    [[nodiscard]] port::PacketQueue& queue(Role) override { std::abort(); }
    [[nodiscard]] Result<std::unique_ptr<port::Binding>> open(const port::BindRequest&) override {
        return fail(ErrorCode::kGeneric, "no");
    }

  private:
    std::string name_;
    port::IpAddress ip_;
    int prefix_;
    bool separate_;
};

}  // namespace

TEST_CASE("port table: the longest prefix wins, whatever the order") {
    using port::IpAddress;
    NamedPort kernel("udp", IpAddress::v4(0, 0, 0, 0), 0, true);
    NamedPort wide("wide", IpAddress::v4(10, 0, 0, 1), 8, false);
    NamedPort narrow("narrow", IpAddress::v4(10, 77, 0, 1), 24, false);
    const std::vector<std::vector<port::PacketPort*>> orders = {
        {&kernel, &wide, &narrow}, {&narrow, &wide, &kernel}, {&wide, &kernel, &narrow}};
    for (const auto& order : orders) {
        const PortTable table(order);
        CHECK(*table.route(IpAddress::v4(10, 77, 0, 9)) == &narrow);
        CHECK(*table.route(IpAddress::v4(10, 78, 0, 9)) == &wide);
        CHECK(*table.route(IpAddress::v4(127, 0, 0, 1)) == &kernel);
        CHECK(*table.route(IpAddress::v4(0, 0, 0, 0)) == &kernel);
        CHECK(table.needs_one_network_thread());
    }
    CHECK_FALSE(PortTable({&kernel}).needs_one_network_thread());
}

TEST_CASE("port table: an address no port reaches is refused with the ports there are") {
    using port::IpAddress;
    NamedPort narrow("narrow", IpAddress::v4(10, 77, 0, 1), 24, false);
    const auto missed = PortTable({&narrow}).route(IpAddress::v4(10, 78, 0, 1));
    REQUIRE_FALSE(missed);
    CHECK(missed.error().message.find("10.78.0.1") != std::string::npos);
    CHECK(missed.error().message.find("narrow") != std::string::npos);
    CHECK(PortTable({&narrow}).route(IpAddress::v4(0, 0, 0, 0)));
    const auto none = PortTable().route(IpAddress::v4(10, 78, 0, 1));
    REQUIRE_FALSE(none);
    CHECK(none.error().message.find("--port") != std::string::npos);
}

TEST_CASE("port table: an interface is a port's own address, or the system's to find") {
    using port::InterfaceQuery;
    using port::IpAddress;
    NamedPort kernel("udp", IpAddress::v4(0, 0, 0, 0), 0, true);
    NamedPort device("device", IpAddress::v4(10, 77, 0, 1), 24, false);
    const InterfaceQuery whichever{.network = IpAddress::v4(0, 0, 0, 0)};
    const InterfaceQuery network{.network = IpAddress::v4(10, 77, 0, 0), .prefix_length = 24};
    const InterfaceQuery other{.network = IpAddress::v4(10, 78, 0, 0), .prefix_length = 24};
    const IpAddress unknown;
    for (const auto& order : {std::vector<port::PacketPort*>{&kernel, &device},
             std::vector<port::PacketPort*>{&device, &kernel}}) {
        const PortTable table(order);
        CHECK(table.own_address(network) == device.address().ip);
        CHECK(table.own_address(other) == unknown);
        CHECK(table.own_address(whichever) == unknown);
        CHECK(
            table.own_address({.name = "eth0", .network = network.network, .prefix_length = 24}) == unknown);
    }
    CHECK(PortTable({&device}).own_address(whichever) == device.address().ip);
}

TEST_CASE("port table: prefixes compare bits, and families never mix") {
    using port::IpAddress;
    const auto a = IpAddress::v4(10, 77, 128, 1);
    CHECK(prefix_matches(a, IpAddress::v4(10, 77, 255, 9), 17));
    CHECK_FALSE(prefix_matches(a, IpAddress::v4(10, 77, 127, 9), 17));
    CHECK(prefix_matches(a, a, 32));
    CHECK_FALSE(prefix_matches(a, IpAddress::v4(10, 77, 128, 2), 32));
    IpAddress v6;
    v6.family = IpAddress::Family::kV6;
    CHECK_FALSE(prefix_matches(a, v6, 0));
}

}  // namespace fulmar::agent

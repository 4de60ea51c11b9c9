#include "config/port_spec.h"

#include <string>

#include <doctest/doctest.h>

using namespace fulmar;
using namespace fulmar::config;

TEST_CASE("config: each device is read with its name") {
    struct Row {
        const char* text;
        DeviceKind kind;
        const char* device;
        const char* ip;
    };
    for (const Row& row : {Row{"udp", DeviceKind::kUdp, "", "none"},
             Row{"udp,ip=127.0.0.1/8", DeviceKind::kUdp, "", "127.0.0.1"},
             Row{"udp,ip=0.0.0.0/0", DeviceKind::kUdp, "", "0.0.0.0"},
             Row{"pci:0000:3b:00.0,ip=10.0.0.1/24", DeviceKind::kPci, "0000:3b:00.0", "10.0.0.1"},
             Row{"pci:3B:00.7,ip=10.0.0.1/24", DeviceKind::kPci, "3B:00.7", "10.0.0.1"},
             Row{"af_packet:veth0,ip=10.0.0.1/24", DeviceKind::kAfPacket, "veth0", "10.0.0.1"},
             Row{"af_xdp:eth1.12,ip=[x", DeviceKind::kAfXdp, nullptr, nullptr},
             Row{"af_xdp:eth1.12,ip=fd00::1/64", DeviceKind::kAfXdp, "eth1.12", "fd00::1"},
             Row{"memif:server:/run/a.sock", DeviceKind::kMemifServer, "/run/a.sock", "10.77.0.2"},
             Row{"memif:client:/run/a.sock", DeviceKind::kMemifClient, "/run/a.sock", "10.77.0.1"},
             Row{"memif:client:/run/a.sock,ip=10.1.0.9/16", DeviceKind::kMemifClient, "/run/a.sock",
                 "10.1.0.9"},
             Row{"tap:fulmar0,ip=10.0.0.1/24", DeviceKind::kTap, "fulmar0", "10.0.0.1"},
             Row{"ring:r0", DeviceKind::kRing, "r0", "10.77.0.1"},
             Row{"ring:", DeviceKind::kRing, "", "10.77.0.1"},
             Row{"null:", DeviceKind::kNull, "", "10.77.0.1"},
             Row{"vdev:[net_pcap0,rx_pcap=a,tx_pcap=b],ip=10.0.0.1/24", DeviceKind::kVdev,
                 "net_pcap0,rx_pcap=a,tx_pcap=b", "10.0.0.1"},
             Row{"vdev:net_null0,ip=10.0.0.1/24", DeviceKind::kVdev, "net_null0", "10.0.0.1"}}) {
        CAPTURE(std::string(row.text));
        const auto spec = parse_port_spec(row.text);
        if (row.device == nullptr) {
            CHECK_FALSE(spec.has_value());
            continue;
        }
        REQUIRE(spec.has_value());
        CHECK(spec->kind == row.kind);
        CHECK(spec->device == row.device);
        CHECK(port::to_string(spec->ip) == row.ip);
        CHECK(spec->text == row.text);
    }
}

TEST_CASE("config: the options of a port arrive typed") {
    const auto spec = parse_port_spec(
        "pci:0000:3b:00.0,ip=10.0.0.1/"
        "24,gw=10.0.0.254,mtu=9000,queues=2,csum=off,fault=loss:0.01+delay:50us+seed:7");
    REQUIRE(spec.has_value());
    CHECK(spec->prefix_length == 24);
    CHECK(port::to_string(spec->gateway) == "10.0.0.254");
    CHECK(spec->mtu == 9000);
    CHECK(spec->queues == 2);
    CHECK(spec->checksum == ChecksumMode::kOff);
    CHECK(spec->fault == "loss:0.01+delay:50us+seed:7");
    const auto plain = parse_port_spec("null:");
    CHECK(plain->mtu == 0);
    CHECK(plain->queues == 0);
    CHECK(plain->prefix_length == 24);
    CHECK(plain->checksum == ChecksumMode::kAuto);
    CHECK(plain->gateway.family == port::IpAddress::Family::kNone);
}

TEST_CASE("config: a port that cannot be is refused with what to write instead") {
    struct Row {
        const char* text;
        const char* says;
    };
    const Row rows[] = {
        {"", "1 to 4096 characters"},
        {",", "ends in a comma"},
        {"udp,", "ends in a comma"},
        {"upd", "did you mean 'udp'?"},
        {"afpacket:veth0", "did you mean 'af_packet:'?"},
        {"af_xpd:eth1,ip=10.0.0.1/24", "did you mean 'af_xdp:'?"},
        {"eth0", "known: udp pci:"},
        {"memif:/run/a", "memif:server:/path or memif:client:/path"},
        {"memif:server:run/a", "absolute path"},
        {"memif:server:", "absolute path"},
        {"pci:", "domain:bus:device.function"},
        {"pci:3b:00,ip=10.0.0.1/24", "domain:bus:device.function"},
        {"pci:3b:00.8,ip=10.0.0.1/24", "domain:bus:device.function"},
        {"pci:0000:3b:0g.0,ip=10.0.0.1/24", "domain:bus:device.function"},
        {"pci:0000;3b:00.0,ip=10.0.0.1/24", "domain:bus:device.function"},
        {"pci:3b:00.0", "add ,ip="},
        {"af_packet:veth0", "add ,ip="},
        {"tap:t", "add ,ip="},
        {"vdev:[net_null0]", "add ,ip="},
        {"af_packet:,ip=10.0.0.1/24", "1 to 15 characters"},
        {"af_packet:sixteen-letters-,ip=10.0.0.1/24", "1 to 15 characters"},
        {"af_packet:../x,ip=10.0.0.1/24", "1 to 15 characters"},
        {"null:x", "takes no name"},
        {"ring:sixteen-letters-", "longer than 15"},
        {"vdev:,ip=10.0.0.1/24", "needs a device string"},
        {"vdev:[],ip=10.0.0.1/24", "needs a device string"},
        {"vdev:[a,b", "closing ]"},
        {"vdev:[a]b", "follows the ]"},
        {"null:,ip=10.0.0.1", "address/length"},
        {"null:,ip=10.0.0.1/33", "address/length"},
        {"null:,ip=host/24", "address/length"},
        {"null:,ip=0.0.0.0/0", "no address a host can have"},
        {"null:,ip=224.0.0.1/24", "no address a host can have"},
        {"null:,ip=10.0.0.1/24,gw=10.0.1.1", "no other host of the network"},
        {"null:,ip=10.0.0.1/24,gw=10.0.0.1", "no other host of the network"},
        {"null:,ip=10.0.0.1/24,gw=fe80::1", "no other host of the network"},
        {"null:,gw=x", "address of a router"},
        {"null:,mtu=575", "576 to 65535"},
        {"null:,mtu=65536", "576 to 65535"},
        {"null:,mtu=9k", "576 to 65535"},
        {"null:,queues=0", "1 to 64"},
        {"null:,queues=65", "1 to 64"},
        {"null:,csum=yes", "auto, on or off"},
        {"null:,fault=", "needs a model"},
        {"null:,mut=9000", "did you mean 'mtu'?"},
        {"null:,mtu", "not key=value"},
        {"null:,=1", "not key=value"},
        {"null:,,mtu=9000", "not key=value"},
        {"null:,mtu=9000,mtu=9000", "given twice"},
        {"udp,queues=2", "kernel's business"},
        {"udp,csum=on", "kernel's business"},
    };
    for (const Row& row : rows) {
        CAPTURE(std::string(row.text));
        const auto spec = parse_port_spec(row.text);
        REQUIRE_FALSE(spec.has_value());
        CAPTURE(spec.error().message);
        CHECK(spec.error().message.find(row.says) != std::string::npos);
        CHECK(spec.error().message.find("port '") == 0);
        CHECK(spec.error().message.find('\n') == std::string::npos);
    }
    CHECK_FALSE(parse_port_spec("null:,fault=" + std::string(5000, 'x')).has_value());
}

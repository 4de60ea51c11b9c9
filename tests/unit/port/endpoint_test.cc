#include "port/endpoint.h"

#include <string>

#include <doctest/doctest.h>

using fulmar::port::Endpoint;
using fulmar::port::IpAddress;
using fulmar::port::parse_endpoint;
using fulmar::port::parse_ip;
using fulmar::port::to_string;

TEST_CASE("port: an IPv4 address survives text and back") {
    for (const char* text : {"0.0.0.0", "10.0.0.1", "192.168.255.9", "255.255.255.255", "224.0.1.1"}) {
        CAPTURE(std::string(text));
        const auto ip = parse_ip(text);
        REQUIRE(ip.has_value());
        CHECK(ip->is_v4());
        CHECK(to_string(*ip) == text);
    }
    CHECK(parse_ip("10.1.2.3")->to_v4() == 0x0A010203);
    CHECK(parse_ip("0.0.0.0")->is_any());
    CHECK(parse_ip("239.1.1.1")->is_multicast());
    CHECK_FALSE(parse_ip("223.1.1.1")->is_multicast());
}

TEST_CASE("port: text that is no address is refused") {
    for (const char* text :
        {"", ".", "1", "1.2.3", "1.2.3.4.5", "1.2.3.256", "1.2.3.", ".1.2.3", "1..2.3", "01.2.3.4",
            "1.2.3.4 ", " 1.2.3.4", "1.2.3.-4", "1.2.3.+4", "a.b.c.d", "1.2.3.4294967297", "host", ":",
            ":::", "1::2::3", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", "12345::", "::g", "1:2:3:4:5:6:7::8",
            "::1.2.3", "::1.2.3.4:5", "1.2.3.4::", "[::1]", "::1%eth0", ":1:2:3:4:5:6:7", "1:2:3:4:5:6:7:"}) {
        CAPTURE(std::string(text));
        CHECK_FALSE(parse_ip(text).has_value());
    }
}

TEST_CASE("port: an IPv6 address is written in its canonical form") {
    struct Row {
        const char* text;
        const char* canonical;
    };
    for (const Row& row : {Row{"::", "::"}, Row{"::1", "::1"}, Row{"1::", "1::"},
             Row{"0:0:0:0:0:0:0:1", "::1"}, Row{"FE80:0:0:0:0202:B3FF:FE1E:8329", "fe80::202:b3ff:fe1e:8329"},
             Row{"2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"}, Row{"1:0:2:3:4:5:6:7", "1:0:2:3:4:5:6:7"},
             Row{"1:2:3:4:5:6::8", "1:2:3:4:5:6:0:8"}, Row{"::ffff:10.0.0.1", "::ffff:a00:1"},
             Row{"1:2:3:4:5:6:0:0", "1:2:3:4:5:6::"}, Row{"ff02::1", "ff02::1"},
             Row{"1:2:3:4:5:6:1.2.3.4", "1:2:3:4:5:6:102:304"}}) {
        CAPTURE(std::string(row.text));
        const auto ip = parse_ip(row.text);
        REQUIRE(ip.has_value());
        CHECK(ip->family == IpAddress::Family::kV6);
        CHECK(to_string(*ip) == row.canonical);
        CHECK(parse_ip(row.canonical) == ip);
    }
    CHECK(parse_ip("ff02::1")->is_multicast());
    CHECK(parse_ip("::")->is_any());
}

TEST_CASE("port: an endpoint is an address and a port") {
    for (const char* text : {"10.0.0.1:40123", "0.0.0.0:0", "[::1]:40123", "[2001:db8::1]:65535"}) {
        CAPTURE(std::string(text));
        const auto endpoint = parse_endpoint(text);
        REQUIRE(endpoint.has_value());
        CHECK(endpoint->valid());
        CHECK(to_string(*endpoint) == text);
    }
    CHECK(parse_endpoint("10.0.0.1:40123") == Endpoint{IpAddress::v4(10, 0, 0, 1), 40123});
}

TEST_CASE("port: a malformed endpoint is refused") {
    for (const char* text : {"", ":", "10.0.0.1", "10.0.0.1:", ":40123", "10.0.0.1:65536", "10.0.0.1:-1",
             "10.0.0.1:+1", "10.0.0.1:1x", "10.0.0.1: 1", "[10.0.0.1]:1", "::1:40123", "[::1]", "[::1]40123",
             "[::1:40123", "::1]:40123", "localhost:40123", "10.0.0.1:040"}) {
        CAPTURE(std::string(text));
        CHECK_FALSE(parse_endpoint(text).has_value());
    }
}

TEST_CASE("port: an empty endpoint is not valid and says so") {
    CHECK_FALSE(Endpoint{}.valid());
    CHECK(to_string(IpAddress{}) == "none");
}

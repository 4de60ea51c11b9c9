#include <string>

#include <doctest/doctest.h>

#include "config/channel_params.h"

using namespace fulmar;
using namespace fulmar::config;

namespace {

ChannelParams parsed(const std::string& text) {
    auto result = parse_channel(text);
    CAPTURE(text);
    if (!result) {
        FAIL_CHECK(result.error().message);
        return {};
    }
    return *result;
}

std::string error_of(const std::string& text) {
    const auto result = parse_channel(text);
    if (result) {
        return "accepted";
    }
    CHECK(result.error().code == ErrorCode::kInvalidChannel);
    CHECK(result.error().message.find('\n') == std::string::npos);
    return result.error().message;
}

const std::string kUdp = "aeron:udp?endpoint=localhost:40123";

}  // namespace

TEST_CASE("config: a channel without parameters is its media") {
    CHECK(parsed("aeron:ipc").is_ipc());
    CHECK_FALSE(parsed(kUdp).is_ipc());
    CHECK(parsed("aeron-spy:aeron:ipc").is_spy);
}

TEST_CASE("config: malformed channels are refused with what is wrong") {
    struct Row {
        std::string text;
        const char* says;
    };
    const Row rows[] = {
        {"", "does not begin with aeron:"},
        {"aeron", "does not begin with aeron:"},
        {"udp?endpoint=a:1", "does not begin with aeron:"},
        {"aeron-spy:udp", "does not begin with aeron:"},
        {"aeron-spy:aeron-spy:aeron:ipc", "does not begin with aeron:"},
        {" aeron:ipc", "does not begin with aeron:"},
        {"aeron:", "media ''"},
        {"aeron:tcp?endpoint=a:1", "media 'tcp'"},
        {"aeron:UDP?endpoint=a:1", "media 'UDP'"},
        {"aeron:udp?", "not key=value"},
        {"aeron:udp?endpoint", "not key=value"},
        {"aeron:udp?=a:1", "not key=value"},
        {"aeron:udp?endpoint=a:1|", "not key=value"},
        {"aeron:udp?endpoint=a:1||mtu=1408", "not key=value"},
        {"aeron:ipc?alias=a\nb", "control character"},
        {std::string("aeron:ipc?alias=a\0b", 19), "control character"},
        {"aeron:udp", "needs an endpoint"},
        {"aeron:udp?mtu=1408", "needs an endpoint"},
        {"aeron:ipc?alias=" + std::string(4080, 'x'), "4096 characters"},
    };
    for (const Row& row : rows) {
        CAPTURE(std::string(row.text));
        CHECK(error_of(row.text).find(row.says) != std::string::npos);
    }
    CHECK(ChannelUri::parse("aeron:ipc?alias=" + std::string(4079, 'x')).has_value());
}

TEST_CASE("config: a value out of its limits is refused by key, value and limit") {
    struct Row {
        const char* param;
        const char* says;
    };
    const Row rows[] = {
        {"endpoint=a", "misses the port"},
        {"endpoint=:1", "neither a name nor an address"},
        {"endpoint=a:65536", "0 to 65535"},
        {"endpoint=a:-1", "0 to 65535"},
        {"endpoint=a:", "0 to 65535"},
        {"endpoint=::1:40123", "neither a name"},
        {"endpoint=[::1]", "misses the port"},
        {"endpoint=[::1:40123", "closing ]"},
        {"endpoint=[host]:1", "neither a name"},
        {"endpoint=a b:1", "neither a name"},
        {"endpoint=", "neither a name"},
        {"interface=", "neither a name"},
        {"interface=10.0.0.1/33", "0 to 32"},
        {"interface=[::1]/129", "0 to 128"},
        {"interface=10.0.0.1/", "0 to 32"},
        {"interface=10.0.0.1:70000", "0 to 65535"},
        {"interface={}", "{name}"},
        {"interface={eth0", "{name}"},
        {"control=host", "misses the port"},
        {"control-mode=auto", "dynamic, manual or response"},
        {"tags=", "64 bits"},
        {"tags=a", "64 bits"},
        {"tags=1,b", "64 bits"},
        {"session-id=x", "-2147483648 to 2147483647"},
        {"session-id=2147483648", "-2147483648 to 2147483647"},
        {"session-id=tag:", "64 bits"},
        {"term-length=63k", "64k to 1g"},
        {"term-length=2g", "64k to 1g"},
        {"term-length=100000", "power of two"},
        {"term-length=", "length in bytes"},
        {"mtu=0", "64 to 65504"},
        {"mtu=32", "64 to 65504"},
        {"mtu=65536", "64 to 65504"},
        {"mtu=1400", "multiple of 32"},
        {"mtu=-1408", "length in bytes"},
        {"ttl=256", "0 to 255"},
        {"ttl=-1", "0 to 255"},
        {"linger=-5s", "duration"},
        {"linger=5m", "duration"},
        {"reliable=maybe", "true or false"},
        {"reliable=", "true or false"},
        {"eos=1", "true or false"},
        {"init-term-id=1", "all three or none"},
        {"term-id=1|term-offset=0", "all three or none"},
        {"init-term-id=1|term-id=1|term-offset=31", "term-offset=31: must be a multiple of 32"},
        {"init-term-id=1|term-id=1|term-offset=-32", "term-offset=-32: must be a multiple of 32"},
        {"init-term-id=1|term-id=1|term-offset=65568|term-length=64k", "0 to 65536"},
        {"init-term-id=1|term-id=0|term-offset=0", "lies before"},
        {"max-resend=0", "1 to 256"},
        {"max-resend=257", "1 to 256"},
        {"pub-wnd=63", "64 to 512m"},
        {"pub-wnd=1g", "64 to 512m"},
        {"pub-wnd=64k|term-length=64k", "half of term-length"},
        {"pub-wnd=1k|mtu=8k", "at least mtu"},
        {"rcv-wnd=1k|mtu=8k", "at least mtu"},
        {"so-rcvbuf=2g", "0 to 2147483647"},
        {"so-sndbuf=x", "length in bytes"},
        {"nak-delay=fast", "duration"},
        {"fc=maximum", "max, min or tagged"},
        {"fc=min,x:1", "t:, g: or rrwm:"},
        {"fc=min,t:", "duration"},
        {"fc=tagged,g:a", "64 bits"},
        {"fc=min,g:/x", "0 to"},
        {"fc=min,", "t:, g: or rrwm:"},
        {"cc=bbr", "static or cubic"},
        {"gtag=x", "64 bits"},
        {"response-correlation-id=x", "64 bits"},
        {"media-rcv-ts-offset=x", "0 to"},
        {"stream-id=x", "-2147483648"},
        {"untethered-linger-timeout=x", "duration"},
    };
    for (const Row& row : rows) {
        CAPTURE(std::string(row.param));
        const std::string text = std::string("aeron:udp?endpoint=a:1|") + row.param;
        const std::string error = error_of(text);
        CHECK(error.find(row.says) != std::string::npos);
        CHECK(error.find("channel key") == 0);
        const std::string param(row.param);
        if (param.find('|') == std::string::npos) {
            const std::string key = param.substr(0, param.find('='));
            CHECK(error.find(key) != std::string::npos);
        }
    }
}

TEST_CASE("config: every value arrives typed") {
    const auto p =
        parsed(kUdp +
               "|interface=10.0.0.1:5000/24|session-id=-7|init-term-id=2147483647|term-id=-2147483648|"
               "term-offset=64|term-length=64k|mtu=8k|ttl=4|linger=0|reliable=false|sparse=true|alias=a=b|"
               "eos=false|tether=true|group=true|rejoin=false|ssc=false|so-sndbuf=1m|so-rcvbuf=2m|"
               "rcv-wnd=32k|pub-wnd=16k|nak-delay=10us|max-resend=32|stream-id=1001|cc=static|"
               "fc=tagged,g:7/3,t:5s,rrwm:4|untethered-resting-timeout=1s");
    CHECK(p.endpoint == HostPort{"localhost", 40123});
    REQUIRE(p.network_interface.has_value());
    CHECK(p.network_interface->host == "10.0.0.1");
    CHECK(p.network_interface->port == 5000);
    CHECK(p.network_interface->prefix_length == 24);
    CHECK(p.session_id == -7);
    REQUIRE(p.initial_position.has_value());
    CHECK(p.initial_position->initial_term_id == INT32_MAX);
    CHECK(p.initial_position->term_id == INT32_MIN);
    CHECK(p.initial_position->term_offset == 64);
    CHECK(p.term_length == 65536);
    CHECK(p.mtu == 8192);
    CHECK(p.ttl == 4);
    CHECK(p.linger == Duration{0});
    CHECK(p.reliable == false);
    CHECK(p.sparse == true);
    CHECK(p.alias == "a=b");
    CHECK(p.eos == false);
    CHECK(p.group == true);
    CHECK(p.rejoin == false);
    CHECK(p.socket_sndbuf_length == 1 << 20);
    CHECK(p.socket_rcvbuf_length == 2 << 20);
    CHECK(p.receiver_window_length == 32768);
    CHECK(p.publication_window_length == 16384);
    CHECK(p.nak_delay == microseconds(10));
    CHECK(p.max_resend == 32);
    CHECK(p.stream_id == 1001);
    CHECK(p.congestion_control == CongestionControlKind::kStatic);
    CHECK(p.flow_control.kind == FlowControlKind::kTagged);
    CHECK(p.flow_control.group_tag == 7);
    CHECK(p.flow_control.group_min_size == 3);
    CHECK(p.flow_control.receiver_timeout == seconds(5));
    CHECK(p.flow_control.retransmit_window_multiple == 4);
    CHECK(p.untethered_resting_timeout == seconds(1));
    CHECK(p.unsupported.empty());
    CHECK(p.unknown.empty());
    CHECK(check_supported(p).has_value());
    CHECK(check_strict(p).has_value());
}

TEST_CASE("config: nothing given leaves everything to the driver") {
    const auto p = parsed("aeron:ipc");
    CHECK_FALSE((p.endpoint || p.mtu || p.term_length || p.session_id || p.linger || p.reliable || p.tether ||
                 p.group));
    CHECK(p.flow_control.kind == FlowControlKind::kDefault);
}

TEST_CASE("config: hosts are kept as text") {
    CHECK(parsed("aeron:udp?endpoint=[fe80::1%eth0]:40123").endpoint->text() == "[fe80::1%eth0]:40123");
    CHECK(parsed("aeron:udp?endpoint=node-1.example_a:0").endpoint->text() == "node-1.example_a:0");
    CHECK(parsed(kUdp + "|interface={eth0.12}").network_interface->is_name);
    CHECK(parsed(kUdp + "|interface=[::1]:1/64").network_interface->prefix_length == 64);
    CHECK(parsed(kUdp + "|interface=localhost").network_interface->prefix_length == -1);
}

TEST_CASE("config: what is not built yet is listed by name, not ignored") {
    struct Row {
        std::string text;
        const char* listed;
    };
    const Row rows[] = {
        {kUdp + "|ats=true", "ats=true"},
        {kUdp + "|cc=cubic", "cc=cubic"},
        {kUdp + "|media-rcv-ts-offset=reserved", "media-rcv-ts-offset=reserved"},
        {kUdp + "|channel-rcv-ts-offset=0", "channel-rcv-ts-offset=0"},
        {kUdp + "|channel-snd-ts-offset=8", "channel-snd-ts-offset=8"},
    };
    for (const Row& row : rows) {
        CAPTURE(std::string(row.text));
        const auto status = check_supported(parsed(row.text));
        REQUIRE_FALSE(status.has_value());
        CHECK(status.error().code == ErrorCode::kNotSupported);
        CHECK(status.error().message.find(row.listed) != std::string::npos);
    }
    CHECK(check_supported(parsed(kUdp + "|fc=min|gtag=5|ats=false|ssc=true")).has_value());
    CHECK(check_supported(parsed("aeron:udp?control=a:1|control-mode=dynamic|fc=tagged,g:7")).has_value());
    CHECK(check_supported(parsed("aeron-spy:" + kUdp)).has_value());
}

TEST_CASE("config: keys nobody knows are kept apart, and refused only on request") {
    const auto p = parsed(kUdp + "|endpont=x|my-key=|mt=1");
    CHECK(p.unknown == std::vector<std::string>{"endpont", "my-key", "mt"});
    CHECK(check_supported(p).has_value());
    const auto status = check_strict(p);
    REQUIRE_FALSE(status.has_value());
    CHECK(status.error().code == ErrorCode::kInvalidChannel);
    CHECK(status.error().message == "channel key 'endpont' is unknown, did you mean 'endpoint'?");
}

TEST_CASE("config: the last of a repeated key counts") {
    CHECK(parsed(kUdp + "|mtu=1408|mtu=4096").mtu == 4096);
    CHECK(ChannelUri::parse("aeron:ipc?a=1|a=2")->params().size() == 1);
    CHECK(ChannelUri::parse("aeron:ipc?a=1|a=2")->find("a") == "2");
    CHECK_FALSE(ChannelUri::parse("aeron:ipc?ab=1")->find("a").has_value());
}

TEST_CASE("config: a channel's keys may be set, replaced and taken away") {
    auto uri = ChannelUri::parse("aeron-spy:aeron:udp?mtu=1408|endpoint=a:1|mtu=4096").value();
    CHECK(uri.text() == "aeron-spy:aeron:udp?mtu=4096|endpoint=a:1");
    uri.set("endpoint", "b:2");
    uri.set("session-id", "7");
    CHECK(uri.text() == "aeron-spy:aeron:udp?mtu=4096|endpoint=b:2|session-id=7");
    uri.erase("mtu");
    uri.erase("nothing");
    CHECK(uri.text() == "aeron-spy:aeron:udp?endpoint=b:2|session-id=7");
    CHECK(ChannelUri::parse(uri.text())->text() == uri.text());
    uri.erase("endpoint");
    uri.erase("session-id");
    CHECK(uri.text() == "aeron-spy:aeron:udp");
}

TEST_CASE("config: equal channels have equal canonical text") {
    const auto a = ChannelUri::parse("aeron-spy:aeron:udp?mtu=1408|endpoint=a:1|x=");
    const auto b = ChannelUri::parse("aeron-spy:aeron:udp?x=|endpoint=a:1|mtu=1408");
    CHECK(a->canonical() == "aeron-spy:aeron:udp?endpoint=a:1|mtu=1408|x=");
    CHECK(a->canonical() == b->canonical());
    CHECK(ChannelUri::parse(a->canonical())->canonical() == a->canonical());
    CHECK(ChannelUri::parse("aeron:ipc")->canonical() == "aeron:ipc");
}

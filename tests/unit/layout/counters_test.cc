#include "layout/counters.h"

#include <algorithm>
#include <initializer_list>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "base/bytes.h"
#include "layout/counter_keys.h"
#include "tests/unit/golden.h"

using namespace fulmar::layout;
using fulmar::base::load_le;

namespace {

/// One record of the recorded counters metadata.
struct Recorded {
    explicit Recorded(std::size_t id) {
        const auto all = fulmar::test::golden_shm("counters_metadata");
        REQUIRE(all.size() >= (id + 1) * kCounterMetadataLength);
        const auto begin = all.begin() + static_cast<std::ptrdiff_t>(id * kCounterMetadataLength);
        bytes.assign(begin, begin + kCounterMetadataLength);
    }
    [[nodiscard]] std::string label() const {
        const auto length = load_le<std::int32_t>(bytes.data(), counter_metadata_field::kLabelLength);
        return {reinterpret_cast<const char*>(bytes.data()) + counter_metadata_field::kLabel,
            static_cast<std::size_t>(length)};
    }
    [[nodiscard]] std::int32_t type_id() const {
        return load_le<std::int32_t>(bytes.data(), counter_metadata_field::kTypeId);
    }
    [[nodiscard]] bool has_key(const CounterKey& key) const {
        return std::equal(key.bytes.begin(), key.bytes.end(), bytes.begin() + counter_metadata_field::kKey);
    }

    std::vector<std::byte> bytes;
};

}  // namespace

TEST_CASE("counters: each system counter has the label that tools expect, at its id") {
    for (std::int32_t id = 0; id < static_cast<std::int32_t>(SystemCounter::kCount); ++id) {
        CAPTURE(id);
        const Recorded recorded(static_cast<std::size_t>(id));
        const auto label = system_counter_label(static_cast<SystemCounter>(id));
        REQUIRE_FALSE(label.empty());
        CHECK(recorded.type_id() == counter_type::kSystem);
        CHECK(recorded.has_key(system_counter_key(id)));
        // A driver appends ": ..." to some: version, threading mode, thresholds.
        const std::string text = recorded.label();
        CHECK((text == label || text.rfind(std::string(label) + ": ", 0) == 0));
    }
    CHECK(system_counter_label(SystemCounter::kCount).empty());
    CHECK(system_counter_label(static_cast<SystemCounter>(-1)).empty());
}

TEST_CASE("counters: stream counters have the recorded keys and labels") {
    const std::string publication_channel =
        "aeron:udp?endpoint=127.0.0.1:24201|session-id=287454020|term-length=64k|mtu=1408|linger=1s";
    const std::string channel = "aeron:udp?endpoint=127.0.0.1:24201";
    struct Row {
        std::size_t id;
        std::int32_t type_id;
        std::string_view name;
        std::int64_t registration_id;
        std::string_view channel;
    };
    for (const Row& row : std::initializer_list<Row>{
             {51, counter_type::kPublisherPosition, counter_name::kPublisherPositionConcurrent, 3,
                 publication_channel},
             {52, counter_type::kPublisherLimit, counter_name::kPublisherLimit, 3, publication_channel},
             {53, counter_type::kSenderPosition, counter_name::kSenderPosition, 3, publication_channel},
             {54, counter_type::kSenderLimit, counter_name::kSenderLimit, 3, publication_channel},
             {55, counter_type::kSenderBackPressure, counter_name::kSenderBackPressure, 3,
                 publication_channel},
             {56, counter_type::kSenderNaksReceived, counter_name::kSenderNaksReceived, 3,
                 publication_channel},
             {57, counter_type::kReceiverHwm, counter_name::kReceiverHwm, 4, channel},
             {58, counter_type::kReceiverPosition, counter_name::kReceiverPosition, 4, channel},
             {59, counter_type::kReceiverNaksSent, counter_name::kReceiverNaksSent, 4, channel},
         }) {
        CAPTURE(row.id);
        const Recorded recorded(row.id);
        CHECK(recorded.type_id() == row.type_id);
        CHECK(recorded.has_key(stream_counter_key(row.registration_id, 287454020, 1001, row.channel)));
        CHECK(recorded.label() ==
              stream_counter_label(row.name, row.registration_id, 287454020, 1001, row.channel).view());
    }
    const Recorded position(74);
    const std::string other = "aeron:udp?endpoint=127.0.0.1:24202";
    CHECK(position.label() == subscriber_position_label(5, 287454021, 1002, other, 135168).view());
    CHECK(position.has_key(stream_counter_key(5, 287454021, 1002, other)));
    const Recorded ipc(77);
    CHECK(ipc.label() == subscriber_position_label(8, -1190667026, 1003, "aeron:ipc", 0).view());
}

TEST_CASE("counters: a channel longer than the key is cut there as recorded") {
    const std::string channel =
        "aeron:udp?endpoint=127.0.0.1:24202|session-id=287454021|init-term-id=7|term-id=9|term-offset=4096|"
        "term-length=64k|mtu=1408|linger=1s";
    REQUIRE(channel.size() > kStreamKeyChannelMax);
    CHECK(Recorded(66).has_key(stream_counter_key(6, 287454021, 1002, channel)));
    CHECK(Recorded(63).has_key(channel_status_key(channel)));
}

TEST_CASE("counters: channel status, local address and heartbeat have the recorded keys and labels") {
    const std::string channel = "aeron:udp?endpoint=127.0.0.1:24201";
    const Recorded status(46);
    CHECK(status.type_id() == counter_type::kReceiveChannelStatus);
    CHECK(status.has_key(channel_status_key(channel)));
    CHECK(status.label() ==
          channel_status_label(counter_name::kReceiveChannelStatus, channel, "127.0.0.1:24201").view());
    CHECK(channel_status_label("snd-channel", channel).view() == "snd-channel: " + channel);

    const Recorded address(47);
    CHECK(address.type_id() == counter_type::kLocalSockaddr);
    CHECK(address.has_key(local_sockaddr_key(46, "127.0.0.1:24201")));
    CHECK(address.label() ==
          local_sockaddr_label(counter_name::kReceiveLocalSockaddr, 46, "127.0.0.1:24201").view());

    const Recorded heartbeat(48);
    CHECK(heartbeat.type_id() == counter_type::kClientHeartbeat);
    CHECK(heartbeat.has_key(client_heartbeat_key(1)));
    CHECK(heartbeat.label().rfind(std::string(client_heartbeat_label(1).view()) + " name=", 0) == 0);
}

TEST_CASE("counters: texts longer than their place are cut, never overrun") {
    const std::string text(5000, 'x');
    const auto stream = stream_counter_key(1, 2, 3, text);
    CHECK(load_le<std::int32_t>(stream.bytes.data(), 16) == 92);
    CHECK(stream.span().size() == 112);
    CHECK(load_le<std::int32_t>(channel_status_key(text).bytes.data(), 0) == 108);
    const auto address = local_sockaddr_key(9, text);
    CHECK(load_le<std::int32_t>(address.bytes.data(), 4) == 103);
    CHECK(address.bytes.back() == std::byte{0});  // readers may treat it as terminated
    CHECK(stream_counter_label("name", INT64_MIN, INT32_MIN, INT32_MIN, text, text).view().size() ==
          kCounterLabelMax);
}

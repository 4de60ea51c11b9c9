#include <algorithm>
#include <initializer_list>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "tests/unit/golden.h"
#include "wire/frame.h"

using namespace fulmar::wire;
using fulmar::test::golden_wire;

namespace {

/// Reads a recorded control frame, writes it again, and expects the recorded bytes.
template <class Read, class Write>
auto round_trip(const std::string& name, Read read, Write write) {
    CAPTURE(name);
    const auto bytes = golden_wire(name);
    REQUIRE(check_datagram(bytes) == FrameFault::kNone);
    const auto value = read(bytes.data());
    std::vector<std::byte> written(bytes.size() + 64);
    const auto length = write(written.data(), value);
    written.resize(static_cast<std::size_t>(length));
    CHECK(written == bytes);
    return value;
}

std::vector<DataHeader> data_headers(const std::vector<std::byte>& datagram) {
    std::vector<DataHeader> headers;
    std::size_t offset = 0;
    while (offset < datagram.size()) {
        headers.push_back(read_data_header(datagram.data() + offset));
        std::vector<std::byte> written(kDataHeaderLength);
        write_data_header(written.data(), headers.back());
        CHECK(std::equal(written.begin(), written.end(), datagram.data() + offset));
        if (headers.back().type == FrameType::kPad || headers.back().frame_length == 0) {
            break;
        }
        offset += static_cast<std::size_t>(align_frame(headers.back().frame_length));
    }
    return headers;
}

}  // namespace

TEST_CASE("frame: every recorded datagram is accepted") {
    for (const char* name :
        {"setup", "setup_resumed", "setup_group", "setup_multicast", "setup_send_response", "sm",
            "sm_advanced", "sm_eos", "sm_send_setup", "sm_send_setup_control", "sm_group_tag",
            "sm_cubic_initial", "data_unfragmented", "data_unaligned", "data_empty", "data_fragment_begin",
            "data_fragment_middle", "data_fragment_end", "data_batched", "data_then_pad", "pad_appended",
            "pad_term_end", "heartbeat", "heartbeat_eos", "heartbeat_revoked", "nak", "nak_range",
            "retransmit", "retransmit_range", "rttm_request", "rttm_reply", "err", "err_group_tag",
            "rsp_setup", "res_self", "res_neighbors", "res_self_ipv6", "res_neighbor_ipv6"}) {
        CAPTURE(name);
        CHECK(check_datagram(golden_wire(name)) == FrameFault::kNone);
    }
}

TEST_CASE("frame: recorded setups") {
    const auto setup = round_trip("setup", read_setup, write_setup);
    CHECK(setup.flags == 0);
    CHECK(setup.session_id == 287454020);
    CHECK(setup.stream_id == 1001);
    CHECK(setup.initial_term_id == 7);
    CHECK(setup.term_length == 65536);
    CHECK(setup.mtu == 1408);
    const auto resumed = round_trip("setup_resumed", read_setup, write_setup);
    CHECK(resumed.term_offset == 4160);
    CHECK(resumed.active_term_id == 9);
    CHECK(round_trip("setup_group", read_setup, write_setup).flags == flag::kGroup);
    CHECK(round_trip("setup_multicast", read_setup, write_setup).ttl == 4);
    CHECK(round_trip("setup_send_response", read_setup, write_setup).flags == flag::kSendResponse);
}

TEST_CASE("frame: recorded status messages") {
    const auto sm = round_trip("sm", read_status_message, write_status_message);
    CHECK(sm.consumption_term_id == 7);
    CHECK(sm.receiver_window == 32768);
    CHECK(sm.receiver_id == 3234988363872529875);
    CHECK_FALSE(sm.has_group_tag);
    const auto advanced = round_trip("sm_advanced", read_status_message, write_status_message);
    CHECK(advanced.consumption_term_id == 8);
    CHECK(advanced.consumption_term_offset == 3168);
    CHECK(round_trip("sm_eos", read_status_message, write_status_message).flags == flag::kSmEndOfStream);
    const auto elicit = round_trip("sm_send_setup", read_status_message, write_status_message);
    CHECK(elicit.flags == flag::kSendSetup);
    CHECK(elicit.receiver_window == 0);
    const auto control = round_trip("sm_send_setup_control", read_status_message, write_status_message);
    CHECK(control.session_id == 0);
    CHECK(control.stream_id == 0);
    const auto tagged = round_trip("sm_group_tag", read_status_message, write_status_message);
    CHECK(tagged.has_group_tag);
    CHECK(tagged.group_tag == 305419896);
    CHECK(round_trip("sm_cubic_initial", read_status_message, write_status_message).receiver_window == 14080);
}

TEST_CASE("frame: recorded NAKs, round trip measurements, errors and response setups") {
    const auto nak = round_trip("nak", read_nak, write_nak);
    CHECK(nak.term_offset == 128);
    CHECK(nak.length == 64);
    CHECK(round_trip("nak_range", read_nak, write_nak).length == 192);

    const auto request = round_trip("rttm_request", read_rtt_measurement, write_rtt_measurement);
    CHECK(request.flags == flag::kReply);
    CHECK(request.echo_timestamp == 1087721562048);
    const auto reply = round_trip("rttm_reply", read_rtt_measurement, write_rtt_measurement);
    CHECK(reply.flags == 0);
    CHECK(reply.receiver_id == -2945647688612292543);

    const auto err_bytes = golden_wire("err");
    const auto err = read_error(err_bytes.data());
    CHECK(err.error_code == 13);
    CHECK(err.group_tag == -1);
    CHECK(err.text == "golden-reject-reason");
    round_trip("err", read_error, write_error);
    const auto tagged_bytes = golden_wire("err_group_tag");
    CHECK(read_error(tagged_bytes.data()).flags == flag::kHasGroupTag);
    CHECK(read_error(tagged_bytes.data()).group_tag == 305419896);
    round_trip("err_group_tag", read_error, write_error);

    const auto response = round_trip("rsp_setup", read_response_setup, write_response_setup);
    CHECK(response.session_id == 62266817);
    CHECK(response.response_session_id == 62266818);
}

TEST_CASE("frame: recorded data, padding and heartbeats") {
    struct Row {
        const char* name;
        std::size_t frame_count;
        std::int32_t frame_length;
        std::uint8_t flags;
        std::int32_t term_offset;
        std::int32_t term_id;
        std::int64_t reserved_value;
    };
    for (const Row& row : std::initializer_list<Row>{
             {"data_unfragmented", 1, 64, 0xC0, 0, 7, 0},
             {"data_unaligned", 1, 49, 0xC0, 64, 7, 0x1122334455667788},
             {"data_empty", 1, 32, 0xC0, 128, 7, 0},
             {"data_fragment_begin", 1, 1408, 0x80, 160, 7, 0},
             {"data_fragment_middle", 1, 1408, 0, 1568, 7, 0},
             {"data_fragment_end", 1, 1280, 0x40, 2976, 7, 0},
             {"data_batched", 3, 132, 0xC0, 4256, 7, 0},
             {"data_then_pad", 2, 232, 0xC0, 64416, -32328315, 0},
             {"pad_appended", 1, 1032, 0xC0, 4736, 7, 0},
             {"pad_term_end", 1, 608, 0xC0, 64928, 7, 0},
             {"heartbeat", 1, 0, 0xC0, 4736, 7, 0},
             {"heartbeat_eos", 1, 0, 0xC0 | flag::kEndOfStream, 9504, 8, 0},
             {"heartbeat_revoked", 1, 0, 0xC0 | flag::kEndOfStream | flag::kRevoked, 64, 7, 0},
             {"retransmit_range", 3, 64, 0xC0, 0, 7, 0},
         }) {
        CAPTURE(row.name);
        const auto headers = data_headers(golden_wire(row.name));
        REQUIRE(headers.size() == row.frame_count);
        CHECK(headers[0].frame_length == row.frame_length);
        CHECK(headers[0].flags == row.flags);
        CHECK(headers[0].term_offset == row.term_offset);
        CHECK(headers[0].term_id == row.term_id);
        CHECK(headers[0].reserved_value == row.reserved_value);
        CHECK(headers[0].session_id == 287454020);
        CHECK(headers[0].stream_id == 1001);
        CHECK((headers[0].type == FrameType::kPad) == (std::string(row.name).rfind("pad", 0) == 0));
    }
    const auto headers = data_headers(golden_wire("data_then_pad"));
    CHECK(headers[1].type == FrameType::kPad);
    CHECK(headers[1].frame_length == 864);
    CHECK(headers[1].term_offset == 64416 + align_frame(232));
}

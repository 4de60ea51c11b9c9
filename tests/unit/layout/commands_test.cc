#include "layout/commands.h"

#include <doctest/doctest.h>

#include "layout/fulmar_commands.h"
#include "tests/unit/layout/record_checks.h"

using namespace fulmar::layout;
using namespace fulmar::layout::test;
using fulmar::test::golden_shm;

TEST_CASE("commands: recorded add and remove publication") {
    const auto bytes = golden_shm("command_add_publication");
    const auto add = check_recorded<AddPublication>(bytes);
    CHECK(add.client_id == 1);
    CHECK(add.correlation_id == 18);
    CHECK(add.stream_id == 2001);
    CHECK(add.channel == "aeron:udp?endpoint=127.0.0.1:24211");
    const auto exclusive_bytes = golden_shm("command_add_exclusive_publication");
    const auto exclusive = check_recorded<AddPublication>(exclusive_bytes);
    CHECK(exclusive.stream_id == 2002);
    CHECK(exclusive.channel == "aeron:udp?endpoint=127.0.0.1:24212|term-length=64k");

    const auto remove = check_recorded<RemovePublication>(golden_shm("command_remove_publication"));
    CHECK(remove.registration_id == 3);
    CHECK(remove.flags == 0);
    const auto revoke = check_recorded<RemovePublication>(golden_shm("command_remove_publication_revoke"));
    CHECK(revoke.registration_id == 6);
    CHECK(revoke.flags == kRemovePublicationFlagRevoke);
}

TEST_CASE("commands: a remove publication without flags is an older client's") {
    auto bytes = golden_shm("command_remove_publication_revoke");
    bytes.resize(24);
    const auto remove = RemovePublication::decode(bytes);
    REQUIRE(remove.has_value());
    CHECK(remove->registration_id == 6);
    CHECK(remove->flags == 0);
}

TEST_CASE("commands: recorded subscription commands") {
    const auto bytes = golden_shm("command_add_subscription");
    const auto add = check_recorded<AddSubscription>(bytes);
    CHECK(add.correlation_id == 20);
    CHECK(add.registration_correlation_id == 0);
    CHECK(add.stream_id == 2003);
    CHECK(add.channel == "aeron:udp?endpoint=127.0.0.1:24213");
    const auto remove = check_recorded<RemoveResource>(golden_shm("command_remove_subscription"));
    CHECK(remove.correlation_id == 31);
    CHECK(remove.registration_id == 8);
}

TEST_CASE("commands: recorded destination commands") {
    struct Row {
        const char* name;
        std::int64_t correlation_id;
        std::int64_t registration_id;
        const char* channel;
    };
    for (const Row& row : std::initializer_list<Row>{
             {"command_add_destination", 24, 12, "aeron:udp?endpoint=127.0.0.1:24214"},
             {"command_remove_destination", 25, 12, "aeron:udp?endpoint=127.0.0.1:24206"},
             {"command_add_rcv_destination", 27, 15, "aeron:udp?endpoint=127.0.0.1:24215"},
             {"command_remove_rcv_destination", 28, 15, "aeron:udp?endpoint=127.0.0.1:24208"},
         }) {
        CAPTURE(row.name);
        const auto bytes = golden_shm(row.name);
        const auto command = check_recorded<DestinationCommand>(bytes);
        CHECK(command.client_id == 1);
        CHECK(command.correlation_id == row.correlation_id);
        CHECK(command.registration_id == row.registration_id);
        CHECK(command.channel == row.channel);
    }
    const auto by_id = check_recorded<RemoveDestinationById>(golden_shm("command_remove_destination_by_id"));
    CHECK(by_id.resource_registration_id == 12);
    CHECK(by_id.destination_registration_id == 12);
}

TEST_CASE("commands: recorded counter commands") {
    const auto bytes = golden_shm("command_add_counter");
    const auto add = AddCounter::decode(bytes);
    REQUIRE(add.has_value());
    CHECK(add->type_id == 1103);
    CHECK(text_of(add->key) == "key-2");
    CHECK(add->label == "counter-2");
    CHECK(add->encoded_length() == bytes.size());

    const auto static_bytes = golden_shm("command_add_static_counter");
    const auto add_static = AddStaticCounter::decode(static_bytes);
    REQUIRE(add_static.has_value());
    CHECK(add_static->registration_id == 4343);
    CHECK(add_static->type_id == 1104);
    CHECK(text_of(add_static->key) == "key-3");
    CHECK(add_static->label == "static-3");
    CHECK(add_static->encoded_length() == static_bytes.size());

    CHECK(check_recorded<RemoveResource>(golden_shm("command_remove_counter")).registration_id == 10);
}

TEST_CASE("commands: a counter's key and label come back, the gap between them zeroed") {
    for (const std::string_view key : {"", "k", "key4", "key-5", "key-seven"}) {
        CAPTURE(key);
        const AddCounter add{
            .client_id = -1, .correlation_id = 2, .type_id = 3, .key = bytes_of(key), .label = "a label"};
        const auto bytes = encoded(add);
        const auto read = AddCounter::decode(bytes);
        REQUIRE(read.has_value());
        CHECK(text_of(read->key) == key);
        CHECK(read->label == "a label");
        for (std::size_t i = 24 + key.size(); i < 24 + fulmar::base::align_up<std::size_t>(key.size(), 4);
             ++i) {
            CHECK(bytes[i] == std::byte{0});
        }
        check_truncations<AddCounter>(bytes);
    }
}

TEST_CASE("commands: recorded reject image, close, terminate and session id") {
    const auto bytes = golden_shm("command_reject_image");
    const auto reject = RejectImage::decode(bytes);
    REQUIRE(reject.has_value());
    CHECK(reject->image_correlation_id == 4);
    CHECK(reject->position == 4320);
    CHECK(reject->reason == "golden-reject-reason");
    const auto again = encoded(*reject);
    CHECK(std::equal(again.begin(), again.end(), bytes.begin()));

    const auto close = check_recorded<ClientCommand>(golden_shm("command_client_close"));
    CHECK(close.client_id == 1);
    CHECK(close.correlation_id == -1);

    const auto terminate_bytes = golden_shm("command_terminate_driver");
    const auto terminate = check_recorded<TerminateDriver>(terminate_bytes);
    CHECK(terminate.client_id == 33);
    CHECK(text_of(terminate.token) == "golden-token");

    const auto next =
        check_recorded<GetNextAvailableSessionId>(golden_shm("command_get_next_available_session_id"));
    CHECK(next.correlation_id == 23);
    CHECK(next.stream_id == 2001);
}

TEST_CASE("commands: a short reason is padded to what stock drivers demand") {
    for (const std::string_view reason : {"", "no", "four", "five5"}) {
        CAPTURE(reason);
        const RejectImage reject{.client_id = 1, .correlation_id = 2, .position = 3, .reason = reason};
        const auto bytes = encoded(reject);
        CHECK(bytes.size() == std::max<std::size_t>(40, 36 + reason.size()));
        const auto read = RejectImage::decode(bytes);
        REQUIRE(read.has_value());
        CHECK(read->reason == reason);
    }
    // Other clients do not pad.
    auto bytes = encoded(RejectImage{.reason = "no"});
    bytes.resize(38);
    CHECK(RejectImage::decode(bytes).has_value());
}

TEST_CASE("commands: a record cut anywhere does not decode") {
    check_truncations<ClientCommand>(golden_shm("command_client_close"));
    check_truncations<AddPublication>(golden_shm("command_add_publication"));
    check_truncations<RemovePublication>(golden_shm("command_remove_publication"), 24);
    check_truncations<AddSubscription>(golden_shm("command_add_subscription"));
    check_truncations<RemoveResource>(golden_shm("command_remove_subscription"));
    check_truncations<DestinationCommand>(golden_shm("command_add_destination"));
    check_truncations<AddCounter>(golden_shm("command_add_counter"));
    check_truncations<AddStaticCounter>(golden_shm("command_add_static_counter"));
    check_truncations<TerminateDriver>(golden_shm("command_terminate_driver"));
    check_truncations<RejectImage>(encoded(RejectImage{.reason = "long enough"}));
    check_truncations<RemoveDestinationById>(golden_shm("command_remove_destination_by_id"));
    check_truncations<GetNextAvailableSessionId>(golden_shm("command_get_next_available_session_id"));
}

TEST_CASE("commands: a length field is not believed beyond its record") {
    check_length_field<AddPublication>(golden_shm("command_add_publication"), 20);
    check_length_field<AddSubscription>(golden_shm("command_add_subscription"), 28);
    check_length_field<DestinationCommand>(golden_shm("command_add_destination"), 24);
    check_length_field<AddCounter>(golden_shm("command_add_counter"), 20);
    check_length_field<AddCounter>(golden_shm("command_add_counter"), 32);
    check_length_field<AddStaticCounter>(golden_shm("command_add_static_counter"), 28);
    check_length_field<AddStaticCounter>(golden_shm("command_add_static_counter"), 40);
    check_length_field<TerminateDriver>(golden_shm("command_terminate_driver"), 16);
    check_length_field<RejectImage>(golden_shm("command_reject_image"), 32);
}

TEST_CASE("commands: a channel of 4095 characters is the longest, a reason of 1023") {
    const std::string channel(4096, 'c');
    const std::string_view longest = std::string_view(channel).substr(0, 4095);
    CHECK(AddPublication::decode(encoded(AddPublication{.channel = longest})).has_value());
    CHECK(AddPublication::decode(encoded(AddPublication{.channel = channel})).error() ==
          DecodeFault::kChannelTooLong);
    CHECK(AddSubscription::decode(encoded(AddSubscription{.channel = channel})).error() ==
          DecodeFault::kChannelTooLong);
    CHECK(DestinationCommand::decode(encoded(DestinationCommand{.channel = channel})).error() ==
          DecodeFault::kChannelTooLong);
    CHECK(error_code(DecodeFault::kChannelTooLong) == fulmar::ErrorCode::kInvalidChannel);
    CHECK(error_code(DecodeFault::kLength) == fulmar::ErrorCode::kMalformedCommand);

    const std::string reason(1024, 'r');
    CHECK(
        RejectImage::decode(encoded(RejectImage{.reason = std::string_view(reason).substr(1)})).has_value());
    CHECK(RejectImage::decode(encoded(RejectImage{.reason = reason})).error() == DecodeFault::kTextTooLong);
}

TEST_CASE("commands: set fault survives the round trip and bad bytes") {
    SetFault set;
    set.client_id = 3;
    set.correlation_id = 41;
    set.port = "udp";
    set.spec = "loss:0.01+delay:50us";
    const auto bytes = encoded(set);
    CHECK(bytes.size() == 20 + 4 + 4 + set.spec.size());
    const auto again = SetFault::decode(bytes);
    REQUIRE(again.has_value());
    CHECK(again->client_id == 3);
    CHECK(again->correlation_id == 41);
    CHECK(again->port == "udp");
    CHECK(again->spec == "loss:0.01+delay:50us");
    check_truncations<SetFault>(bytes);
    check_length_field<SetFault>(bytes, 16);
    check_length_field<SetFault>(bytes, 24);
}

#include "layout/events.h"

#include <doctest/doctest.h>

#include "tests/unit/layout/record_checks.h"

using namespace fulmar::layout;
using namespace fulmar::layout::test;
using fulmar::test::golden_shm;

TEST_CASE("events: recorded publication ready") {
    const auto bytes = golden_shm("event_on_publication_ready");
    const auto ready = check_recorded<PublicationReady>(bytes);
    CHECK(ready.correlation_id == 3);
    CHECK(ready.registration_id == 3);
    CHECK(ready.session_id == 287454020);
    CHECK(ready.stream_id == 1001);
    CHECK(ready.publisher_limit_counter_id == 52);
    CHECK(ready.channel_status_counter_id == 49);
    CHECK(ready.log_file_name == "/dev/shm/peer-shm/publications/3.logbuffer");
    const auto exclusive_bytes = golden_shm("event_on_exclusive_publication_ready");
    CHECK(check_recorded<PublicationReady>(exclusive_bytes).channel_status_counter_id == 63);
    const auto ipc_bytes = golden_shm("event_on_publication_ready_ipc");
    CHECK(check_recorded<PublicationReady>(ipc_bytes).channel_status_counter_id == -1);
}

TEST_CASE("events: recorded image available and unavailable") {
    const auto bytes = golden_shm("event_on_available_image");
    const auto image = AvailableImage::decode(bytes);
    REQUIRE(image.has_value());
    CHECK(image->image_correlation_id == 4);
    CHECK(image->session_id == 287454020);
    CHECK(image->stream_id == 1001);
    CHECK(image->subscription_registration_id == 2);
    CHECK(image->subscriber_position_counter_id == 60);
    CHECK(image->log_file_name == "/dev/shm/peer-shm/images/4.logbuffer");
    CHECK(image->source_identity == "127.0.0.1:49144");
    CHECK(encoded(*image) == bytes);  // a name of a multiple of 4 leaves no gap

    const auto ipc_bytes = golden_shm("event_on_available_image_ipc");
    const auto ipc = AvailableImage::decode(ipc_bytes);
    REQUIRE(ipc.has_value());
    CHECK(ipc->log_file_name.size() == 42);
    CHECK(ipc->source_identity == "aeron:ipc");
    CHECK(ipc->encoded_length() == ipc_bytes.size());

    const auto gone_bytes = golden_shm("event_on_unavailable_image");
    const auto gone = check_recorded<UnavailableImage>(gone_bytes);
    CHECK(gone.image_correlation_id == 41);
    CHECK(gone.subscription_registration_id == 39);
    CHECK(gone.stream_id == 3004);
    CHECK(gone.channel == "aeron:udp?endpoint=127.0.0.1:24222");
}

TEST_CASE("events: the gap behind a log file's name is zeroed") {
    const AvailableImage image{.log_file_name = "12345", .source_identity = "source"};
    const auto bytes = encoded(image);
    CHECK(bytes.size() == 32 + 8 + 4 + 6);
    for (std::size_t i = 37; i < 40; ++i) {
        CHECK(bytes[i] == std::byte{0});
    }
    const auto read = AvailableImage::decode(bytes);
    REQUIRE(read.has_value());
    CHECK(read->source_identity == "source");
    check_truncations<AvailableImage>(bytes);
    check_length_field<AvailableImage>(bytes, 28);
    check_length_field<AvailableImage>(bytes, 40);
}

TEST_CASE("events: recorded answers of fixed size") {
    const auto subscription = check_recorded<SubscriptionReady>(golden_shm("event_on_subscription_ready"));
    CHECK(subscription.correlation_id == 2);
    CHECK(subscription.channel_status_counter_id == 46);
    CHECK(check_recorded<SubscriptionReady>(golden_shm("event_on_subscription_ready_ipc"))
              .channel_status_counter_id == -1);
    CHECK(check_recorded<OperationSuccess>(golden_shm("event_on_operation_success")).correlation_id == 13);
    CHECK(check_recorded<OperationSuccess>(golden_shm("event_on_operation_success_reject_image"))
              .correlation_id == 0);
    CHECK(check_recorded<CounterEvent>(golden_shm("event_on_counter_ready")).counter_id == 48);
    CHECK(check_recorded<CounterEvent>(golden_shm("event_on_unavailable_counter")).counter_id == 78);
    CHECK(check_recorded<CounterEvent>(golden_shm("event_on_static_counter")).counter_id == 79);
    CHECK(check_recorded<ClientTimeout>(golden_shm("event_on_client_timeout")).client_id == 43);
    const auto next =
        check_recorded<NextAvailableSessionId>(golden_shm("event_on_next_available_session_id"));
    CHECK(next.correlation_id == 17);
    CHECK(next.session_id == -1190667024);
}

TEST_CASE("events: recorded errors") {
    const auto bytes = golden_shm("event_on_error");
    const auto error = check_recorded<ErrorEvent>(bytes);
    CHECK(error.offending_correlation_id == 36);
    CHECK(error.error_code == 11);
    CHECK(error.message.size() == 634);
    const auto channel_bytes = golden_shm("event_on_error_invalid_channel");
    CHECK(check_recorded<ErrorEvent>(channel_bytes).error_code == 1);

    const auto publication_bytes = golden_shm("event_on_publication_error");
    const auto publication = check_recorded<PublicationError>(publication_bytes);
    CHECK(publication.registration_id == 3);
    CHECK(publication.destination_registration_id == -1);
    CHECK(publication.receiver_id == 7256283581854804345);
    CHECK(publication.group_tag == -1);
    CHECK(publication.address_type == PublicationError::kAddressIpv4);
    CHECK(publication.source_port == 24201);
    CHECK(publication.source_address[0] == std::byte{127});
    CHECK(publication.source_address[3] == std::byte{1});
    CHECK(publication.error_code == 13);
    CHECK(publication.message == "golden-reject-reason");
}

TEST_CASE("events: a publication error is never shorter than the C client demands") {
    for (const std::string_view message : {"", "bad", "four", "longer"}) {
        CAPTURE(message);
        const auto bytes = encoded(PublicationError{.message = message});
        CHECK(bytes.size() == std::max<std::size_t>(72, 68 + message.size()));
        const auto read = PublicationError::decode(bytes);
        REQUIRE(read.has_value());
        CHECK(read->message == message);
    }
}

TEST_CASE("events: a record cut anywhere does not decode") {
    check_truncations<ErrorEvent>(golden_shm("event_on_error_invalid_channel"));
    check_truncations<AvailableImage>(golden_shm("event_on_available_image"));
    check_truncations<PublicationReady>(golden_shm("event_on_publication_ready"));
    check_truncations<OperationSuccess>(golden_shm("event_on_operation_success"));
    check_truncations<UnavailableImage>(golden_shm("event_on_unavailable_image"));
    check_truncations<SubscriptionReady>(golden_shm("event_on_subscription_ready"));
    check_truncations<CounterEvent>(golden_shm("event_on_counter_ready"));
    check_truncations<ClientTimeout>(golden_shm("event_on_client_timeout"));
    check_truncations<PublicationError>(golden_shm("event_on_publication_error"));
    check_truncations<NextAvailableSessionId>(golden_shm("event_on_next_available_session_id"));
}

TEST_CASE("events: a length field is not believed beyond its record") {
    check_length_field<ErrorEvent>(golden_shm("event_on_error_invalid_channel"), 12);
    check_length_field<AvailableImage>(golden_shm("event_on_available_image"), 28);
    check_length_field<PublicationReady>(golden_shm("event_on_publication_ready"), 32);
    check_length_field<UnavailableImage>(golden_shm("event_on_unavailable_image"), 20);
    check_length_field<PublicationError>(golden_shm("event_on_publication_error"), 64);
}

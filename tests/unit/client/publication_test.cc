#include "fulmar/publication.h"

#include <array>

#include <doctest/doctest.h>

#include "fake_driver.h"

using namespace fulmar;
using namespace fulmar::client::test;
using layout::CommandType;

TEST_CASE("publication: adding sends the command and the answer makes the handle") {
    Connected at;
    const auto id = at.client->async_add_publication(kChannel, kStream).value();
    const auto command = at.driver.take_command();
    CHECK(command.type == CommandType::kAddPublication);
    const auto add = command.as<layout::AddPublication>();
    CHECK(add.client_id == at.client->client_id());
    CHECK(add.correlation_id == id);
    CHECK(add.stream_id == kStream);
    CHECK(add.channel == kChannel);
    CHECK(at.client->find_publication(id).value() == nullptr);

    at.driver.answer_publication(command);
    CHECK(at.poll() == 1);
    const auto publication = at.client->find_publication(id).value();
    REQUIRE(publication != nullptr);
    CHECK(publication->registration_id() == id);
    CHECK(publication->is_original());
    CHECK(publication->session_id() == kSession);
    CHECK(publication->stream_id() == kStream);
    CHECK(publication->channel() == kChannel);
    CHECK(publication->channel_status_id() == 17);
    CHECK(publication->max_payload_length() == kMtu - 32);
    CHECK(publication->max_message_length() == kTermLength / 8);
    CHECK(publication->is_connected());
    CHECK(publication->position_limit() == kTermLength / 2);
    CHECK_FALSE(at.client->find_publication(id).has_value());  // given out once
}

TEST_CASE("publication: waiting form answers when the driver does") {
    Connected at;
    at.driver.on_wait = [&] {
        for (const auto& command : at.driver.take_commands()) {
            at.driver.answer_publication(command);
        }
    };
    auto publication = at.client->add_publication(kChannel, kStream);
    REQUIRE(publication);
    CHECK((*publication)->offer(bytes_of("hello")).position() == 64);
    auto exclusive = at.client->add_exclusive_publication(kChannel, kStream);
    REQUIRE(exclusive);
    CHECK((*exclusive)->offer(bytes_of("hello")).position() == 64);
}

TEST_CASE("publication: an offered message stands in the log as a frame") {
    Connected at;
    FakeDriver::MadePublication made;
    const auto publication = at.publication(&made);
    CHECK(publication->position() == 0);
    CHECK(publication->offer(bytes_of("hello"), 99).position() == 64);
    const auto frame = wire::read_data_header(made.log.term(0));
    CHECK(frame.frame_length == 37);
    CHECK(frame.session_id == kSession);
    CHECK(frame.stream_id == kStream);
    CHECK(frame.term_id == kInitialTermId);
    CHECK(frame.reserved_value == 99);
    CHECK(frame.flags == wire::flag::kUnfragmented);
    CHECK(std::memcmp(made.log.term(0) + 32, "hello", 5) == 0);
    CHECK(publication->position() == 64);
    CHECK(publication->available_window() == kTermLength / 2 - 64);
}

TEST_CASE("publication: pieces are gathered into one message") {
    Connected at;
    FakeDriver::MadePublication made;
    const std::array<std::span<const std::byte>, 3> pieces{bytes_of("one"), bytes_of(""), bytes_of("two")};
    const auto publication = at.publication(&made);
    CHECK(publication->offer(pieces).position() == 64);
    CHECK(std::memcmp(made.log.term(0) + 32, "onetwo", 6) == 0);
    const auto exclusive = at.exclusive(&made);
    CHECK(exclusive->offer(pieces).position() == 64);
    CHECK(std::memcmp(made.log.term(0) + 32, "onetwo", 6) == 0);
}

TEST_CASE("publication: refusals have their names") {
    Connected at;
    FakeDriver::MadePublication made;
    const auto publication = at.publication(&made);
    const std::vector<std::byte> too_long(static_cast<std::size_t>(publication->max_message_length()) + 1);
    CHECK(publication->offer(too_long).is_bad_length());
    made.limit.set_release(0);
    CHECK(publication->offer(bytes_of("x")).is_back_pressured());
    made.log.set_connected(false);
    CHECK(publication->offer(bytes_of("x")).is_not_connected());
    CHECK_FALSE(publication->is_connected());
    publication->close();
    CHECK(publication->offer(bytes_of("x")).is_closed());
    CHECK(publication->position() == OfferResult::kClosed);
    CHECK(publication->position_limit() == OfferResult::kClosed);
    BufferClaim claim;
    CHECK(publication->try_claim(8, claim).is_closed());
    CHECK_FALSE(claim.is_open());
}

TEST_CASE("publication: a claim is invisible until committed, and padding when aborted") {
    Connected at;
    FakeDriver::MadePublication made;
    const auto check = [&](auto& publication) {
        BufferClaim claim;
        REQUIRE(publication.try_claim(8, claim).is_ok());
        CHECK(wire::frame_length_acquire(made.log.term(0)) < 0);
        CHECK(claim.data().size() == 8);
        claim.set_reserved_value(5);
        claim.commit();
        CHECK_FALSE(claim.is_open());
        CHECK(wire::frame_length_acquire(made.log.term(0)) == 40);
        CHECK(wire::read_data_header(made.log.term(0)).reserved_value == 5);

        REQUIRE(publication.try_claim(8, claim).is_ok());
        claim = {};  // letting an open claim go aborts it
        CHECK(wire::frame_length_acquire(made.log.term(0) + 64) == 40);
        CHECK(wire::is_padding(made.log.term(0) + 64));
        CHECK(publication.try_claim(publication.max_payload_length() + 1, claim).is_bad_length());
        CHECK_FALSE(claim.is_open());
    };
    check(*at.publication(&made));
    check(*at.exclusive(&made));
}

TEST_CASE("publication: two of one log share it, and the second knows the first's id") {
    Connected at;
    FakeDriver::MadePublication made;
    const auto first = at.publication(&made);
    const auto id = at.client->async_add_publication(kChannel, kStream).value();
    at.driver.answer_publication(at.driver.take_command(), first->registration_id());
    at.poll();
    const auto second = at.client->find_publication(id).value();
    REQUIRE(second != nullptr);
    CHECK(second->original_registration_id() == first->registration_id());
    CHECK_FALSE(second->is_original());
    CHECK(first->offer(bytes_of("a")).position() == 64);
    CHECK(second->offer(bytes_of("b")).position() == 128);
}

TEST_CASE("publication: closing tells the driver once; revoking says so") {
    Connected at;
    const auto publication = at.publication();
    publication->close();
    publication->close();
    auto command = at.driver.take_command();
    CHECK(command.type == CommandType::kRemovePublication);
    CHECK(command.as<layout::RemovePublication>().registration_id == publication->registration_id());
    CHECK(command.as<layout::RemovePublication>().flags == 0);
    const auto exclusive = at.exclusive();
    exclusive->revoke();
    command = at.driver.take_command();
    CHECK(command.type == CommandType::kRemovePublication);
    CHECK(command.as<layout::RemovePublication>().flags == layout::kRemovePublicationFlagRevoke);
}

TEST_CASE("publication: closing can wait until the driver has done it") {
    Connected at;
    const auto publication = at.publication();
    Command command;
    at.driver.on_wait = [&] {
        CHECK(publication->is_closed());
        command = at.driver.take_command();
        at.driver.send(
            layout::EventType::kOperationSuccess, layout::OperationSuccess{command.correlation_id()});
    };
    CHECK(publication->close_and_wait().has_value());
    CHECK(command.type == CommandType::kRemovePublication);
    CHECK(command.as<layout::RemovePublication>().registration_id == publication->registration_id());
    CHECK(publication->close_and_wait().error().code == ErrorCode::kUnknownPublication);
    CHECK(at.driver.take_commands().empty());
}

TEST_CASE("publication: an error of the driver is the outcome, with its code") {
    Connected at;
    const auto id = at.client->async_add_publication(kChannel, kStream).value();
    at.driver.send_error(id, ErrorCode::kResourceTemporarilyUnavailable, "endpoint is closing");
    at.poll();
    const auto publication = at.client->find_publication(id);
    REQUIRE_FALSE(publication);
    CHECK(publication.error().code == ErrorCode::kResourceTemporarilyUnavailable);
    CHECK(publication.error().message == "endpoint is closing");
}

TEST_CASE("publication: errors and answers for other clients change nothing") {
    Connected at;
    const auto id = at.client->async_add_publication(kChannel, kStream).value();
    at.driver.send_error(id + 100, ErrorCode::kGeneric, "not ours");
    at.driver.send(layout::EventType::kSubscriptionReady, layout::SubscriptionReady{id, -1});
    at.poll();
    CHECK(at.client->find_publication(id).value() == nullptr);
}

TEST_CASE("publication: no answer within the driver time-out is an error, not before") {
    Connected at;
    const auto id = at.client->async_add_publication(kChannel, kStream).value();
    for (int i = 0; i < 19; ++i) {
        at.driver.advance(milliseconds(500));
        at.poll();
    }
    CHECK(at.client->find_publication(id).value() == nullptr);
    at.driver.advance(milliseconds(501));
    at.poll();
    const auto publication = at.client->find_publication(id);
    REQUIRE_FALSE(publication);
    CHECK(publication.error().message.find("10000 ms") != std::string::npos);
    CHECK(publication.error().message.find(kChannel) != std::string::npos);
}

TEST_CASE("publication: what the driver made too late is removed again") {
    Connected at;
    at.driver.on_wait = [&] { at.driver.advance(milliseconds(500)); };
    CHECK_FALSE(at.client->add_publication(kChannel, kStream).has_value());
    const auto add = at.driver.take_command();
    at.driver.answer_publication(add);
    at.poll();
    const auto removal = at.driver.take_command();
    CHECK(removal.type == CommandType::kRemovePublication);
    CHECK(removal.as<layout::RemovePublication>().registration_id == add.correlation_id());
}

TEST_CASE("publication: a cancelled request is undone when it is answered, or at once when it was") {
    Connected at;
    const auto early = at.client->async_add_publication(kChannel, kStream).value();
    auto add = at.driver.take_command();
    at.client->cancel(early);
    CHECK(at.driver.take_commands().empty());
    at.driver.answer_publication(add);
    at.poll();
    CHECK(at.driver.take_command().as<layout::RemovePublication>().registration_id == early);

    const auto late = at.client->async_add_publication(kChannel, kStream).value();
    at.driver.answer_publication(at.driver.take_command());
    at.poll();
    at.client->cancel(late);
    CHECK(at.driver.take_command().as<layout::RemovePublication>().registration_id == late);
    CHECK_FALSE(at.client->find_publication(late).has_value());
}

TEST_CASE("publication: an answer that cannot be true is an error and is undone") {
    Connected at;
    const auto id = at.client->async_add_publication(kChannel, kStream).value();
    (void)at.driver.take_command();
    layout::PublicationReady ready{id, id, kSession, kStream, 0, -1, "/heap/driver/nothing"};
    SUBCASE("the log is not there") {}
    SUBCASE("the log is no log") {
        (void)at.driver.memory.create("/heap/driver/zeros", 3 * kTermLength + 4096, false).value();
        ready.log_file_name = "/heap/driver/zeros";
    }
    SUBCASE("the limit counter is out of range") {
        ready.publisher_limit_counter_id = kCounterCapacity;
    }
    SUBCASE("the limit counter is negative") {
        ready.publisher_limit_counter_id = -2;
    }
    at.driver.send(layout::EventType::kPublicationReady, ready);
    at.poll();
    CHECK_FALSE(at.client->find_publication(id).has_value());
    CHECK(at.driver.take_command().type == CommandType::kRemovePublication);
}

TEST_CASE("publication: a full command ring is an error worth retrying, and removals are sent later") {
    Connected at;
    const auto publication = at.publication();
    Result<std::int64_t> id = std::int64_t{0};
    while (id) {
        id = at.client->async_add_publication(kChannel, kStream);
    }
    CHECK(id.error().code == ErrorCode::kResourceTemporarilyUnavailable);
    publication->close();
    for (const auto& command : at.driver.take_commands()) {
        CHECK(command.type == CommandType::kAddPublication);
    }
    at.driver.advance(milliseconds(500));
    at.poll();
    CHECK(at.driver.take_command().type == CommandType::kRemovePublication);
}

TEST_CASE("publication: a channel longer than any driver takes is refused before it is sent") {
    Connected at;
    const auto id = at.client->async_add_publication(std::string(layout::kChannelMax + 1, 'x'), kStream);
    REQUIRE_FALSE(id);
    CHECK(id.error().code == ErrorCode::kInvalidChannel);
    CHECK(at.driver.take_commands().empty());
}

TEST_CASE("publication: destinations are added and removed by channel and by id") {
    Connected at;
    const auto publication = at.publication();
    const auto added = publication->async_add_destination("aeron:udp?endpoint=a:1").value();
    auto command = at.driver.take_command();
    CHECK(command.type == CommandType::kAddDestination);
    CHECK(command.as<layout::DestinationCommand>().registration_id == publication->registration_id());
    CHECK(command.as<layout::DestinationCommand>().channel == "aeron:udp?endpoint=a:1");
    CHECK_FALSE(at.client->find_operation(added).value());
    at.driver.send(layout::EventType::kOperationSuccess, layout::OperationSuccess{added});
    at.poll();
    CHECK(at.client->find_operation(added).value());

    at.driver.on_wait = [&] {
        command = at.driver.take_command();
        at.driver.send(
            layout::EventType::kOperationSuccess, layout::OperationSuccess{command.correlation_id()});
    };
    CHECK(publication->remove_destination("aeron:udp?endpoint=a:1").has_value());
    CHECK(command.type == CommandType::kRemoveDestination);
    CHECK(publication->remove_destination(added).has_value());
    CHECK(command.type == CommandType::kRemoveDestinationById);
    CHECK(command.as<layout::RemoveDestinationById>().resource_registration_id ==
          publication->registration_id());
    CHECK(command.as<layout::RemoveDestinationById>().destination_registration_id == added);
    at.driver.on_wait = [&] {
        at.driver.send_error(at.driver.take_command().correlation_id(), ErrorCode::kInvalidChannel, "no");
    };
    CHECK(publication->add_destination("nonsense").error().code == ErrorCode::kInvalidChannel);
}

TEST_CASE("publication: a handle that outlives its client answers closed and its log stays readable") {
    auto at = std::make_unique<Connected>();
    auto publication = at->publication();
    auto exclusive = at->exclusive();
    at->client.reset();
    CHECK(publication->offer(bytes_of("x")).is_closed());
    CHECK(exclusive->offer(bytes_of("x")).is_closed());
    CHECK(exclusive->append_padding(32).is_closed());
    CHECK(publication->term_length() == kTermLength);
    publication.reset();  // after its client, before the driver's memory
    exclusive.reset();
}

TEST_CASE("publication: a receiver's rejection reaches the handler of the publication's owner") {
    std::vector<PublicationErrorInfo> seen;
    Connected at([&](ClientOptions& options) {
        options.on_publication_error = [&](const PublicationErrorInfo& info) { seen.push_back(info); };
    });
    const auto publication = at.publication();
    layout::PublicationError event;
    event.registration_id = publication->original_registration_id();
    event.session_id = kSession;
    event.error_code = static_cast<std::int32_t>(ErrorCode::kImageRejected);
    event.message = "too slow";
    event.source_port = 4040;
    event.source_address = {std::byte{127}, std::byte{0}, std::byte{0}, std::byte{1}};
    at.driver.send(layout::EventType::kPublicationError, event);
    event.registration_id += 1000;
    at.driver.send(layout::EventType::kPublicationError, event);
    at.poll();
    REQUIRE(seen.size() == 1);
    CHECK(seen[0].source_address == "127.0.0.1:4040");
    CHECK(seen[0].error.code == ErrorCode::kImageRejected);
    CHECK(seen[0].error.message == "too slow");
}

TEST_CASE("exclusive publication: padding moves the stream without a message") {
    Connected at;
    FakeDriver::MadePublication made;
    const auto publication = at.exclusive(&made);
    CHECK(publication->append_padding(32).position() == 64);
    CHECK(wire::is_padding(made.log.term(0)));
    CHECK(publication->position() == 64);
}

// What the driver writes into the metadata of a new log, against what a stock driver wrote for the same
// channel.
#include "driver_harness.h"
#include "tests/unit/golden.h"

namespace fulmar::agent {
namespace {

namespace field = layout::log_field;

const std::string kUdp = "aeron:udp?endpoint=10.77.0.2:40123";

/// Lengths and windows, from the MTU to the OS's buffer lengths, without what a test's port has not (sockets)
/// and what we choose otherwise (see expect_same).
constexpr std::size_t kLengthFields[] = {field::kDefaultFrameHeaderLength, field::kMtuLength,
    field::kTermLength, field::kPageSize, field::kPublicationWindowLength};

void expect_same(const std::string& golden, const layout::LogBuffer& log) {
    CAPTURE(golden);
    const auto stock = test::golden_shm(golden);
    REQUIRE(stock.size() == layout::kLogMetadataLength);
    const std::byte* ours = log.metadata();
    for (const std::size_t offset : kLengthFields) {
        CAPTURE(offset);
        CHECK(base::load_le<std::int32_t>(ours, offset) == base::load_le<std::int32_t>(stock.data(), offset));
    }
    for (std::size_t offset = field::kEntityTag; offset < layout::kLogMetadataLength; ++offset) {
        CAPTURE(offset);
        CHECK(ours[offset] == stock[offset]);
    }
}

}  // namespace

TEST_CASE("agent: metadata of publications' and images' logs is a stock driver's, field by field") {
    World world;
    DriverOptions options = small_options("/driver0");
    options.publication_linger_timeout = seconds(1);  // as the recorded driver was told
    options.sparse_terms = true;
    auto sender = world.make_driver(0, options);
    options.dir = "/driver1";
    auto receiver = world.make_driver(1, options);
    const std::vector<DriverCore*> both{sender.get(), receiver.get()};
    RawClient publisher(world, *sender);
    RawClient subscriber(world, *receiver);

    publisher.add_publication(kUdp + "|term-length=64k", 1001);
    const auto shared = ClientLog::open(world, publisher.await_publication().log_file_name);
    expect_same("log_publication_metadata", shared.log);
    publisher.add_publication(kUdp + "|term-length=64k", 1002, true);
    const auto exclusive = ClientLog::open(world, publisher.await_publication(true).log_file_name);
    expect_same("log_exclusive_publication_metadata", exclusive.log);
    publisher.add_publication("aeron:ipc?term-length=64k", 1003);
    const auto ipc = ClientLog::open(world, publisher.await_publication().log_file_name);
    expect_same("log_ipc_publication_metadata", ipc.log);

    subscriber.add_subscription(kUdp, 1001);
    const auto image = subscriber.await_as<layout::AvailableImage>(layout::EventType::kAvailableImage, both);
    expect_same("log_image_metadata", ClientLog::open(world, image.log_file_name).log);
}

TEST_CASE("agent: what a channel asks of its log is what the metadata says") {
    World world;
    auto driver = world.make_driver();
    RawClient client(world, *driver);
    client.add_publication(
        kUdp +
            "|mtu=1024|linger=3s|eos=false|max-resend=8|pub-wnd=16k|term-length=64k|so-sndbuf=64k|"
            "so-rcvbuf=32k|untethered-window-limit-timeout=2s|untethered-resting-timeout=4s|"
            "untethered-linger-timeout=6s",
        1001);
    const auto metadata =
        ClientLog::open(world, client.await_publication().log_file_name).log.read_metadata();
    CHECK(metadata.mtu == 1024);
    CHECK(metadata.linger_timeout_ns == seconds(3).ns);
    CHECK_FALSE(metadata.signal_eos);
    CHECK(metadata.max_resend == 8);
    CHECK(metadata.publication_window_length == 16 * 1024);
    CHECK(metadata.socket_sndbuf_length == 64 * 1024);
    CHECK(metadata.socket_rcvbuf_length == 32 * 1024);
    CHECK(metadata.untethered_window_limit_timeout_ns == seconds(2).ns);
    CHECK(metadata.untethered_resting_timeout_ns == seconds(4).ns);
    CHECK(metadata.untethered_linger_timeout_ns == seconds(6).ns);
}

}  // namespace fulmar::agent

// The data path allocates nothing: each port and the stack below it run a while with the allocator watched.
#include <array>
#include <atomic>
#include <cstdlib>
#include <memory>
#include <new>
#include <poll.h>
#include <vector>

#include <doctest/doctest.h>

#include "drivers/packet_fault/fault_port.h"
#include "drivers/packet_loop/loop_network.h"
#include "drivers/packet_udp/udp_port.h"
#include "drivers/storage_file/file_storage.h"
#include "net/ip_stack.h"
#include "tests/temporary_directory.h"

using namespace fulmar;
using namespace fulmar::port;

namespace {

std::atomic<bool> watching{false};
std::atomic<std::size_t> allocations{0};

void* allocate(std::size_t size, std::size_t alignment) {
    if (watching.load(std::memory_order_relaxed)) {
        allocations.fetch_add(1, std::memory_order_relaxed);
    }
    void* memory = nullptr;
    if (::posix_memalign(&memory, alignment < sizeof(void*) ? sizeof(void*) : alignment, size) != 0) {
        std::abort();
    }
    return memory;
}

}  // namespace

void* operator new(std::size_t size) {
    return allocate(size, alignof(std::max_align_t));
}
void* operator new[](std::size_t size) {
    return allocate(size, alignof(std::max_align_t));
}
void* operator new(std::size_t size, std::align_val_t alignment) {
    return allocate(size, static_cast<std::size_t>(alignment));
}
void operator delete(void* memory) noexcept {
    std::free(memory);
}
void operator delete[](void* memory) noexcept {
    std::free(memory);
}
void operator delete(void* memory, std::size_t) noexcept {
    std::free(memory);
}
void operator delete[](void* memory, std::size_t) noexcept {
    std::free(memory);
}
void operator delete(void* memory, std::align_val_t) noexcept {
    std::free(memory);
}
void operator delete(void* memory, std::size_t, std::align_val_t) noexcept {
    std::free(memory);
}

namespace {

/// How often `work` allocates.
template <class Work>
std::size_t allocations_in(Work&& work) {
    allocations.store(0);
    watching.store(true);
    work();
    watching.store(false);
    return allocations.load();
}

std::unique_ptr<Binding> open_on(PacketPort& port, const Endpoint& local) {
    auto opened = port.open({.local = local});
    REQUIRE(opened);
    return std::move(*opened);
}

/// Rounds of a full burst from `from` to `to` through one queue; returns what arrived.
std::size_t exchange(PacketQueue& queue, Binding& from, Binding& to, int rounds) {
    std::array<std::byte, 256> payload{};
    std::array<TxPacket, kBurstMax> tx;
    tx.fill({payload.data(), payload.size(), &from, to.local()});
    std::array<RxPacket, kBurstMax> rx;
    std::size_t arrived = 0;
    Instant now{0};
    for (int i = 0; i < rounds; ++i) {
        now = now + microseconds(10);
        (void)queue.send(now, tx);
        while (const auto n = queue.receive(now, rx)) {
            arrived += n;
            queue.release({rx.data(), n});
        }
    }
    return arrived;
}

}  // namespace

TEST_CASE("allocation: the watch sees an allocation") {
    std::vector<int> kept;
    CHECK(allocations_in([&kept] { kept.resize(100); }) == 1);
}

TEST_CASE("allocation: none in kernel UDP bursts") {
    drivers::UdpPort port;
    auto& queue = port.queue(PacketPort::Role::kSender);
    auto from = open_on(port, {IpAddress::v4(127, 0, 0, 1), 0});
    auto to = open_on(port, {IpAddress::v4(127, 0, 0, 1), 0});
    queue.add(*to);
    std::size_t arrived = 0;
    CHECK(allocations_in([&] { arrived = exchange(queue, *from, *to, 20); }) == 0);
    CHECK(arrived > 0);
    queue.remove(*to);
}

TEST_CASE("allocation: none in looped bursts with every fault drawn") {
    drivers::LoopNetwork network({.port_count = 1});
    class Lent final : public PacketPort {
      public:
        explicit Lent(PacketPort& port) : port_(port) {}
        [[nodiscard]] std::string_view name() const override { return port_.name(); }
        [[nodiscard]] std::int32_t payload_max() const override { return port_.payload_max(); }
        [[nodiscard]] Endpoint address() const override { return port_.address(); }
        [[nodiscard]] int prefix_length() const override { return port_.prefix_length(); }
        [[nodiscard]] bool has_separate_queues() const override { return false; }
        [[nodiscard]] PacketQueue& queue(Role role) override { return port_.queue(role); }
        [[nodiscard]] Result<std::unique_ptr<Binding>> open(const BindRequest& request) override {
            return port_.open(request);
        }

      private:
        PacketPort& port_;
    };
    const auto spec = net::parse_fault_spec("loss:0.1+dup:0.1+reorder:0.1+delay:15us+corrupt:0.1");
    REQUIRE(spec);
    drivers::FaultPort port(std::make_unique<Lent>(network.port(0)), *spec);
    auto& queue = port.queue(PacketPort::Role::kSender);
    auto from = open_on(port, {{}, 1000});
    auto to = open_on(port, {{}, 2000});
    queue.add(*to);
    std::size_t arrived = 0;
    CHECK(allocations_in([&] { arrived = exchange(queue, *from, *to, 100); }) == 0);
    CHECK(arrived > 3'000);
    const auto counts = port.counts(net::FaultDirection::kBoth);
    CHECK(counts.drawn.lost > 0);
    CHECK(counts.drawn.duplicated > 0);
    CHECK(counts.drawn.reordered > 0);
    CHECK(counts.drawn.corrupted > 0);
    CHECK(counts.drawn.delayed > 0);
    queue.remove(*to);
}

TEST_CASE("allocation: none in two IP stacks that resolve, park and talk") {
    net::IpStackOptions options;
    options.mac = {{2, 0, 0, 0, 0, 1}};
    options.ip = 0x0A4D0001;
    net::IpStack a(options);
    options.mac = {{2, 0, 0, 0, 0, 2}};
    options.ip = 0x0A4D0002;
    net::IpStack b(options);
    b.bind(2000, 0);
    const Endpoint to{IpAddress::from_v4(0x0A4D0002), 2000};
    std::size_t arrived = 0;
    const auto carry = [&arrived](net::IpStack& from, net::IpStack& other, Instant now) {
        net::Datagram d;
        const auto frames = from.pending(now);
        for (const auto& frame : frames) {
            arrived += other.classify(now, {frame.bytes, frame.length}, {}, d) == net::Verdict::kDatagram;
        }
        from.consume(frames.size());
    };
    const auto talk = [&] {
        std::array<std::byte, net::kHeadersLength + 64> frame{};
        const std::span<std::byte> payload(frame.data() + net::kHeadersLength, 64);
        net::Datagram d;
        for (Instant now{0}; now < Instant{} + seconds(60); now = now + milliseconds(50)) {
            if (a.build_headers(now, 1000, to, payload, frame.data()) == net::TxOutcome::kReady) {
                arrived += b.classify(now, frame, {}, d) == net::Verdict::kDatagram;
            } else {
                a.park(now, 1000, to, payload);
            }
            carry(a, b, now);
            carry(b, a, now);
        }
    };
    CHECK(allocations_in(talk) == 0);
    CHECK(arrived == 1'200);
    CHECK(a.stats().parked == 1);
    CHECK(a.stats().tx_arp_requests > 1);  // asked, and refreshed before it expired
}

TEST_CASE("allocation: none in writes, reads and syncs of files, on either thread") {
    for (const auto engine : {drivers::FileStorage::Engine::kBest, drivers::FileStorage::Engine::kCalls}) {
        const test::TemporaryDirectory directory;
        auto storage = drivers::FileStorage::create({.directory = directory.path(), .engine = engine});
        REQUIRE(storage);
        std::vector<StorageCompletion> completions;
        completions.reserve(64);
        const auto wait = [&] {
            while ((*storage)->under_way() > 0) {
                (void)(*storage)->poll(completions, 64);
            }
        };
        StorageRequest create{.op = StorageRequest::Op::kCreate, .length = 1 << 16, .name = "a"};
        REQUIRE((*storage)->submit(create));
        while ((*storage)->poll(completions, 1) == 0) {
        }
        const FileHandle file = completions[0].file;
        std::array<std::byte, 4'096> bytes{};
        std::size_t refused = 0;
        CHECK(allocations_in([&] {
            for (std::uint64_t i = 0; i < 64; ++i) {
                StorageRequest write{
                    .op = StorageRequest::Op::kWrite, .file = file, .offset = i % 16 * 4'096, .data = bytes};
                StorageRequest sync{.op = StorageRequest::Op::kSync, .file = file};
                refused += (*storage)->submit(write) && (*storage)->submit(sync) ? 0 : 1;
            }
            wait();
            for (std::uint64_t i = 0; i < 64; ++i) {
                StorageRequest read{
                    .op = StorageRequest::Op::kRead, .file = file, .offset = i % 16 * 4'096, .into = bytes};
                refused += (*storage)->submit(read) ? 0 : 1;
                wait();
            }
        }) == 0);
        CHECK(refused == 0);
        CHECK((*storage)->under_way() == 0);
    }
}

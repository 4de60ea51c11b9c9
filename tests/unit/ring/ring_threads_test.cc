// Real threads over small rings, so that full, empty and wrap meet often. Also run under ThreadSanitizer.
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <thread>
#include <vector>

#include <doctest/doctest.h>

#include "base/prng.h"
#include "ring/mpsc_byte_ring.h"
#include "ring/mpsc_pointer_ring.h"
#include "ring/spsc_byte_ring.h"
#include "ring/spsc_pointer_ring.h"
#include "shm_fixture.h"

using namespace fulmar::ring;
using fulmar::base::Prng;
using fulmar::test::RingMemory;

namespace {

constexpr std::uint64_t kMessages = 50'000;
constexpr std::uint64_t kProducers = 3;

/// A body that names its producer and sequence, as long as a draw says, filled with what follows from both.
std::size_t fill(std::span<std::byte> body, std::uint64_t producer, std::uint64_t sequence) {
    const std::uint64_t word = producer << 56 | sequence;
    for (std::size_t at = 0; at + 8 <= body.size(); at += 8) {
        fulmar::base::store_le(body.data(), at, word);
    }
    return body.size();
}

/// Checks order per producer and that no body is torn.
class Checker {
  public:
    void on_message(std::span<const std::byte> body) {
        const auto word = fulmar::base::load_le<std::uint64_t>(body.data(), 0);
        for (std::size_t at = 8; at + 8 <= body.size(); at += 8) {
            torn_ += fulmar::base::load_le<std::uint64_t>(body.data(), at) == word ? 0U : 1U;
        }
        on_word(word);
    }
    void on_word(std::uint64_t word) {
        auto& next = next_[word >> 56 & 3];
        disorder_ += (word & 0xFFFF'FFFF'FFFFULL) == next ? 0U : 1U;
        ++next;
        ++count_;
    }
    [[nodiscard]] std::uint64_t count() const { return count_; }
    [[nodiscard]] bool clean() const { return torn_ == 0 && disorder_ == 0; }

  private:
    std::array<std::uint64_t, 4> next_{};
    std::uint64_t count_ = 0;
    std::uint64_t torn_ = 0;
    std::uint64_t disorder_ = 0;
};

std::size_t draw_length(Prng& prng) {
    return 8 + 8 * prng.below(4);
}

template <class Write>
void produce(std::uint64_t producer, Write write) {
    Prng prng(producer);
    std::array<std::byte, 64> body{};
    for (std::uint64_t sequence = 0; sequence < kMessages; ++sequence) {
        const std::size_t length = draw_length(prng);
        fill({body.data(), length}, producer, sequence);
        while (!write(std::span<const std::byte>(body.data(), length))) {
            std::this_thread::yield();
        }
    }
}

template <class Poll>
void consume(std::uint64_t expected, const Checker& checker, Poll poll) {
    while (checker.count() < expected) {
        if (poll() == 0) {
            std::this_thread::yield();
        }
    }
}

}  // namespace

TEST_CASE("spsc_pointer_ring: two threads, nothing lost or out of order") {
    SpscPointerRing<std::uint64_t> ring(8);
    Checker checker;
    std::thread producer([&] {
        for (std::uint64_t i = 0; i < kMessages; ++i) {
            while (!ring.try_push(i)) {
                std::this_thread::yield();
            }
        }
    });
    std::array<std::uint64_t, 3> out{};
    consume(kMessages, checker, [&] {
        const std::size_t count = ring.pop_burst(out);
        for (std::size_t i = 0; i < count; ++i) {
            checker.on_word(out[i]);
        }
        return count;
    });
    producer.join();
    CHECK(checker.clean());
}

TEST_CASE("mpsc_pointer_ring: several producers, each in order, nothing lost") {
    MpscPointerRing<std::uint64_t> ring(8);
    Checker checker;
    std::vector<std::thread> producers;
    for (std::uint64_t p = 0; p < kProducers; ++p) {
        producers.emplace_back([&ring, p] {
            for (std::uint64_t i = 0; i < kMessages; ++i) {
                while (!ring.try_push(p << 56 | i)) {
                    std::this_thread::yield();
                }
            }
        });
    }
    consume(kProducers * kMessages, checker, [&] {
        std::uint64_t word = 0;
        const bool popped = ring.try_pop(word);
        if (popped) {
            checker.on_word(word);
        }
        return popped ? 1 : 0;
    });
    for (auto& producer : producers) {
        producer.join();
    }
    CHECK(checker.clean());
}

TEST_CASE("spsc_byte_ring: two threads, nothing lost, torn or out of order") {
    SpscByteRing ring(256);
    Checker checker;
    std::thread producer([&] { produce(0, [&](auto body) { return ring.try_write(body); }); });
    consume(kMessages, checker, [&] {
        return ring.poll([&](std::int32_t, std::span<const std::byte> body) { checker.on_message(body); });
    });
    producer.join();
    CHECK(checker.clean());
}

TEST_CASE("mpsc_byte_ring: several producers, each in order, nothing lost or torn") {
    MpscByteRing ring(256);
    Checker checker;
    std::vector<std::thread> producers;
    for (std::uint64_t p = 0; p < kProducers; ++p) {
        producers.emplace_back(
            [&ring, p] { produce(p, [&ring](auto body) { return ring.try_write(body); }); });
    }
    consume(kProducers * kMessages, checker, [&] {
        return ring.poll([&](std::int32_t, std::span<const std::byte> body) { checker.on_message(body); });
    });
    for (auto& producer : producers) {
        producer.join();
    }
    CHECK(checker.clean());
}

TEST_CASE("shm_mpsc_ring: several producers with views of their own, each in order, nothing lost or torn") {
    RingMemory memory(512);
    auto ring = memory.ring();
    Checker checker;
    std::vector<std::thread> producers;
    for (std::uint64_t p = 0; p < kProducers; ++p) {
        producers.emplace_back([&memory, p] {
            auto view = memory.ring();
            produce(p, [&view](auto body) { return view.try_write(1, body) == ShmWriteResult::kWritten; });
        });
    }
    consume(kProducers * kMessages, checker, [&] {
        return ring.read([&](std::int32_t, std::span<const std::byte> body) { checker.on_message(body); });
    });
    for (auto& producer : producers) {
        producer.join();
    }
    CHECK(checker.clean());
    CHECK(ring.corruptions() == 0);
    CHECK(memory.guards_hold());
}

TEST_CASE("shm_broadcast: two receivers see whole messages in rising order, however often they are lapped") {
    RingMemory memory(512, kShmBroadcastTrailerBytes);
    auto transmitter = BroadcastTransmitter::attach(memory.span()).value();
    std::atomic<bool> done{false};
    std::array<std::uint64_t, 2> bad{};
    std::array<std::uint64_t, 2> last{};
    std::vector<std::thread> receivers;
    for (std::size_t r = 0; r < 2; ++r) {
        receivers.emplace_back([&, r] {
            auto receiver = BroadcastReceiver::attach(memory.span()).value();
            std::uint64_t newest = 0;
            for (bool finished = false; !finished;) {
                finished = done.load(std::memory_order_acquire);
                for (auto message = receiver.receive_next(); message.status != Reception::kNothing;
                     message = receiver.receive_next()) {
                    if (message.status == Reception::kLapped) {
                        continue;
                    }
                    const auto word = fulmar::base::load_le<std::uint64_t>(message.body.data(), 0);
                    for (std::size_t at = 8; at < message.body.size(); at += 8) {
                        bad[r] +=
                            fulmar::base::load_le<std::uint64_t>(message.body.data(), at) == word ? 0U : 1U;
                    }
                    bad[r] += message.status == Reception::kMessage && word >= newest ? 0U : 1U;
                    newest = word;
                }
            }
            last[r] = newest;
        });
    }
    Prng prng(5);
    std::array<std::byte, 64> body{};
    for (std::uint64_t sequence = 1; sequence <= kMessages; ++sequence) {
        const std::size_t length = draw_length(prng);
        fill({body.data(), length}, 0, sequence);
        CHECK(transmitter.transmit(1, {body.data(), length}));
    }
    done.store(true, std::memory_order_release);
    for (auto& receiver : receivers) {
        receiver.join();
    }
    CHECK(bad == std::array<std::uint64_t, 2>{});
    CHECK(last == std::array<std::uint64_t, 2>{kMessages, kMessages});
}

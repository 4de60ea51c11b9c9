// Byte rings between two or three pinned threads: one-way throughput and round trip at 8 to 256 bytes,
// beside the packaged peers. Each body is filled by the sender and read whole by the receiver.
//   one_way/<ring>/<bytes>/<burst>    burst: messages published together
//   round_trip/<ring>/<bytes>
// On fewer cores than threads the figures are about the scheduler: skip the two-producer runs there.
#include <algorithm>
#include <atomic>
#include <benchmark/benchmark.h>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <pthread.h>
#include <sched.h>
#include <string>
#include <thread>
#include <vector>

#include "ring_peers.h"

namespace fulmar::bench {
namespace {

constexpr std::uint64_t kMessages = 1 << 20;
constexpr std::uint64_t kRoundTrips = 1 << 15;

void pin(unsigned index) {
    cpu_set_t usable;
    CPU_ZERO(&usable);
    sched_getaffinity(0, sizeof usable, &usable);
    unsigned seen = 0;
    for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
        if (CPU_ISSET(cpu, &usable) && seen++ == index % std::thread::hardware_concurrency()) {
            cpu_set_t one;
            CPU_ZERO(&one);
            CPU_SET(cpu, &one);
            pthread_setaffinity_np(pthread_self(), sizeof one, &one);
            return;
        }
    }
}

/// Spins, and gives way now and then, as threads may outnumber cores.
class Backoff {
  public:
    void idle() {
        if (++spins_ % 4096 == 0) {
            std::this_thread::yield();
        }
        __builtin_ia32_pause();
    }

  private:
    unsigned spins_ = 0;
};

template <std::size_t kBytes>
void fill_body(std::byte* body, std::uint64_t sequence) {
    for (std::size_t at = 0; at < kBytes; at += 8) {
        base::store_le(body, at, sequence);
    }
}

template <std::size_t kBytes>
std::uint64_t sum_body(const std::byte* body) {
    std::uint64_t sum = 0;
    for (std::size_t at = 0; at < kBytes; at += 8) {
        sum += base::load_le<std::uint64_t>(body, at);
    }
    return sum;
}

template <class Ring, std::size_t kBytes>
void produce(Ring& ring, std::uint64_t messages, std::size_t burst) {
    Backoff backoff;
    for (std::uint64_t sequence = 0; sequence < messages;) {
        const std::size_t count = std::min<std::uint64_t>(burst, messages - sequence);
        std::uint64_t next = sequence;
        const std::size_t sent = ring.send(count, [&](std::byte* body) { fill_body<kBytes>(body, next++); });
        sequence += sent;
        if (sent == 0) {
            backoff.idle();
        }
    }
}

template <template <std::size_t> class Ring, std::size_t kBytes>
void one_way(benchmark::State& state, std::size_t burst, unsigned producers) {
    pin(0);
    for (auto _ : state) {
        auto ring = std::make_unique<Ring<kBytes>>();
        std::atomic<bool> go{false};
        std::vector<std::thread> threads;
        for (unsigned p = 0; p < producers; ++p) {
            threads.emplace_back([&, p] {
                pin(p + 1);
                while (!go.load(std::memory_order_acquire)) {
                }
                produce<Ring<kBytes>, kBytes>(*ring, kMessages / producers, burst);
            });
        }
        std::uint64_t received = 0;
        std::uint64_t sum = 0;
        Backoff backoff;
        const auto begin = std::chrono::steady_clock::now();
        go.store(true, std::memory_order_release);
        while (received < kMessages / producers * producers) {
            const std::size_t count =
                ring->receive([&](const std::byte* body) { sum += sum_body<kBytes>(body); });
            received += count;
            if (count == 0) {
                backoff.idle();
            }
        }
        state.SetIterationTime(
            std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count());
        for (auto& thread : threads) {
            thread.join();
        }
        const std::uint64_t each = kMessages / producers;
        if (sum != each * (each - 1) / 2 * (kBytes / 8) * producers) {
            state.SkipWithError("messages were lost or changed");
        }
    }
    const auto moved = state.iterations() * static_cast<std::int64_t>(kMessages);
    state.SetItemsProcessed(moved);
    state.SetBytesProcessed(moved * static_cast<std::int64_t>(kBytes));
}

template <class Ring, std::size_t kBytes>
void send_one(Ring& ring, std::uint64_t sequence, Backoff& backoff) {
    while (ring.send(1, [&](std::byte* body) { fill_body<kBytes>(body, sequence); }) == 0) {
        backoff.idle();
    }
}

template <class Ring, std::size_t kBytes>
std::uint64_t receive_one(Ring& ring, Backoff& backoff) {
    std::uint64_t sum = 0;
    while (ring.receive([&](const std::byte* body) { sum = sum_body<kBytes>(body); }) == 0) {
        backoff.idle();
    }
    return sum;
}

template <template <std::size_t> class Ring, std::size_t kBytes>
void round_trip(benchmark::State& state) {
    pin(0);
    for (auto _ : state) {
        auto there = std::make_unique<Ring<kBytes>>();
        auto back = std::make_unique<Ring<kBytes>>();
        std::thread echo([&] {
            pin(1);
            Backoff backoff;
            for (std::uint64_t i = 0; i < kRoundTrips; ++i) {
                send_one<Ring<kBytes>, kBytes>(
                    *back, receive_one<Ring<kBytes>, kBytes>(*there, backoff), backoff);
            }
        });
        Backoff backoff;
        const auto begin = std::chrono::steady_clock::now();
        for (std::uint64_t i = 0; i < kRoundTrips; ++i) {
            send_one<Ring<kBytes>, kBytes>(*there, i, backoff);
            benchmark::DoNotOptimize(receive_one<Ring<kBytes>, kBytes>(*back, backoff));
        }
        const auto end = std::chrono::steady_clock::now();
        state.SetIterationTime(std::chrono::duration<double>(end - begin).count() / kRoundTrips);
        echo.join();
    }
}

template <template <std::size_t> class Ring, std::size_t kBytes>
void add_size(const std::string& name, bool bursts, unsigned producers_max) {
    const std::string size = "/" + std::to_string(kBytes);
    for (const std::size_t burst : {std::size_t{1}, kBurst}) {
        if (burst == 1 || bursts) {
            for (unsigned producers = 1; producers <= producers_max; ++producers) {
                benchmark::RegisterBenchmark(
                    ("one_way/" + name + size + "/" + std::to_string(burst) +
                        (producers > 1 ? "/producers:" + std::to_string(producers) : ""))
                        .c_str(),
                    one_way<Ring, kBytes>, burst, producers)
                    ->UseManualTime()
                    ->Unit(benchmark::kMillisecond);
            }
        }
    }
    benchmark::RegisterBenchmark(("round_trip/" + name + size).c_str(), round_trip<Ring, kBytes>)
        ->UseManualTime()
        ->Iterations(5)
        ->Unit(benchmark::kNanosecond);
}

template <template <std::size_t> class Ring>
void add(const std::string& name, bool bursts, unsigned producers_max = 1) {
    add_size<Ring, 8>(name, bursts, producers_max);
    add_size<Ring, 16>(name, bursts, producers_max);
    add_size<Ring, 32>(name, bursts, producers_max);
    add_size<Ring, 64>(name, bursts, producers_max);
    add_size<Ring, 128>(name, bursts, producers_max);
    add_size<Ring, 256>(name, bursts, producers_max);
}

void add_all() {
    add<FulmarSpsc>("spsc/fulmar", true);
    add<RteSpsc>("spsc/rte_ring", true);
    add<RteZeroCopy>("spsc/rte_ring_zc", true);
    add<RteZeroCopyFixed>("spsc/rte_ring_zc_fixed", true);
#ifdef FULMAR_PEER_BOOST
    add<BoostSpsc>("spsc/boost", true);
    add<BoostSpscFixed>("spsc/boost_fixed", true);
#endif
#ifdef FULMAR_PEER_READERWRITERQUEUE
    add<ReaderWriterSpsc>("spsc/readerwriterqueue", false);
#endif
    add<FulmarMpsc>("mpsc/fulmar", true, 2);
    add<RteMpsc>("mpsc/rte_ring", true, 2);
#ifdef FULMAR_PEER_BOOST
    add<BoostMpsc>("mpsc/boost", false, 2);
#endif
#ifdef FULMAR_PEER_CONCURRENTQUEUE
    add<ConcurrentMpsc>("mpsc/concurrentqueue", true, 2);
#endif
}

}  // namespace
}  // namespace fulmar::bench

int main(int argc, char** argv) {
    fulmar::bench::add_all();
    benchmark::Initialize(&argc, argv);
    if (benchmark::ReportUnrecognizedArguments(argc, argv)) {
        return 2;
    }
    benchmark::RunSpecifiedBenchmarks();
    benchmark::Shutdown();
}

// What a word between members costs before and behind the network, in nanoseconds:
//   encode            a heartbeat into bytes              decode   checked, back into a raft::Message
//   code/<bytes>      the code alone                      peer/<bytes>  OpenSSL's EVP_MAC for the same
//   seal/<bytes>      header and code around a message    open/<bytes>  checks, code and replay window
//   heartbeat         encode, seal, open and decode
#include <array>
#include <benchmark/benchmark.h>
#include <cstdlib>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <vector>

#include "cluster/consensus_messages.h"
#include "cluster/member_auth.h"

namespace fulmar::bench {
namespace {

using cluster::Direction;
using cluster::MemberAuth;

constexpr Direction kWay{.cluster_id = 7, .from = 1, .to = 2};
constexpr std::size_t kBuffer = 4'096;

/// A benchmark of failures would be fast.
void must(bool holds) {
    if (!holds) {
        std::abort();
    }
}

raft::Message heartbeat() {
    return {.from = kWay.from,
        .to = kWay.to,
        .disk = {1, 2},
        .term = 3,
        .after = {},
        .body = raft::Heartbeat{.log_end = 1 << 20, .commit = 1 << 19, .round = 17}};
}

/// Two members that have their sessions.
struct Members {
    MemberAuth from = member(kWay, 1);
    MemberAuth to = member(kWay.reversed(), 2);
    std::vector<std::byte> buffer = std::vector<std::byte>(kBuffer);

    Members() {
        while (!from.is_open()) {
            exchange(from, to);
            exchange(to, from);
        }
    }

  private:
    static MemberAuth member(const Direction& out, int draw) {
        MemberAuth::Options options;
        options.out = out;
        options.draw.fill(static_cast<std::byte>(draw));
        return {options, Instant{}};
    }
    void exchange(MemberAuth& a, MemberAuth& b) {
        while (const std::size_t length = a.poll(buffer, Instant{})) {
            must(b.open(std::span(buffer).first(length)).verdict == cluster::AuthVerdict::kHandshake);
        }
    }
};

void encode(benchmark::State& state) {
    std::vector<std::byte> buffer(kBuffer);
    const raft::Message message = heartbeat();
    for (auto _ : state) {
        benchmark::DoNotOptimize(cluster::encode(kWay.cluster_id, message, buffer));
        benchmark::ClobberMemory();
    }
}

void decode(benchmark::State& state) {
    std::vector<std::byte> buffer(kBuffer);
    buffer.resize(cluster::encode(kWay.cluster_id, heartbeat(), buffer));
    for (auto _ : state) {
        const auto message = cluster::decode(kWay, buffer);
        must(message.has_value());
        benchmark::DoNotOptimize(message);
    }
}

void code(benchmark::State& state) {
    const cluster::MacKey key(cluster::Secret{});
    const std::vector<std::byte> message(static_cast<std::size_t>(state.range(0)));
    std::array<std::byte, cluster::kMacBytes> mac{};
    for (auto _ : state) {
        key.sign(message, mac);
        benchmark::DoNotOptimize(mac);
        benchmark::ClobberMemory();
    }
}

void peer(benchmark::State& state) {
    EVP_MAC* const method = EVP_MAC_fetch(nullptr, "HMAC", nullptr);
    EVP_MAC_CTX* const context = EVP_MAC_CTX_new(method);
    char digest[] = "SHA256";
    const OSSL_PARAM parameters[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0), OSSL_PARAM_construct_end()};
    const std::array<unsigned char, cluster::kSecretBytes> key{};
    must(EVP_MAC_init(context, key.data(), key.size(), parameters) == 1);
    const std::vector<unsigned char> message(static_cast<std::size_t>(state.range(0)));
    std::array<unsigned char, 32> mac{};
    for (auto _ : state) {
        std::size_t length = 0;
        must(EVP_MAC_init(context, nullptr, 0, nullptr) == 1);
        must(EVP_MAC_update(context, message.data(), message.size()) == 1);
        must(EVP_MAC_final(context, mac.data(), &length, mac.size()) == 1);
        benchmark::DoNotOptimize(mac);
    }
    EVP_MAC_CTX_free(context);
    EVP_MAC_free(method);
}

void seal(benchmark::State& state) {
    Members members;
    for (auto _ : state) {
        must(members.from.seal(members.buffer, static_cast<std::size_t>(state.range(0))) != 0);
        benchmark::ClobberMemory();
    }
}

/// Each is heard once, so what is opened was sealed before the clock runs: so many at a time.
void open(benchmark::State& state) {
    constexpr std::size_t kBatch = 256;
    Members members;
    const auto length = static_cast<std::size_t>(state.range(0));
    std::vector<std::vector<std::byte>> batch(kBatch, std::vector<std::byte>(cluster::kSealBytes + length));
    while (state.KeepRunningBatch(kBatch)) {
        state.PauseTiming();
        for (auto& datagram : batch) {
            must(members.from.seal(datagram, length) != 0);
        }
        state.ResumeTiming();
        for (const auto& datagram : batch) {
            must(members.to.open(datagram).verdict == cluster::AuthVerdict::kMessage);
        }
    }
}

void heartbeat_there(benchmark::State& state) {
    Members members;
    const raft::Message message = heartbeat();
    const std::span buffer(members.buffer);
    for (auto _ : state) {
        const std::size_t length =
            cluster::encode(kWay.cluster_id, message, buffer.subspan(cluster::kSealFront));
        const std::size_t whole = members.from.seal(buffer, length);
        const auto opened = members.to.open(buffer.first(whole));
        const auto heard = cluster::decode(members.to.incoming(), opened.message);
        must(heard.has_value());
        benchmark::DoNotOptimize(heard);
    }
}

}  // namespace

BENCHMARK(encode);
BENCHMARK(decode);
BENCHMARK(code)->Arg(100)->Arg(1'024);
BENCHMARK(peer)->Arg(100)->Arg(1'024);
BENCHMARK(seal)->Arg(64)->Arg(1'024);
BENCHMARK(open)->Arg(64)->Arg(1'024);
BENCHMARK(heartbeat_there)->Name("heartbeat");

}  // namespace fulmar::bench

BENCHMARK_MAIN();

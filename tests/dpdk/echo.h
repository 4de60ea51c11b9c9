/// Both ends of an echo over a PacketPort: used by the tests in one process and by the peer program in
/// another. threads: one polling thread each.
#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <sched.h>
#include <span>
#include <time.h>
#include <vector>

#include "base/bytes.h"
#include "drivers/packet_dpdk/dpdk_port.h"

namespace fulmar::test {

inline constexpr std::uint16_t kEchoPort = 40123;

inline Instant monotonic_now() {
    timespec now{};
    ::clock_gettime(CLOCK_MONOTONIC, &now);
    return Instant{now.tv_sec * std::int64_t{1'000'000'000} + now.tv_nsec};
}

/// Spins longer than a round trip takes, then lets others run: the other end may wait for this very
/// processor.
class Idle {
  public:
    void nothing() {
        if (++polls_ % 1024 == 0) {
            ::sched_yield();
        }
    }

  private:
    unsigned polls_ = 0;
};

/// Sends back what comes in until told to stop.
class EchoServer {
  public:
    explicit EchoServer(drivers::DpdkPort& port)
        : queue_(port.queue(port::PacketPort::Role::kReceiver)),
          binding_(port.open({.local = {{}, kEchoPort}})) {
        queue_.add(**binding_);
    }
    ~EchoServer() { queue_.remove(**binding_); }

    /// Returns the number of packets answered.
    std::size_t poll(Instant now) {
        const auto count = queue_.receive(now, received_);
        if (count == 0) {
            idle_.nothing();
            return 0;
        }
        for (std::size_t i = 0; i < count; ++i) {
            const auto& packet = received_[i];
            replies_[i] = {packet.bytes, packet.length, packet.binding, packet.source};
        }
        const auto sent = queue_.send(now, std::span(replies_).first(count));
        queue_.release(std::span(received_).first(count));
        return sent;
    }

  private:
    Idle idle_;
    // Members: on the stack they would be zeroed at each poll.
    std::array<port::RxPacket, port::kBurstMax> received_;
    std::array<port::TxPacket, port::kBurstMax> replies_;
    port::PacketQueue& queue_;
    Result<std::unique_ptr<port::Binding>> binding_;
};

/// Sends numbered datagrams one at a time and checks what returns byte by byte.
class EchoClient {
  public:
    EchoClient(drivers::DpdkPort& port, port::IpAddress server, std::size_t payload_bytes)
        : queue_(port.queue(port::PacketPort::Role::kSender)),
          binding_(port.open({.local = {{}, 0}})),
          server_{server, kEchoPort},
          payload_(payload_bytes) {
        for (std::size_t i = 0; i < payload_.size(); ++i) {
            payload_[i] = static_cast<std::byte>(i * 7 + 3);
        }
        queue_.add(**binding_);
    }
    ~EchoClient() { queue_.remove(**binding_); }

    /// One round trip within `patience`; sends again every 200 ms, for a peer that is not there yet.
    /// Returns nanoseconds, or -1.
    std::int64_t ping(Duration patience) {
        base::store_le(payload_.data(), 0, ++sequence_);
        const auto begin = monotonic_now();
        Instant now = begin;
        Instant send_at = begin;
        for (unsigned polls = 0;; ++polls) {
            if (polls % 64 == 0) {
                now = monotonic_now();
                if (now - begin > patience) {
                    return -1;
                }
                if (now >= send_at && send_once(now)) {
                    send_at = now + milliseconds(200);
                }
            }
            if (answered(now)) {
                return (monotonic_now() - begin).ns;
            }
            idle_.nothing();
        }
    }

    [[nodiscard]] std::uint64_t damaged() const { return damaged_; }
    [[nodiscard]] port::PacketQueue& queue() { return queue_; }

  private:
    bool send_once(Instant now) {
        const port::TxPacket packet{
            payload_.data(), static_cast<std::uint32_t>(payload_.size()), binding_->get(), server_};
        return queue_.send(now, {&packet, 1}) == 1;
    }

    bool answered(Instant now) {
        const auto count = queue_.receive(now, received_);
        bool found = false;
        for (std::size_t i = 0; i < count; ++i) {
            found = matches(received_[i]) || found;
        }
        if (count != 0) {
            queue_.release(std::span(received_).first(count));
        }
        return found;
    }

    bool matches(const port::RxPacket& packet) {
        if (packet.binding != binding_->get() || packet.source != server_ ||
            packet.length != payload_.size()) {
            ++damaged_;
            return false;
        }
        if (base::load_le<std::uint64_t>(packet.bytes, 0) != sequence_) {
            return false;  // an answer to an earlier attempt
        }
        const bool same = std::memcmp(packet.bytes, payload_.data(), payload_.size()) == 0;
        damaged_ += same ? 0 : 1;
        return same;
    }

    port::PacketQueue& queue_;
    Result<std::unique_ptr<port::Binding>> binding_;
    port::Endpoint server_;
    std::vector<std::byte> payload_;
    Idle idle_;
    std::array<port::RxPacket, port::kBurstMax> received_;
    std::uint64_t sequence_ = 0;
    std::uint64_t damaged_ = 0;
};

}  // namespace fulmar::test

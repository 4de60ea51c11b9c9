#include "perf/e2e/raw_engine.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <fmt/core.h>
#include <memory>
#include <time.h>
#include <vector>

#include "base/bytes.h"
#include "pmd_glue/frame_queue.h"

namespace fulmar::perf {
namespace {

using pmd_glue::Frame;

constexpr std::size_t kBurstMax = 64;
constexpr std::size_t kCopyRingBytes = std::size_t{48} << 20;
constexpr std::int64_t kSecond_ns = 1'000'000'000;
constexpr std::int64_t kPeerWait_ns = 10 * kSecond_ns;
constexpr std::int64_t kReplyWait_ns = kSecond_ns / 10;
constexpr std::int64_t kStreamIdle_ns = kSecond_ns;
constexpr int kPollsPerClock = 4096;
constexpr std::int64_t kRetry_ns = 5'000'000;

// Behind the 42 header bytes.
constexpr std::size_t kMagicOffset = kRawHeaderBytes;
constexpr std::size_t kSequenceOffset = kRawHeaderBytes + 8;
constexpr std::uint64_t kDataMagic = 0x5721A60DDA7AF00DU;
constexpr std::uint64_t kEndMagic = 0x5721A60DE9D0F00DU;

std::int64_t now_ns() {
    timespec now{};
    ::clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * kSecond_ns + now.tv_nsec;
}

/// A plain UDP datagram between 10.77.0.1 and .2, so that a kernel on the way treats it like ours.
std::array<std::byte, kRawHeaderBytes> make_header(
    const pmd_glue::MacBytes& source, std::uint32_t frame_bytes) {
    std::array<std::uint8_t, kRawHeaderBytes> header{};
    std::fill_n(header.begin(), 6, std::uint8_t{0xFF});
    std::copy(source.begin(), source.end(), header.begin() + 6);
    const auto ip_length = frame_bytes - 14;
    const auto udp_length = frame_bytes - 34;
    const std::array<std::uint8_t, 20> ip = {0x45, 0, static_cast<std::uint8_t>(ip_length >> 8),
        static_cast<std::uint8_t>(ip_length), 0, 0, 0x40, 0, 64, 17, 0, 0, 10, 77, 0, 1, 10, 77, 0, 2};
    header[12] = 0x08;
    std::copy(ip.begin(), ip.end(), header.begin() + 14);
    std::uint32_t sum = 0;
    for (std::size_t i = 0; i < ip.size(); i += 2) {
        sum += (std::uint32_t{ip[i]} << 8) + ip[i + 1];
    }
    sum = (sum & 0xFFFF) + (sum >> 16);
    sum = ~((sum & 0xFFFF) + (sum >> 16));
    header[24] = static_cast<std::uint8_t>(sum >> 8);
    header[25] = static_cast<std::uint8_t>(sum);
    header[34] = header[36] = 0x9C;
    header[35] = header[37] = 0x40;
    header[38] = static_cast<std::uint8_t>(udp_length >> 8);
    header[39] = static_cast<std::uint8_t>(udp_length);
    std::array<std::byte, kRawHeaderBytes> bytes;
    std::memcpy(bytes.data(), header.data(), header.size());
    return bytes;
}

void swap_macs(std::byte* frame) {
    std::array<std::byte, 6> first;
    std::memcpy(first.data(), frame, 6);
    std::memmove(frame, frame + 6, 6);
    std::memcpy(frame + 6, first.data(), 6);
}

/// Memory larger than the caches, walked around: what a term buffer costs without its protocol.
class CopyRing {
  public:
    explicit CopyRing(bool wanted) : bytes_(wanted ? kCopyRingBytes : 0, std::byte{0x5A}) {}
    void copy_out(std::byte* to, std::size_t length) { std::memcpy(to, next(length), length); }
    void copy_in(const std::byte* from, std::size_t length) { std::memcpy(next(length), from, length); }
    [[nodiscard]] bool wanted() const { return !bytes_.empty(); }

  private:
    std::byte* next(std::size_t length) {
        const auto aligned = base::align_up<std::size_t>(length, 32);
        if (at_ + aligned > bytes_.size()) {
            at_ = 0;
        }
        auto* const place = bytes_.data() + at_;
        at_ += aligned;
        return place;
    }
    std::vector<std::byte> bytes_;
    std::size_t at_ = 0;
};

class RawRun {
  public:
    RawRun(pmd_glue::Device& device, const RawOptions& options)
        : device_(device),
          options_(options),
          queue_(device),
          header_(make_header(device.info().mac, options.frame_bytes)),
          ring_(options.copy) {}

    Result<RawResult> run() {
        if (options_.frame_bytes < kRawFrameBytesMin ||
            options_.frame_bytes > static_cast<std::uint32_t>(device_.info().frame_max)) {
            return fail(ErrorCode::kGeneric,
                fmt::format("a raw frame over {} has {} to {} bytes, not {}", device_.info().name,
                    kRawFrameBytesMin, device_.info().frame_max, options_.frame_bytes));
        }
        if (!wait_for_link()) {
            return fail(ErrorCode::kGeneric,
                fmt::format("{}: no link after 10 s: is the peer running?", device_.info().name));
        }
        switch (options_.role) {
            case RawOptions::Role::kPing: return ping();
            case RawOptions::Role::kPong: return pong();
            case RawOptions::Role::kPub: return publish();
            case RawOptions::Role::kSub: return subscribe();
        }
        return fail(ErrorCode::kGeneric, "unknown raw role");
    }

  private:
    bool stopped() const {
        return options_.stop != nullptr && options_.stop->load(std::memory_order_relaxed);
    }

    /// Passive roles wait as long as they are let; active ones give up.
    bool wait_for_link() {
        const bool patient =
            options_.role == RawOptions::Role::kPong || options_.role == RawOptions::Role::kSub;
        const auto deadline = now_ns() + kPeerWait_ns;
        while (!device_.link_up() && !stopped()) {
            if (!patient && now_ns() > deadline) {
                return false;
            }
            device_.retry(Instant{now_ns()});
            const timespec pause{0, kRetry_ns};
            ::nanosleep(&pause, nullptr);
        }
        return device_.link_up() || patient;
    }

    void fill(Frame& frame, std::uint64_t magic, std::int64_t sequence) {
        std::memcpy(frame.bytes, header_.data(), kRawHeaderBytes);
        if (ring_.wanted()) {
            ring_.copy_out(frame.bytes + kRawHeaderBytes, options_.frame_bytes - kRawHeaderBytes);
        }
        base::store_le(frame.bytes, kMagicOffset, magic);
        base::store_le(frame.bytes, kSequenceOffset, sequence);
    }

    /// -1: not ours; -2: the end of a stream.
    static std::int64_t sequence_of(const Frame& frame) {
        if (frame.length < kRawFrameBytesMin) {
            return -1;
        }
        const auto magic = base::load_le<std::uint64_t>(frame.bytes, kMagicOffset);
        if (magic == kDataMagic) {
            return base::load_le<std::int64_t>(frame.bytes, kSequenceOffset);
        }
        return magic == kEndMagic ? -2 : -1;
    }

    bool send_one(std::uint64_t magic, std::int64_t sequence) {
        std::array<Frame, 1> frame;
        if (!queue_.allocate(frame, options_.frame_bytes)) {
            return false;
        }
        fill(frame[0], magic, sequence);
        return send_all(frame, kReplyWait_ns);
    }

    bool await_reply(std::int64_t sequence, std::int64_t sent_ns) {
        std::array<Frame, kBurstMax> frames;
        for (int polls = 0;; ++polls) {
            const auto count = queue_.receive(frames);
            bool found = false;
            for (std::size_t i = 0; i < count; ++i) {
                found = found || sequence_of(frames[i]) == sequence;
            }
            if (count != 0) {
                queue_.release(std::span(frames).first(count));
            }
            if (found) {
                return true;
            }
            if (polls == kPollsPerClock) {
                polls = 0;
                if (now_ns() - sent_ns > kReplyWait_ns || stopped()) {
                    return false;
                }
            }
        }
    }

    Result<RawResult> ping() {
        RawResult result;
        std::int64_t begin_ns = 0;
        std::int64_t unanswered_since_ns = 0;
        for (std::int64_t sequence = 0; !stopped(); ++sequence) {
            const bool measured = sequence >= options_.warmup;
            const auto sent_ns = now_ns();
            if (sequence == options_.warmup) {
                begin_ns = sent_ns;
            }
            if (measured && finished(result.messages + result.lost, sent_ns - begin_ns)) {
                break;
            }
            const bool answered = send_one(kDataMagic, sequence) && await_reply(sequence, sent_ns);
            const auto done_ns = now_ns();
            if (answered) {
                unanswered_since_ns = 0;
                account_reply(result, measured, done_ns - sent_ns);
            } else if (unanswered_since_ns == 0) {
                unanswered_since_ns = sent_ns;
            } else if (done_ns - unanswered_since_ns > kPeerWait_ns) {
                return fail(ErrorCode::kGeneric,
                    fmt::format("{}: no answer for 10 s: is raw --role pong running?", device_.info().name));
            }
            if (!answered) {
                keep_link(done_ns);
                result.lost += measured ? 1 : 0;
            }
            result.elapsed_ns = begin_ns != 0 ? done_ns - begin_ns : 0;
        }
        return result;
    }

    void account_reply(RawResult& result, bool measured, std::int64_t rtt_ns) {
        if (!measured) {
            return;
        }
        ++result.messages;
        ++result.bursts;
        result.bytes += options_.frame_bytes;
        if (options_.on_rtt != nullptr) {
            options_.on_rtt(options_.context, rtt_ns);
        }
    }

    bool finished(std::int64_t messages, std::int64_t elapsed_ns) const {
        return (options_.messages > 0 && messages >= options_.messages) ||
               (options_.duration_ns > 0 && elapsed_ns >= options_.duration_ns);
    }

    /// Sends all or gives the rest back when stopped. False when nothing moves for long.
    bool send_all(std::span<const Frame> frames, std::int64_t patience_ns = kPeerWait_ns) {
        std::int64_t stuck_since_ns = 0;
        for (int polls = 0; !frames.empty(); ++polls) {
            const auto taken = queue_.send(frames);
            frames = frames.subspan(taken);
            if (taken != 0) {
                stuck_since_ns = 0;
                continue;
            }
            if (polls >= kPollsPerClock) {
                polls = 0;
                const auto now = now_ns();
                stuck_since_ns = stuck_since_ns == 0 ? now : stuck_since_ns;
                if (stopped() || now - stuck_since_ns > patience_ns) {
                    queue_.release(frames);
                    return false;
                }
            }
        }
        return true;
    }

    Result<RawResult> pong() {
        RawResult result;
        std::array<Frame, kBurstMax> frames;
        const auto begin_ns = now_ns();
        std::int64_t poll_ns = begin_ns;
        for (int polls = 0;; ++polls) {
            if (polls == kPollsPerClock) {
                polls = 0;
                poll_ns = now_ns();
                // The other end's warm-up comes on top, as in echo.
                if (stopped() || finished(result.messages - options_.warmup, poll_ns - begin_ns)) {
                    break;
                }
                keep_link(poll_ns);
            }
            const auto count = queue_.receive(frames);
            if (count == 0) {
                continue;
            }
            for (std::size_t i = 0; i < count; ++i) {
                swap_macs(frames[i].bytes);
                result.bytes += frames[i].length;
            }
            result.messages += static_cast<std::int64_t>(count);
            ++result.bursts;
            send_all(std::span<const Frame>(frames).first(count));
        }
        result.elapsed_ns = poll_ns - begin_ns;
        return result;
    }

    /// A peer that went away and came back needs a new link on our side too.
    void keep_link(std::int64_t now) {
        if (now - link_checked_ns_ > kRetry_ns) {
            link_checked_ns_ = now;
            device_.retry(Instant{now});
        }
    }

    Result<RawResult> publish() {
        RawResult result;
        const auto burst = std::clamp<std::size_t>(options_.burst, 1, kBurstMax);
        std::array<Frame, kBurstMax> frames;
        const auto begin_ns = now_ns();
        while (!stopped() && !finished(result.messages, options_.duration_ns > 0 ? now_ns() - begin_ns : 0)) {
            const auto batch = std::span(frames).first(burst);
            if (!queue_.allocate(batch, options_.frame_bytes)) {
                continue;
            }
            for (auto& frame : batch) {
                fill(frame, kDataMagic, result.messages++);
            }
            if (!send_all(batch)) {
                break;
            }
            ++result.bursts;
        }
        result.elapsed_ns = now_ns() - begin_ns;
        result.bytes = result.messages * options_.frame_bytes;
        send_end(result.messages);
        return result;
    }

    /// Several, since a lossy device may drop one; sub also ends by itself when nothing comes.
    void send_end(std::int64_t count) {
        for (int i = 0; i < 5; ++i) {
            send_one(kEndMagic, count);
        }
    }

    Result<RawResult> subscribe() {
        RawResult result;
        std::array<Frame, kBurstMax> frames;
        std::int64_t first_ns = 0;
        std::int64_t last_ns = 0;
        std::int64_t next_sequence = 0;
        bool ended = false;
        for (int polls = 0; !ended; ++polls) {
            const auto count = queue_.receive(frames);
            if (count != 0) {
                last_ns = now_ns();
                first_ns = first_ns == 0 ? last_ns : first_ns;
                for (std::size_t i = 0; i < count; ++i) {
                    ended = take(frames[i], next_sequence, result) || ended;
                }
                queue_.release(std::span(frames).first(count));
                ++result.bursts;
                polls = 0;
            } else if (polls >= kPollsPerClock) {
                polls = 0;
                const auto now = now_ns();
                if (stopped() || (first_ns != 0 && now - last_ns > kStreamIdle_ns)) {
                    break;
                }
                keep_link(now);
            }
        }
        result.elapsed_ns = last_ns - first_ns;
        return result;
    }

    /// True at the end of the stream.
    bool take(const Frame& frame, std::int64_t& next_sequence, RawResult& result) {
        const auto sequence = sequence_of(frame);
        if (sequence == -2) {
            return true;
        }
        if (sequence < 0) {
            return false;
        }
        if (sequence >= next_sequence) {
            result.lost += sequence - next_sequence;
            next_sequence = sequence + 1;
        }
        ++result.messages;
        result.bytes += frame.length;
        if (ring_.wanted()) {
            ring_.copy_in(frame.bytes + kRawHeaderBytes, frame.length - kRawHeaderBytes);
        }
        return false;
    }

    pmd_glue::Device& device_;
    const RawOptions& options_;
    pmd_glue::FrameQueue queue_;
    std::array<std::byte, kRawHeaderBytes> header_;
    CopyRing ring_;
    std::int64_t link_checked_ns_ = 0;
};

}  // namespace

Result<RawResult> run_raw(pmd_glue::Device& device, const RawOptions& options) {
    const auto run = std::make_unique<RawRun>(device, options);
    return run->run();
}

}  // namespace fulmar::perf

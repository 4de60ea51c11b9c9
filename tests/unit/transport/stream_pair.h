/// One publication and one image joined by a scripted wire, without agents: for tests of the cores.
#pragma once

#include <cstring>
#include <deque>
#include <memory>
#include <optional>
#include <vector>

#include "base/position.h"
#include "base/prng.h"
#include "layout/log_buffer.h"
#include "term/append.h"
#include "term/read.h"
#include "transport/image.h"
#include "transport/network_publication.h"

namespace fulmar::test {

/// Counters on the heap.
class CounterPage {
  public:
    observe::Counter next() {
        storage_.push_back(std::make_unique<std::int64_t>(0));
        return {
            static_cast<std::int32_t>(storage_.size()), reinterpret_cast<std::byte*>(storage_.back().get())};
    }

  private:
    std::vector<std::unique_ptr<std::int64_t>> storage_;
};

struct Datagram {
    std::vector<std::byte> bytes;
};

class StreamPair {
  public:
    static constexpr std::int32_t kTermLength = 64 * 1024;
    static constexpr std::int32_t kSession = 7;
    static constexpr std::int32_t kStream = 1001;

    explicit StreamPair(std::int32_t initial_term_id = 0x7FFFFFFE, bool reliable = true,
        std::int32_t window = kTermLength / 2, bool exclusive = false,
        const std::optional<transport::NakBackoff::Options>& nak_backoff = {}) {
        layout::LogMetadata metadata;
        metadata.initial_term_id = initial_term_id;
        metadata.mtu = 1408;
        metadata.term_length = kTermLength;
        metadata.session_id = kSession;
        metadata.stream_id = kStream;
        publication_memory_.resize(static_cast<std::size_t>(layout::log_file_length(kTermLength, 4096)) + 64);
        image_memory_.resize(publication_memory_.size());
        auto publication_log = layout::LogBuffer::create(aligned(publication_memory_), metadata);
        publication_log.init_tails(initial_term_id, 0);
        metadata.type = layout::LogType::kImage;
        auto image_log = layout::LogBuffer::create(aligned(image_memory_), metadata);

        transport::NetworkPublicationOptions options;
        options.session_id = kSession;
        options.stream_id = kStream;
        options.initial_term_id = initial_term_id;
        options.term_window_length = kTermLength / 2;
        options.flow_window_max = kTermLength / 2;
        options.is_exclusive = exclusive;
        publication = std::make_unique<transport::NetworkPublication>(options, publication_log,
            transport::NetworkPublicationCounters{
                page.next(), page.next(), page.next(), page.next(), page.next(), page.next()},
            system);
        transport::ImageOptions image_options;
        image_options.session_id = kSession;
        image_options.stream_id = kStream;
        image_options.initial_term_id = initial_term_id;
        image_options.mtu = 1408;
        image_options.window_length = window;
        image_options.receiver_id = 99;
        image_options.reliable = reliable;
        image_options.nak_backoff = nak_backoff;
        image = std::make_unique<transport::Image>(image_options, image_log,
            transport::ImageCounters{page.next(), page.next(), page.next()}, system, nullptr);
        subscriber = page.next();
        image->add_subscriber(subscriber);
        appender = term::ExclusiveAppender(publication_log, {kSession, kStream});
        log = publication_log;
    }

    std::int64_t offer(const std::vector<std::byte>& message) {
        return appender.append(publication->counters().publisher_limit.get_acquire(), message);
    }

    /// What the publication wants sent; everything is taken.
    std::vector<Datagram> sender_out() {
        batch.clear();
        publication->poll_transmit(now, batch);
        publication->on_transmitted(now, batch, batch.size());
        return copy_out();
    }
    std::vector<Datagram> receiver_out() {
        batch.clear();
        image->poll_transmit(now, batch);
        image->on_timer(now);
        image->on_transmitted(batch, batch.size());
        return copy_out();
    }
    void to_image(const Datagram& datagram) {
        if (wire::check_datagram(datagram.bytes) != wire::FrameFault::kNone) {
            return;
        }
        const auto type = wire::read_frame_header(datagram.bytes.data()).type;
        if (type == wire::FrameType::kData || type == wire::FrameType::kPad) {
            image->on_data(now, {nullptr, sender_address}, datagram.bytes.data(),
                static_cast<std::int32_t>(datagram.bytes.size()));
        }
    }
    void to_publication(const Datagram& datagram) {
        const auto type = wire::read_frame_header(datagram.bytes.data()).type;
        if (type == wire::FrameType::kStatusMessage) {
            publication->on_status_message(
                now, wire::read_status_message(datagram.bytes.data()), sender_address);
        } else if (type == wire::FrameType::kNak) {
            publication->on_nak(now, wire::read_nak(datagram.bytes.data()));
        }
    }
    /// Payloads readable now, consumed.
    std::vector<std::vector<std::byte>> read(int limit = 1000) {
        std::vector<std::vector<std::byte>> messages;
        for (;;) {
            const std::int64_t position = subscriber.get_acquire();
            const auto offset = base::compute_term_offset(position, kTermLength);
            const auto* term = image->log().term(base::partition_of_position(position, image->log().shift()));
            int fragments = 0;
            const auto reached = term::read(term, offset, kTermLength, limit, fragments,
                [&messages](const std::byte* frame, std::int32_t length) {
                    messages.emplace_back(frame + wire::kDataHeaderLength, frame + length);
                    return true;
                });
            subscriber.set_release(position + (reached - offset));
            limit -= fragments;
            if (reached == offset || limit <= 0) {
                return messages;
            }
        }
    }

    /// Leaves plausible frames of an earlier lap wherever nothing has arrived yet.
    void dirty_image_log() {
        const auto start = image->log().at(image->rebuild_position());
        for (std::int32_t at = 0; at < layout::kPartitionCount * kTermLength; at += wire::kFrameAlignment) {
            std::byte* slot = image->log().term(0) + at;
            if (slot != start) {
                base::store_le<std::int32_t>(slot, wire::field::kFrameLength, 64);
                base::store_le<std::uint16_t>(slot, wire::field::kFlags, 0xC0);
                base::store_le(slot, wire::field::kType, static_cast<std::uint16_t>(wire::FrameType::kData));
            }
        }
    }

    Instant now{1'000'000'000};
    port::Endpoint sender_address;
    CounterPage page;
    transport::SystemCounters system;
    std::unique_ptr<transport::NetworkPublication> publication;
    std::unique_ptr<transport::Image> image;
    observe::Counter subscriber;
    term::ExclusiveAppender appender;
    layout::LogBuffer log;  ///< the publication's
    transport::TransmitBatch batch;

  private:
    static std::span<std::byte> aligned(std::vector<std::byte>& memory) {
        auto address = reinterpret_cast<std::uintptr_t>(memory.data());
        const auto shift = (64 - address % 64) % 64;
        return {memory.data() + shift, memory.size() - 64};
    }
    std::vector<Datagram> copy_out() {
        std::vector<Datagram> out;
        for (const auto& packet : batch.packets()) {
            out.push_back({{packet.bytes, packet.bytes + packet.length}});
        }
        return out;
    }

    std::vector<std::byte> publication_memory_;
    std::vector<std::byte> image_memory_;
};

}  // namespace fulmar::test

// A recorder's work on blocks of messages, for recording_instructions to count: the scan for whole frames in
// the term, the write, its checksum, and what a sync takes to keep books.
//   recording_calls <message bytes> <block bytes at most> <blocks>
// Prints how many messages were recorded inside record_blocks.
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <vector>

#include "archive/recording_writer.h"
#include "fulmar/image.h"
#include "perf/micro/no_storage.h"
#include "wire/frame.h"

namespace fulmar::bench {

constexpr std::int32_t kTermLength = 16 << 20;
constexpr archive::SegmentShape kShape{.initial_term_id = 0,
    .term_length = kTermLength,
    .segment_length = 128 << 20,
    .mtu = 1'408,
    .stream_id = 1};

/// Not inlined: it is what callgrind looks at.
[[gnu::noinline]] std::int64_t record_blocks(archive::StorageHub& hub, archive::RecordingWriter& writer,
    const std::vector<std::byte>& term, std::int32_t block_length, int blocks) {
    Instant now{};
    std::int64_t bytes = 0;
    for (int i = 0; i < blocks;) {
        const auto offset = static_cast<std::int32_t>(writer.submitted_position() % kTermLength);
        const std::int32_t end =
            client::scan_block(term.data(), offset, std::min(offset + block_length, kTermLength));
        const auto block =
            std::span(term).subspan(static_cast<std::size_t>(offset), static_cast<std::size_t>(end - offset));
        if (writer.write(block, writer.submitted_position())) {
            bytes += std::ssize(block);
            ++i;
        }
        now = now + microseconds(1);
        (void)hub.poll(256);
        (void)writer.poll(now);
    }
    return bytes;
}

int run(std::size_t message, std::int32_t block_length, int blocks) {
    const std::size_t frame = (message + wire::kDataHeaderLength + wire::kFrameAlignment - 1) /
                              wire::kFrameAlignment * wire::kFrameAlignment;
    std::vector<std::byte> term(kTermLength, std::byte{7});
    for (std::size_t at = 0; at < term.size(); at += frame) {
        const std::size_t length = std::min(frame, term.size() - at);
        (void)wire::write_data_header(term.data() + at, {.frame_length = static_cast<std::int32_t>(length)});
    }
    NoStorage storage;
    archive::StorageHub hub(storage);
    archive::RecordingWriter writer(hub, 1, kShape, 0, 0, {});
    while (!writer.is_ready()) {
        (void)hub.poll(256);
        (void)writer.poll(Instant{});
    }
    const std::int64_t bytes = record_blocks(hub, writer, term, block_length, blocks);
    std::printf("%lld\n", static_cast<long long>(bytes) / static_cast<long long>(frame));
    return writer.error() ? 1 : 0;
}

}  // namespace fulmar::bench

int main(int argc, char** argv) {
    if (argc != 4) {
        std::fprintf(stderr, "usage: recording_calls MESSAGE_BYTES BLOCK_BYTES BLOCKS\n");
        return 2;
    }
    return fulmar::bench::run(std::strtoull(argv[1], nullptr, 10), std::atoi(argv[2]), std::atoi(argv[3]));
}

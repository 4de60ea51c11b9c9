/// layout::LogBuffer::open on a file of fixed length whose metadata page is foreign, then all that is derived
/// from the page.
#include <algorithm>

#include "fuzz.h"
#include "layout/log_buffer.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace fulmar::layout;
    constexpr std::int32_t kTermLength = 64 * 1024;
    constexpr auto kPage = static_cast<std::size_t>(kLogMetadataLength);
    static std::vector<std::byte> file(static_cast<std::size_t>(log_file_length(kTermLength, kPageSizeMin)));
    std::byte* page = file.data() + file.size() - kPage;
    std::fill_n(page, kPage, std::byte{0});
    std::copy_n(reinterpret_cast<const std::byte*>(data), std::min(size, kPage), page);

    const auto log = LogBuffer::open(file);
    if (!log) {
        FUZZ_CHECK(!log.error().message.empty());
        return 0;
    }
    FUZZ_CHECK(log->term_length() == kTermLength);  // the only one that fits the file
    FUZZ_CHECK(log->mtu() > 32 && log->mtu() <= 65504 && log->mtu() % 32 == 0);
    const std::int64_t position = log->producer_position();
    FUZZ_CHECK(position >= 0);
    const std::int64_t count = std::max(log->active_term_count_acquire(), 0);
    FUZZ_CHECK(position >= count * kTermLength && position <= (count + 1) * kTermLength);
    const std::byte* at = log->at(position);
    FUZZ_CHECK(at >= file.data() && at < file.data() + kPartitionCount * kTermLength);
    const LogMetadata metadata = log->read_metadata();
    FUZZ_CHECK(metadata.mtu == log->mtu());
    return 0;
}

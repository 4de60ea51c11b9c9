/// cluster::decode over any bytes: refused with a reason, or a message that a member can mean, which encoded
/// again is the same bytes.
#include <algorithm>
#include <memory>
#include <vector>

#include "base/bytes.h"
#include "cluster/consensus_messages.h"
#include "fuzz.h"

namespace {

using namespace fulmar;

/// The direction that most of what is found will need, so that more than its check is reached.
cluster::Direction claimed(std::span<const std::byte> bytes) {
    if (bytes.size() < 20) {
        return {};
    }
    return {base::load_le<std::int32_t>(bytes.data(), 8), base::load_le<std::int32_t>(bytes.data(), 12),
        base::load_le<std::int32_t>(bytes.data(), 16)};
}

void check(const cluster::Direction& way, std::span<const std::byte> bytes) {
    const auto taken = cluster::decode(way, bytes);
    if (!taken) {
        FUZZ_CHECK(cluster::to_string(taken.error()) != "?");
        return;
    }
    FUZZ_CHECK(taken->from == way.from && taken->to == way.to && taken->from != taken->to);
    FUZZ_CHECK(taken->term >= 0 && taken->term <= cluster::kTermMax);
    FUZZ_CHECK(taken->disk.is_set());
    std::vector<std::byte> again(cluster::kConsensusMessageMax);
    again.resize(cluster::encode(way.cluster_id, *taken, again));
    FUZZ_CHECK(std::equal(again.begin(), again.end(), bytes.begin(), bytes.end()));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    // As long as it is, so that one byte too many is seen.
    const auto exact = std::make_unique<std::byte[]>(size);
    std::copy_n(reinterpret_cast<const std::byte*>(data), size, exact.get());
    const std::span<const std::byte> bytes(exact.get(), size);
    check({.cluster_id = 7, .from = 1, .to = 2}, bytes);
    check(claimed(bytes), bytes);
    return 0;
}

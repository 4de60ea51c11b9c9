#include "drivers/storage_fault/held_bytes.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace fulmar::drivers {

namespace {

std::vector<std::byte> cut(const std::vector<std::byte>& bytes, std::uint64_t begin, std::uint64_t end) {
    return {
        bytes.begin() + static_cast<std::ptrdiff_t>(begin), bytes.begin() + static_cast<std::ptrdiff_t>(end)};
}

}  // namespace

void HeldBytes::put(std::uint64_t offset, std::span<const std::byte> bytes) {
    if (bytes.empty()) {
        return;
    }
    const std::uint64_t end = offset + bytes.size();
    erase(offset, end);
    auto at = stretches_.lower_bound(offset);
    if (at != stretches_.begin() && std::prev(at)->first + std::prev(at)->second.size() == offset) {
        at = std::prev(at);
        at->second.insert(at->second.end(), bytes.begin(), bytes.end());
    } else {
        at = stretches_.emplace(offset, std::vector<std::byte>(bytes.begin(), bytes.end())).first;
    }
    if (const auto next = std::next(at); next != stretches_.end() && next->first == end) {
        at->second.insert(at->second.end(), next->second.begin(), next->second.end());
        stretches_.erase(next);
    }
}

void HeldBytes::erase(std::uint64_t begin, std::uint64_t end) {
    auto at = stretches_.upper_bound(begin);
    if (at != stretches_.begin()) {
        --at;
    }
    while (at != stretches_.end() && at->first < end) {
        const std::uint64_t first = at->first;
        const std::uint64_t last = first + at->second.size();
        if (last <= begin) {
            ++at;
            continue;
        }
        if (last > end) {
            stretches_.emplace(end, cut(at->second, end - first, last - first));
        }
        if (first < begin) {
            at->second.resize(begin - first);
            ++at;
        } else {
            at = stretches_.erase(at);
        }
    }
}

void HeldBytes::lay_over(std::uint64_t offset, std::span<std::byte> into) const {
    for (const auto& [first, bytes] : within(offset, offset + into.size()).stretches_) {
        std::copy(bytes.begin(), bytes.end(), into.begin() + static_cast<std::ptrdiff_t>(first - offset));
    }
}

HeldBytes HeldBytes::within(std::uint64_t begin, std::uint64_t end) const {
    HeldBytes found;
    auto at = stretches_.upper_bound(begin);
    if (at != stretches_.begin()) {
        --at;
    }
    for (; at != stretches_.end() && at->first < end; ++at) {
        const std::uint64_t from = std::max(at->first, begin);
        const std::uint64_t to = std::min(at->first + at->second.size(), end);
        if (from < to) {
            found.stretches_.emplace(from, cut(at->second, from - at->first, to - at->first));
        }
    }
    return found;
}

std::uint64_t HeldBytes::bytes() const {
    std::uint64_t total = 0;
    for (const auto& [offset, bytes] : stretches_) {
        total += bytes.size();
    }
    return total;
}

}  // namespace fulmar::drivers

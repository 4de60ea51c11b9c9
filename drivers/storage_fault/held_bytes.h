/// Stretches of a file that lie over what is below.
/// threads: one owner.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <span>
#include <vector>

namespace fulmar::drivers {

class HeldBytes {
  public:
    /// Offset to content; they neither overlap nor touch.
    using Stretches = std::map<std::uint64_t, std::vector<std::byte>>;
    static constexpr std::uint64_t kToTheEnd = std::numeric_limits<std::uint64_t>::max();

    void put(std::uint64_t offset, std::span<const std::byte> bytes);
    void erase(std::uint64_t begin, std::uint64_t end);
    void clear() { stretches_.clear(); }
    /// Writes over `into`, which is the file from `offset` on.
    void lay_over(std::uint64_t offset, std::span<std::byte> into) const;
    /// What lies within, cut to it.
    [[nodiscard]] HeldBytes within(std::uint64_t begin, std::uint64_t end) const;

    [[nodiscard]] const Stretches& stretches() const { return stretches_; }
    [[nodiscard]] bool empty() const { return stretches_.empty(); }
    [[nodiscard]] std::uint64_t bytes() const;

  private:
    Stretches stretches_;
};

}  // namespace fulmar::drivers

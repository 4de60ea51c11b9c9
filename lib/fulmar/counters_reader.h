/// Reading the counters that driver and clients share: values, labels, and finding one by what it is.
/// threads: any; values change under the reader, and a freed counter may be reused a second later.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "base/bytes.h"
#include "layout/counters.h"
#include "observe/counters.h"

namespace fulmar {

inline constexpr std::int32_t kNullCounterId = layout::kNullCounterId;

/// A view of the two counters sections; they must outlive it. Ids and lengths are checked, memory is foreign.
class CountersReader {
  public:
    CountersReader() = default;
    CountersReader(std::span<const std::byte> metadata, std::span<const std::byte> values);

    /// One past the largest id.
    [[nodiscard]] std::int32_t capacity() const { return capacity_; }
    [[nodiscard]] bool is_allocated(std::int32_t id) const;
    /// 0 for an id out of range; check is_allocated first where that matters.
    [[nodiscard]] std::int64_t value(std::int32_t id) const {
        return contains(id)
                   ? base::load_acquire<std::int64_t>(value_record(id), layout::counter_value_field::kValue)
                   : 0;
    }
    [[nodiscard]] std::int32_t type_id(std::int32_t id) const;
    [[nodiscard]] std::int64_t registration_id(std::int32_t id) const;
    [[nodiscard]] std::int64_t owner_id(std::int32_t id) const;
    [[nodiscard]] std::int64_t reference_id(std::int32_t id) const;
    [[nodiscard]] std::string label(std::int32_t id) const;
    [[nodiscard]] std::span<const std::byte> key(std::int32_t id) const;

    [[nodiscard]] std::optional<std::int32_t> find(std::int32_t type_id, std::int64_t registration_id) const;

    /// Calls visit(const observe::CounterView&) for each allocated counter; return nothing. Not for hot
    /// paths.
    template <class Visit>
    void for_each(Visit&& visit) const {
        observe::for_each_counter(metadata_, values_, std::forward<Visit>(visit));
    }

  private:
    [[nodiscard]] bool contains(std::int32_t id) const { return id >= 0 && id < capacity_; }
    [[nodiscard]] const std::byte* value_record(std::int32_t id) const {
        return values_.data() + static_cast<std::size_t>(id) * layout::kCounterValueLength;
    }
    [[nodiscard]] const std::byte* metadata_record(std::int32_t id) const {
        return metadata_.data() + static_cast<std::size_t>(id) * layout::kCounterMetadataLength;
    }

    std::span<const std::byte> metadata_;
    std::span<const std::byte> values_;
    std::int32_t capacity_ = 0;
};

}  // namespace fulmar

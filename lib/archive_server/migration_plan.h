/// What a migration of segments from one recording to another is to change: written down before anything is,
/// so that whoever starts after a crash can go on with it.
/// threads: values. units: stream positions.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "archive/catalog.h"

namespace fulmar::archive {

/// Of the file that holds it, while there is a migration.
inline constexpr const char* kMigrationFileName = "archive.migration";

struct MigrationPlan {
    static constexpr std::size_t kLength = 64;

    std::int64_t source_id = -1;
    std::int64_t destination_id = -1;
    /// Of both recordings before: the source ends where the destination begins, or the other way round.
    std::int64_t source_start = 0;
    std::int64_t source_stop = 0;
    std::int64_t destination_start = 0;
    std::int64_t destination_stop = 0;  ///< kNullValue while it is active

    [[nodiscard]] bool goes_in_front() const { return source_stop == destination_start; }
    bool operator==(const MigrationPlan&) const = default;

    [[nodiscard]] std::array<std::byte, kLength> write() const;
    /// Nothing where the bytes are not those of a plan.
    [[nodiscard]] static std::optional<MigrationPlan> read(std::span<const std::byte> bytes);

    /// Whether the catalog has what the plan saw, or, of either recording, what it is to become: else the
    /// plan is an old one.
    [[nodiscard]] bool is_of(const Catalog& catalog) const;
    /// Both entries as they are to be: the destination has all, the source nothing. Done twice it changes
    /// nothing.
    void apply(Catalog& catalog) const;
};

}  // namespace fulmar::archive

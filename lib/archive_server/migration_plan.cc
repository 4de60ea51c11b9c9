#include "archive_server/migration_plan.h"

#include <algorithm>

#include "archive/checksum.h"
#include "base/bytes.h"

namespace fulmar::archive {
namespace {

using base::load_le;
using base::store_le;

constexpr std::array<char, 8> kMagic{'f', 'u', 'l', 'm', 'i', 'g', 'r', '1'};
constexpr std::size_t kNumbers = 8;
constexpr std::size_t kCheck = 56;

}  // namespace

std::array<std::byte, MigrationPlan::kLength> MigrationPlan::write() const {
    std::array<std::byte, kLength> bytes{};
    store_le(bytes.data(), 0, kMagic);
    std::size_t at = kNumbers;
    for (const std::int64_t number :
        {source_id, destination_id, source_start, source_stop, destination_start, destination_stop}) {
        store_le(bytes.data(), at, number);
        at += sizeof(number);
    }
    store_le(bytes.data(), kCheck, crc32c(std::span(bytes).first(kCheck)));
    return bytes;
}

std::optional<MigrationPlan> MigrationPlan::read(std::span<const std::byte> bytes) {
    if (bytes.size() < kLength || load_le<std::array<char, 8>>(bytes.data(), 0) != kMagic ||
        load_le<std::uint32_t>(bytes.data(), kCheck) != crc32c(bytes.first(kCheck))) {
        return std::nullopt;
    }
    const auto number = [&](std::size_t index) {
        return load_le<std::int64_t>(bytes.data(), kNumbers + index * sizeof(std::int64_t));
    };
    return MigrationPlan{number(0), number(1), number(2), number(3), number(4), number(5)};
}

bool MigrationPlan::is_of(const Catalog& catalog) const {
    const std::size_t from = catalog.find(source_id);
    const std::size_t to = catalog.find(destination_id);
    if (from == catalog.size() || to == catalog.size()) {
        return false;
    }
    const Recording source = catalog.at(from);
    const Recording destination = catalog.at(to);
    const bool is_destination =
        goes_in_front()
            ? destination.start_position == destination_start || destination.start_position == source_start
            : destination.start_position == destination_start &&
                  (destination.stop_position == destination_stop || destination.stop_position == source_stop);
    return is_destination && source.start_position == source_start &&
           (source.stop_position == source_stop || source.stop_position == source_start);
}

void MigrationPlan::apply(Catalog& catalog) const {
    const std::size_t from = catalog.find(source_id);
    const std::size_t to = catalog.find(destination_id);
    if (goes_in_front()) {
        catalog.set_start_position(to, source_start);
    } else {
        catalog.set_stop(to, source_stop, catalog.at(to).stop_timestamp);
    }
    catalog.set_stop(from, source_start, catalog.at(from).stop_timestamp);
}

}  // namespace fulmar::archive

// The archive's writers and recovery over many seeds, and each known bug found.
//   archive_disk_test [FIRST_SEED [COUNT]]     then one seed with --verbose: archive_disk_test SEED
#include <cstdio>
#include <cstdlib>

#include "tests/sim/archive_disk_world.h"
#include "tests/sim/plants.h"

namespace {

using namespace fulmar;
using sim::DiskWorldResult;

constexpr std::uint64_t kDefaultCount = 300;
constexpr std::uint64_t kPlantSeeds = 200;

int run_seeds(std::uint64_t first, std::uint64_t count) {
    std::array<std::uint64_t, sim::kDiskCounts> totals{};
    std::uint64_t failed = 0;
    for (std::uint64_t seed = first; seed < first + count; ++seed) {
        const DiskWorldResult result = sim::run_archive_disk_world(seed, count == 1);
        if (!result.failure.empty()) {
            ++failed;
            std::fprintf(
                stderr, "seed %llu: %s\n", static_cast<unsigned long long>(seed), result.failure.c_str());
        } else if (seed % 16 == 0 && sim::run_archive_disk_world(seed).hash != result.hash) {
            ++failed;
            std::fprintf(
                stderr, "seed %llu: differs when it is run again\n", static_cast<unsigned long long>(seed));
        }
        for (std::size_t i = 0; i < totals.size(); ++i) {
            totals[i] += result.counts[i];
        }
    }
    for (std::size_t i = 0; i < totals.size(); ++i) {
        std::printf("%s%s %llu", i == 0 ? "" : ", ", sim::kDiskCountNames[i].data(),
            static_cast<unsigned long long>(totals[i]));
        if (totals[i] == 0 && count >= kDefaultCount) {
            ++failed;
            std::fprintf(stderr, "%s was never seen\n", sim::kDiskCountNames[i].data());
        }
    }
    std::printf("\n%llu seeds, %llu failed\n", static_cast<unsigned long long>(count),
        static_cast<unsigned long long>(failed));
    return failed == 0 ? 0 : 1;
}

int find_plants() {
    int missed = 0;
    for (const sim::PlantRow& row : sim::plants("archive")) {
        base::planted_bug = row.plant;
        DiskWorldResult result;
        std::uint64_t seed = 1;
        while (seed <= kPlantSeeds && result.failure.empty()) {
            result = sim::run_archive_disk_world(seed++);
        }
        missed += result.failure.empty() ? 1 : 0;
        std::printf("%-34s %s\n", row.name.data(),
            result.failure.empty() ? "NOT FOUND"
                                   : ("seed " + std::to_string(result.seed) + ": " + result.failure).c_str());
    }
    base::planted_bug = base::Plant::kNone;
    return missed == 0 ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
    const std::uint64_t first = argc > 1 ? std::strtoull(argv[1], nullptr, 0) : 1;
    const std::uint64_t count =
        argc > 2 ? std::strtoull(argv[2], nullptr, 0) : (argc > 1 ? 1 : kDefaultCount);
    const int seeds = run_seeds(first, count);
    return argc > 1 || seeds != 0 ? seeds : find_plants();
}

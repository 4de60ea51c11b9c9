#include "tests/sim/profiles.h"

#include <algorithm>
#include <array>
#include <memory>

#include "tests/sim/archive_disk_world.h"
#include "tests/sim/archive_world.h"
#include "tests/sim/raft_world.h"
#include "tests/sim/world.h"

namespace fulmar::sim {
namespace {

RunResult run_transport(std::uint64_t seed, bool verbose) {
    auto world = std::make_unique<World>(draw_plan(seed), verbose);
    return world->run();
}

constexpr auto kArchiveNames = [] {
    std::array<std::string_view, kArchiveCounts + kDiskCounts> names{};
    std::copy(kArchiveCountNames.begin(), kArchiveCountNames.end(), names.begin());
    std::copy(kDiskCountNames.begin(), kDiskCountNames.end(), names.begin() + kArchiveCounts);
    return names;
}();
static_assert(kArchiveNames.size() <= kCountKinds);

/// Two worlds from one seed: the whole archive with a client, and its way to the disk alone, which sees far
/// more of what disks do in the same time.
RunResult run_archive(std::uint64_t seed, bool verbose) {
    const DiskWorldResult disk = run_archive_disk_world(seed, verbose);
    auto world = std::make_unique<ArchiveWorld>(seed, verbose);
    const ArchiveWorld::Result archive = world->run();
    RunResult result;
    result.hash = disk.hash * 0x9e3779b97f4a7c15ULL ^ archive.hash;
    result.steps = archive.steps;
    std::copy(archive.counts.begin(), archive.counts.end(), result.counts.values.begin());
    std::copy(disk.counts.begin(), disk.counts.end(), result.counts.values.begin() + kArchiveCounts);
    result.failure = disk.failure.empty() ? archive.failure : "on its disk: " + disk.failure;
    return result;
}

RunResult run_raft(std::uint64_t seed, bool verbose) {
    const RaftWorldResult raft = run_raft_world(seed, verbose);
    RunResult result{.hash = raft.hash, .steps = raft.steps, .counts = {}, .failure = raft.failure};
    std::copy(raft.counts.begin(), raft.counts.end(), result.counts.values.begin());
    return result;
}

constexpr std::array kProfiles{
    Profile{"transport", "drivers, clients and a network", kCountNames, run_transport},
    Profile{"archive", "an archive with its client, on a disk that lies", kArchiveNames, run_archive},
    Profile{"raft", "a cluster's consensus alone", kRaftCountNames, run_raft},
};

}  // namespace

std::span<const Profile> profiles() {
    return kProfiles;
}

const Profile* find_profile(std::string_view name) {
    const auto found = std::find_if(
        kProfiles.begin(), kProfiles.end(), [name](const Profile& profile) { return profile.name == name; });
    return found != kProfiles.end() ? &*found : nullptr;
}

}  // namespace fulmar::sim

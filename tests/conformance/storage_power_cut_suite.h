/// What a Storage keeps when the power goes: everything that was synced; of the rest, sectors and names that
/// are old or new, each by itself, and nothing else.
/// threads: one.
#pragma once

#include <algorithm>
#include <array>
#include <set>

#include "base/prng.h"
#include "tests/conformance/storage_rig.h"

namespace fulmar::test {

TEST_CASE("power cut: without a sync nothing is there, with it everything") {
    StorageRig rig = open_storage({});
    {
        Process process(rig);
        const auto synced = process.create("synced", 8'192);
        process.write(synced, 100, pattern(3'000, 1));
        process.must({.op = Op::kSync, .file = synced});
        process.must({.op = Op::kSyncDirectory});
        process.write(synced, 200, pattern(100, 2));
        process.write(synced, 9'000, pattern(100, 2));
        process.must({.op = Op::kZero, .file = synced, .offset = 600, .length = 100});
        const auto unsynced = process.create("unsynced", 1'000);
        process.must({.op = Op::kSync, .file = unsynced});
    }
    rig.power_cut();
    Process process(rig);
    CHECK(process.list() == std::map<std::string, std::uint64_t>{{"synced", 8'192}});
    Bytes expected(8'192);
    std::copy_n(pattern(3'000, 1).begin(), 3'000, expected.begin() + 100);
    CHECK(process.read(process.open("synced"), 0, 10'000) == expected);
}

TEST_CASE("power cut: a rename and a remove wait for the directory") {
    StorageRig rig = open_storage({});
    const auto names = [&rig] {
        rig.power_cut();
        Process process(rig);
        std::set<std::string> all;
        for (const auto& [name, length] : process.list()) {
            all.insert(name);
        }
        return all;
    };
    {
        Process process(rig);
        for (const char* name : {"a", "b", "c"}) {
            process.must({.op = Op::kSync, .file = process.create(name, 10)});
        }
        process.must({.op = Op::kSyncDirectory});
        process.must({.op = Op::kRename, .name = "a", .new_name = "d"});
        process.must({.op = Op::kRemove, .name = "b"});
        process.must({.op = Op::kSync, .file = process.open("d")});
    }
    CHECK(names() == std::set<std::string>{"a", "b", "c"});
    {
        Process process(rig);
        process.must({.op = Op::kRename, .name = "a", .new_name = "d"});
        process.must({.op = Op::kRemove, .name = "b"});
        process.must({.op = Op::kRename, .name = "c", .new_name = "b"});
        process.must({.op = Op::kSyncDirectory});
    }
    CHECK(names() == std::set<std::string>{"b", "d"});
}

TEST_CASE("power cut: a file that is replaced is the old one or, when the directory was synced, the new") {
    for (const bool syncs : {false, true}) {
        CAPTURE(syncs);
        StorageRig rig = open_storage({});
        {
            Process process(rig);
            const auto old = process.create("f", 100);
            process.write(old, 0, pattern(100, 1));
            process.must({.op = Op::kSync, .file = old});
            process.must({.op = Op::kSyncDirectory});
            const auto made = process.create("f.new", 50);
            process.write(made, 0, pattern(50, 2));
            process.must({.op = Op::kSync, .file = made});
            process.must({.op = Op::kReplace, .name = "f.new", .new_name = "f"});
            if (syncs) {
                process.must({.op = Op::kSyncDirectory});
            }
        }
        rig.power_cut();
        Process process(rig);
        CHECK(process.list() == std::map<std::string, std::uint64_t>{{"f", syncs ? 50 : 100}});
        CHECK(process.read(process.open("f"), 0, 200) == (syncs ? pattern(50, 2) : pattern(100, 1)));
    }
}

TEST_CASE("power cut, torn: a file that is replaced is the old one or the new, as a whole") {
    std::set<std::size_t> seen;
    for (std::uint64_t seed = 1; seed <= 40; ++seed) {
        CAPTURE(seed);
        StorageRig rig = open_storage({.seed = seed, .torn = true});
        {
            Process process(rig);
            const auto old = process.create("f", 100);
            process.write(old, 0, pattern(100, 1));
            process.must({.op = Op::kSync, .file = old});
            process.must({.op = Op::kSyncDirectory});
            const auto made = process.create("f.new", 50);
            process.write(made, 0, pattern(50, 2));
            process.must({.op = Op::kSync, .file = made});
            process.must({.op = Op::kReplace, .name = "f.new", .new_name = "f"});
        }
        rig.power_cut();
        Process process(rig);
        const Bytes found = process.read(process.open("f"), 0, 200);
        CHECK((found == pattern(100, 1) || found == pattern(50, 2)));
        seen.insert(found.size());
    }
    CHECK(seen.size() == 2);
}

TEST_CASE("power cut: a cut file that was synced stays cut, one that was not does not") {
    StorageRig rig = open_storage({});
    {
        Process process(rig);
        for (const char* name : {"a", "b"}) {
            const auto file = process.create(name, 5'000);
            process.write(file, 0, pattern(5'000, 1));
            process.must({.op = Op::kSync, .file = file});
        }
        process.must({.op = Op::kSyncDirectory});
        for (const char* name : {"a", "b"}) {
            const auto file = process.open(name);
            process.must({.op = Op::kResize, .file = file, .length = 1'000});
            process.must({.op = Op::kResize, .file = file, .length = 2'000});
            if (*name == 'a') {
                process.must({.op = Op::kSync, .file = file});
            }
        }
    }
    rig.power_cut();
    Process process(rig);
    Bytes expected = pattern(1'000, 1);
    expected.resize(2'000);
    CHECK(process.read(process.open("a"), 0, 5'000) == expected);
    CHECK(process.read(process.open("b"), 0, 5'000) == pattern(5'000, 1));
}

/// A file as it was at each sector since the last sync.
class SectorHistory {
  public:
    explicit SectorHistory(std::size_t sectors) : content_(sectors * kSectorBytes), versions_(sectors) {
        sync();
    }

    void write(std::uint64_t offset, const Bytes& data) {
        std::copy(data.begin(), data.end(), content_.begin() + static_cast<std::ptrdiff_t>(offset));
        for (auto i = offset / kSectorBytes; i * kSectorBytes < offset + data.size(); ++i) {
            versions_[i].push_back(sector(content_, i));
        }
    }
    void sync() {
        for (std::size_t i = 0; i < versions_.size(); ++i) {
            versions_[i].assign(1, sector(content_, i));
        }
    }
    /// The version of each sector, or the reason why `found` cannot be.
    void check(const Bytes& found, std::size_t& kept, std::size_t& lost) const {
        REQUIRE(found.size() == content_.size());
        for (std::size_t i = 0; i < versions_.size(); ++i) {
            CAPTURE(i);
            const Bytes now = sector(found, i);
            REQUIRE(std::find(versions_[i].begin(), versions_[i].end(), now) != versions_[i].end());
            if (versions_[i].size() > 1) {
                ++(now == versions_[i].front() ? lost : kept);
            }
        }
    }
    void adopt(const Bytes& found) {
        content_ = found;
        sync();
    }

  private:
    static Bytes sector(const Bytes& from, std::size_t index) {
        const auto begin = from.begin() + static_cast<std::ptrdiff_t>(index * kSectorBytes);
        return {begin, begin + static_cast<std::ptrdiff_t>(kSectorBytes)};
    }

    Bytes content_;
    std::vector<std::vector<Bytes>> versions_;
};

inline void cut_many_times(bool torn) {
    constexpr std::size_t kSectors = 40;
    constexpr std::uint64_t kLength = kSectors * kSectorBytes;
    std::size_t kept = 0;
    std::size_t lost = 0;
    for (std::uint64_t seed = 1; seed <= 30; ++seed) {
        CAPTURE(seed);
        base::Prng draws(seed);
        StorageRig rig = open_storage({.seed = seed, .torn = torn});
        SectorHistory history(kSectors);
        {
            Process process(rig);
            process.must({.op = Op::kSync, .file = process.create("f", kLength)});
            process.must({.op = Op::kSyncDirectory});
        }
        for (int life = 0; life < 4; ++life) {
            {
                Process process(rig);
                const auto file = process.open("f");
                const auto steps = draws.between(1, 25);
                for (std::int64_t step = 0; step < steps; ++step) {
                    if (draws.chance(0.15)) {
                        process.must({.op = Op::kSync, .file = file});
                        history.sync();
                        continue;
                    }
                    const auto offset = draws.below(kLength - 1);
                    const auto length = 1 + draws.below(std::min<std::uint64_t>(kLength - offset, 2'500));
                    const Bytes data = pattern(length, static_cast<unsigned>(draws.below(251)));
                    process.write(file, offset, data);
                    history.write(offset, data);
                }
            }
            rig.power_cut();
            Process process(rig);
            const Bytes found = process.read(process.open("f"), 0, kLength + 1);
            history.check(found, kept, lost);
            history.adopt(found);
        }
    }
    CHECK(lost > 0);
    CHECK((kept > 0) == torn);
}

TEST_CASE("power cut: each sector is what the last sync left") {
    cut_many_times(false);
}

TEST_CASE("power cut, torn: each sector is what the last sync left or what was written since") {
    cut_many_times(true);
}

TEST_CASE("power cut, torn: each name is old or new, and never both") {
    std::set<std::set<std::string>> seen;
    for (std::uint64_t seed = 1; seed <= 60; ++seed) {
        CAPTURE(seed);
        StorageRig rig = open_storage({.seed = seed, .torn = true});
        {
            Process process(rig);
            for (const char* name : {"a", "b"}) {
                process.must({.op = Op::kSync, .file = process.create(name, 10)});
            }
            process.must({.op = Op::kSyncDirectory});
            process.must({.op = Op::kRename, .name = "a", .new_name = "c"});
            process.must({.op = Op::kRemove, .name = "b"});
            (void)process.create("d", 10);
            process.must({.op = Op::kRename, .name = "d", .new_name = "e"});
        }
        rig.power_cut();
        Process process(rig);
        std::set<std::string> names;
        for (const auto& [name, length] : process.list()) {
            names.insert(name);
        }
        CHECK(names.count("a") + names.count("c") == 1);
        CHECK(names.count("d") + names.count("e") <= 1);
        seen.insert(names);
    }
    CHECK(seen.size() > 5);  // of twelve
}

}  // namespace fulmar::test

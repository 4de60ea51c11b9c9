#include "drivers/storage_memory/memory_disk.h"

#include <algorithm>
#include <set>
#include <utility>

#include "base/assert.h"

namespace fulmar::drivers {

MemoryDisk::File& MemoryDisk::at(FileId file) {
    const auto found = files_.find(file);
    FULMAR_ASSERT(found != files_.end(), "a file that the disk does not hold");
    return found->second;
}

const MemoryDisk::File& MemoryDisk::at(FileId file) const {
    const auto found = files_.find(file);
    FULMAR_ASSERT(found != files_.end(), "a file that the disk does not hold");
    return found->second;
}

MemoryDisk::Opened MemoryDisk::open(const std::string& name) {
    const auto found = names_.find(name);
    if (found == names_.end()) {
        return {Code::kNotFound, {}};
    }
    ++at(found->second).opened;
    return {Code::kOk, found->second};
}

MemoryDisk::Opened MemoryDisk::create(const std::string& name, std::uint64_t length) {
    if (names_.contains(name)) {
        return {Code::kExists, {}};
    }
    if (length > free_space()) {
        return {Code::kNoSpace, {}};
    }
    const FileId id{++last_id_};
    File& file = files_[id];
    set_length(file, length);
    file.opened = 1;
    names_.emplace(name, id);
    name_changes_.push_back({NameChange::Kind::kCreate, id, name, {}});
    return {Code::kOk, id};
}

void MemoryDisk::close(FileId file) {
    FULMAR_ASSERT(at(file).opened > 0, "a file closed twice");
    --at(file).opened;
    drop_unnamed();
}

MemoryDisk::Code MemoryDisk::rename(const std::string& name, const std::string& new_name) {
    if (!names_.contains(name)) {
        return Code::kNotFound;
    }
    if (names_.contains(new_name)) {
        return Code::kExists;
    }
    const NameChange change{NameChange::Kind::kRename, names_[name], name, new_name};
    (void)apply(change, names_);
    name_changes_.push_back(change);
    return Code::kOk;
}

MemoryDisk::Code MemoryDisk::replace(const std::string& name, const std::string& new_name) {
    if (!names_.contains(name)) {
        return Code::kNotFound;
    }
    const NameChange change{NameChange::Kind::kReplace, names_[name], name, new_name};
    (void)apply(change, names_);
    name_changes_.push_back(change);
    drop_unnamed();
    return Code::kOk;
}

MemoryDisk::Code MemoryDisk::remove(const std::string& name) {
    if (!names_.contains(name)) {
        return Code::kNotFound;
    }
    const NameChange change{NameChange::Kind::kRemove, names_[name], name, {}};
    (void)apply(change, names_);
    name_changes_.push_back(change);
    drop_unnamed();
    return Code::kOk;
}

void MemoryDisk::sync_directory() {
    durable_names_ = names_;
    name_changes_.clear();
    drop_unnamed();
}

std::uint64_t MemoryDisk::length(FileId file) const {
    return at(file).live.size();
}

std::uint64_t MemoryDisk::read(FileId file, std::uint64_t offset, std::span<std::byte> into) const {
    const auto& live = at(file).live;
    if (offset >= live.size()) {
        return 0;
    }
    const auto count = std::min<std::uint64_t>(into.size(), live.size() - offset);
    std::copy_n(live.begin() + static_cast<std::ptrdiff_t>(offset), count, into.begin());
    return count;
}

MemoryDisk::Code MemoryDisk::write(FileId file, std::uint64_t offset, std::span<const std::byte> data) {
    File& to = at(file);
    if (data.empty()) {
        return Code::kOk;
    }
    if (const Code room = make_room(to, offset + data.size()); room != Code::kOk) {
        return room;
    }
    std::copy(data.begin(), data.end(), to.live.begin() + static_cast<std::ptrdiff_t>(offset));
    mark(to, offset, offset + data.size());
    return Code::kOk;
}

MemoryDisk::Code MemoryDisk::zero(FileId file, std::uint64_t offset, std::uint64_t length) {
    File& to = at(file);
    if (length == 0) {
        return Code::kOk;
    }
    if (const Code room = make_room(to, offset + length); room != Code::kOk) {
        return room;
    }
    std::fill_n(to.live.begin() + static_cast<std::ptrdiff_t>(offset), length, std::byte{});
    mark(to, offset, offset + length);
    return Code::kOk;
}

MemoryDisk::Code MemoryDisk::resize(FileId file, std::uint64_t length) {
    File& to = at(file);
    if (length > to.live.size()) {
        return make_room(to, length);
    }
    set_length(to, length);
    return Code::kOk;
}

void MemoryDisk::sync(FileId file) {
    File& to = at(file);
    to.durable.resize(to.live.size());
    for (const Range& range : to.unsynced) {
        const auto end = std::min<std::uint64_t>(range.end, to.live.size());
        for (auto i = range.begin; i < end; ++i) {
            to.durable[i] = to.live[i];
        }
    }
    to.unsynced.clear();
}

std::vector<port::DirectoryEntry> MemoryDisk::list() const {
    std::vector<port::DirectoryEntry> entries;
    entries.reserve(names_.size());
    for (const auto& [name, file] : names_) {
        entries.push_back({name, length(file)});
    }
    return entries;
}

std::uint64_t MemoryDisk::unsynced_bytes() const {
    std::uint64_t total = 0;
    for (const auto& [id, file] : files_) {
        for (const Range& range : file.unsynced) {
            total += range.end - range.begin;
        }
    }
    return total;
}

MemoryDisk::Code MemoryDisk::make_room(File& file, std::uint64_t end) {
    if (end > file.live.size()) {
        if (end - file.live.size() > free_space()) {
            return Code::kNoSpace;
        }
        set_length(file, end);
    }
    return Code::kOk;
}

void MemoryDisk::set_length(File& file, std::uint64_t length) {
    const std::uint64_t before = file.live.size();
    used_ = used_ - before + length;
    file.live.resize(length);
    // Both ways: what lies between reads as zero if the file is cut and grows again.
    mark(file, std::min(before, length), std::max(before, length));
}

void MemoryDisk::mark(File& file, std::uint64_t begin, std::uint64_t end) {
    if (begin == end) {
        return;
    }
    if (!file.unsynced.empty() && file.unsynced.back().end == begin) {
        file.unsynced.back().end = end;
    } else {
        file.unsynced.push_back({begin, end});
    }
}

void MemoryDisk::tear(File& file, std::uint64_t sector_bytes, base::Prng& draws) {
    std::set<std::uint64_t> sectors;
    for (const Range& range : file.unsynced) {
        for (auto at = range.begin / sector_bytes * sector_bytes; at < range.end; at += sector_bytes) {
            sectors.insert(at);
        }
    }
    if (file.live.size() != file.durable.size() && draws.chance(0.5)) {
        file.durable.resize(file.live.size());
    }
    for (const auto begin : sectors) {
        const auto end = std::min<std::uint64_t>(begin + sector_bytes, file.live.size());
        if (begin >= end || draws.chance(0.5)) {
            continue;
        }
        if (end > file.durable.size()) {
            file.durable.resize(end);
        }
        std::copy(file.live.begin() + static_cast<std::ptrdiff_t>(begin),
            file.live.begin() + static_cast<std::ptrdiff_t>(end),
            file.durable.begin() + static_cast<std::ptrdiff_t>(begin));
    }
}

bool MemoryDisk::apply(const NameChange& change, Names& names) {
    const auto found = names.find(change.name);
    if (change.kind == NameChange::Kind::kCreate) {
        return names.emplace(change.name, change.file).second;
    }
    if (found == names.end() || found->second != change.file) {
        return false;
    }
    if (change.kind == NameChange::Kind::kRename && !names.emplace(change.new_name, change.file).second) {
        return false;
    }
    if (change.kind == NameChange::Kind::kReplace) {
        names[change.new_name] = change.file;
    }
    names.erase(change.name);
    return true;
}

void MemoryDisk::power_cut(const PowerCut& cut, base::Prng& draws) {
    for (const NameChange& change : name_changes_) {
        if (cut.torn && draws.chance(0.5)) {
            (void)apply(change, durable_names_);
        }
    }
    name_changes_.clear();
    names_ = durable_names_;
    for (auto& [id, file] : files_) {
        FULMAR_ASSERT(file.opened == 0, "a power cut ends every process first");
        if (cut.torn) {
            tear(file, cut.sector_bytes, draws);
        }
        used_ = used_ - file.live.size() + file.durable.size();
        file.live = file.durable;
        file.unsynced.clear();
    }
    drop_unnamed();
}

void MemoryDisk::drop_unnamed() {
    std::set<FileId> named;
    for (const auto& [name, file] : names_) {
        named.insert(file);
    }
    for (const auto& [name, file] : durable_names_) {
        named.insert(file);
    }
    // A change may be kept by a power cut even when the next one takes the name away again.
    for (const NameChange& change : name_changes_) {
        named.insert(change.file);
    }
    std::erase_if(files_, [this, &named](const auto& entry) {
        const auto& [id, file] = entry;
        const bool gone = file.opened == 0 && !named.contains(id);
        used_ -= gone ? file.live.size() : 0;
        return gone;
    });
}

}  // namespace fulmar::drivers

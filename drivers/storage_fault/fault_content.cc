// What files hold: reads, writes and syncs.
#include <algorithm>
#include <utility>

#include "drivers/storage_fault/fault_storage.h"

namespace fulmar::drivers {

using port::StorageRequest;
using Op = StorageRequest::Op;
using Code = port::StorageCompletion::Code;

bool FaultStorage::is_settled(const File& file) {
    return file.dirty.empty() && file.length == file.length_below && file.length == file.valid_below;
}

bool FaultStorage::holds(const File& file) const {
    return spec_.hold_unsynced || !is_settled(file);
}

void FaultStorage::begin_read(Job& job) {
    const File& file = files_.at(job.file);
    const StorageRequest& request = job.request;
    if (drawn(Kind::kRead, spec_.read_error, counts_.read_errors)) {
        refuse(job, Code::kIo, "storage-fault: read");
        return;
    }
    const auto left = [&request](std::uint64_t length) {
        return std::min<std::uint64_t>(request.into.size(), length - std::min(length, request.offset));
    };
    job.completion.value = left(file.length);
    std::fill_n(request.into.begin(), job.completion.value, std::byte{});
    if (const auto below = std::min(left(file.valid_below), left(file.length)); below > 0) {
        job.steps.push_back({.op = Op::kRead,
            .file = file.below,
            .offset = request.offset,
            .into = request.into.first(below)});
    }
}

void FaultStorage::end_read(Job& job) {
    if (!job.completion.ok()) {
        return;
    }
    const File& file = files_.at(job.file);
    const auto into = job.request.into.first(job.completion.value);
    file.lost.lay_over(job.request.offset, into);
    file.dirty.lay_over(job.request.offset, into);
    if (!into.empty() && drawn(Kind::kFlipRead, spec_.flip_read, counts_.flipped_reads)) {
        const auto bit = draws(Kind::kFlipRead).below(into.size() * 8);
        into[bit / 8] ^= std::byte{1} << (bit % 8);
    }
}

bool FaultStorage::takes_space(Job& job, std::uint64_t bytes) {
    if (spec_.space == StorageFaultSpec::kSpaceUnlimited) {
        return true;
    }
    if (bytes > spec_.space - space_taken_) {
        base::count(counts_.no_space);
        refuse(job, Code::kNoSpace, "storage-fault: space");
        return false;
    }
    space_taken_ += bytes;
    return true;
}

void FaultStorage::begin_write(Job& job) {
    auto data = job.request.data;
    auto offset = job.request.offset;
    if (data.empty() || !takes_space(job, data.size())) {
        return;
    }
    if (drawn(Kind::kWrite, spec_.write_error, counts_.write_errors)) {
        refuse(job, Code::kIo, "storage-fault: write");
        // The sectors up to some boundary did get there.
        const auto end = draws(Kind::kWrite).below(data.size() + 1) + offset;
        const auto boundary = end / spec_.sector_bytes * spec_.sector_bytes;
        data = data.first(boundary - std::min(boundary, offset));
    }
    if (drawn(Kind::kMisdirect, spec_.misdirect, counts_.misdirected)) {
        misdirect(files_.at(job.file), offset, data.size());
    }
    if (!data.empty() && drawn(Kind::kFlipRest, spec_.flip_rest, counts_.flipped_at_rest)) {
        auto& copy = job.buffers.emplace_back(data.begin(), data.end());
        const auto bit = draws(Kind::kFlipRest).below(copy.size() * 8);
        copy[bit / 8] ^= std::byte{1} << (bit % 8);
        data = copy;
    }
    store(job, offset, data);
}

void FaultStorage::misdirect(const File& file, std::uint64_t& offset, std::uint64_t length) {
    // Within the file: the place it was meant for keeps its content, another one gets it.
    const auto sector = spec_.sector_bytes;
    const auto within = offset % sector;
    if (file.length < length + within + sector) {
        return;  // there is no other place
    }
    const auto places = (file.length - length - within) / sector + 1;
    const auto here = offset / sector;
    const auto there = draws(Kind::kMisdirect).below(here < places ? places - 1 : places);
    offset = (there + (there >= here ? 1 : 0)) * sector + within;
}

void FaultStorage::store(Job& job, std::uint64_t offset, std::span<const std::byte> data) {
    File& file = files_.at(job.file);
    if (data.empty()) {
        return;
    }
    const auto end = offset + data.size();
    file.lost.erase(offset, end);
    if (!holds(file)) {
        job.steps.push_back({.op = Op::kWrite, .file = file.below, .offset = offset, .data = data});
        return;
    }
    file.dirty.put(offset, data);
    file.length = std::max(file.length, end);
    if (spec_.torn) {
        write_early(job, offset, end);
    }
}

void FaultStorage::write_early(Job& job, std::uint64_t begin, std::uint64_t end) {
    File& file = files_.at(job.file);
    const auto sector = spec_.sector_bytes;
    HeldBytes early;
    for (auto at = begin / sector * sector; at < end; at += sector) {
        // Behind a cut that is held nothing may grow before the cut is made.
        const bool behind_cut = file.valid_below < file.length_below && at + sector > file.valid_below;
        if (behind_cut || !draws(Kind::kTear).chance(0.5)) {
            continue;
        }
        // With all that is held of the sector: a disk writes whole ones.
        const HeldBytes held = file.dirty.within(at, at + sector);
        for (const auto& [offset, bytes] : held.stretches()) {
            early.put(offset, bytes);
        }
        file.dirty.erase(at, at + sector);
        base::count(counts_.torn_sectors);
    }
    for (const auto& [offset, bytes] : early.stretches()) {
        const auto& buffer = job.buffers.emplace_back(bytes);
        job.steps.push_back({.op = Op::kWrite, .file = file.below, .offset = offset, .data = buffer});
    }
}

void FaultStorage::begin_zero(Job& job) {
    const auto length = job.request.length;
    File& file = files_.at(job.file);
    if (length == 0) {
        return;
    }
    if (drawn(Kind::kWrite, spec_.write_error, counts_.write_errors)) {
        refuse(job, Code::kIo, "storage-fault: write");
        return;
    }
    if (holds(file)) {
        store(job, job.request.offset, job.buffers.emplace_back(length));
        return;
    }
    file.lost.erase(job.request.offset, job.request.offset + length);
    job.steps.push_back(
        {.op = Op::kZero, .file = file.below, .offset = job.request.offset, .length = length});
}

void FaultStorage::begin_resize(Job& job) {
    File& file = files_.at(job.file);
    const auto length = job.request.length;
    const bool early = spec_.torn && file.valid_below == file.length_below && draws(Kind::kTear).chance(0.5);
    file.dirty.erase(length, HeldBytes::kToTheEnd);
    file.lost.erase(length, HeldBytes::kToTheEnd);
    if (!holds(file) || early) {
        job.steps.push_back({.op = Op::kResize, .file = file.below, .length = length});
        return;
    }
    file.length = length;
    file.valid_below = std::min(file.valid_below, length);
}

void FaultStorage::begin_sync(Job& job) {
    File& file = files_.at(job.file);
    if (drawn(Kind::kSync, spec_.sync_error, counts_.sync_errors)) {
        refuse(job, Code::kIo, "storage-fault: sync");
        return;
    }
    if (drawn(Kind::kSyncLost, spec_.sync_lost, counts_.syncs_lost)) {
        base::count(counts_.bytes_lost, file.dirty.bytes());
        for (const auto& [offset, bytes] : file.dirty.stretches()) {
            file.lost.put(offset, bytes);
        }
        file.dirty.clear();
        refuse(job, Code::kIo, "storage-fault: sync-lost");
        return;
    }
    if (file.valid_below < file.length_below) {
        job.steps.push_back({.op = Op::kResize, .file = file.below, .length = file.valid_below});
    }
    auto end = file.valid_below;
    for (const auto& [offset, bytes] : file.dirty.stretches()) {
        job.steps.push_back({.op = Op::kWrite, .file = file.below, .offset = offset, .data = bytes});
        end = std::max(end, offset + bytes.size());
    }
    if (end != file.length) {
        job.steps.push_back({.op = Op::kResize, .file = file.below, .length = file.length});
    }
    job.steps.push_back({.op = Op::kSync, .file = file.below});
}

void FaultStorage::end_sync(Job& job) {
    if (job.completion.ok()) {
        files_.at(job.file).dirty.clear();
    }
}

}  // namespace fulmar::drivers

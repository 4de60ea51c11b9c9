// Bytes that somebody changes behind everybody's back, and what becomes of them.
#include <algorithm>
#include <utility>

#include "archive/sidecar.h"
#include "tests/sim/archive_disk_inside.h"

namespace fulmar::sim::disk {

void DiskWorld::spoil() {
    std::vector<Subject*> with_bytes;
    for (const auto& subject : subjects_) {
        if (subject->told > subject->stream.start() && !subject->given_up) {
            with_bytes.push_back(subject.get());
        }
    }
    if (with_bytes.empty()) {
        return;
    }
    Subject& subject = *with_bytes[disk_draws_.below(with_bytes.size())];
    const bool late = subject.told_before < subject.told && disk_draws_.chance(0.2);
    const std::int64_t position =
        disk_draws_.between(late ? subject.told_before : subject.stream.start(), subject.told - 1);
    const std::int64_t base = subject.base_of(position);
    Spoilt spoilt{.id = subject.id, .certain = subject.told_before};
    if (disk_draws_.chance(0.7)) {
        spoilt.file = segment_name(subject.id, base);
        spoilt.offset = static_cast<std::uint64_t>(position - base);
        spoilt.position = position;
    } else {
        spoilt.file = sidecar_name(subject.id, base);
        spoilt.offset = disk_draws_.below(1'024);
    }
    const Bytes bytes = content(spoilt.file);
    if (spoilt.position != kNullValue && disk_draws_.chance(0.4)) {
        // A sector that was meant for another place.
        spoilt.offset -= spoilt.offset % 512;
        const auto from = static_cast<std::ptrdiff_t>(disk_draws_.below(bytes.size() / 512) * 512);
        const auto to = static_cast<std::ptrdiff_t>(spoilt.offset);
        spoilt.before.assign(bytes.begin() + to, bytes.begin() + to + 512);
        spoilt.after.assign(bytes.begin() + from, bytes.begin() + from + 512);
        count(DiskCount::kAstray);
    } else {
        spoilt.before.assign(1, bytes.at(spoilt.offset));
        spoilt.after.assign(1, spoilt.before[0] ^ (std::byte{1} << disk_draws_.below(8)));
        count(DiskCount::kFlipped);
    }
    note("spoilt " + spoilt.file + " at " + std::to_string(spoilt.offset));
    put(spoilt.file, spoilt.offset, spoilt.after);
    spoilt_ = std::move(spoilt);
}

void DiskWorld::mend() {
    const Spoilt spoilt = *std::exchange(spoilt_, std::nullopt);
    Subject& subject = *subjects_[static_cast<std::size_t>(spoilt.id)];
    const auto opened = disk_.open(spoilt.file);
    if (opened.code == MemoryDisk::Code::kOk) {
        Bytes now(spoilt.after.size());
        (void)disk_.read(opened.file, spoilt.offset, now);
        disk_.close(opened.file);
        // What was cut with it is gone.
        if (spoilt.told && now == spoilt.after) {
            put(spoilt.file, spoilt.offset, spoilt.before);
        }
    }
    start_storage("");
    Recovery recovery(*hub_, catalog_, {.now_ms = 5});
    run_task(recovery);
    if (recovery.error()) {
        return fail("recovery: " + recovery.error()->message);
    }
    judge(subject, recovery);
}

Bytes DiskWorld::content(const std::string& name) {
    const auto opened = disk_.open(name);
    if (opened.code != MemoryDisk::Code::kOk) {
        fail(name + " is missing");
        return Bytes(4'096);
    }
    Bytes bytes(disk_.length(opened.file));
    (void)disk_.read(opened.file, 0, bytes);
    disk_.close(opened.file);
    return bytes;
}

void DiskWorld::put(const std::string& name, std::uint64_t offset, const Bytes& bytes) {
    const auto opened = disk_.open(name);
    FULMAR_ASSERT(opened.code == MemoryDisk::Code::kOk, "it was read before");
    (void)disk_.write(opened.file, offset, bytes);
    disk_.sync(opened.file);
    disk_.close(opened.file);
}

}  // namespace fulmar::sim::disk

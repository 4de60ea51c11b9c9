#include "tests/sim/ledger.h"

#include <algorithm>
#include <cstring>

#include "term/append.h"

namespace fulmar::sim {

namespace {

/// Cheap, and different in every word of every message.
constexpr std::uint64_t content_word(std::uint64_t seed, std::size_t index) {
    return (seed + index) * 0x9e3779b97f4a7c15ULL ^ seed;
}

std::string describe(const Entry& entry) {
    constexpr const char* kFates[] = {"open", "must", "maybe", "void"};
    std::string text = std::to_string(entry.begin);
    text += " to " + std::to_string(entry.end) + ", " + std::to_string(entry.length) + " bytes, ";
    return text + kFates[static_cast<int>(entry.fate)];
}

}  // namespace

std::string Stream::name() const {
    return std::string(is_ipc ? "ipc" : "udp") + (is_exclusive ? " exclusive" : " concurrent") + " session " +
           std::to_string(session_id) + " stream " + std::to_string(stream_id) + " of node " +
           std::to_string(node);
}

Stream& Ledger::stream_for(const Stream& description, Verdict& verdict) {
    if (Stream* known = find(description.session_id, description.stream_id)) {
        if (known->node != description.node || known->incarnation != description.incarnation ||
            known->registration_id != description.registration_id) {
            verdict.fail("two publications have one session: " + known->name());
        }
        return *known;
    }
    auto stream = std::make_unique<Stream>(description);
    stream->id = streams_.size();
    by_session_[key(stream->session_id, stream->stream_id)] = stream.get();
    streams_.push_back(std::move(stream));
    return *streams_.back();
}

Stream* Ledger::find(std::int32_t session_id, std::int32_t stream_id) {
    const auto found = by_session_.find(key(session_id, stream_id));
    return found == by_session_.end() ? nullptr : found->second;
}

Entry& Ledger::record(
    Stream& stream, std::int64_t end, std::int32_t length, std::uint64_t seed, Fate fate, Verdict& verdict) {
    Entry entry;
    entry.end = end;
    entry.begin = end - term::framed_length(length, stream.mtu - wire::kDataHeaderLength);
    entry.seed = seed;
    entry.length = length;
    entry.fate = fate;
    if (entry.begin < stream.end()) {
        verdict.fail("two producers own the same bytes: " + describe(entry) + " after " +
                     describe(stream.entries.back()) + " in " + stream.name());
    }
    stream.entries.push_back(entry);
    return stream.entries.back();
}

void write_content(std::span<std::byte> bytes, std::uint64_t seed) {
    std::size_t index = 0;
    while (!bytes.empty()) {
        const std::uint64_t word = content_word(seed, index++);
        const std::size_t count = std::min(bytes.size(), sizeof word);
        std::memcpy(bytes.data(), &word, count);
        bytes = bytes.subspan(count);
    }
}

bool is_content(std::span<const std::byte> bytes, std::uint64_t seed) {
    std::size_t index = 0;
    while (!bytes.empty()) {
        const std::uint64_t word = content_word(seed, index++);
        const std::size_t count = std::min(bytes.size(), sizeof word);
        if (std::memcmp(bytes.data(), &word, count) != 0) {
            return false;
        }
        bytes = bytes.subspan(count);
    }
    return true;
}

void Reader::find_start(const Stream& stream) {
    // The stream may begin in the middle of a message; the first whole one counts.
    const auto first = std::partition_point(stream.entries.begin(), stream.entries.end(),
        [this](const Entry& entry) { return entry.begin < join_position_; });
    next_ = static_cast<std::size_t>(first - stream.entries.begin());
    started_ = true;
}

void Reader::on_message(
    Ledger& ledger, std::span<const std::byte> message, const Header& header, Verdict& verdict) {
    if (stream(ledger) == nullptr) {
        return;  // an invented session; nobody promised anything
    }
    if (!started_) {
        find_start(*stream_);
    }
    const std::int64_t end = header.position();
    const auto& entries = stream_->entries;
    while (next_ < entries.size() && entries[next_].end < end) {
        const Entry& passed = entries[next_];
        const bool may_miss = passed.fate == Fate::kVoid || passed.fate == Fate::kMaybe ||
                              (passed.fate == Fate::kMust && !stream_->is_reliable) || stream_->is_revoked ||
                              ledger.may_be_unblocked(passed);
        if (!may_miss) {
            verdict.fail("a message was skipped: " + describe(passed) + ", got the one that ends at " +
                         std::to_string(end) + ", joined at " + std::to_string(join_position_) + ", " +
                         stream_->name());
            return;
        }
        ++next_;
    }
    if (next_ == entries.size() || entries[next_].end != end) {
        verdict.fail("a message nobody sent, or sent before: ends at " + std::to_string(end) + ", length " +
                     std::to_string(message.size()) + ", last delivered end " + std::to_string(position_) +
                     ", " + stream_->name() +
                     (next_ < entries.size() ? ", expected " + describe(entries[next_]) : ""));
        return;
    }
    const Entry& entry = entries[next_++];
    if (entry.fate == Fate::kVoid || entry.fate == Fate::kOpen) {
        verdict.fail("a message that was never committed: " + describe(entry) + ", " + stream_->name());
    } else if (message.size() != static_cast<std::size_t>(entry.length) ||
               header.reserved_value() != static_cast<std::int64_t>(entry.seed) ||
               !is_content(message, entry.seed)) {
        verdict.fail("a message with other bytes than were sent: " + describe(entry) + ", got " +
                     std::to_string(message.size()) + " bytes, " + stream_->name());
    }
    position_ = end;
    ++delivered_;
}

const Entry* Reader::missing(Ledger& ledger) {
    if (stream(ledger) == nullptr) {
        return nullptr;
    }
    if (!started_) {
        find_start(*stream_);
    }
    for (std::size_t i = next_; i < stream_->entries.size(); ++i) {
        if (stream_->entries[i].fate == Fate::kMust) {
            return &stream_->entries[i];
        }
    }
    return nullptr;
}

}  // namespace fulmar::sim

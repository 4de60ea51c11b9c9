#include "archive_server/credentials.h"

#include <algorithm>
#include <cstring>
#include <optional>

namespace fulmar::archive {
namespace {

constexpr std::size_t kLineMax = 4096;
constexpr std::string_view kBlanks = " \t\r";

std::vector<std::string> words_of(std::string_view line) {
    std::vector<std::string> words;
    line = line.substr(0, line.find('#'));
    for (std::size_t at = line.find_first_not_of(kBlanks); at != std::string_view::npos;
         at = line.find_first_not_of(kBlanks, at)) {
        const std::size_t end = std::min(line.find_first_of(kBlanks, at), line.size());
        words.emplace_back(line.substr(at, end - at));
        at = end;
    }
    return words;
}

/// Takes the same time wherever they differ, so that a secret cannot be guessed letter by letter.
bool is_same(std::string_view known, std::span<const std::byte> shown) {
    unsigned difference = known.size() == shown.size() ? 0 : 1;
    for (std::size_t i = 0; i < known.size(); ++i) {
        const auto theirs = i < shown.size() ? static_cast<unsigned>(shown[i]) : 0U;
        difference |= static_cast<unsigned char>(known[i]) ^ theirs;
    }
    return difference == 0;
}

std::vector<std::byte> bytes_of(std::string_view text) {
    std::vector<std::byte> bytes(text.size());
    std::memcpy(bytes.data(), text.data(), text.size());
    return bytes;
}

}  // namespace

Result<std::unique_ptr<Credentials>> Credentials::parse(std::string_view text) {
    auto made = std::make_unique<Credentials>();
    std::size_t number = 0;
    while (!text.empty()) {
        const std::size_t end = std::min(text.find('\n'), text.size());
        const std::string_view line = text.substr(0, end);
        text.remove_prefix(std::min(end + 1, text.size()));
        ++number;
        const std::vector<std::string> words = words_of(line);
        if (words.empty()) {
            continue;
        }
        const std::string where = "line " + std::to_string(number) + ": ";
        if (line.size() > kLineMax) {
            return fail(ErrorCode::kGeneric, where + "more than " + std::to_string(kLineMax) + " characters");
        }
        if (words.size() < 2 || words.size() > 3) {
            return fail(ErrorCode::kGeneric, where + "write PRINCIPAL SECRET or PRINCIPAL SECRET RESPONSE");
        }
        if (words[0].find(':') != std::string::npos) {
            return fail(ErrorCode::kGeneric, where + "a principal may not have a colon");
        }
        Entry entry{.principal = words[0], .shown = words[0] + ":" + words[1], .answered = ""};
        if (words.size() == 3) {
            entry.answered = words[0] + ":" + words[2];
        }
        const bool is_known = std::any_of(made->entries_.begin(), made->entries_.end(),
            [&](const Entry& other) { return other.shown == entry.shown; });
        if (is_known) {
            return fail(ErrorCode::kGeneric, where + "this secret of " + words[0] + " was there before");
        }
        made->entries_.push_back(std::move(entry));
    }
    return made;
}

Authenticator::Decision Credentials::on_connect(
    std::int64_t session_id, std::span<const std::byte> credentials, Instant /*now*/) {
    std::optional<std::size_t> found;
    for (std::size_t i = 0; i < entries_.size(); ++i) {
        if (is_same(entries_[i].shown, credentials)) {
            found = i;
        }
    }
    if (!found) {
        return {Decision::Kind::kReject, {}};
    }
    const Entry& entry = entries_[*found];
    if (entry.answered.empty()) {
        return {Decision::Kind::kAccept, bytes_of(entry.principal)};
    }
    challenged_[session_id] = *found;
    return {Decision::Kind::kChallenge, bytes_of("response of " + entry.principal)};
}

Authenticator::Decision Credentials::on_challenge_response(
    std::int64_t session_id, std::span<const std::byte> credentials, Instant /*now*/) {
    const auto found = challenged_.find(session_id);
    if (found == challenged_.end()) {
        return {Decision::Kind::kReject, {}};
    }
    const Entry& entry = entries_[found->second];
    challenged_.erase(found);
    return is_same(entry.answered, credentials) ? Decision{Decision::Kind::kAccept, bytes_of(entry.principal)}
                                                : Decision{Decision::Kind::kReject, {}};
}

}  // namespace fulmar::archive

#include "config/text.h"

#include <algorithm>
#include <charconv>
#include <limits>
#include <vector>

namespace fulmar::config {
namespace {

constexpr std::size_t kQuotedLengthMax = 80;
constexpr std::size_t kWordLengthMax = 64;

char lower(char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

char upper(char c) {
    return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
}

}  // namespace

std::optional<std::int64_t> parse_int64(std::string_view text) {
    std::int64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (text.empty() || error != std::errc{} || end != text.data() + text.size()) {
        return std::nullopt;
    }
    return value;
}

std::optional<std::int32_t> parse_int32(std::string_view text) {
    const auto value = parse_int64(text);
    if (!value || *value < std::numeric_limits<std::int32_t>::min() ||
        *value > std::numeric_limits<std::int32_t>::max()) {
        return std::nullopt;
    }
    return static_cast<std::int32_t>(*value);
}

std::optional<bool> parse_bool(std::string_view text) {
    const std::string word = to_lower(text);
    if (word == "true") {
        return true;
    }
    if (word == "false") {
        return false;
    }
    return std::nullopt;
}

std::string quoted(std::string_view text) {
    std::string out = "'";
    for (const char c : text.substr(0, kQuotedLengthMax)) {
        const auto byte = static_cast<unsigned char>(c);
        out += byte < 0x20 || byte == 0x7F ? '?' : c;
    }
    out += text.size() > kQuotedLengthMax ? "...'" : "'";
    return out;
}

std::string_view trimmed(std::string_view text) {
    constexpr std::string_view kSpace = " \t\r\n";
    const std::size_t first = text.find_first_not_of(kSpace);
    if (first == std::string_view::npos) {
        return {};
    }
    return text.substr(first, text.find_last_not_of(kSpace) - first + 1);
}

std::string to_lower(std::string_view text) {
    std::string out(text);
    std::transform(out.begin(), out.end(), out.begin(), lower);
    return out;
}

std::string to_upper(std::string_view text) {
    std::string out(text);
    std::transform(out.begin(), out.end(), out.begin(), upper);
    return out;
}

std::size_t edit_distance(std::string_view a, std::string_view b) {
    std::vector<std::size_t> before_last(b.size() + 1);
    std::vector<std::size_t> last(b.size() + 1);
    std::vector<std::size_t> row(b.size() + 1);
    for (std::size_t j = 0; j <= b.size(); ++j) {
        last[j] = j;
    }
    for (std::size_t i = 1; i <= a.size(); ++i) {
        row[0] = i;
        for (std::size_t j = 1; j <= b.size(); ++j) {
            const std::size_t replace = last[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
            row[j] = std::min({last[j] + 1, row[j - 1] + 1, replace});
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
                row[j] = std::min(row[j], before_last[j - 2] + 1);
            }
        }
        before_last.swap(last);
        last.swap(row);
    }
    return last[b.size()];
}

std::string_view nearest(std::string_view word, std::span<const std::string_view> known) {
    // Work is length times length for each known word, and the word may come from a peer.
    if (word.empty() || word.size() > kWordLengthMax) {
        return {};
    }
    const std::string wanted = to_lower(word);
    std::size_t best = std::max<std::size_t>(2, word.size() / 3) + 1;
    std::string_view result;
    for (const std::string_view candidate : known) {
        const std::size_t distance = edit_distance(wanted, to_lower(candidate));
        if (distance < best && distance < candidate.size()) {
            best = distance;
            result = candidate;
        }
    }
    return result;
}

std::string suggestion(std::string_view word, std::span<const std::string_view> known) {
    const std::string_view found = nearest(word, known);
    return found.empty() ? std::string{} : ", did you mean " + quoted(found) + "?";
}

}  // namespace fulmar::config

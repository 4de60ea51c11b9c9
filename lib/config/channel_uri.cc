#include "config/channel_uri.h"

#include <algorithm>

#include "config/text.h"

namespace fulmar::config {
namespace {

constexpr std::string_view kSpyPrefix = "aeron-spy:";
constexpr std::string_view kScheme = "aeron:";

bool consume(std::string_view& text, std::string_view prefix) {
    if (!text.starts_with(prefix)) {
        return false;
    }
    text.remove_prefix(prefix.size());
    return true;
}

bool has_control_character(std::string_view text) {
    return std::any_of(text.begin(), text.end(), [](char c) {
        const auto byte = static_cast<unsigned char>(c);
        return byte < 0x20 || byte == 0x7F;
    });
}

}  // namespace

Result<ChannelUri> ChannelUri::parse(std::string_view text) {
    if (text.size() > kChannelLengthMax) {
        return fail(ErrorCode::kInvalidChannel, "channel has " + std::to_string(text.size()) +
                                                    " characters, at most " +
                                                    std::to_string(kChannelLengthMax) + " are allowed");
    }
    if (has_control_character(text)) {
        return fail(ErrorCode::kInvalidChannel, "channel " + quoted(text) + " holds a control character");
    }
    ChannelUri uri;
    std::string_view rest = text;
    uri.is_spy_ = consume(rest, kSpyPrefix);
    if (!consume(rest, kScheme)) {
        return fail(ErrorCode::kInvalidChannel,
            "channel " + quoted(text) + " does not begin with aeron:, such as aeron:udp?endpoint=host:port");
    }
    const std::size_t question = rest.find('?');
    const std::string_view media = rest.substr(0, question);
    if (media == "udp") {
        uri.media_ = Media::kUdp;
    } else if (media == "ipc") {
        uri.media_ = Media::kIpc;
    } else {
        return fail(
            ErrorCode::kInvalidChannel, "media " + quoted(media) + " is unknown, it must be udp or ipc");
    }
    if (question != std::string_view::npos) {
        FULMAR_TRY_VOID(uri.parse_params(rest.substr(question + 1)));
    }
    return uri;
}

Status ChannelUri::parse_params(std::string_view text) {
    while (true) {
        const std::size_t bar = text.find('|');
        const std::string_view param = text.substr(0, bar);
        const std::size_t equals = param.find('=');
        if (equals == std::string_view::npos || equals == 0) {
            return fail(ErrorCode::kInvalidChannel,
                "channel parameter " + quoted(param) + " is not key=value; parameters are separated by |");
        }
        set(param.substr(0, equals), param.substr(equals + 1));
        if (bar == std::string_view::npos) {
            return Done{};
        }
        text.remove_prefix(bar + 1);
    }
}

void ChannelUri::set(std::string_view key, std::string_view value) {
    for (UriParam& param : params_) {
        if (param.key == key) {
            param.value = value;
            return;
        }
    }
    params_.push_back({std::string(key), std::string(value)});
}

std::optional<std::string_view> ChannelUri::find(std::string_view key) const {
    for (const UriParam& param : params_) {
        if (param.key == key) {
            return param.value;
        }
    }
    return std::nullopt;
}

void ChannelUri::erase(std::string_view key) {
    std::erase_if(params_, [key](const UriParam& param) { return param.key == key; });
}

std::string ChannelUri::text() const {
    std::string out(is_spy_ ? kSpyPrefix : "");
    out += kScheme;
    out += media_ == Media::kUdp ? "udp" : "ipc";
    char separator = '?';
    for (const UriParam& param : params_) {
        out += separator;
        out += param.key + "=" + param.value;
        separator = '|';
    }
    return out;
}

std::string ChannelUri::canonical() const {
    ChannelUri sorted = *this;
    std::sort(sorted.params_.begin(), sorted.params_.end(),
        [](const UriParam& a, const UriParam& b) { return a.key < b.key; });
    return sorted.text();
}

}  // namespace fulmar::config

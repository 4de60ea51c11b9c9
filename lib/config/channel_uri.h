/// The grammar of a channel: `[aeron-spy:]aeron:(udp|ipc)[?key=value|key=value...]`. Knows no key; what
/// the keys mean is in channel_params.h.
/// threads: values, no sharing.  source: Aeron channel URI.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "fulmar/result.h"

namespace fulmar::config {

inline constexpr std::size_t kChannelLengthMax = 4095;

enum class Media : std::uint8_t { kUdp, kIpc };

struct UriParam {
    std::string key;
    std::string value;
};

class ChannelUri {
  public:
    /// errors: kInvalidChannel with what is wrong and where.
    [[nodiscard]] static Result<ChannelUri> parse(std::string_view text);

    [[nodiscard]] Media media() const { return media_; }
    [[nodiscard]] bool is_spy() const { return is_spy_; }
    /// In the order given; a key given twice appears once, with its last value.
    [[nodiscard]] const std::vector<UriParam>& params() const { return params_; }
    /// The value of a key, by its whole name.
    [[nodiscard]] std::optional<std::string_view> find(std::string_view key) const;
    /// The same channel with its keys in order, so that equal channels have equal text.
    [[nodiscard]] std::string canonical() const;
    /// As it would be written: keys in the order given, then those that were added.
    [[nodiscard]] std::string text() const;

    /// Replaces a key's value, or adds the key at the end.
    void set(std::string_view key, std::string_view value);
    void erase(std::string_view key);

  private:
    Status parse_params(std::string_view text);

    std::vector<UriParam> params_;
    Media media_ = Media::kUdp;
    bool is_spy_ = false;
};

}  // namespace fulmar::config

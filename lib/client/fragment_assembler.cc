#include "fulmar/fragment_assembler.h"

#include <algorithm>

namespace fulmar::client {

namespace {

std::int64_t start_position(const Header& header) {
    return header.position() - wire::align_frame(header.frame_length());
}

}  // namespace

void MessageBuilders::Builder::begin(std::span<const std::byte> fragment, const Header& first) {
    std::memcpy(header.data(), first.frame(), header.size());
    length = 0;
    next_position = first.position();
    bytes.resize(std::max(bytes.size(), fragment.size()));
    if (!fragment.empty()) {
        std::memcpy(bytes.data(), fragment.data(), fragment.size());
    }
    length = fragment.size();
}

bool MessageBuilders::Builder::append(std::span<const std::byte> fragment, const Header& next) {
    const bool follows = is_begun() && start_position(next) == next_position;
    const std::size_t whole = length + fragment.size();
    if (!follows || whole > static_cast<std::size_t>(wire::kMessageLengthMax)) {
        reset();
        return false;
    }
    if (whole > bytes.size()) {
        bytes.resize(std::max(whole, bytes.size() * 2));  // doubling: few allocations until it has grown
    }
    if (!fragment.empty()) {
        std::memcpy(bytes.data() + length, fragment.data(), fragment.size());
    }
    length = whole;
    next_position = next.position();
    return true;
}

Header MessageBuilders::Builder::finish(const Header& last) {
    const auto frame_length = static_cast<std::int32_t>(length) + wire::kDataHeaderLength;
    base::store_le(header.data(), wire::field::kFrameLength, frame_length);
    base::store_le(header.data(), wire::field::kFlags, wire::flag::kUnfragmented);
    return {header.data(), frame_length, last.position(), last.stream()};
}

MessageBuilders::Builder* MessageBuilders::find(const Header& header) {
    for (auto& builder : builders_) {
        if (builder->session_id == header.session_id() && builder->stream_id == header.stream_id()) {
            builder->last_used = ++uses_;
            return builder.get();
        }
    }
    return nullptr;
}

MessageBuilders::Builder& MessageBuilders::find_or_add(const Header& header) {
    if (auto* known = find(header)) {
        return *known;
    }
    Builder* builder = nullptr;
    if (builders_.size() < kSessionsMax) {
        builder = builders_.emplace_back(std::make_unique<Builder>()).get();
    } else {
        const auto oldest = std::min_element(builders_.begin(), builders_.end(),
            [](const auto& a, const auto& b) { return a->last_used < b->last_used; });
        builder = oldest->get();
        builder->reset();
    }
    builder->session_id = header.session_id();
    builder->stream_id = header.stream_id();
    builder->last_used = ++uses_;
    return *builder;
}

void MessageBuilders::remove(std::int32_t session_id) {
    std::erase_if(builders_, [session_id](const auto& builder) { return builder->session_id == session_id; });
}

}  // namespace fulmar::client

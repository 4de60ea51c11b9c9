#include "cluster/log_scan.h"

#include <string>

#include "base/bytes.h"
#include "cluster/log_messages.h"
#include "cluster/membership_message.h"
#include "fulmar/sbe/decoder.h"
#include "wire/frame.h"

namespace fulmar::cluster {

namespace {

constexpr std::size_t kTemplateAt = 2;
constexpr std::size_t kSchemaAt = 4;

Unexpected<Error> no_log(std::int64_t position, const std::string& why) {
    return fail(ErrorCode::kGeneric, "the log holds " + why + " at position " + std::to_string(position));
}

}  // namespace

Status LogScan::take(std::span<const std::byte> block) {
    LogScan next = *this;
    next.clear();
    while (!block.empty()) {
        const auto room = static_cast<std::int64_t>(block.size());
        const std::int64_t length = room < wire::kDataHeaderLength ? 0
                                                                   : base::load_le<std::int32_t>(block.data(),
                                                                         wire::field::kFrameLength);
        const std::int64_t aligned = length <= 0 ? 0 : wire::align_frame(static_cast<std::int32_t>(length));
        if (length < wire::kDataHeaderLength || aligned > room) {
            return no_log(next.position_, "no whole frame");
        }
        FULMAR_TRY_VOID(next.take_frame(block.first(static_cast<std::size_t>(length)), aligned));
        block = block.subspan(static_cast<std::size_t>(aligned));
    }
    next.terms_.insert(next.terms_.begin(), terms_.begin(), terms_.end());
    next.memberships_.insert(next.memberships_.begin(), memberships_.begin(), memberships_.end());
    *this = std::move(next);
    return Done{};
}

Status LogScan::take_frame(std::span<const std::byte> frame, std::int64_t length) {
    if (wire::is_padding(frame.data())) {
        position_ += length;
        return Done{};
    }
    const auto flags = base::load_le<std::uint8_t>(frame.data(), wire::field::kFlags);
    const bool begins = (flags & wire::flag::kBegin) != 0;
    const bool ends = (flags & wire::flag::kEnd) != 0;
    if (begins == is_within_) {
        return no_log(
            position_, begins ? "a message within another" : "the end of a message that did not begin");
    }
    position_ += length;
    is_within_ = !ends;
    if (begins && ends) {
        FULMAR_TRY_VOID(take_message(frame.subspan(wire::kDataHeaderLength)));
    }
    end_ = ends ? position_ : end_;
    return Done{};
}

Status LogScan::take_message(std::span<const std::byte> message) {
    if (message.size() < sbe::header_length<NewLeadershipTermEvent>) {
        return Done{};
    }
    const auto schema = base::load_le<std::uint16_t>(message.data(), kSchemaAt);
    const auto id = base::load_le<std::uint16_t>(message.data(), kTemplateAt);
    if (schema == ClusterSchema::kId && id == NewLeadershipTermEvent::kId) {
        const auto event = sbe::Decoder<NewLeadershipTermEvent>::decode(message);
        if (!event) {
            return no_log(end_, "a new leadership term that cannot be read");
        }
        const raft::Term term = event->get<"leadershipTermId">();
        if (term <= last_term_ || event->get<"termBaseLogPosition">() != end_ ||
            event->get<"logPosition">() != position_) {
            return no_log(end_, "leadership term " + std::to_string(term) + " behind term " +
                                    std::to_string(last_term_) + " or for another place");
        }
        last_term_ = term;
        terms_.push_back({term, end_});
    } else if (schema == MemberSchema::kId && id == MembershipMessage::kId) {
        auto membership = decode_membership(message);
        if (!membership) {
            return no_log(end_, "a membership that cannot be");
        }
        memberships_.push_back({position_, *std::move(membership)});
    }
    return Done{};
}

}  // namespace fulmar::cluster

/// The schema that members of a cluster speak among each other. It is ours, and its id is none of Aeron's, so
/// that whatever strays from one to the other is refused by its first bytes.
/// threads: values.
#pragma once

#include <cstdint>

#include "fulmar/sbe/description.h"
#include "raft/types.h"

namespace fulmar::cluster {

struct MemberSchema : sbe::Schema<"fulmar.cluster.members", 7100, 1,
                          sbe::Description<"What members of a cluster say to each other.">> {};

/// Who speaks to whom, in which cluster.
struct Direction {
    std::int32_t cluster_id = 0;
    raft::MemberId from = raft::kNobody;
    raft::MemberId to = raft::kNobody;

    bool operator==(const Direction&) const = default;
    [[nodiscard]] Direction reversed() const { return {cluster_id, to, from}; }
};

/// What every message begins with.
using ClusterIdField = sbe::Field<"clusterId", 1, std::int32_t>;
using FromField = sbe::Field<"from", 2, std::int32_t>;
using ToField = sbe::Field<"to", 3, std::int32_t>;

/// The direction that a message claims.
template <class View>
[[nodiscard]] Direction direction_of(const View& message) {
    return {
        message.template get<"clusterId">(), message.template get<"from">(), message.template get<"to">()};
}
template <class Encoder>
void put_direction(Encoder& encoder, const Direction& direction) {
    encoder.template set<"clusterId">(direction.cluster_id)
        .template set<"from">(direction.from)
        .template set<"to">(direction.to);
}

}  // namespace fulmar::cluster

/// Sees all members at once and says whether what they do can be right.
/// threads: one.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <tuple>
#include <vector>

#include "tests/sim/raft_host.h"
#include "tests/sim/verdict.h"

namespace fulmar::sim {

class RaftOracle {
  public:
    RaftOracle(Verdict& verdict, const std::vector<RaftHost>& hosts, raft::Durability durability)
        : verdict_(verdict), hosts_(hosts), durability_(durability) {}

    void on_leads(const RaftHost& host, raft::Term term);
    void on_vote(raft::MemberId voter, const raft::DiskId& disk, raft::Term term, raft::MemberId candidate);
    void on_cut(const RaftHost& host, std::size_t count);
    /// After each step of `host`.
    void check_commit(RaftHost& host);

    [[nodiscard]] std::int64_t committed_end() const {
        return committed_.empty() ? 0 : committed_.back().end;
    }
    [[nodiscard]] std::size_t committed() const { return committed_.size(); }

  private:
    struct Committed {
        std::uint64_t id = 0;
        std::int64_t end = 0;
        raft::Term term = 0;  ///< in which it was first known
    };
    [[nodiscard]] bool is_held(const RaftHost& by, std::size_t index) const;
    [[nodiscard]] static std::string name(const RaftHost& host) {
        return "member " + std::to_string(host.id);
    }

    Verdict& verdict_;
    const std::vector<RaftHost>& hosts_;
    raft::Durability durability_;
    std::map<raft::Term, raft::MemberId> leaders_;
    std::map<std::tuple<raft::MemberId, raft::DiskId, raft::Term>, raft::MemberId> votes_;
    std::vector<Committed> committed_;
};

}  // namespace fulmar::sim

/// All replications into this archive. threads: the conductor's.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "archive_server/replication.h"

namespace fulmar::archive {

class Replications {
  public:
    Replications(ServerContext& context, Recordings& recordings)
        : context_(context), recordings_(recordings) {}

    /// Answers the asker with the replication's id, or why it may not begin. `request.id` and the asker's
    /// correlation id in it are set here.
    void start(Asker asker, Replication::Request request);
    void stop(Asker asker, std::int64_t replication_id);
    void stop_all();
    int poll();
    [[nodiscard]] bool is_idle() const { return replications_.empty(); }

  private:
    ServerContext& context_;
    Recordings& recordings_;
    std::vector<std::unique_ptr<Replication>> replications_;
};

}  // namespace fulmar::archive

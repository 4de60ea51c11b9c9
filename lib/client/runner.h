/// Who calls the conductor when the application does not: implemented outside lib/, where threads are.
#pragma once

namespace fulmar::client {

class Runner {
  public:
    /// Stops calling, and returns when no call is under way.
    virtual ~Runner() = default;
};

}  // namespace fulmar::client

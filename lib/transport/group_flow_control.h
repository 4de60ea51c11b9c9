/// How far a sender may go where the slowest of several receivers decides: all of them, or those with a tag.
///
/// A receiver that joins must not be behind the group by more than its window, so that nobody who comes late
/// holds everybody up; one that falls silent leaves the group.
/// threads: the sender agent.  Bound: kReceiversMax; further receivers get data and are not waited for.
/// source: Aeron min and tagged flow control.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "fulmar/time.h"
#include "observe/counters.h"
#include "wire/frame.h"

namespace fulmar::transport {

class GroupFlowControl {
  public:
    static constexpr std::size_t kReceiversMax = 64;

    struct Options {
        std::optional<std::int64_t> tag;  ///< only receivers that show it are waited for; nothing: all are
        std::int32_t size_min = 0;        ///< fewer than that are no group: the sender stays where it is
        Duration receiver_timeout = seconds(5);
        observe::Counter receivers;  ///< shows how many there are
    };

    explicit GroupFlowControl(const Options& options) : options_(options) {}

    /// Each answers the sender's limit, at least `limit`.
    [[nodiscard]] std::int64_t on_status_message(
        Instant now, const wire::StatusMessage& message, std::int64_t position, std::int64_t limit);
    [[nodiscard]] std::int64_t on_idle(Instant now, std::int64_t limit);

    /// A setup was asked for: who asked is about to join here, and must not be run away from.
    void on_setup(Instant now, std::int64_t limit);
    void remove(std::int64_t receiver_id);
    /// We did not listen for that long: nobody was silent meanwhile.
    void forgive(Duration silence);

    [[nodiscard]] bool has_required_receivers() const {
        return count_ >= static_cast<std::size_t>(options_.size_min);
    }
    [[nodiscard]] std::size_t size() const { return count_; }

  private:
    struct Receiver {
        std::int64_t id = 0;
        std::int64_t limit = 0;
        Instant heard;
    };

    [[nodiscard]] std::int64_t lowest() const;
    [[nodiscard]] std::int64_t limit_of_group(std::int64_t limit) const;
    void erase(std::size_t index);

    const Options options_;
    std::size_t count_ = 0;
    std::array<Receiver, kReceiversMax> receivers_{};
    std::optional<std::int64_t> setup_limit_;  ///< while somebody is joining
    Instant setup_until_;
};

}  // namespace fulmar::transport

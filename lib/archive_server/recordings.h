/// Recording subscriptions and the recordings that their images become.
///
/// A recording begins when its catalog entry is durable and its position counter is there; it ends when all
/// that was taken of it is on disk and its stop position is in the catalog. Only then a stop is answered.
/// threads: the conductor's.  source: Aeron 1.53, archive control protocol.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <list>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "archive/truncation.h"
#include "archive_server/catalog_file.h"
#include "archive_server/context.h"
#include "archive_server/control_sessions.h"
#include "archive_server/counters.h"
#include "archive_server/recorder.h"

namespace fulmar::archive {

class Recordings {
  public:
    /// A subscription that records each of its images.
    struct Subscriber {
        Asker asker;
        std::string key;
        std::string stripped;
        std::string original;
        std::int32_t stream_id = 0;
        bool auto_stop = false;
        std::int64_t extends = -1;                   ///< a recording that its image goes on with
        std::int64_t id = -1;                        ///< registration of the subscription
        std::unique_ptr<Subscription> subscription;  ///< null while it is being made
        int active = 0;                              ///< recordings that have not ended
        bool is_stopping = false;
        std::vector<Asker> stop_askers;
        std::vector<std::int64_t> stop_answers;
        std::vector<Signal> held_signals;  ///< told after the stop was answered
        bool is_quiet = false;             ///< the asker is not told how starting went, only signals
        /// Images that are not recorded, or no more: they are let pass, so that nobody waits for us.
        std::vector<Image*> let_pass;
    };
    struct StartRequest {
        std::string_view channel;
        std::int32_t stream_id = 0;
        SourceLocation source = SourceLocation::kLocal;
        bool auto_stop = false;
        std::int64_t extends = -1;
    };

    Recordings(ServerContext& context, Recorder& recorder);
    ~Recordings();

    /// Answers the asker with the subscription's id, or why not.
    void start(Asker asker, const StartRequest& request);
    /// The same for a part of the archive: the id, of a subscriber that find_subscriber knows until it ends.
    /// Signals go to the asker.
    [[nodiscard]] ArchiveResult<std::int64_t> start_quietly(Asker asker, const StartRequest& request);
    void stop(Asker asker, std::string_view channel, std::int32_t stream_id);
    void stop_subscription(Asker asker, std::int64_t subscription_id);
    void stop_recording(Asker asker, std::int64_t recording_id);
    /// Without an answer to anybody. False: there is no such subscription.
    bool stop_quietly(std::int64_t subscription_id);
    /// No more of anything: the archive ends.
    void stop_all();

    int poll();

    [[nodiscard]] bool is_active(std::int64_t recording_id) const { return active_.contains(recording_id); }
    [[nodiscard]] std::size_t active_count() const { return active_.size(); }
    /// Null when the recording is not active.
    [[nodiscard]] std::shared_ptr<const LivePosition> progress(std::int64_t recording_id) const;
    [[nodiscard]] const std::list<Subscriber>& subscribers() const { return subscribers_; }
    [[nodiscard]] Subscriber* find_subscriber(std::int64_t id);

    void set_free_space(std::uint64_t bytes) { free_space_ = bytes; }
    /// Of all recordings that have ended.
    [[nodiscard]] const WriterCounts& written() const { return written_; }
    /// Set by who knows: why a recording may not be extended now; empty: it may.
    std::function<std::string(std::int64_t recording_id)> refusal = [](std::int64_t) {
        return std::string();
    };

  private:
    struct Active {
        enum class State : std::uint8_t { kBeginning, kRunning, kEnding };
        std::int64_t id = 0;
        Subscriber* subscriber = nullptr;
        Image* image = nullptr;  ///< null when it is gone
        State state = State::kBeginning;
        bool is_extension = false;
        bool is_stopping = false;
        CatalogFile::Ticket ticket = 0;
        PendingCounter recorded;
        PendingCounter written;
        RecordingSession::Init init;
        std::unique_ptr<RecordingSession> session;
        std::unique_ptr<Truncation> cut;  ///< of what a writer that failed left behind its end
        std::shared_ptr<LivePosition> progress;
        std::int64_t begun_at = 0;  ///< its first position now; an extension's, where it goes on
        std::int64_t told_at = 0;   ///< position that the event stream was told last
    };
    struct Arrival {
        Subscriber* subscriber = nullptr;
        Image* image = nullptr;
    };

    [[nodiscard]] ArchiveResult<std::int64_t> begin(Asker asker, const StartRequest& request, bool is_quiet);
    [[nodiscard]] ArchiveStatus may_start(const StartRequest& request) const;
    [[nodiscard]] ArchiveStatus may_extend(const StartRequest& request) const;
    void forget(const Image& image);
    void stop(Subscriber& subscriber);
    void stop(Active& active);
    int poll_subscribers();
    [[nodiscard]] static int let_pass(Subscriber& subscriber);
    void on_image(const Arrival& arrival);
    [[nodiscard]] bool begin_new(Subscriber& subscriber, Image& image, Active& active);
    [[nodiscard]] bool begin_extension(Subscriber& subscriber, Image& image, Active& active);
    int poll_active(Active& active);
    int tell_progress(Active& active);
    void run(Active& active);
    /// Its recording has failed; the stream goes on.
    static void pass_on(Active& active);
    void on_ended(RecordingSession& session);
    void cut_behind(Active& active);
    [[nodiscard]] bool is_cutting(Active& active);
    void end(Active& active);

    ServerContext& context_;
    Recorder& recorder_;
    std::list<Subscriber> subscribers_;
    std::unordered_map<std::int64_t, std::unique_ptr<Active>> active_;
    std::deque<Arrival> arrivals_;
    std::vector<std::int64_t> gone_;
    std::uint64_t free_space_ = UINT64_MAX;
    WriterCounts written_;
};

}  // namespace fulmar::archive

#include "tests/sim/archive_world.h"

#include <algorithm>

namespace fulmar::sim {
namespace {

constexpr Duration kStep = microseconds(50);
constexpr std::uint64_t kStepsMax = 4'000'000;
constexpr int kConnectAttempts = 20;

drivers::StorageFaultSpec draw_faults(base::Prng& draws) {
    drivers::StorageFaultSpec faults;
    const auto some = [&](double most) { return draws.chance(0.5) ? 0.0 : draws.unit() * most; };
    // Now and then so many that what is read again fails again.
    faults.read_error = draws.chance(0.1) ? 0.1 : some(0.003);
    faults.write_error = some(0.003);
    faults.sync_error = some(0.005);
    faults.sync_lost = some(0.005);
    faults.slow = some(0.05);
    faults.delay = milliseconds(draws.between(1, 8));
    if (draws.chance(0.2)) {
        faults.space = static_cast<std::uint64_t>(draws.between(3, 12)) << 20;
    }
    return faults;
}

}  // namespace

ArchiveWorld::ArchiveWorld(std::uint64_t seed, bool verbose)
    : seed_(seed),
      draws_(seed, 21),
      verdict_(time_, verbose),
      plan_(base_plan(seed)),
      net_(
          [&] {
              plan_.net.hosts = 2;
              plan_.net.delay = microseconds(20);
              plan_.net.jitter = microseconds(5);
              return plan_.net;
          }(),
          seed, time_, trace_, transport_counts_),
      scheduler_(seed, time_, net_) {
    for (int i = 0; i < 2; ++i) {
        NodeOptions node;
        node.driver = plan_.driver;
        node.clock_origin = seconds(1 + i);
        node.threading = draws_.chance(0.5) ? Threading::kShared : Threading::kDedicated;
        node.pace.idle_max = microseconds(200);
        node.seed = draws_.next();
        nodes_.push_back(
            std::make_unique<Node>(i, node, time_, scheduler_, net_, verdict_, transport_counts_));
        nodes_.back()->memory().set_space_max(memory_per_node());
        nodes_.back()->start();
    }
    // The client is beside the archive, or talks to it over the network.
    client_node_ = draws_.chance(0.5) ? 0 : 1;
    if (client_node_ == 0) {
        LinkFaults faults;
        faults.loss = draws_.chance(0.5) ? 0.0 : draws_.unit() * 0.02;
        net_.set_faults(0, 1, faults);
        net_.set_faults(1, 0, faults);
    }
    ArchiveHostOptions host;
    host.server.control_channel = "aeron:udp?endpoint=" + port::to_string(SimNet::address_of(1)) + ":8010";
    host.server.segment_file_length = 256 * 1024;
    host.server.low_storage_space_threshold = 0;
    host.server.file_io_max_length = static_cast<std::int32_t>(draws_.between(16, 128)) * 1024;
    host.server.connect_timeout = milliseconds(300);
    host.server.session_liveness_interval = milliseconds(20);
    host.server.replay_linger_timeout = milliseconds(20);
    host.server.control_mtu = 1408;
    host.faults = draw_faults(draws_);
    host_ = std::make_unique<ArchiveHost>(*nodes_[1], std::move(host), draws_.next(), verdict_);
    host_id_ = scheduler_.add(*host_, {microseconds(2), microseconds(200)});
    const std::size_t streams = 1 + draws_.below(3);
    for (std::size_t i = 0; i < streams; ++i) {
        Stream& stream = streams_.emplace_back();
        stream.stream_id = 101 + static_cast<std::int32_t>(i);
        stream.messages = lab::NumberedMessages(seed * 16 + i);
    }
}

ArchiveWorld::~ArchiveWorld() {
    streams_.clear();
    archive_.reset();
    client_.reset();
    host_.reset();
}

void ArchiveWorld::advance() {
    const Instant until = time_.now + kStep;
    while (scheduler_.step(until)) {
        if (scheduler_.steps() > kStepsMax && !verdict_.failed()) {
            verdict_.fail("the run does not end");
        }
    }
    time_.now = std::max(time_.now, until);
    die_if_due();
    if (verdict_.failed()) {
        // Whoever waits is to see that there is no point in it.
        client_->close();
    }
}

void ArchiveWorld::die_if_due() {
    const bool is_aimed = kills_before_sync_ && host_->disk().unsynced_bytes() > 0;
    if ((time_.now < kill_at_ && !is_aimed) || !host_->is_up()) {
        return;
    }
    kill_at_ = Instant::never();
    kills_before_sync_ = false;
    if (!host_->is_serving()) {
        count(ArchiveCount::kKilledStarting);
    }
    const std::uint64_t how = is_aimed ? 2 : draws_.below(3);
    std::optional<drivers::MemoryDisk::PowerCut> cut;
    if (how > 0) {
        cut.emplace();
        cut->torn = how == 2;
        count(how == 2 ? ArchiveCount::kKilledByTornPowerCut : ArchiveCount::kKilledByPowerCut);
    } else {
        count(ArchiveCount::kKilled);
    }
    if (verdict_.verbose()) {
        verdict_.note("the archive is killed");
    }
    host_->kill(cut);
}

void ArchiveWorld::run_for(Duration length) {
    const Instant end = time_.now + length;
    while (time_.now < end && !verdict_.failed()) {
        (void)client_->poll();
        advance();
    }
}

void ArchiveWorld::note(const ArchiveError& error) {
    count(ArchiveCount::kRequestFailed);
    if (verdict_.verbose()) {
        verdict_.note("request failed: " + error.message);
    }
    if (has_no_faults_) {
        verdict_.fail("a request failed although nothing was wrong: " + error.message);
    }
}

bool ArchiveWorld::connect() {
    for (int attempt = 0; attempt < kConnectAttempts && !verdict_.failed(); ++attempt) {
        if (!host_->is_up()) {
            if (!host_->last_error().empty()) {
                count(ArchiveCount::kEndedByItself);
                if (has_no_faults_) {
                    verdict_.fail("the archive ended although nothing was wrong: " + host_->last_error());
                    return false;
                }
            }
            host_->start();
        }
        const Instant patience = time_.now + milliseconds(200);
        while (host_->is_up() && !host_->is_serving() && time_.now < patience) {
            run_for(milliseconds(1));
        }
        ArchiveClientOptions options;
        options.control_request_channel = control_channel_;
        options.control_response_channel = response_channel_;
        options.control_mtu = 1408;
        options.message_timeout = milliseconds(400);
        options.on_signal = [this](const RecordingSignalEvent& event) {
            deletions_ += event.signal == RecordingSignal::kDelete ? 1 : 0;
        };
        auto connected = ArchiveClient::connect(*client_, std::move(options));
        if (connected) {
            archive_ = *std::move(connected);
            return true;
        }
        if (verdict_.verbose()) {
            verdict_.note("not connected: " + connected.error().message);
        }
    }
    if (has_no_faults_ && !verdict_.failed()) {
        verdict_.fail("the archive cannot be connected to although nothing is wrong");
    }
    return false;
}

ArchiveWorld::Result ArchiveWorld::run() {
    ClientOptions options;
    options.dir = nodes_[static_cast<std::size_t>(client_node_)]->dir();
    options.name = "client";
    options.driver_timeout = milliseconds(200);
    options.keepalive_interval = milliseconds(10);
    options.resource_linger = milliseconds(100);
    options.own_thread = false;
    options.on_wait = [this] { advance(); };
    Node& node = *nodes_[static_cast<std::size_t>(client_node_)];
    auto client = Client::connect(std::move(options), {&node.memory(), &node.clock()});
    if (!client) {
        verdict_.fail("the client did not connect: " + client.error().message);
    } else {
        client_ = *std::move(client);
        const bool is_local = client_node_ == 1 && draws_.chance(0.5);
        control_channel_ = is_local
                               ? "aeron:ipc?term-length=64k"
                               : "aeron:udp?endpoint=" + port::to_string(SimNet::address_of(1)) + ":8010";
        response_channel_ =
            is_local ? "aeron:ipc?term-length=64k"
                     : "aeron:udp?endpoint=" + port::to_string(SimNet::address_of(client_node_)) + ":0";
        const int rounds = static_cast<int>(draws_.between(3, 6));
        for (int i = 0; i < rounds && !verdict_.failed(); ++i) {
            round(false);
        }
        has_no_faults_ = true;
        host_->set_faults({});
        if (host_->is_up()) {
            host_->kill(std::nullopt);
        }
        host_->start();
        if (!verdict_.failed()) {
            round(true);
        }
    }
    trace_.add(TraceKind::kClient, static_cast<std::uint64_t>(time_.now.ns), scheduler_.steps());
    count(ArchiveCount::kNetworkLost, transport_counts_[Count::lost]);
    count(ArchiveCount::kRecovered, host_->recovered_count());
    result_.hash = trace_.hash();
    result_.steps = scheduler_.steps();
    result_.failure = verdict_.what();
    return result_;
}

void ArchiveWorld::round(bool is_last) {
    count(ArchiveCount::kRound);
    if (!is_last) {
        kill_at_ = time_.now + microseconds(draws_.between(0, 60'000));
    }
    if (connect() && verify_all(is_last, is_last) && !is_last) {
        bool all_begun = true;
        for (Stream& stream : streams_) {
            all_begun = all_begun && begin(stream);
        }
        if (all_begun) {
            publish(microseconds(draws_.between(1'000, 50'000)));
            stop_some();
            purge_one();
        }
    }
    // Whatever is left of the round's time: the archive may also stay and be asked again.
    if (draws_.chance(0.8) && kill_at_ != Instant::never() && !is_last) {
        run_for(kill_at_ - time_.now + kStep);
    }
    leave();
}

void ArchiveWorld::leave() {
    if (archive_ != nullptr && !archive_->is_connected()) {
        count(ArchiveCount::kSessionLost);
    }
    for (Stream& stream : streams_) {
        stream.publication.reset();
    }
    archive_.reset();
    if (!verdict_.failed()) {
        // The driver forgets the dead archive's subscriptions, and the publications linger.
        run_for(milliseconds(400));
    }
    if (host_->is_up()) {
        // Recordings of streams that ended end as well; an archive that stays has stopped them by now.
        kill_at_ = Instant::never();
    }
}

std::string ArchiveWorld::channel_of(const Stream& stream, const std::string& more) const {
    const bool is_ipc = client_node_ == 1 && stream.stream_id % 2 == 1;
    return (is_ipc ? "aeron:ipc?"
                   : "aeron:udp?endpoint=" + port::to_string(SimNet::address_of(1)) + ":" +
                         std::to_string(40'000 + stream.stream_id) + "|") +
           more;
}

std::string ArchiveWorld::name_of(const Stream& stream) {
    // Some so long that the catalog's entry spans sectors, of which a power cut may leave one.
    return stream.stream_id % 3 != 1 ? "|alias=" + std::string(600, 'a') : "";
}

bool ArchiveWorld::begin(Stream& stream) {
    std::string terms = "term-length=" + std::to_string(kSimTermLength) + "|mtu=1408";
    const bool is_new = stream.recording_id == kNullRecordingId;
    if (!is_new) {
        const auto term_id =
            stream.initial_term_id + static_cast<std::int32_t>(stream.verified / kSimTermLength);
        terms += "|init-term-id=" + std::to_string(stream.initial_term_id) +
                 "|term-id=" + std::to_string(term_id) +
                 "|term-offset=" + std::to_string(stream.verified % kSimTermLength);
    }
    auto publication = client_->add_exclusive_publication(channel_of(stream, terms), stream.stream_id);
    if (!publication) {
        verdict_.fail("no publication: " + publication.error().message);
        return false;
    }
    stream.publication = *std::move(publication);
    stream.initial_term_id = stream.publication->initial_term_id();
    stream.next_message = stream.verified_messages;
    stream.is_stopped = false;
    // While its entry is on its way.
    kills_before_sync_ = is_new && kill_at_ != Instant::never() && draws_.chance(0.5);
    const std::string recorded = channel_of(
        stream, "session-id=" + std::to_string(stream.publication->session_id()) + name_of(stream));
    auto subscription = is_new
                            ? archive_->start_recording(recorded, stream.stream_id, SourceLocation::kRemote)
                            : archive_->extend_recording(
                                  stream.recording_id, recorded, stream.stream_id, SourceLocation::kRemote);
    if (!subscription) {
        note(subscription.error());
        return false;
    }
    count(is_new ? ArchiveCount::kStarted : ArchiveCount::kExtended);
    // Its id: the newest of this session.
    const Instant patience = time_.now + milliseconds(500);
    while (stream.recording_id == kNullRecordingId && time_.now < patience && !verdict_.failed()) {
        auto found = archive_->find_last_matching_recording(
            0, "session-id=", stream.stream_id, stream.publication->session_id());
        if (!found) {
            note(found.error());
            return false;
        }
        stream.recording_id = *found;
        run_for(milliseconds(1));
    }
    return stream.recording_id != kNullRecordingId;
}

void ArchiveWorld::publish(Duration length) {
    const Instant end = time_.now + length;
    Instant next_question = time_.now;
    while (time_.now < end && archive_->is_connected() && !verdict_.failed()) {
        for (Stream& stream : streams_) {
            for (int i = 0; i < 4; ++i) {
                const auto message = stream.messages.message(stream.next_message);
                if (!stream.publication->offer(message).is_ok()) {
                    break;
                }
                ++stream.next_message;
            }
        }
        (void)client_->poll();
        (void)archive_->poll();
        if (time_.now >= next_question) {
            next_question = time_.now + milliseconds(2);
            for (Stream& stream : streams_) {
                acknowledge(stream);
            }
        }
        advance();
    }
}

void ArchiveWorld::acknowledge(Stream& stream) {
    auto position = archive_->max_recorded_position(stream.recording_id);
    if (!position) {
        note(position.error());
        return;
    }
    if (*position > stream.acknowledged) {
        count(ArchiveCount::kAcknowledged, static_cast<std::uint64_t>(*position - stream.acknowledged));
        stream.acknowledged = *position;
    }
}

void ArchiveWorld::stop_some() {
    for (Stream& stream : streams_) {
        if (!archive_->is_connected() || verdict_.failed() || !draws_.chance(0.3)) {
            continue;
        }
        auto was_active = archive_->stop_recording_by_identity(stream.recording_id);
        if (!was_active) {
            note(was_active.error());
            return;
        }
        if (verdict_.verbose()) {
            verdict_.note("stopped recording " + std::to_string(stream.recording_id) + ": " +
                          std::to_string(*was_active));
        }
        count(*was_active ? ArchiveCount::kStoppedByRequest : ArchiveCount::kStoppedByDisk);
        if (!*was_active) {
            continue;  // its image had not come yet, or the disk ended it
        }
        auto stop = archive_->stop_position(stream.recording_id);
        if (!stop) {
            note(stop.error());
            return;
        }
        if (*stop < stream.acknowledged) {
            verdict_.fail("recording " + std::to_string(stream.recording_id) + " was stopped at " +
                          std::to_string(*stop) + ", but " + std::to_string(stream.acknowledged) +
                          " was acknowledged");
            return;
        }
        stream.acknowledged = *stop;
        stream.is_stopped = true;
    }
}

void ArchiveWorld::purge_one() {
    Stream& stream = streams_.front();
    if (!stream.is_stopped || !archive_->is_connected() || verdict_.failed() || !draws_.chance(0.3)) {
        return;
    }
    auto files = archive_->purge_recording(stream.recording_id);
    if (!files) {
        // It may be gone all the same: whoever asks for it next takes a new one.
        note(files.error());
    }
    count(ArchiveCount::kPurged);
    stream.recording_id = kNullRecordingId;
    stream.verified = stream.acknowledged = 0;
    stream.verified_messages = 0;
    stream.messages = lab::NumberedMessages(draws_.next());
}

}  // namespace fulmar::sim

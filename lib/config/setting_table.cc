#include "config/setting_table.h"

#include <array>

#include "base/assert.h"
#include "config/protocol_limits.h"
#include "config/setting_values.h"
#include "config/text.h"

namespace fulmar::config {
namespace {

using D = DriverSettings;
using Unit = SettingUnit;
using Shape = SettingShape;

constexpr std::int64_t kKib = 1024;
constexpr std::int64_t kMib = 1024 * kKib;
constexpr std::int64_t kUs = 1'000;
constexpr std::int64_t kMs = 1'000 * kUs;
constexpr std::int64_t kSecond = 1'000 * kMs;
constexpr std::int64_t kHour = 3'600 * kSecond;
constexpr std::int64_t kInt32Max = INT32_MAX;

struct Names {
    std::string_view name;
    std::string_view property;
    std::string_view env;
};

struct Limits {
    std::int64_t min = 0;
    std::int64_t max = 0;
    Shape shape = Shape::kAny;
};

template <auto kMember, Unit kUnit>
constexpr SettingRow row(Names names, std::string_view default_text, Limits limits, std::string_view doc) {
    return {names.name, names.property, names.env, kUnit, default_text, limits.min, limits.max, limits.shape,
        doc, detail::set_member<kMember>, detail::show_member<kMember, kUnit>};
}

template <auto kMember>
constexpr SettingRow text(Names names, std::string_view doc) {
    return row<kMember, Unit::kText>(names, "", {}, doc);
}
template <auto kMember>
constexpr SettingRow word(Names names, std::string_view default_text, std::string_view doc) {
    return row<kMember, Unit::kWord>(names, default_text, {}, doc);
}
template <auto kMember>
constexpr SettingRow flag(Names names, std::string_view default_text, std::string_view doc) {
    return row<kMember, Unit::kBool>(names, default_text, {}, doc);
}
template <auto kMember>
constexpr SettingRow count(Names names, std::string_view default_text, Limits limits, std::string_view doc) {
    return row<kMember, Unit::kCount>(names, default_text, limits, doc);
}
template <auto kMember>
constexpr SettingRow bytes(Names names, std::string_view default_text, Limits limits, std::string_view doc) {
    return row<kMember, Unit::kBytes>(names, default_text, limits, doc);
}
template <auto kMember>
constexpr SettingRow duration(
    Names names, std::string_view default_text, Limits limits, std::string_view doc) {
    return row<kMember, Unit::kDuration>(names, default_text, limits, doc);
}

constexpr Limits kTermLimits{kTermLengthMin, kTermLengthMax, Shape::kPowerOfTwo};
constexpr Limits kMtuLimits{kMtuMin, kMtuMax, Shape::kMultipleOf32};
constexpr Limits kWindowLimits{0, kTermLengthMax / 2};
constexpr Limits kSocketLimits{0, kInt32Max};
constexpr Limits kTimeoutLimits{kMs, 24 * kHour};
constexpr Limits kThresholdLimits{kUs, kHour};
constexpr Limits kCpuLimits{-1, 4095};

constexpr std::array kRows{
    text<&D::dir>(
        {"dir", "aeron.dir", "AERON_DIR"}, "Directory shared with clients. Empty: /dev/shm/aeron-<user>."),
    text<&D::log_dir>({"log-dir", "", "FULMAR_LOG_DIR"},
        "Directory for the logs, such as a hugetlbfs mount. Empty: below dir."),
    flag<&D::dir_warn_if_exists>(
        {"dir-warn-if-exists", "aeron.dir.warn.if.exists", "AERON_DIR_WARN_IF_EXISTS"}, "false",
        "Say so when dir exists at start."),
    flag<&D::dir_delete_on_start>(
        {"dir-delete-on-start", "aeron.dir.delete.on.start", "AERON_DIR_DELETE_ON_START"}, "false",
        "Remove dir at start even if a driver may be using it."),
    flag<&D::dir_delete_on_shutdown>(
        {"dir-delete-on-shutdown", "aeron.dir.delete.on.shutdown", "AERON_DIR_DELETE_ON_SHUTDOWN"}, "false",
        "Remove dir at the end."),

    row<&D::ports, Unit::kList>({"port", "", "FULMAR_PORT"}, "", {},
        "A port: DEVICE[,ip=CIDR][,gw=IP][,mtu=N][,queues=N][,csum=MODE][,fault=SPEC]. None given: udp."),
    text<&D::eal>({"eal", "", "FULMAR_EAL"}, "Arguments handed to the DPDK environment as they are."),
    flag<&D::strict_uri>({"strict-uri", "", "FULMAR_STRICT_URI"}, "false",
        "Refuse channels with keys nobody knows instead of counting them."),

    word<&D::threading_mode>({"threading", "aeron.threading.mode", "AERON_THREADING_MODE"}, "auto",
        "dedicated, shared-network, shared, invoker, or auto: dedicated where cores are to spare, else "
        "shared."),
    text<&D::cpus>({"cpus", "", "FULMAR_CPUS"},
        "Cores for the agents in the order conductor, sender, receiver, such as 2,4-6. Empty: by topology."),
    count<&D::conductor_cpu_affinity>(
        {"conductor-cpu-affinity", "aeron.conductor.cpu.affinity", "AERON_CONDUCTOR_CPU_AFFINITY"}, "-1",
        kCpuLimits, "Core of the conductor; -1 for none."),
    count<&D::sender_cpu_affinity>(
        {"sender-cpu-affinity", "aeron.sender.cpu.affinity", "AERON_SENDER_CPU_AFFINITY"}, "-1", kCpuLimits,
        "Core of the sender; -1 for none."),
    count<&D::receiver_cpu_affinity>(
        {"receiver-cpu-affinity", "aeron.receiver.cpu.affinity", "AERON_RECEIVER_CPU_AFFINITY"}, "-1",
        kCpuLimits, "Core of the receiver; -1 for none."),
    word<&D::conductor_idle_strategy>(
        {"conductor-idle-strategy", "aeron.conductor.idle.strategy", "AERON_CONDUCTOR_IDLE_STRATEGY"},
        "backoff", "backoff, yield, spin, noop or sleep."),
    word<&D::sender_idle_strategy>(
        {"sender-idle-strategy", "aeron.sender.idle.strategy", "AERON_SENDER_IDLE_STRATEGY"}, "backoff",
        "As conductor-idle-strategy."),
    word<&D::receiver_idle_strategy>(
        {"receiver-idle-strategy", "aeron.receiver.idle.strategy", "AERON_RECEIVER_IDLE_STRATEGY"}, "backoff",
        "As conductor-idle-strategy."),
    word<&D::shared_network_idle_strategy>(
        {"shared-network-idle-strategy", "aeron.sharednetwork.idle.strategy",
            "AERON_SHAREDNETWORK_IDLE_STRATEGY"},
        "backoff", "For the thread that sends and receives in shared-network mode."),
    word<&D::shared_idle_strategy>(
        {"shared-idle-strategy", "aeron.shared.idle.strategy", "AERON_SHARED_IDLE_STRATEGY"}, "backoff",
        "For the only thread in shared mode."),

    bytes<&D::term_buffer_length>(
        {"term-buffer-length", "aeron.term.buffer.length", "AERON_TERM_BUFFER_LENGTH"}, "16m", kTermLimits,
        "Term of a network publication."),
    bytes<&D::ipc_term_buffer_length>(
        {"ipc-term-buffer-length", "aeron.ipc.term.buffer.length", "AERON_IPC_TERM_BUFFER_LENGTH"}, "64m",
        kTermLimits, "Term of an IPC publication."),
    bytes<&D::file_page_size>({"file-page-size", "aeron.file.page.size", "AERON_FILE_PAGE_SIZE"}, "4k",
        {4 * kKib, 1024 * kMib, Shape::kPowerOfTwo}, "Lengths of shared files are multiples of it."),
    bytes<&D::mtu_length>({"mtu-length", "aeron.mtu.length", "AERON_MTU_LENGTH"}, "1408", kMtuLimits,
        "Largest datagram of a publication, without IP and UDP headers."),
    bytes<&D::ipc_mtu_length>({"ipc-mtu-length", "aeron.ipc.mtu.length", "AERON_IPC_MTU_LENGTH"}, "1408",
        kMtuLimits, "Largest frame of an IPC publication."),
    bytes<&D::publication_term_window_length>(
        {"publication-term-window-length", "aeron.publication.term.window.length",
            "AERON_PUBLICATION_TERM_WINDOW_LENGTH"},
        "0", kWindowLimits, "How far producers may run ahead of the sender; 0: half a term."),
    bytes<&D::ipc_publication_term_window_length>(
        {"ipc-publication-term-window-length", "aeron.ipc.publication.term.window.length",
            "AERON_IPC_PUBLICATION_TERM_WINDOW_LENGTH"},
        "0", kWindowLimits, "How far producers may run ahead of IPC subscribers; 0: half a term."),
    bytes<&D::initial_window_length>(
        {"initial-window-length", "aeron.rcv.initial.window.length", "AERON_RCV_INITIAL_WINDOW_LENGTH"}, "0",
        kWindowLimits,
        "Receive window; 0: 128k on udp as Aeron has it, 2m elsewhere, at most half a term in any case."),
    bytes<&D::socket_rcvbuf_length>({"so-rcvbuf", "aeron.socket.so_rcvbuf", "AERON_SOCKET_SO_RCVBUF"}, "128k",
        kSocketLimits, "Receive buffer of a kernel socket; 0: as the system has it."),
    bytes<&D::socket_sndbuf_length>({"so-sndbuf", "aeron.socket.so_sndbuf", "AERON_SOCKET_SO_SNDBUF"}, "0",
        kSocketLimits, "Send buffer of a kernel socket; 0: as the system has it."),
    count<&D::multicast_ttl>({"multicast-ttl", "aeron.socket.multicast.ttl", "AERON_SOCKET_MULTICAST_TTL"},
        "0", {0, 255}, "Time to live of multicast; 0: as the system has it."),
    flag<&D::term_buffer_sparse_file>(
        {"term-buffer-sparse-file", "aeron.term.buffer.sparse.file", "AERON_TERM_BUFFER_SPARSE_FILE"},
        "false",
        "Logs take memory as they are first written; false: all of it when created, so that none can lack it "
        "later."),
    flag<&D::perform_storage_checks>(
        {"perform-storage-checks", "aeron.perform.storage.checks", "AERON_PERFORM_STORAGE_CHECKS"}, "true",
        "Refuse a log for which there is no space."),
    bytes<&D::low_file_store_warning_threshold>(
        {"low-storage-warning-threshold", "aeron.low.file.store.warning.threshold",
            "AERON_LOW_FILE_STORE_WARNING_THRESHOLD"},
        "160m", {0, INT64_MAX}, "Free space below which a warning is recorded."),

    bytes<&D::to_driver_buffer_length>(
        {"conductor-buffer-length", "aeron.conductor.buffer.length", "AERON_CONDUCTOR_BUFFER_LENGTH"},
        "1049344", {64 * kKib + 768, 256 * kMib + 768, Shape::kPowerOfTwoPlusRingTrailer},
        "Ring of commands from clients, trailer included."),
    bytes<&D::to_clients_buffer_length>(
        {"clients-buffer-length", "aeron.clients.buffer.length", "AERON_CLIENTS_BUFFER_LENGTH"}, "1048704",
        {64 * kKib + 128, 256 * kMib + 128, Shape::kPowerOfTwoPlusBroadcastTrailer},
        "Broadcast of events to clients, trailer included."),
    bytes<&D::counters_values_buffer_length>(
        {"counters-buffer-length", "aeron.counters.buffer.length", "AERON_COUNTERS_BUFFER_LENGTH"}, "8m",
        {kMib, 256 * kMib, Shape::kPowerOfTwo},
        "Values of counters; their metadata takes four times as much."),
    bytes<&D::error_log_buffer_length>(
        {"error-buffer-length", "aeron.error.buffer.length", "AERON_ERROR_BUFFER_LENGTH"}, "4m",
        {kMib, 256 * kMib, Shape::kPowerOfTwo}, "Log of distinct errors."),
    bytes<&D::loss_report_buffer_length>(
        {"loss-report-buffer-length", "aeron.loss.report.buffer.length", "AERON_LOSS_REPORT_BUFFER_LENGTH"},
        "1m", {kMib, 256 * kMib, Shape::kPowerOfTwo}, "Report of losses per stream."),

    row<&D::driver_timeout, Unit::kDurationFromMs>(
        {"driver-timeout", "aeron.driver.timeout", "AERON_DRIVER_TIMEOUT"}, "10s", kTimeoutLimits,
        "A driver silent for so long is dead."),
    duration<&D::client_liveness_timeout>(
        {"client-liveness-timeout", "aeron.client.liveness.timeout", "AERON_CLIENT_LIVENESS_TIMEOUT"}, "10s",
        kTimeoutLimits, "A client silent for so long is dead."),
    duration<&D::image_liveness_timeout>(
        {"image-liveness-timeout", "aeron.image.liveness.timeout", "AERON_IMAGE_LIVENESS_TIMEOUT"}, "10s",
        kTimeoutLimits, "An image without packets for so long ends."),
    duration<&D::publication_unblock_timeout>(
        {"publication-unblock-timeout", "aeron.publication.unblock.timeout",
            "AERON_PUBLICATION_UNBLOCK_TIMEOUT"},
        "15s", kTimeoutLimits,
        "A claim uncommitted for so long becomes padding; longer than client liveness."),
    duration<&D::publication_connection_timeout>(
        {"publication-connection-timeout", "aeron.publication.connection.timeout",
            "AERON_PUBLICATION_CONNECTION_TIMEOUT"},
        "5s", kTimeoutLimits, "A receiver silent for so long is gone."),
    duration<&D::publication_linger_timeout>(
        {"publication-linger-timeout", "aeron.publication.linger.timeout",
            "AERON_PUBLICATION_LINGER_TIMEOUT"},
        "5s", {0, 24 * kHour}, "How long a drained publication answers NAKs."),
    duration<&D::status_message_timeout>(
        {"status-message-timeout", "aeron.rcv.status.message.timeout", "AERON_RCV_STATUS_MESSAGE_TIMEOUT"},
        "200ms", {kMs, 10 * kSecond}, "Longest silence of a receiver towards its sender."),
    duration<&D::timer_interval>({"timer-interval", "aeron.timer.interval", "AERON_TIMER_INTERVAL"}, "1s",
        {kMs, 60 * kSecond}, "How often the conductor looks at what may have timed out."),
    duration<&D::counter_free_to_reuse_timeout>(
        {"counters-free-to-reuse-timeout", "aeron.counters.free.to.reuse.timeout",
            "AERON_COUNTERS_FREE_TO_REUSE_TIMEOUT"},
        "1s", {0, kHour}, "How long a freed counter id rests."),
    duration<&D::untethered_window_limit_timeout>(
        {"untethered-window-limit-timeout", "aeron.untethered.window.limit.timeout",
            "AERON_UNTETHERED_WINDOW_LIMIT_TIMEOUT"},
        "5s", kTimeoutLimits, "How long an untethered subscriber may hold the window."),
    duration<&D::untethered_linger_timeout>(
        {"untethered-linger-timeout", "aeron.untethered.linger.timeout", "AERON_UNTETHERED_LINGER_TIMEOUT"},
        "5s", kTimeoutLimits, "How long it may still read after that."),
    duration<&D::untethered_resting_timeout>(
        {"untethered-resting-timeout", "aeron.untethered.resting.timeout",
            "AERON_UNTETHERED_RESTING_TIMEOUT"},
        "10s", kTimeoutLimits, "How long it rests before it may join again."),
    duration<&D::flow_control_receiver_timeout>(
        {"flow-control-receiver-timeout", "aeron.flow.control.receiver.timeout",
            "AERON_FLOW_CONTROL_RECEIVER_TIMEOUT"},
        "5s", kTimeoutLimits, "A receiver silent for so long no longer holds a group back."),
    duration<&D::reresolution_check_interval>(
        {"reresolution-check-interval", "aeron.driver.reresolution.check.interval",
            "AERON_DRIVER_RERESOLUTION_CHECK_INTERVAL"},
        "1s", {10 * kMs, kHour}, "How often names of silent endpoints are looked up again."),

    duration<&D::nak_unicast_delay>(
        {"nak-unicast-delay", "aeron.nak.unicast.delay", "AERON_NAK_UNICAST_DELAY"}, "1us", {0, 10 * kSecond},
        "Wait before the first NAK of a gap."),
    count<&D::nak_unicast_retry_delay_ratio>(
        {"nak-unicast-retry-delay-ratio", "aeron.nak.unicast.retry.delay.ratio",
            "AERON_NAK_UNICAST_RETRY_DELAY_RATIO"},
        "100", {1, 1'000'000}, "Wait before a NAK is repeated, in multiples of nak-unicast-delay."),
    count<&D::nak_multicast_group_size>(
        {"nak-multicast-group-size", "aeron.nak.multicast.group.size", "AERON_NAK_MULTICAST_GROUP_SIZE"},
        "10", {1, 1'000'000}, "Receivers expected in a group, for the spread of their NAKs."),
    duration<&D::nak_multicast_max_backoff>(
        {"nak-multicast-max-backoff", "aeron.nak.multicast.max.backoff", "AERON_NAK_MULTICAST_MAX_BACKOFF"},
        "10ms", {kUs, 60 * kSecond}, "Longest wait before a NAK in a group."),
    duration<&D::retransmit_unicast_delay>(
        {"retransmit-unicast-delay", "aeron.retransmit.unicast.delay", "AERON_RETRANSMIT_UNICAST_DELAY"},
        "0ns", {0, 10 * kSecond}, "Wait before a retransmit."),
    duration<&D::retransmit_unicast_linger>(
        {"retransmit-unicast-linger", "aeron.retransmit.unicast.linger", "AERON_RETRANSMIT_UNICAST_LINGER"},
        "500us", {0, 10 * kSecond},
        "How long repeated NAKs of a range just resent are ignored. Aeron has 10ms, which stalls a lossy "
        "stream whose round trip is shorter."),
    count<&D::max_resend>({"max-resend", "aeron.max.resend", "AERON_MAX_RESEND"}, "16", {1, 256},
        "Retransmits under way at once for a group."),

    count<&D::send_to_status_poll_ratio>(
        {"send-to-sm-poll-ratio", "aeron.send.to.status.poll.ratio", "AERON_SEND_TO_STATUS_POLL_RATIO"}, "6",
        {1, 255}, "Sends per poll for status messages while data flows."),
    count<&D::max_messages_per_send>(
        {"max-messages-per-send", "aeron.network.publication.max.messages.per.send",
            "AERON_NETWORK_PUBLICATION_MAX_MESSAGES_PER_SEND"},
        "16", {1, 64},
        "Datagrams of one publication per duty cycle. Aeron has 4; a burst of a poll-mode device holds "
        "more."),
    count<&D::stream_session_limit>(
        {"stream-session-limit", "aeron.driver.stream.session.limit", "AERON_DRIVER_STREAM_SESSION_LIMIT"},
        "2147483647", {1, kInt32Max}, "Images of one stream on one endpoint."),
    count<&D::resource_free_limit>(
        {"resource-free-limit", "aeron.driver.resource.free.limit", "AERON_DRIVER_RESOURCE_FREE_LIMIT"}, "10",
        {1, kInt32Max}, "Logs deleted per duty cycle."),
    count<&D::reserved_session_id_low>(
        {"reserved-session-id-low", "aeron.publication.reserved.session.id.low",
            "AERON_PUBLICATION_RESERVED_SESSION_ID_LOW"},
        "-1", {INT32_MIN, kInt32Max}, "First session id the driver never chooses itself."),
    count<&D::reserved_session_id_high>(
        {"reserved-session-id-high", "aeron.publication.reserved.session.id.high",
            "AERON_PUBLICATION_RESERVED_SESSION_ID_HIGH"},
        "1000", {INT32_MIN, kInt32Max}, "Last of them."),
    flag<&D::reliable_stream>({"reliable-stream", "aeron.reliable.stream", "AERON_RELIABLE_STREAM"}, "true",
        "Losses are NAKed; false: gaps become padding."),
    flag<&D::tether_subscriptions>(
        {"tether-subscriptions", "aeron.tether.subscriptions", "AERON_TETHER_SUBSCRIPTIONS"}, "true",
        "A slow subscriber holds the stream back; false: it is left behind."),
    flag<&D::rejoin_stream>({"rejoin-stream", "aeron.rejoin.stream", "AERON_REJOIN_STREAM"}, "true",
        "A subscriber left behind may join again."),
    flag<&D::spies_simulate_connection>(
        {"spies-simulate-connection", "aeron.spies.simulate.connection", "AERON_SPIES_SIMULATE_CONNECTION"},
        "false", "Spies alone make a publication connected."),
    flag<&D::driver_connect>({"driver-connect", "aeron.driver.connect", "AERON_DRIVER_CONNECT"}, "true",
        "Kernel sockets of unicast publications are connected to their endpoint."),

    duration<&D::conductor_cycle_threshold>(
        {"conductor-cycle-threshold", "aeron.driver.conductor.cycle.threshold",
            "AERON_DRIVER_CONDUCTOR_CYCLE_THRESHOLD"},
        "100ms", kThresholdLimits, "Duty cycles longer than it are counted."),
    duration<&D::sender_cycle_threshold>({"sender-cycle-threshold", "aeron.driver.sender.cycle.threshold",
                                             "AERON_DRIVER_SENDER_CYCLE_THRESHOLD"},
        "100ms", kThresholdLimits, "As conductor-cycle-threshold."),
    duration<&D::receiver_cycle_threshold>(
        {"receiver-cycle-threshold", "aeron.driver.receiver.cycle.threshold",
            "AERON_DRIVER_RECEIVER_CYCLE_THRESHOLD"},
        "100ms", kThresholdLimits, "As conductor-cycle-threshold."),

    word<&D::allow_termination>(
        {"termination-validator", "aeron.driver.termination.validator", "AERON_DRIVER_TERMINATION_VALIDATOR"},
        "deny", "allow or deny: whether a client may end the driver."),
    flag<&D::print_configuration>({"print-config", "aeron.print.configuration", "AERON_PRINT_CONFIGURATION"},
        "false", "Print every setting and where it comes from at start."),
};

bool same_name(std::string_view a, std::string_view b) {
    const auto fold = [](char c) {
        if (c == '.') {
            return '_';
        }
        return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    };
    if (a.size() != b.size()) {
        return false;
    }
    for (std::size_t i = 0; i < a.size(); ++i) {
        if (fold(a[i]) != fold(b[i])) {
            return false;
        }
    }
    return true;
}

}  // namespace

std::span<const SettingRow> setting_rows() {
    return kRows;
}

const SettingRow* find_setting(std::string_view name) {
    for (const SettingRow& row : kRows) {
        if (row.name == name) {
            return &row;
        }
    }
    return nullptr;
}

const SettingRow* find_setting_by_property(std::string_view property) {
    for (const SettingRow& row : kRows) {
        if (!row.property.empty() && same_name(row.property, property)) {
            return &row;
        }
    }
    return nullptr;
}

const SettingRow* find_setting_by_env(std::string_view env) {
    for (const SettingRow& row : kRows) {
        if (row.env == env) {
            return &row;
        }
    }
    return nullptr;
}

DriverSettings default_settings() {
    DriverSettings settings;
    for (const SettingRow& row : kRows) {
        if (row.unit == SettingUnit::kList || row.unit == SettingUnit::kText) {
            continue;
        }
        const auto status = row.set(row, row.default_text, settings);
        FULMAR_ASSERT(status.has_value(), "a default in the table breaks its own limits");
    }
    return settings;
}

}  // namespace fulmar::config

/// The driver's settings, validated: what the rows of setting_table.h fill in and what agents are built
/// from.
/// threads: a value; read-only after start.  units: lengths in bytes.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "fulmar/time.h"

namespace fulmar::config {

/// kAuto: dedicated where there are cores to spare, else shared. kInvoker: no thread, the owner polls.
enum class ThreadingMode : std::uint8_t { kAuto, kDedicated, kSharedNetwork, kShared, kInvoker };

enum class IdleStrategy : std::uint8_t {
    kBackoff,  ///< spin, then yield, then sleep ever longer
    kYield,
    kSpin,  ///< with a pause instruction
    kNoOp,
    kSleep,
};

/// The defaults stand in the table, so that a struct on its own holds none to disagree with it; use
/// default_settings().
struct DriverSettings {
    std::string dir;      ///< CnC file and, unless log_dir says otherwise, the logs
    std::string log_dir;  ///< empty: below dir
    bool dir_warn_if_exists = false;
    bool dir_delete_on_start = false;
    bool dir_delete_on_shutdown = false;

    std::vector<std::string> ports;  ///< port specs, see port_spec.h; empty: udp
    std::string eal;                 ///< raw EAL arguments
    bool strict_uri = false;

    ThreadingMode threading_mode = ThreadingMode::kAuto;
    std::string cpus;  ///< list such as 2,4-6; empty: chosen by topology
    std::int64_t conductor_cpu_affinity = -1;
    std::int64_t sender_cpu_affinity = -1;
    std::int64_t receiver_cpu_affinity = -1;
    IdleStrategy conductor_idle_strategy = IdleStrategy::kBackoff;
    IdleStrategy sender_idle_strategy = IdleStrategy::kBackoff;
    IdleStrategy receiver_idle_strategy = IdleStrategy::kBackoff;
    IdleStrategy shared_network_idle_strategy = IdleStrategy::kBackoff;
    IdleStrategy shared_idle_strategy = IdleStrategy::kBackoff;

    std::int64_t term_buffer_length = 0;
    std::int64_t ipc_term_buffer_length = 0;
    std::int64_t file_page_size = 0;
    std::int64_t mtu_length = 0;
    std::int64_t ipc_mtu_length = 0;
    std::int64_t publication_term_window_length = 0;      ///< 0: half a term
    std::int64_t ipc_publication_term_window_length = 0;  ///< 0: half a term
    std::int64_t initial_window_length = 0;               ///< 0: by port
    std::int64_t socket_rcvbuf_length = 0;                ///< 0: as the system has it
    std::int64_t socket_sndbuf_length = 0;                ///< 0: as the system has it
    std::int64_t multicast_ttl = 0;                       ///< 0: as the system has it
    bool term_buffer_sparse_file = false;
    bool perform_storage_checks = false;
    std::int64_t low_file_store_warning_threshold = 0;

    std::int64_t to_driver_buffer_length = 0;
    std::int64_t to_clients_buffer_length = 0;
    std::int64_t counters_values_buffer_length = 0;
    std::int64_t error_log_buffer_length = 0;
    std::int64_t loss_report_buffer_length = 0;

    Duration driver_timeout;
    Duration client_liveness_timeout;
    Duration image_liveness_timeout;
    Duration publication_unblock_timeout;
    Duration publication_connection_timeout;
    Duration publication_linger_timeout;
    Duration status_message_timeout;
    Duration timer_interval;
    Duration counter_free_to_reuse_timeout;
    Duration untethered_window_limit_timeout;
    Duration untethered_linger_timeout;
    Duration untethered_resting_timeout;
    Duration flow_control_receiver_timeout;
    Duration reresolution_check_interval;

    Duration nak_unicast_delay;
    std::int64_t nak_unicast_retry_delay_ratio = 0;
    std::int64_t nak_multicast_group_size = 0;
    Duration nak_multicast_max_backoff;
    Duration retransmit_unicast_delay;
    Duration retransmit_unicast_linger;
    std::int64_t max_resend = 0;

    std::int64_t send_to_status_poll_ratio = 0;
    std::int64_t max_messages_per_send = 0;
    std::int64_t stream_session_limit = 0;
    std::int64_t resource_free_limit = 0;
    std::int64_t reserved_session_id_low = 0;
    std::int64_t reserved_session_id_high = 0;
    bool reliable_stream = false;
    bool tether_subscriptions = false;
    bool rejoin_stream = false;
    bool spies_simulate_connection = false;
    bool driver_connect = false;

    Duration conductor_cycle_threshold;
    Duration sender_cycle_threshold;
    Duration receiver_cycle_threshold;

    bool allow_termination = false;  ///< a client's TERMINATE_DRIVER is obeyed
    bool print_configuration = false;
};

}  // namespace fulmar::config

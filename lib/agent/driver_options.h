/// What the driver's agents need to know, validated: plain values, no parsing, no origin.
/// threads: immutable once the driver is built.  source: Aeron driver context defaults; where ours differ the
/// configuration table says why.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "fulmar/time.h"
#include "layout/cnc.h"
#include "layout/loss_report.h"

namespace fulmar::agent {

struct DriverOptions {
    std::string dir;      ///< where cnc.dat lives
    std::string log_dir;  ///< parent of publications/ and images/; empty: dir
    bool dir_delete_on_start = false;
    bool dir_delete_on_shutdown = false;
    std::int64_t pid = 0;
    std::string version;  ///< shown by the error counter and the version counter
    std::int32_t version_number = 0;
    std::string threading = "INVOKER";  ///< Aeron's name of the mode, shown by the counters of duty cycles

    layout::CncLengths cnc_lengths;
    std::int32_t page_size = layout::kCncPageSizeDefault;  ///< of cnc.dat
    std::int32_t log_page_size = 4096;                     ///< of logs; 2 MiB on hugetlbfs
    std::int32_t loss_report_length = static_cast<std::int32_t>(layout::kLossReportLengthDefault);

    std::int32_t term_length = 16 * 1024 * 1024;
    std::int32_t ipc_term_length = 64 * 1024 * 1024;
    bool sparse_terms = false;
    bool check_storage = true;
    std::int32_t mtu = 1408;
    std::int32_t ipc_mtu = 1408;
    std::int32_t publication_window = 0;      ///< 0: half a term
    std::int32_t ipc_publication_window = 0;  ///< 0: half a term
    std::int32_t initial_window = 0;          ///< 0: by port, see conductor_images.cc
    std::int32_t so_sndbuf = 0;
    std::int32_t so_rcvbuf = 0;
    std::int32_t multicast_ttl = 0;  ///< 0: as the system has it
    bool connect_sockets = true;
    std::int32_t retransmits_max = 64;  ///< ranges of one publication under way at once
    std::int32_t packets_per_send = 32;
    std::int32_t stream_session_limit = 0x7FFFFFFF;
    std::int32_t reserved_session_low = -1;
    std::int32_t reserved_session_high = 1000;
    std::int64_t low_storage_warning = 160 * 1024 * 1024;

    bool reliable = true;
    bool rejoin = true;
    bool tether = true;
    bool spies_simulate_connection = false;
    bool strict_uri = false;
    bool allow_terminate = false;

    Duration client_liveness_timeout = seconds(10);
    Duration image_liveness_timeout = seconds(10);
    Duration publication_linger_timeout = seconds(5);
    Duration publication_unblock_timeout = seconds(15);
    Duration publication_connection_timeout = seconds(5);
    Duration flow_control_receiver_timeout = seconds(5);
    Duration status_message_timeout = milliseconds(200);
    Duration setup_interval = milliseconds(100);
    Duration heartbeat_interval = milliseconds(100);
    Duration nak_delay = microseconds(1);
    Duration nak_retry = microseconds(100);
    Duration nak_group_backoff = milliseconds(10);
    std::int64_t nak_group_size = 10;
    Duration retransmit_delay;
    Duration retransmit_linger = microseconds(500);
    Duration untethered_window_limit_timeout = seconds(5);
    std::optional<Duration> untethered_linger_timeout;  ///< nothing: the window limit's
    Duration untethered_resting_timeout = seconds(10);
    Duration timer_interval = seconds(1);
    Duration driver_timeout = seconds(10);
    Duration counter_reuse_timeout = seconds(1);
    Duration conductor_cycle_threshold = milliseconds(100);
    Duration sender_cycle_threshold = milliseconds(100);
    Duration receiver_cycle_threshold = milliseconds(100);
    /// Our own process was not running for longer than this: deadlines that others keep are re-based.
    Duration stall_threshold = seconds(1);
};

}  // namespace fulmar::agent

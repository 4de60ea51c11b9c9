#include "drivers/driver_runtime/settings_map.h"

#include <algorithm>
#include <unistd.h>

#include "drivers/driver_runtime/version.h"
#include "drivers/memory_map/file_memory_map.h"
#include "layout/log_buffer.h"

namespace fulmar::drivers {
namespace {

/// The settings table keeps lengths and counts within an int32.
std::int32_t narrow(std::int64_t value) {
    return static_cast<std::int32_t>(value);
}

}  // namespace

Result<agent::DriverOptions> to_driver_options(const config::DriverSettings& s) {
    agent::DriverOptions o;
    o.dir = s.dir;
    o.log_dir = s.log_dir;
    o.dir_delete_on_start = s.dir_delete_on_start;
    o.dir_delete_on_shutdown = s.dir_delete_on_shutdown;
    o.pid = ::getpid();
    o.version = version_text();
    o.version_number = version_number();

    o.cnc_lengths.to_driver = narrow(s.to_driver_buffer_length);
    o.cnc_lengths.to_clients = narrow(s.to_clients_buffer_length);
    o.cnc_lengths.counter_values = narrow(s.counters_values_buffer_length);
    o.cnc_lengths.counter_metadata = narrow(s.counters_values_buffer_length) * layout::kCounterMetadataRatio;
    o.cnc_lengths.error_log = narrow(s.error_log_buffer_length);
    o.loss_report_length = narrow(s.loss_report_buffer_length);
    o.page_size = narrow(s.file_page_size);
    const std::int64_t log_pages = FileMemoryMap::page_size(s.log_dir.empty() ? s.dir : s.log_dir);
    o.log_page_size = narrow(std::max(s.file_page_size, log_pages));

    o.term_length = narrow(s.term_buffer_length);
    o.ipc_term_length = narrow(s.ipc_term_buffer_length);
    // Huge pages are reserved as a whole in any case, and a file on them must not lack one later.
    o.sparse_terms = s.term_buffer_sparse_file && log_pages <= layout::kPageSizeMin;
    o.check_storage = s.perform_storage_checks;
    o.low_storage_warning = s.low_file_store_warning_threshold;
    o.mtu = narrow(s.mtu_length);
    o.ipc_mtu = narrow(s.ipc_mtu_length);
    o.publication_window = narrow(s.publication_term_window_length);
    o.ipc_publication_window = narrow(s.ipc_publication_term_window_length);
    o.initial_window = narrow(s.initial_window_length);
    o.multicast_ttl = narrow(s.multicast_ttl);
    o.so_sndbuf = narrow(s.socket_sndbuf_length);
    o.so_rcvbuf = narrow(s.socket_rcvbuf_length);
    o.connect_sockets = s.driver_connect;
    o.retransmits_max = std::max(o.retransmits_max, narrow(s.max_resend));
    o.packets_per_send = narrow(s.max_messages_per_send);
    o.stream_session_limit = narrow(s.stream_session_limit);
    o.reserved_session_low = narrow(s.reserved_session_id_low);
    o.reserved_session_high = narrow(s.reserved_session_id_high);
    o.reliable = s.reliable_stream;
    o.rejoin = s.rejoin_stream;
    o.spies_simulate_connection = s.spies_simulate_connection;
    o.strict_uri = s.strict_uri;
    o.allow_terminate = s.allow_termination;

    o.driver_timeout = s.driver_timeout;
    o.client_liveness_timeout = s.client_liveness_timeout;
    o.image_liveness_timeout = s.image_liveness_timeout;
    o.publication_unblock_timeout = s.publication_unblock_timeout;
    o.publication_connection_timeout = s.publication_connection_timeout;
    o.flow_control_receiver_timeout = s.flow_control_receiver_timeout;
    o.publication_linger_timeout = s.publication_linger_timeout;
    o.status_message_timeout = s.status_message_timeout;
    o.timer_interval = s.timer_interval;
    o.counter_reuse_timeout = s.counter_free_to_reuse_timeout;
    o.untethered_window_limit_timeout = s.untethered_window_limit_timeout;
    // Where it is the window limit's anyway, a channel with a window limit of its own takes that.
    if (s.untethered_linger_timeout != s.untethered_window_limit_timeout) {
        o.untethered_linger_timeout = s.untethered_linger_timeout;
    }
    o.untethered_resting_timeout = s.untethered_resting_timeout;
    o.nak_delay = s.nak_unicast_delay;
    o.nak_retry = s.nak_unicast_delay * s.nak_unicast_retry_delay_ratio;
    o.nak_group_backoff = s.nak_multicast_max_backoff;
    o.nak_group_size = s.nak_multicast_group_size;
    o.retransmit_delay = s.retransmit_unicast_delay;
    o.retransmit_linger = s.retransmit_unicast_linger;
    o.conductor_cycle_threshold = s.conductor_cycle_threshold;
    o.sender_cycle_threshold = s.sender_cycle_threshold;
    o.receiver_cycle_threshold = s.receiver_cycle_threshold;
    return o;
}

}  // namespace fulmar::drivers

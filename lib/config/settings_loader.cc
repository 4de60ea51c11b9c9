#include "config/settings_loader.h"

#include <algorithm>

#include "config/duration.h"
#include "config/size.h"
#include "config/text.h"
#include "config/toml_keys.h"

namespace fulmar::config {
namespace {

constexpr std::size_t kUnusedMax = 256;

Unexpected<Error> refuse(std::string message) {
    return fail(ErrorCode::kGeneric, std::move(message));
}

/// Names other programs of the family read; a driver that meets them has nothing to report.
bool belongs_to_others(std::string_view name) {
    const std::string folded = to_lower(name);
    for (const std::string_view prefix : {"aeron.archive.", "aeron.cluster.", "aeron.sequencer.",
             "aeron.dpdk.", "aeron_archive_", "aeron_cluster_", "aeron_sequencer_", "aeron_dpdk_"}) {
        if (std::string_view(folded).starts_with(prefix)) {
            return true;
        }
    }
    return false;
}

bool is_aeron_name(std::string_view name) {
    const std::string folded = to_lower(name.substr(0, 6));
    return folded == "aeron." || folded == "aeron_";
}

std::vector<std::string_view> setting_names() {
    std::vector<std::string_view> names;
    for (const SettingRow& row : setting_rows()) {
        names.push_back(row.name);
    }
    return names;
}

std::vector<std::string_view> own_env_names() {
    std::vector<std::string_view> names;
    for (const SettingRow& row : setting_rows()) {
        if (row.env.starts_with("FULMAR_")) {
            names.push_back(row.env);
        }
    }
    return names;
}

std::string with_value(std::string_view key, std::string_view value) {
    return std::string(key) + "=" + quoted(value);
}

Status check_window(std::string_view key, std::int64_t window, std::int64_t term_length, std::int64_t mtu) {
    if (window != 0 && (window > term_length / 2 || window < mtu)) {
        return refuse(with_value(key, format_size(window)) + ": must be 0 or from the MTU, " +
                      format_size(mtu) + ", to half a term, " + format_size(term_length / 2));
    }
    return Done{};
}

Status check_windows(const DriverSettings& s) {
    FULMAR_TRY_VOID(check_window("publication-term-window-length", s.publication_term_window_length,
        s.term_buffer_length, s.mtu_length));
    FULMAR_TRY_VOID(check_window("ipc-publication-term-window-length", s.ipc_publication_term_window_length,
        s.ipc_term_buffer_length, s.ipc_mtu_length));
    if (s.initial_window_length != 0 && s.initial_window_length < s.mtu_length) {
        return refuse(with_value("initial-window-length", format_size(s.initial_window_length)) +
                      ": must be 0 or at least mtu-length=" + format_size(s.mtu_length));
    }
    if (s.socket_sndbuf_length != 0 && s.socket_sndbuf_length < s.mtu_length) {
        return refuse(with_value("so-sndbuf", format_size(s.socket_sndbuf_length)) +
                      ": must be 0 or at least mtu-length=" + format_size(s.mtu_length));
    }
    return Done{};
}

Status check_rest(const DriverSettings& s) {
    if (s.publication_unblock_timeout <= s.client_liveness_timeout) {
        return refuse(
            with_value("publication-unblock-timeout", format_duration(s.publication_unblock_timeout)) +
            ": must be longer than client-liveness-timeout=" + format_duration(s.client_liveness_timeout));
    }
    if (s.reserved_session_id_low > s.reserved_session_id_high) {
        return refuse(
            with_value("reserved-session-id-low", std::to_string(s.reserved_session_id_low)) +
            ": must not exceed reserved-session-id-high=" + std::to_string(s.reserved_session_id_high));
    }
    const std::int64_t cnc_length = s.to_driver_buffer_length + s.to_clients_buffer_length +
                                    5 * s.counters_values_buffer_length + s.error_log_buffer_length;
    if (cnc_length > INT32_MAX - 64 * 1024) {
        return refuse("counters-buffer-length=" + format_size(s.counters_values_buffer_length) +
                      ": the buffers of the CnC file add up to " + std::to_string(cnc_length) +
                      " bytes, at most 2g are possible");
    }
    return Done{};
}

/// One logical line of a properties file: comments dropped, `\` at the end joins the next line.
class PropertyLines {
  public:
    explicit PropertyLines(std::string_view text) : rest_(text) {}

    bool next(std::string& out) {
        out.clear();
        while (!rest_.empty()) {
            const std::string_view line = trimmed(take_line());
            if (out.empty() && (line.empty() || line.front() == '#' || line.front() == '!')) {
                continue;
            }
            const bool joins = line.ends_with('\\');
            out += line.substr(0, line.size() - (joins ? 1 : 0));
            if (!joins) {
                return true;
            }
        }
        return !out.empty();
    }
    [[nodiscard]] int line_number() const { return line_number_; }

  private:
    std::string_view take_line() {
        const std::size_t end = rest_.find('\n');
        const std::string_view line = rest_.substr(0, end);
        rest_.remove_prefix(end == std::string_view::npos ? rest_.size() : end + 1);
        ++line_number_;
        return line;
    }

    std::string_view rest_;
    int line_number_ = 0;
};

}  // namespace

std::string default_directory(std::string_view user) {
    return "/dev/shm/aeron-" + std::string(user.empty() ? "default" : user);
}

SettingsLoader::SettingsLoader() : settings_(default_settings()), origins_(setting_rows().size()) {}

Status SettingsLoader::apply(
    const SettingRow& row, std::string_view value, SettingLayer layer, std::string where) {
    const auto index = static_cast<std::size_t>(&row - setting_rows().data());
    DriverSettings changed = settings_;
    SettingOrigin& origin = origins_[index];
    if (row.unit == SettingUnit::kList && layer > origin.layer) {
        changed.ports.clear();  // a list grows within one source and replaces a weaker one
    }
    auto status = row.set(row, value, changed);
    if (!status) {
        return refuse(where + ": " + with_value(row.name, value) + ": " + status.error().message);
    }
    if (layer >= origin.layer) {
        settings_ = std::move(changed);
        origin = {layer, std::move(where)};
    }
    return Done{};
}

Status SettingsLoader::apply_name(
    std::string_view name, std::string_view value, SettingLayer layer, const std::string& source) {
    if (is_aeron_name(name)) {
        if (const SettingRow* row = find_setting_by_property(name)) {
            return apply(*row, value, layer, source);
        }
        note_unused(name, source);
        return Done{};
    }
    if (const SettingRow* row = find_setting(name)) {
        return apply(*row, value, layer, source);
    }
    return refuse(source + ": " + quoted(name) + " is not a setting" + suggestion(name, setting_names()));
}

void SettingsLoader::note_unused(std::string_view name, const std::string& source) {
    if (belongs_to_others(name) || unused_.size() >= kUnusedMax) {
        return;
    }
    const std::string entry = std::string(name.substr(0, 128)) + " (" + source + ")";
    if (std::find(unused_.begin(), unused_.end(), entry) == unused_.end()) {
        unused_.push_back(entry);
    }
}

Status SettingsLoader::apply_toml(std::string_view text, std::string_view file, std::string_view section) {
    FULMAR_TRY(keys, read_toml_keys(text, file, section));
    for (const TomlKey& key : keys) {
        const std::string source = "file " + std::string(file) + ":" + std::to_string(key.line);
        FULMAR_TRY_VOID(apply_name(key.name, key.value, SettingLayer::kFile, source));
    }
    return Done{};
}

Status SettingsLoader::apply_properties(std::string_view text, std::string_view file) {
    PropertyLines lines(text);
    std::string line;
    while (lines.next(line)) {
        const std::string source = "file " + std::string(file) + ":" + std::to_string(lines.line_number());
        const std::size_t separator = line.find_first_of("=:");
        if (separator == std::string::npos || separator == 0) {
            return refuse(source + ": " + quoted(line) + " is not name=value");
        }
        const std::string_view view(line);
        const std::string_view name = trimmed(view.substr(0, separator));
        const std::string_view value = trimmed(view.substr(separator + 1));
        // A properties file is shared by everything that runs in its launcher; only Aeron's names are ours.
        if (is_aeron_name(name)) {
            FULMAR_TRY_VOID(apply_name(name, value, SettingLayer::kFile, source));
        }
    }
    return Done{};
}

Status SettingsLoader::apply_environment(const char* const* environment) {
    // Clients look here first too, before AERON_DIR.
    constexpr std::string_view kOwnDirectory = "FULMAR_DIR";
    std::string_view own_directory;
    for (; environment != nullptr && *environment != nullptr; ++environment) {
        const std::string_view entry(*environment);
        const std::size_t equals = entry.find('=');
        if (equals == std::string_view::npos) {
            continue;
        }
        const std::string_view name = entry.substr(0, equals);
        const std::string_view value = entry.substr(equals + 1);
        const std::string source = "env " + std::string(name.substr(0, 128));
        if (name == "USER" && !value.empty()) {
            user_ = value;
        } else if (name == kOwnDirectory) {
            own_directory = value;
        } else if (const SettingRow* row = find_setting_by_env(name)) {
            FULMAR_TRY_VOID(apply(*row, value, SettingLayer::kEnvironment, source));
        } else if (name.starts_with("AERON_")) {
            note_unused(name, "env");
        } else if (name.starts_with("FULMAR_")) {
            return refuse(source + ": is not a setting" + suggestion(name, own_env_names()) +
                          " (unset it or correct it)");
        }
    }
    if (!own_directory.empty()) {
        return apply(*find_setting("dir"), own_directory, SettingLayer::kEnvironment,
            "env " + std::string(kOwnDirectory));
    }
    return Done{};
}

Status SettingsLoader::apply_define(std::string_view define) {
    if (define.starts_with("-D")) {
        define.remove_prefix(2);
    }
    const std::size_t equals = define.find('=');
    if (equals == std::string_view::npos || equals == 0) {
        return refuse("-D" + std::string(define.substr(0, 128)) + ": write -Dname=value");
    }
    const std::string_view name = define.substr(0, equals);
    return apply_name(
        name, define.substr(equals + 1), SettingLayer::kDefine, "-D" + std::string(name.substr(0, 128)));
}

Status SettingsLoader::apply_option(std::string_view name, std::string_view value) {
    return apply_name(name, value, SettingLayer::kCommandLine, "--" + std::string(name.substr(0, 128)));
}

DriverSettings SettingsLoader::resolved() const {
    DriverSettings out = settings_;
    if (out.dir.empty()) {
        out.dir = default_directory(user_);
    }
    if (out.ports.empty()) {
        out.ports.emplace_back("udp");
    }
    if (origin("untethered-linger-timeout").layer == SettingLayer::kDefault) {
        out.untethered_linger_timeout = out.untethered_window_limit_timeout;
    }
    return out;
}

Result<DriverSettings> SettingsLoader::finish() const {
    DriverSettings out = resolved();
    FULMAR_TRY_VOID(check_windows(out));
    FULMAR_TRY_VOID(check_rest(out));
    return out;
}

const SettingOrigin& SettingsLoader::origin(std::string_view name) const {
    static const SettingOrigin none{};
    const SettingRow* row = find_setting(name);
    return row == nullptr ? none : origins_[static_cast<std::size_t>(row - setting_rows().data())];
}

std::vector<std::string> SettingsLoader::print_config() const {
    const DriverSettings shown = resolved();
    std::vector<std::string> lines;
    const auto rows = setting_rows();
    for (std::size_t i = 0; i < rows.size(); ++i) {
        lines.push_back(
            std::string(rows[i].name) + " = " + rows[i].show(shown) + "  (" + origins_[i].where + ")");
    }
    return lines;
}

}  // namespace fulmar::config

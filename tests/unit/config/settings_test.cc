#include <algorithm>
#include <set>
#include <string>

#include <doctest/doctest.h>

#include "config/settings_loader.h"
#include "config/text.h"

using namespace fulmar;
using namespace fulmar::config;

namespace {

std::string message(const Status& status) {
    if (status) {
        return "accepted";
    }
    CHECK(status.error().message.find('\n') == std::string::npos);
    return status.error().message;
}

bool contains(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

Status apply_env(SettingsLoader& loader, const char* entry) {
    const char* environment[] = {entry, nullptr};
    return loader.apply_environment(environment);
}

}  // namespace

TEST_CASE("config: the table is consistent with itself") {
    std::set<std::string_view> names;
    std::set<std::string_view> envs;
    for (const SettingRow& row : setting_rows()) {
        CAPTURE(std::string(row.name));
        CHECK(names.insert(row.name).second);
        CHECK(envs.insert(row.env).second);
        CHECK_FALSE(row.doc.empty());
        CHECK(row.min <= row.max);
        CHECK(find_setting(row.name) == &row);
        CHECK(find_setting_by_env(row.env) == &row);
        if (row.property.empty()) {
            CHECK(row.env.starts_with("FULMAR_"));
            continue;
        }
        CHECK(find_setting_by_property(row.property) == &row);
        std::string env = to_upper(row.property);
        std::replace(env.begin(), env.end(), '.', '_');
        CHECK(env == row.env);
    }
}

TEST_CASE("config: every default is shown as a text that reads back to itself") {
    const DriverSettings defaults = default_settings();
    for (const SettingRow& row : setting_rows()) {
        if (row.unit == SettingUnit::kList) {
            continue;
        }
        CAPTURE(std::string(row.name));
        const std::string shown = row.show(defaults);
        DriverSettings again;
        REQUIRE(row.set(row, shown, again).has_value());
        CHECK(row.show(again) == shown);
    }
}

TEST_CASE("config: the defaults are Aeron's except where we say otherwise") {
    const auto settings = SettingsLoader().finish();
    REQUIRE(settings.has_value());
    CHECK(settings->term_buffer_length == 16 * 1024 * 1024);
    CHECK(settings->ipc_term_buffer_length == 64 * 1024 * 1024);
    CHECK(settings->mtu_length == 1408);
    CHECK(settings->client_liveness_timeout == seconds(10));
    CHECK(settings->publication_unblock_timeout == seconds(15));
    CHECK(settings->status_message_timeout == milliseconds(200));
    CHECK(settings->to_driver_buffer_length == 1024 * 1024 + 768);
    CHECK(settings->to_clients_buffer_length == 1024 * 1024 + 128);
    CHECK(settings->driver_timeout == seconds(10));
    CHECK(settings->retransmit_unicast_linger == microseconds(500));
    CHECK(settings->initial_window_length == 0);
    CHECK(settings->dir == "/dev/shm/aeron-default");
    CHECK(settings->ports == std::vector<std::string>{"udp"});
    CHECK(settings->threading_mode == ThreadingMode::kAuto);
    CHECK_FALSE(settings->allow_termination);
}

TEST_CASE("config: the stronger source wins in whatever order they come") {
    SettingsLoader loader;
    REQUIRE(loader.apply_option("mtu-length", "8192").has_value());
    REQUIRE(loader.apply_define("-Daeron.mtu.length=4096").has_value());
    REQUIRE(apply_env(loader, "AERON_MTU_LENGTH=2048").has_value());
    REQUIRE(loader.apply_toml("mtu-length = 1024", "a.toml").has_value());
    CHECK(loader.finish()->mtu_length == 8192);
    CHECK(loader.origin("mtu-length").where == "--mtu-length");
    CHECK(loader.origin("mtu-length").layer == SettingLayer::kCommandLine);

    SettingsLoader weaker;
    REQUIRE(weaker.apply_toml("mtu-length = 1024", "a.toml").has_value());
    CHECK(weaker.origin("mtu-length").where == "file a.toml:1");
    REQUIRE(apply_env(weaker, "AERON_MTU_LENGTH=2048").has_value());
    CHECK(weaker.origin("mtu-length").where == "env AERON_MTU_LENGTH");
    REQUIRE(weaker.apply_define("aeron.mtu.length=4096").has_value());
    CHECK(weaker.origin("mtu-length").where == "-Daeron.mtu.length");
    CHECK(weaker.finish()->mtu_length == 4096);
}

TEST_CASE("config: a wrong value is refused by source, key, value and limit") {
    struct Row {
        const char* name;
        const char* value;
        const char* says;
    };
    for (const Row& row : {Row{"mtu-length", "1400", "64 to 65504, a multiple of 32"},
             Row{"mtu-length", "", "not a length"}, Row{"term-buffer-length", "100000", "power of two"},
             Row{"term-buffer-length", "32k", "64k to 1g"},
             Row{"client-liveness-timeout", "0", "1ms to 86400s"},
             Row{"client-liveness-timeout", "ten", "not a duration"},
             Row{"conductor-buffer-length", "1m", "plus 768"}, Row{"clients-buffer-length", "1m", "plus 128"},
             Row{"threading", "fast", "auto, dedicated, shared_network, shared or invoker"},
             Row{"sender-idle-strategy", "lazy", "backoff, yield, spin, noop or sleep"},
             Row{"reliable-stream", "maybe", "true or false"},
             Row{"termination-validator", "x", "allow or deny"}, Row{"max-resend", "257", "1 to 256"},
             Row{"max-resend", "many", "not a whole number"}, Row{"multicast-ttl", "-1", "0 to 255"}}) {
        CAPTURE(std::string(row.name));
        SettingsLoader loader;
        const std::string says = message(loader.apply_option(row.name, row.value));
        CAPTURE(says);
        CHECK(contains(says, row.says));
        CHECK(contains(says, std::string("--") + row.name + ": " + row.name + "="));
        CHECK(loader.origin(row.name).layer == SettingLayer::kDefault);
    }
}

TEST_CASE("config: a wrong value is refused even where a stronger source overrides it") {
    SettingsLoader loader;
    REQUIRE(loader.apply_option("mtu-length", "8192").has_value());
    CHECK(contains(message(apply_env(loader, "AERON_MTU_LENGTH=7")), "env AERON_MTU_LENGTH: mtu-length='7'"));
}

TEST_CASE("config: words are taken as Aeron's launchers write them") {
    SettingsLoader loader;
    REQUIRE(apply_env(loader, "AERON_THREADING_MODE=SHARED_NETWORK").has_value());
    REQUIRE(
        loader.apply_define("aeron.sender.idle.strategy=org.agrona.concurrent.NoOpIdleStrategy").has_value());
    REQUIRE(loader.apply_define("aeron.conductor.idle.strategy=sleep-ns").has_value());
    REQUIRE(apply_env(loader, "AERON_TERM_BUFFER_SPARSE_FILE=0").has_value());
    REQUIRE(apply_env(loader, "AERON_DRIVER_TIMEOUT=5000").has_value());
    REQUIRE(apply_env(loader, "AERON_IMAGE_LIVENESS_TIMEOUT=20000000000").has_value());
    REQUIRE(loader.apply_define("aeron.driver.termination.validator=allow").has_value());
    const auto settings = loader.finish();
    CHECK(settings->threading_mode == ThreadingMode::kSharedNetwork);
    CHECK(settings->sender_idle_strategy == IdleStrategy::kNoOp);
    CHECK(settings->conductor_idle_strategy == IdleStrategy::kSleep);
    CHECK_FALSE(settings->term_buffer_sparse_file);
    CHECK(settings->driver_timeout == seconds(5));
    CHECK(settings->image_liveness_timeout == seconds(20));
    CHECK(settings->allow_termination);
    SettingsLoader inline_loader;
    REQUIRE(inline_loader.apply_option("threading", "inline").has_value());
    CHECK(inline_loader.finish()->threading_mode == ThreadingMode::kInvoker);
}

TEST_CASE("config: our own unknown keys are refused with the nearest known one") {
    SettingsLoader loader;
    CHECK(contains(message(loader.apply_option("mtu-lenght", "1408")), "did you mean 'mtu-length'?"));
    CHECK(contains(message(loader.apply_toml("\n\nterm-bufer-length = 1", "f.toml")), "f.toml:3"));
    CHECK(contains(message(loader.apply_define("mtu=1")), "'mtu' is not a setting"));
    CHECK(contains(message(loader.apply_define("aeron.mtu.length")), "-Dname=value"));
    CHECK(contains(message(apply_env(loader, "FULMAR_LOGDIR=/x")), "did you mean 'FULMAR_LOG_DIR'?"));
}

TEST_CASE("config: Aeron's names that we do not use are kept and reported once") {
    SettingsLoader loader;
    REQUIRE(apply_env(loader, "AERON_CUBICCONGESTIONCONTROL_TCPMODE=true").has_value());
    REQUIRE(apply_env(loader, "AERON_CUBICCONGESTIONCONTROL_TCPMODE=true").has_value());
    REQUIRE(loader.apply_define("-Daeron.no.such.thing=1").has_value());
    REQUIRE(loader.apply_define("aeron.archive.dir=/x").has_value());
    REQUIRE(apply_env(loader, "AERON_DPDK_IP=10.0.0.1").has_value());
    REQUIRE(apply_env(loader, "HOME=/root").has_value());
    REQUIRE(apply_env(loader, "no-equals-sign").has_value());
    REQUIRE(loader.apply_environment(nullptr).has_value());
    REQUIRE(loader.unused().size() == 2);
    CHECK(contains(loader.unused()[0], "AERON_CUBICCONGESTIONCONTROL_TCPMODE"));
    CHECK(contains(loader.unused()[1], "aeron.no.such.thing"));
}

TEST_CASE("config: a properties file gives Aeron's names, comments and long lines") {
    SettingsLoader loader;
    const auto status = loader.apply_properties(
        "# comment\n! another\n\naeron.mtu.length=8k\r\naeron.socket.so_rcvbuf : 2m\n"
        "aeron.term.buffer.length = \\\n   64k\njava.net.preferIPv4Stack=true\naeron.dir=/dev/shm/x",
        "low.properties");
    REQUIRE(status.has_value());
    const auto settings = loader.finish();
    CHECK(settings->mtu_length == 8192);
    CHECK(settings->socket_rcvbuf_length == 2 << 20);
    CHECK(settings->term_buffer_length == 65536);
    CHECK(settings->dir == "/dev/shm/x");
    CHECK(contains(loader.origin("dir").where, "low.properties:9"));
    CHECK(contains(message(loader.apply_properties("aeron.mtu.length", "p")), "p:1"));
    CHECK(contains(message(loader.apply_properties("=x", "p")), "not name=value"));
    CHECK(contains(message(loader.apply_properties("\naeron.mtu.length=9\n", "p")), "p:2"));
}

TEST_CASE("config: a TOML file gives our names, tables and lists") {
    SettingsLoader loader;
    const auto status = loader.apply_toml(
        "dir = \"/tmp/d\"\nport = [\"udp\", \"memif:server:/run/a\"]\nreliable-stream = false\n"
        "[aeron.mtu]\nlength = 8192\n",
        "f.toml");
    REQUIRE(status.has_value());
    const auto settings = loader.finish();
    CHECK(settings->dir == "/tmp/d");
    CHECK(settings->ports == std::vector<std::string>{"udp", "memif:server:/run/a"});
    CHECK(settings->mtu_length == 8192);
    CHECK_FALSE(settings->reliable_stream);
    CHECK(contains(message(loader.apply_toml("a = = 1", "bad.toml")), "bad.toml:1"));
    CHECK(
        contains(message(loader.apply_toml("mtu-length = 1.5", "bad.toml")), "must be text, a whole number"));
    CHECK(contains(message(loader.apply_toml("port = [[\"udp\"]]", "bad.toml")), "plain values"));
}

TEST_CASE("config: a section of a shared file is read alone") {
    SettingsLoader loader;
    REQUIRE(
        loader.apply_toml("name = \"n\"\n[driver]\nmtu-length = \"8k\"\n[raft]\nx = 1\n", "n.toml", "driver")
            .has_value());
    CHECK(loader.finish()->mtu_length == 8192);
    CHECK(loader.apply_toml("name = \"n\"\n", "n.toml", "driver").has_value());
    CHECK(contains(message(loader.apply_toml("driver = 1\n", "n.toml", "driver")), "must be a table"));
}

TEST_CASE("config: repeated ports add up within one source and replace a weaker one") {
    SettingsLoader loader;
    REQUIRE(loader.apply_toml("port = \"udp\"", "f").has_value());
    REQUIRE(loader.apply_option("port", "null:").has_value());
    REQUIRE(loader.apply_option("port", "ring:a").has_value());
    REQUIRE(apply_env(loader, "FULMAR_PORT=udp").has_value());
    CHECK(loader.finish()->ports == std::vector<std::string>{"null:", "ring:a"});
}

TEST_CASE("config: settings that contradict each other are refused") {
    struct Row {
        const char* name;
        const char* value;
        const char* says;
    };
    for (const Row& row : {Row{"publication-term-window-length", "16m", "half a term"},
             Row{"publication-term-window-length", "1024", "from the MTU"},
             Row{"ipc-publication-term-window-length", "64m", "half a term"},
             Row{"initial-window-length", "1k", "at least mtu-length"},
             Row{"so-sndbuf", "1k", "at least mtu-length"},
             Row{"publication-unblock-timeout", "10s", "longer than client-liveness-timeout=10s"},
             Row{"reserved-session-id-low", "1001", "must not exceed"}}) {
        CAPTURE(std::string(row.name));
        SettingsLoader loader;
        REQUIRE(loader.apply_option(row.name, row.value).has_value());
        const auto settings = loader.finish();
        REQUIRE_FALSE(settings.has_value());
        CHECK(contains(settings.error().message, row.says));
        CHECK(contains(settings.error().message, row.name));
    }
    SettingsLoader loader;
    REQUIRE(loader.apply_option("counters-buffer-length", "256m").has_value());
    REQUIRE(loader.apply_option("conductor-buffer-length", "268436224").has_value());
    REQUIRE(loader.apply_option("clients-buffer-length", "268435584").has_value());
    REQUIRE(loader.apply_option("error-buffer-length", "256m").has_value());
    CHECK_FALSE(loader.finish().has_value());
}

TEST_CASE("config: the untethered linger follows the window limit timeout unless it is given") {
    SettingsLoader loader;
    REQUIRE(loader.apply_option("untethered-window-limit-timeout", "7s").has_value());
    CHECK(loader.finish()->untethered_linger_timeout == seconds(7));
    REQUIRE(loader.apply_option("untethered-linger-timeout", "3s").has_value());
    CHECK(loader.finish()->untethered_linger_timeout == seconds(3));
}

TEST_CASE("config: the directory is where clients look for it") {
    const auto dir_of = [](const char* first, const char* second) {
        SettingsLoader loader;
        loader.assume_user("bob");
        const char* environment[] = {first, second, nullptr};
        REQUIRE(loader.apply_environment(environment).has_value());
        return loader.finish()->dir;
    };
    CHECK(dir_of("LANG=C", "HOME=/") == "/dev/shm/aeron-bob");
    CHECK(dir_of("USER=alice", "HOME=/") == "/dev/shm/aeron-alice");
    CHECK(dir_of("USER=alice", "AERON_DIR=/a") == "/a");
    CHECK(dir_of("FULMAR_DIR=/f", "AERON_DIR=/a") == "/f");
    CHECK(dir_of("AERON_DIR=/a", "FULMAR_DIR=/f") == "/f");
}

TEST_CASE("config: the printed configuration names each value and its origin") {
    SettingsLoader loader;
    const char* environment[] = {"USER=alice", "AERON_MTU_LENGTH=8k", nullptr};
    REQUIRE(loader.apply_environment(environment).has_value());
    const auto lines = loader.print_config();
    CHECK(lines.size() == setting_rows().size());
    const auto has = [&lines](const std::string& line) {
        return std::find(lines.begin(), lines.end(), line) != lines.end();
    };
    CHECK(has("dir = /dev/shm/aeron-alice  (default)"));
    CHECK(has("mtu-length = 8k  (env AERON_MTU_LENGTH)"));
    CHECK(has("term-buffer-length = 16m  (default)"));
    CHECK(has("port = udp  (default)"));
    CHECK(has("termination-validator = deny  (default)"));
    CHECK(has("retransmit-unicast-linger = 500us  (default)"));
}

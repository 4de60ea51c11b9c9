#include "perf/e2e/channels.h"

#include <fmt/core.h>

namespace fulmar::perf {

namespace {

constexpr std::string_view kUdpPrefix = "aeron:udp?";

std::string parameter(std::string_view text, std::string_view key, char separator) {
    std::size_t at = 0;
    while (at < text.size()) {
        const std::size_t end = std::min(text.find(separator, at), text.size());
        const std::string_view pair = text.substr(at, end - at);
        if (pair.size() > key.size() && pair.substr(0, key.size()) == key && pair[key.size()] == '=') {
            return std::string(pair.substr(key.size() + 1));
        }
        at = end + 1;
    }
    return "";
}

/// Address of the port the command line names, without its prefix length.
std::string own_ip(const Options& options) {
    if (options.ports.empty()) {
        return "";
    }
    const std::string& port = options.ports.front();
    const std::string cidr = parameter(port, "ip", ',');
    if (!cidr.empty()) {
        return cidr.substr(0, cidr.find('/'));
    }
    if (port.rfind("memif:client", 0) == 0) {
        return "10.77.0.1";
    }
    if (port.rfind("memif:server", 0) == 0) {
        return "10.77.0.2";
    }
    return port == "udp" ? "127.0.0.1" : "";
}

std::string memif_peer(const std::string& ip) {
    return ip == "10.77.0.1" ? "10.77.0.2" : ip == "10.77.0.2" ? "10.77.0.1" : "127.0.0.1";
}

bool is_requester(Role role) {
    return role == Role::kPing || role == Role::kPub;
}

std::string endpoint_of(const std::string& channel) {
    const std::size_t at = channel.find(kUdpPrefix);
    return at == std::string::npos
               ? ""
               : parameter(std::string_view(channel).substr(at + kUdpPrefix.size()), "endpoint", '|');
}

int port_of(const std::string& endpoint) {
    const std::size_t colon = endpoint.rfind(':');
    return colon == std::string::npos ? kDefaultRequestPort : std::stoi(endpoint.substr(colon + 1));
}

}  // namespace

void fill_channels(Options& options) {
    if (options.reply_stream == 0) {
        options.reply_stream = options.stream + 1;
    }
    const std::string ip = own_ip(options);
    const std::string peer = memif_peer(ip);
    if (options.channel.empty()) {
        options.channel = options.ports.empty() && !options.dir.empty()
                              ? "aeron:ipc"
                              : fmt::format("aeron:udp?endpoint={}:{}",
                                    is_requester(options.role) ? peer : ip, kDefaultRequestPort);
    }
    if (options.reply_channel.empty() && options.role == Role::kPing) {
        const std::string endpoint = endpoint_of(options.channel);
        options.reply_channel =
            endpoint.empty()
                ? options.channel
                : fmt::format("aeron:udp?endpoint={}:{}",
                      ip.empty() ? endpoint.substr(0, endpoint.rfind(':')) : ip, port_of(endpoint) + 1);
    }
}

std::string reply_channel_for(const Options& options, std::string_view source_identity) {
    if (!options.reply_channel.empty()) {
        return options.reply_channel;
    }
    const std::string endpoint = endpoint_of(options.channel);
    if (endpoint.empty()) {
        return options.channel;
    }
    return fmt::format("aeron:udp?endpoint={}:{}", source_identity.substr(0, source_identity.rfind(':')),
        port_of(endpoint) + 1);
}

}  // namespace fulmar::perf

#include "config/port_spec.h"

#include <algorithm>
#include <array>

#include "config/text.h"

namespace fulmar::config {
namespace {

constexpr std::size_t kSpecLengthMax = 4096;
constexpr std::size_t kInterfaceLengthMax = 15;  // IFNAMSIZ less its end
constexpr std::size_t kSocketPathLengthMax = 107;
constexpr std::int32_t kMtuMin = 576;
constexpr std::int32_t kMtuMax = 65535;
constexpr std::int32_t kQueuesMax = 64;
constexpr int kDefaultPrefixLength = 24;

struct DeviceRow {
    std::string_view prefix;
    DeviceKind kind;
    std::string_view example;
};

constexpr std::array kDevices{
    DeviceRow{"pci:", DeviceKind::kPci, "pci:0000:3b:00.0"},
    DeviceRow{"af_packet:", DeviceKind::kAfPacket, "af_packet:veth0"},
    DeviceRow{"af_xdp:", DeviceKind::kAfXdp, "af_xdp:eth1"},
    DeviceRow{"memif:server:", DeviceKind::kMemifServer, "memif:server:/run/a.sock"},
    DeviceRow{"memif:client:", DeviceKind::kMemifClient, "memif:client:/run/a.sock"},
    DeviceRow{"tap:", DeviceKind::kTap, "tap:fulmar0"},
    DeviceRow{"ring:", DeviceKind::kRing, "ring:r0"},
    DeviceRow{"null:", DeviceKind::kNull, "null:"},
    DeviceRow{"vdev:", DeviceKind::kVdev, "vdev:[net_pcap0,iface=eth1]"},
};

constexpr std::array<std::string_view, 10> kDeviceNames{"udp",
    "pci:", "af_packet:", "af_xdp:", "memif:server:", "memif:client:", "tap:", "ring:", "null:", "vdev:"};
constexpr std::array<std::string_view, 6> kOptionNames{"ip", "gw", "mtu", "queues", "csum", "fault"};

Unexpected<Error> wrong(std::string message) {
    return fail(ErrorCode::kGeneric, std::move(message));
}

bool all_of(std::string_view text, bool (*test)(char)) {
    return std::all_of(text.begin(), text.end(), test);
}

bool is_hex(char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

bool is_name_character(char c) {
    return c > ' ' && c < 0x7F && c != '/' && c != ',' && c != ':' && c != '[' && c != ']';
}

/// `[dddd:]bb:dd.f`
bool is_pci_address(std::string_view text) {
    const std::size_t dot = text.rfind('.');
    if (dot == std::string_view::npos || dot + 2 != text.size() || text[dot + 1] < '0' ||
        text[dot + 1] > '7') {
        return false;
    }
    std::string_view rest = text.substr(0, dot);
    if (rest.size() == 10) {
        if (!all_of(rest.substr(0, 4), is_hex) || rest[4] != ':') {
            return false;
        }
        rest.remove_prefix(5);
    }
    return rest.size() == 5 && all_of(rest.substr(0, 2), is_hex) && rest[2] == ':' &&
           all_of(rest.substr(3), is_hex);
}

bool is_interface_name(std::string_view text) {
    return !text.empty() && text.size() <= kInterfaceLengthMax && text != "." && text != ".." &&
           all_of(text, is_name_character);
}

Status check_device(const DeviceRow& row, std::string_view device) {
    const std::string such_as = ", write it as in " + std::string(row.example);
    switch (row.kind) {
        case DeviceKind::kPci:
            if (!is_pci_address(device)) {
                return wrong(
                    "PCI address " + quoted(device) + " is not domain:bus:device.function" + such_as);
            }
            break;
        case DeviceKind::kAfPacket:
        case DeviceKind::kAfXdp:
        case DeviceKind::kTap:
            if (!is_interface_name(device)) {
                return wrong(
                    "interface " + quoted(device) + " is not a name of 1 to 15 characters" + such_as);
            }
            break;
        case DeviceKind::kMemifServer:
        case DeviceKind::kMemifClient:
            if (!device.starts_with('/') || device.size() > kSocketPathLengthMax) {
                return wrong("socket " + quoted(device) +
                             " is not an absolute path of at most 107 characters" + such_as);
            }
            break;
        case DeviceKind::kRing:
            if (!device.empty() && !is_interface_name(device)) {
                return wrong(
                    "ring name " + quoted(device) + " is longer than 15 characters or odd" + such_as);
            }
            break;
        case DeviceKind::kNull:
            if (!device.empty()) {
                return wrong("null: takes no name");
            }
            break;
        case DeviceKind::kVdev:
            if (device.empty()) {
                return wrong("vdev: needs a device string" + such_as);
            }
            break;
        case DeviceKind::kUdp: break;
    }
    return Done{};
}

/// Splits the device off the front; `options` starts after its comma.
Result<std::string_view> take_device_text(std::string_view text, std::string_view& options) {
    std::size_t end = text.find(',');
    constexpr std::string_view kBracket = "vdev:[";
    if (text.starts_with(kBracket)) {
        const std::size_t close = text.find(']');
        if (close == std::string_view::npos) {
            return wrong("vdev:[ misses its closing ]");
        }
        end = close + 1;
        if (end < text.size() && text[end] != ',') {
            return wrong(quoted(text.substr(end)) + " follows the ] of vdev:[...], only ,key=value may");
        }
    }
    options = end < text.size() ? text.substr(end + 1) : std::string_view{};
    if (end < text.size() && options.empty()) {
        return wrong("it ends in a comma");
    }
    return text.substr(0, end);
}

Status parse_device(std::string_view text, PortSpec& out) {
    if (text == "udp") {
        out.kind = DeviceKind::kUdp;
        return Done{};
    }
    for (const DeviceRow& row : kDevices) {
        if (!text.starts_with(row.prefix)) {
            continue;
        }
        std::string_view device = text.substr(row.prefix.size());
        if (row.kind == DeviceKind::kVdev && device.starts_with('[')) {
            device = device.substr(1, device.size() - 2);
        }
        FULMAR_TRY_VOID(check_device(row, device));
        out.kind = row.kind;
        out.device = device;
        return Done{};
    }
    const std::size_t colon = text.find(':');
    if (text.substr(0, colon) == "memif") {
        return wrong("memif is memif:server:/path or memif:client:/path");
    }
    const std::string_view name = colon == std::string_view::npos ? text : text.substr(0, colon + 1);
    std::string list;
    for (const std::string_view known : kDeviceNames) {
        list += (list.empty() ? "" : " ") + std::string(known);
    }
    return wrong(
        "device " + quoted(text) + " is unknown" + suggestion(name, kDeviceNames) + " (known: " + list + ")");
}

Status parse_cidr(std::string_view text, PortSpec& out) {
    const std::size_t slash = text.find('/');
    const auto ip = port::parse_ip(text.substr(0, slash));
    const auto length = slash == std::string_view::npos ? std::nullopt : parse_int32(text.substr(slash + 1));
    if (!ip || !length || *length < 0 || *length > (ip->is_v4() ? 32 : 128)) {
        return wrong("ip=" + quoted(text) + " is not address/length, write it as in ip=10.0.0.1/24");
    }
    if (ip->is_multicast() || (ip->is_any() && out.kind != DeviceKind::kUdp)) {
        return wrong("ip=" + quoted(text) + " is no address a host can have");
    }
    out.ip = *ip;
    out.prefix_length = *length;
    return Done{};
}

Status parse_option(std::string_view key, std::string_view value, PortSpec& out) {
    if (key == "ip") {
        return parse_cidr(value, out);
    }
    if (key == "gw") {
        const auto ip = port::parse_ip(value);
        if (!ip || ip->is_any() || ip->is_multicast()) {
            return wrong("gw=" + quoted(value) + " is not the address of a router");
        }
        out.gateway = *ip;
        return Done{};
    }
    if (key == "mtu" || key == "queues") {
        const bool is_mtu = key == "mtu";
        const std::int32_t least = is_mtu ? kMtuMin : 1;
        const std::int32_t most = is_mtu ? kMtuMax : kQueuesMax;
        const auto number = parse_int32(value);
        if (!number || *number < least || *number > most) {
            return wrong(std::string(key) + "=" + quoted(value) + " must be " + std::to_string(least) +
                         " to " + std::to_string(most));
        }
        (is_mtu ? out.mtu : out.queues) = *number;
        return Done{};
    }
    if (key == "csum") {
        if (value != "auto" && value != "on" && value != "off") {
            return wrong("csum=" + quoted(value) + " must be auto, on or off");
        }
        out.checksum = value == "auto" ? ChecksumMode::kAuto
                       : value == "on" ? ChecksumMode::kOn
                                       : ChecksumMode::kOff;
        return Done{};
    }
    if (key == "fault") {
        if (value.empty()) {
            return wrong("fault= needs a model, such as fault=loss:0.01+delay:50us");
        }
        out.fault = value;
        return Done{};
    }
    return wrong("option " + quoted(key) + " is unknown" + suggestion(key, kOptionNames) +
                 " (known: ip gw mtu queues csum fault)");
}

Status parse_options(std::string_view options, PortSpec& out) {
    std::array<bool, kOptionNames.size()> seen{};
    while (!options.empty()) {
        const std::size_t comma = options.find(',');
        const std::string_view option = options.substr(0, comma);
        const std::size_t equals = option.find('=');
        if (equals == std::string_view::npos || equals == 0) {
            return wrong(quoted(option) + " is not key=value");
        }
        const std::string_view key = option.substr(0, equals);
        const auto* known = std::find(kOptionNames.begin(), kOptionNames.end(), key);
        if (known != kOptionNames.end()) {
            bool& given = seen[static_cast<std::size_t>(known - kOptionNames.begin())];
            if (given) {
                return wrong("option " + quoted(key) + " is given twice");
            }
            given = true;
        }
        FULMAR_TRY_VOID(parse_option(key, option.substr(equals + 1), out));
        if (comma == std::string_view::npos) {
            return Done{};
        }
        options.remove_prefix(comma + 1);
        if (options.empty()) {
            return wrong("it ends in a comma");
        }
    }
    return Done{};
}

/// Devices that have nobody else on their wire get an address by themselves.
Status apply_address_defaults(PortSpec& out) {
    const bool given = out.ip.family != port::IpAddress::Family::kNone;
    if (given || out.kind == DeviceKind::kUdp) {
        return Done{};
    }
    switch (out.kind) {
        case DeviceKind::kMemifServer: out.ip = port::IpAddress::v4(10, 77, 0, 2); break;
        case DeviceKind::kMemifClient:
        case DeviceKind::kRing:
        case DeviceKind::kNull: out.ip = port::IpAddress::v4(10, 77, 0, 1); break;
        default: return wrong("it needs an address, add ,ip=10.0.0.1/24");
    }
    out.prefix_length = kDefaultPrefixLength;
    return Done{};
}

bool same_network(const port::IpAddress& a, const port::IpAddress& b, int prefix_length) {
    for (int bit = 0; bit < prefix_length; ++bit) {
        const auto byte = static_cast<std::size_t>(bit / 8);
        const int mask = 0x80 >> (bit % 8);
        if (((a.bytes[byte] ^ b.bytes[byte]) & mask) != 0) {
            return false;
        }
    }
    return true;
}

Status check_together(const PortSpec& spec) {
    const bool has_gateway = spec.gateway.family != port::IpAddress::Family::kNone;
    if (has_gateway && (spec.gateway.family != spec.ip.family || spec.gateway == spec.ip ||
                           !same_network(spec.gateway, spec.ip, spec.prefix_length))) {
        return wrong("gw=" + quoted(port::to_string(spec.gateway)) + " is no other host of the network " +
                     port::to_string(spec.ip) + "/" + std::to_string(spec.prefix_length));
    }
    if (spec.has_kernel_stack() &&
        (spec.queues != 0 || spec.checksum != ChecksumMode::kAuto || has_gateway)) {
        return wrong("gw, queues and csum are the kernel's business on udp, leave them out");
    }
    return Done{};
}

Status parse_parts(std::string_view text, PortSpec& out) {
    if (text.empty() || text.size() > kSpecLengthMax) {
        return wrong("it must have 1 to 4096 characters");
    }
    std::string_view options;
    FULMAR_TRY(device, take_device_text(text, options));
    FULMAR_TRY_VOID(parse_device(device, out));
    FULMAR_TRY_VOID(parse_options(options, out));
    FULMAR_TRY_VOID(apply_address_defaults(out));
    return check_together(out);
}

}  // namespace

Result<PortSpec> parse_port_spec(std::string_view text) {
    PortSpec out;
    auto status = parse_parts(text, out);
    if (!status) {
        return wrong("port " + quoted(text) + ": " + status.error().message);
    }
    out.text = text;
    return out;
}

std::string_view to_string(DeviceKind kind) {
    switch (kind) {
        case DeviceKind::kUdp: return "udp";
        case DeviceKind::kPci: return "pci";
        case DeviceKind::kAfPacket: return "af_packet";
        case DeviceKind::kAfXdp: return "af_xdp";
        case DeviceKind::kMemifServer: return "memif:server";
        case DeviceKind::kMemifClient: return "memif:client";
        case DeviceKind::kTap: return "tap";
        case DeviceKind::kRing: return "ring";
        case DeviceKind::kNull: return "null";
        case DeviceKind::kVdev: return "vdev";
    }
    return "?";
}

}  // namespace fulmar::config

#include "pmd_glue/device_args.h"

#include <algorithm>
#include <atomic>
#include <bit>
#include <cerrno>
#include <cstring>
#include <dlfcn.h>
#include <fcntl.h>
#include <filesystem>
#include <fmt/core.h>
#include <fstream>
#include <linux/if_tun.h>
#include <net/if.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <system_error>
#include <unistd.h>
#include <utility>

#include "base/bytes.h"
#include "pmd_glue/eal.h"

namespace fulmar::pmd_glue {
namespace {

constexpr std::int32_t kDefaultMtu = 1500;
constexpr std::int32_t kEthernetHeaderBytes = 14;
constexpr std::uint16_t kMemifRingDefault = 1024;
constexpr std::uint16_t kTapRingDefault = 1024;

int next_index() {
    static std::atomic<int> next{0};
    return next.fetch_add(1, std::memory_order_relaxed);
}

/// A buffer for one frame whose length is an odd number of cache lines: at the usual 2048 all buffers start
/// in the same few cache sets, and a ring of small frames evicts itself.
std::int32_t spread_buffer_bytes(std::int32_t mtu) {
    constexpr std::int32_t kLine = 64;
    const auto lines = (mtu + kEthernetHeaderBytes + kLine - 1) / kLine;
    return (lines | 1) * kLine;
}

/// Whether a process of this network namespace listens there, without disturbing it.
bool listed_as_listening(const std::string& path) {
    std::ifstream table("/proc/net/unix");
    std::string line;
    while (std::getline(table, line)) {
        // Num RefCount Protocol Flags Type St Inode Path; the flag is SO_ACCEPTCON.
        const bool same = line.size() > path.size() &&
                          line.compare(line.size() - path.size(), path.size(), path) == 0 &&
                          line[line.size() - path.size() - 1] == ' ';
        if (same && line.find(" 00010000 ") != std::string::npos) {
            return true;
        }
    }
    return false;
}

/// Whether somebody of another network namespace answers there. Waits for the server's first message before
/// hanging up: the memif driver takes a client that leaves earlier for a fatal error.
bool answers(const std::string& path) {
    constexpr int kGreetingWait_ms = 1000;
    const int fd = ::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, path.c_str(), std::min(path.size(), sizeof address.sun_path - 1));
    const int connected = ::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address);
    const bool alive = connected == 0 || errno == EAGAIN;
    if (connected == 0) {
        pollfd wait{fd, POLLIN, 0};
        ::poll(&wait, 1, kGreetingWait_ms);
    }
    ::close(fd);
    return alive;
}

/// What is at a server's socket path: nothing, a dead process's leftover (removed), or somebody alive.
Status claim_socket_path(const std::string& path) {
    struct stat found {};
    if (::lstat(path.c_str(), &found) != 0) {
        return Done{};
    }
    if (!S_ISSOCK(found.st_mode)) {
        return fail(
            ErrorCode::kGeneric, fmt::format("{} exists and is no socket: choose another path", path));
    }
    if (listed_as_listening(path) || answers(path)) {
        return fail(ErrorCode::kGeneric,
            fmt::format("memif socket {} already has a server: stop it or choose another path", path));
    }
    if (::unlink(path.c_str()) != 0) {
        return fail(ErrorCode::kGeneric, fmt::format("cannot remove the abandoned memif socket {}: {}", path,
                                             std::generic_category().message(errno)));
    }
    return Done{};
}

Status check_socket_path(const std::string& path, bool server) {
    sockaddr_un address{};
    if (path.empty() || path.front() != '/' || path.size() >= sizeof address.sun_path ||
        path.find(',') != std::string::npos) {
        return fail(ErrorCode::kGeneric,
            fmt::format(
                "memif socket path '{}' must be absolute, shorter than {} characters and without commas",
                path, sizeof address.sun_path));
    }
    const auto directory = std::filesystem::path(path).parent_path().string();
    if (::access(directory.c_str(), R_OK | W_OK | X_OK) != 0) {
        return fail(
            ErrorCode::kGeneric, fmt::format("cannot use the directory of memif socket {}: {}: mkdir -p {}",
                                     path, std::generic_category().message(errno), directory));
    }
    return server ? claim_socket_path(path) : Status(Done{});
}

Result<VdevArgs> memif_args(const DeviceSpec& spec, const DeviceOptions& options) {
    const bool server = spec.kind == DeviceSpec::Kind::kMemifServer;
    FULMAR_TRY_VOID(check_socket_path(spec.target, server));
    VdevArgs vdev;
    vdev.name = fmt::format("net_memif{}", next_index());
    const std::int32_t mtu = options.mtu != 0 ? options.mtu : kDefaultMtu;
    vdev.buffer_bytes = spread_buffer_bytes(mtu);
    vdev.mtu = vdev.buffer_bytes - kEthernetHeaderBytes;
    // The client's buffers live in its own hugepage files; the server merely maps them.
    vdev.zero_copy = !server && options.zero_copy && eal_mode().hugepages;
    const auto ring = std::bit_ceil(options.rx_ring != 0 ? options.rx_ring : kMemifRingDefault);
    vdev.arguments =
        fmt::format("role={},socket={},socket-abstract=no,rsize={},bsize={}{}", server ? "server" : "client",
            spec.target, std::countr_zero(ring), vdev.buffer_bytes, vdev.zero_copy ? ",zero-copy=yes" : "");
    return vdev;
}

Result<VdevArgs> af_packet_args(const DeviceSpec& spec, const DeviceOptions& options) {
    FULMAR_TRY(interface, check_tap_interface(spec.target));
    VdevArgs vdev;
    vdev.name = fmt::format("net_af_packet{}", next_index());
    vdev.mtu = interface.mtu;
    vdev.carrier_interface = spec.target;
    // The ring header before each frame takes up to 80 bytes; blocks hold whole frames and whole pages.
    constexpr std::int32_t kHeaderBytes = 96;
    constexpr std::int32_t kFramesPerBlock = 16;
    const auto frame = base::align_up(interface.mtu + kEthernetHeaderBytes + kHeaderBytes, 256);
    const auto frames = base::align_up<std::int32_t>(
        options.rx_ring != 0 ? options.rx_ring : kTapRingDefault, kFramesPerBlock);
    vdev.buffer_bytes = frame;
    vdev.arguments = fmt::format("iface={},qpairs={},blocksz={},framesz={},framecnt={},qdisc_bypass=1",
        spec.target, options.queue_pairs, frame * kFramesPerBlock, frame, frames);
    return vdev;
}

/// The libraries below the driver tell stderr what they skip and try next; what fails, the driver says
/// itself.
void quiet_xdp_libraries() {
    using SetPrint = void* (*)(void*);
    for (const auto& [name, setter] :
        {std::pair{"libbpf.so.1", "libbpf_set_print"}, {"libxdp.so.1", "libxdp_set_print"}}) {
        void* const library = ::dlopen(name, RTLD_NOW | RTLD_NOLOAD);
        if (library == nullptr) {
            continue;
        }
        if (void* const found = ::dlsym(library, setter); found != nullptr) {
            reinterpret_cast<SetPrint>(found)(nullptr);
        }
        ::dlclose(library);
    }
}

Result<VdevArgs> af_xdp_args(const DeviceSpec& spec, const DeviceOptions& options) {
    FULMAR_TRY(interface, check_tap_interface(spec.target));
    VdevArgs vdev;
    quiet_xdp_libraries();
    vdev.name = fmt::format("net_af_xdp{}", next_index());
    vdev.mtu = std::min(interface.mtu, kDefaultMtu);
    vdev.carrier_interface = spec.target;
    vdev.arguments = fmt::format("iface={},start_queue=0,queue_count={}", spec.target, options.queue_pairs);
    return vdev;
}

/// Makes the interface once and lets it go again: the library says only that it failed, the kernel says why.
Status try_tap(const std::string& name) {
    const int fd = ::open("/dev/net/tun", O_RDWR | O_CLOEXEC);
    if (fd < 0) {
        return fail(ErrorCode::kGeneric,
            fmt::format("tap:{}: cannot open /dev/net/tun: {}: run as root, modprobe tun", name,
                std::generic_category().message(errno)));
    }
    ifreq request{};
    request.ifr_flags = IFF_TAP | IFF_NO_PI | IFF_MULTI_QUEUE;  // as the library asks for it
    name.copy(request.ifr_name, sizeof request.ifr_name - 1);
    const int error = ::ioctl(fd, TUNSETIFF, &request) == 0 ? 0 : errno;
    ::close(fd);
    if (error == EPERM || error == EACCES) {
        return fail(ErrorCode::kGeneric,
            fmt::format("tap:{}: no permission to make an interface: run as root or sudo setcap "
                        "cap_net_admin+ep on this program",
                name));
    }
    return Done{};  // any other trouble the library meets again
}

Result<VdevArgs> tap_args(const DeviceSpec& spec) {
    if (spec.target.empty() || spec.target.size() > 15 || spec.target.find(',') != std::string::npos) {
        return fail(ErrorCode::kGeneric,
            fmt::format("tap name '{}' must have 1 to 15 characters and no comma", spec.target));
    }
    FULMAR_TRY_VOID(try_tap(spec.target));
    VdevArgs vdev;
    vdev.name = fmt::format("net_tap{}", next_index());
    vdev.arguments = "iface=" + spec.target;
    return vdev;
}

Result<VdevArgs> raw_args(const DeviceSpec& spec) {
    const auto comma = spec.target.find(',');
    VdevArgs vdev;
    vdev.name = spec.target.substr(0, comma);
    vdev.arguments = comma == std::string::npos ? "" : spec.target.substr(comma + 1);
    if (vdev.name.empty()) {
        return fail(
            ErrorCode::kGeneric, "vdev: needs the library's device string, as in vdev:net_null0,size=64");
    }
    return vdev;
}

}  // namespace

Result<VdevArgs> vdev_args(const DeviceSpec& spec, const DeviceOptions& options) {
    using Kind = DeviceSpec::Kind;
    switch (spec.kind) {
        case Kind::kMemifServer:
        case Kind::kMemifClient: return memif_args(spec, options);
        case Kind::kAfPacket: return af_packet_args(spec, options);
        case Kind::kAfXdp: return af_xdp_args(spec, options);
        case Kind::kTap: return tap_args(spec);
        case Kind::kVdev: return raw_args(spec);
        case Kind::kRing: return VdevArgs{.name = fmt::format("net_ring{}", next_index())};
        case Kind::kNull:
            return VdevArgs{.name = fmt::format("net_null{}", next_index()), .arguments = "no-rx=1"};
        case Kind::kPci: break;
    }
    return fail(ErrorCode::kGeneric, "a PCI device is no virtual device");
}

}  // namespace fulmar::pmd_glue

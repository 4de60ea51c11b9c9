// fulmar doctor: what this machine offers a driver, what is missing, and the command that mends it.
#include <fmt/core.h>
#include <memory>
#include <nlohmann/json.hpp>
#include <sys/resource.h>
#include <sys/statvfs.h>
#include <thread>
#include <unistd.h>

#include "apps/fulmar/command.h"
#include "apps/fulmar/driver_view.h"
#include "pmd_glue/hugepages.h"
#include "pmd_glue/placement.h"

namespace fulmar::cli {

namespace {

enum class Verdict : std::uint8_t { kOk, kNote, kBad };

class Findings {
  public:
    explicit Findings(bool json) : json_(json) {}

    void add(Verdict verdict, std::string_view what, const std::string& text) {
        worst_ = verdict > worst_ ? verdict : worst_;
        const char* word = verdict == Verdict::kOk ? "ok" : verdict == Verdict::kNote ? "note" : "bad";
        if (json_) {
            print_json({{"check", what}, {"verdict", word}, {"text", text}});
        } else {
            fmt::print("{:>5}  {:<12} {}\n", word, what, text);
        }
    }
    [[nodiscard]] int status() const { return worst_ == Verdict::kBad ? kExitFailed : kExitPass; }

  private:
    bool json_;
    Verdict worst_ = Verdict::kOk;
};

void check_shared_memory(Findings& findings) {
    struct statvfs info {};
    if (statvfs("/dev/shm", &info) != 0) {
        findings.add(
            Verdict::kBad, "shared memory", "/dev/shm is missing; mount it: mount -t tmpfs tmpfs /dev/shm");
        return;
    }
    const double free_mib =
        static_cast<double>(info.f_bavail) * static_cast<double>(info.f_frsize) / (1 << 20);
    const bool enough = free_mib >= 512;
    findings.add(enough ? Verdict::kOk : Verdict::kBad, "shared memory",
        fmt::format("{:.0f} MiB free in /dev/shm{}", free_mib,
            enough ? "" : "; a publication takes 48 MiB by default: mount -o remount,size=2g /dev/shm"));
}

void check_locked_memory(Findings& findings) {
    rlimit limit{};
    getrlimit(RLIMIT_MEMLOCK, &limit);
    if (limit.rlim_cur == RLIM_INFINITY) {
        findings.add(Verdict::kOk, "locked memory", "unlimited");
    } else {
        findings.add(Verdict::kNote, "locked memory",
            fmt::format("{} KiB; PCI devices want more: ulimit -l unlimited", limit.rlim_cur / 1024));
    }
}

void check_cores(Findings& findings) {
    const unsigned cores = std::thread::hardware_concurrency();
    findings.add(cores >= 4 ? Verdict::kOk : Verdict::kNote, "cores",
        fmt::format("{} usable; {}", cores,
            cores >= 4 ? "dedicated agents are the default"
                       : "agents share one thread unless --threading says otherwise"));
}

void check_driver(Findings& findings, const std::string& dir) {
    auto driver = DriverView::open(dir);
    if (!driver) {
        findings.add(Verdict::kNote, "driver", driver.error().message);
        return;
    }
    const std::int64_t age = driver->heartbeat_age_ms();
    if (age < 0) {
        findings.add(Verdict::kNote, "driver", fmt::format("the one in {} has shut down", dir));
    } else if (age > 10'000) {
        findings.add(Verdict::kBad, "driver",
            fmt::format("pid {} in {} has shown no life for {} s; it died or is stopped", driver->cnc().pid(),
                dir, age / 1000));
    } else {
        findings.add(Verdict::kOk, "driver",
            fmt::format("pid {} in {}, alive {} ms ago", driver->cnc().pid(), dir, age));
    }
}

int run(const Common& common) {
    Findings findings(common.json);
    check_cores(findings);
    const pmd_glue::HugepageStatus hugepages = pmd_glue::hugepage_status();
    findings.add(hugepages.usable ? Verdict::kOk : Verdict::kNote, "hugepages", hugepages.reason);
    check_shared_memory(findings);
    check_locked_memory(findings);
    findings.add(geteuid() == 0 ? Verdict::kOk : Verdict::kNote, "privileges",
        geteuid() == 0 ? "root: every device"
                       : "not root: memif and udp only; af_packet, af_xdp, tap and pci need it");
    check_driver(findings, common.dir);
    return findings.status();
}

}  // namespace

Run add_doctor(CLI::App& app) {
    auto common = std::make_shared<Common>();
    auto* verb = app.add_subcommand("doctor", "what this machine offers a driver, and what is missing");
    add_common(*verb, *common);
    return [common] { return run(*common); };
}

}  // namespace fulmar::cli

// simulate: whole systems on virtual time, network and memory, seed by seed.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <string>
#include <thread>
#include <unistd.h>

#include "tests/sim/plants.h"
#include "tests/sim/runner.h"

namespace {

using namespace fulmar;
using namespace fulmar::sim;

constexpr int kPassed = 0;
constexpr int kFailed = 1;
constexpr int kUsage = 2;
/// From this many seeds on, every kind of fault and mechanism must have been seen.
constexpr std::uint64_t kFullCount = 100;
constexpr std::uint64_t kPlantSeeds = 200;

struct Arguments {
    std::string profile = "transport";
    std::uint64_t seed = 1;
    std::uint64_t count = 1;
    std::string plant;
    int workers = 0;
    bool list_plants = false;
    bool check_plants = false;
    bool json = false;
    bool verbose = false;
};

std::string hex(std::uint64_t value) {
    char text[24];
    std::snprintf(text, sizeof text, "0x%016llx", static_cast<unsigned long long>(value));
    return text;
}

nlohmann::ordered_json json_of(const Profile& profile, const Counts& counts) {
    nlohmann::ordered_json json = nlohmann::ordered_json::object();
    for (std::size_t i = 0; i < profile.counts.size(); ++i) {
        json[std::string(profile.counts[i])] = counts.values[i];
    }
    return json;
}

/// Shown on a terminal only, once a run takes longer than two seconds.
class Progress {
  public:
    explicit Progress(std::uint64_t total) : total_(total), shown_(isatty(STDERR_FILENO) != 0) {}
    ~Progress() { clear(); }
    void update(std::uint64_t done, std::size_t failed) {
        const auto now = std::chrono::steady_clock::now();
        if (!shown_ || now - start_ < std::chrono::seconds(2) ||
            now - last_ < std::chrono::milliseconds(200)) {
            return;
        }
        last_ = now;
        drawn_ = true;
        std::fprintf(stderr, "\r%llu of %llu seeds, %zu failed ", static_cast<unsigned long long>(done),
            static_cast<unsigned long long>(total_), failed);
    }
    void clear() {
        if (drawn_) {
            std::fprintf(stderr, "\r%60s\r", "");
            drawn_ = false;
        }
    }

  private:
    std::uint64_t total_;
    bool shown_;
    bool drawn_ = false;
    std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
    std::chrono::steady_clock::time_point last_;
};

int list_plants(const Arguments& arguments) {
    for (const PlantRow& row : plants(arguments.profile)) {
        if (arguments.json) {
            std::printf(
                "%s\n", nlohmann::ordered_json{{"plant", row.name}, {"about", row.about}}.dump().c_str());
        } else {
            std::printf("%-28s %s\n", std::string(row.name).c_str(), std::string(row.about).c_str());
        }
    }
    return kPassed;
}

void print_failure(const Arguments& arguments, const SeedResult& result) {
    const std::string plant = arguments.plant.empty() ? "" : " --plant " + arguments.plant;
    std::fprintf(stderr, "simulate --profile %s --seed %llu --count 1%s: %s\n", arguments.profile.c_str(),
        static_cast<unsigned long long>(result.seed), plant.c_str(), result.failure.c_str());
}

int workers_of(const Arguments& arguments) {
    const int wanted =
        arguments.workers > 0 ? arguments.workers : static_cast<int>(std::thread::hardware_concurrency());
    return std::max(
        1, static_cast<int>(std::min<std::uint64_t>(static_cast<std::uint64_t>(wanted), arguments.count)));
}

int run(const Arguments& arguments) {
    const Profile& profile = *find_profile(arguments.profile);
    const RunnerOptions options{
        &profile, arguments.seed, arguments.count, workers_of(arguments), !arguments.plant.empty()};
    Summary summary;
    if (arguments.count == 1 && arguments.verbose) {
        const SeedResult result = run_seed(profile, arguments.seed, true);
        summary.seeds = 1;
        summary.hash = result.hash;
        summary.counts = result.counts;
        if (!result.failure.empty()) {
            summary.failures.push_back(result);
        }
    } else {
        Progress progress(arguments.count);
        std::size_t failed = 0;
        summary = run_seeds(options, [&](const SeedResult& result, std::uint64_t done) {
            failed += result.failure.empty() ? 0 : 1;
            if (arguments.json) {
                progress.clear();
                std::printf("%s\n", nlohmann::ordered_json{{"seed", result.seed}, {"hash", hex(result.hash)},
                                        {"pass", result.failure.empty()}, {"failure", result.failure}}
                                        .dump()
                                        .c_str());
            }
            progress.update(done, failed);
        });
    }
    for (const SeedResult& failure : summary.failures) {
        print_failure(arguments, failure);
    }
    bool pass = summary.failures.empty();
    nlohmann::ordered_json missing = nlohmann::ordered_json::array();
    if (arguments.count >= kFullCount && arguments.plant.empty()) {
        for (std::size_t i = 0; i < profile.counts.size(); ++i) {
            if (summary.counts.values[i] == 0) {
                missing.push_back(std::string(profile.counts[i]));
                std::fprintf(stderr, "never seen in %llu seeds: %s\n",
                    static_cast<unsigned long long>(summary.seeds), std::string(profile.counts[i]).c_str());
                pass = false;
            }
        }
    }
    nlohmann::ordered_json line{{"profile", arguments.profile}, {"seeds", summary.seeds},
        {"failed", summary.failures.size()}, {"hash", hex(summary.hash)},
        {"counts", json_of(profile, summary.counts)}, {"pass", pass}};
    if (!arguments.plant.empty()) {
        line["plant"] = arguments.plant;
    }
    if (!missing.empty()) {
        line["missing"] = missing;
    }
    std::printf("%s\n", line.dump().c_str());
    return pass ? kPassed : kFailed;
}

/// Every plant must be found; that one is not is a failure.
int check_plants(const Arguments& arguments) {
    nlohmann::ordered_json found = nlohmann::ordered_json::object();
    std::size_t missed = 0;
    for (const PlantRow& row : plants(arguments.profile)) {
        base::planted_bug = row.plant;
        Arguments one = arguments;
        one.plant = std::string(row.name);
        one.count = kPlantSeeds;
        const Summary summary =
            run_seeds({find_profile(one.profile), one.seed, one.count, workers_of(one), true},
                [](const SeedResult&, std::uint64_t) {});
        const bool caught = !summary.failures.empty();
        missed += caught ? 0 : 1;
        nlohmann::ordered_json line{{"plant", row.name}, {"found", caught}, {"seeds", summary.seeds}};
        if (caught) {
            line["seed"] = summary.failures.front().seed;
            line["failure"] = summary.failures.front().failure;
        } else {
            std::fprintf(stderr, "plant %s was not found in %llu seeds\n", one.plant.c_str(),
                static_cast<unsigned long long>(summary.seeds));
        }
        std::printf("%s\n", line.dump().c_str());
        std::fflush(stdout);
    }
    std::printf(
        "%s\n", nlohmann::ordered_json{{"profile", arguments.profile},
                    {"plants", plants(arguments.profile).size()}, {"missed", missed}, {"pass", missed == 0}}
                    .dump()
                    .c_str());
    return missed == 0 ? kPassed : kFailed;
}

}  // namespace

int main(int argc, char** argv) {
    Arguments arguments;
    CLI::App app{
        "Runs whole systems on virtual time, network and memory, and checks what must always hold.\n"
        "Exit status: 0 all seeds passed, 1 one failed or something was never seen, 2 usage."};
    app.add_option("--profile", arguments.profile, "What is simulated: transport or archive")
        ->capture_default_str();
    app.add_option("--seed", arguments.seed, "First seed, decimal or 0x...")->capture_default_str();
    app.add_option("--count", arguments.count, "How many seeds, one after the other")->capture_default_str();
    app.add_option("--plant", arguments.plant, "Put a known bug in; stops at the first seed that finds it");
    app.add_option("--workers", arguments.workers, "Processes to run seeds in (default: one per core)");
    app.add_flag("--list-plants", arguments.list_plants, "Print the known bugs and end");
    app.add_flag("--check-plants", arguments.check_plants,
        "Put each known bug in, one after the other: each must be found within 200 seeds");
    app.add_flag("--json", arguments.json, "One line per seed, too");
    app.add_flag("--verbose", arguments.verbose, "With one seed: print what happens to stderr");
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        const int code = app.exit(error);
        return code == 0 ? kPassed : kUsage;
    }
    if (find_profile(arguments.profile) == nullptr) {
        std::fprintf(stderr, "simulate: unknown profile '%s': there are transport and archive\n",
            arguments.profile.c_str());
        return kUsage;
    }
    if (arguments.list_plants) {
        return list_plants(arguments);
    }
    if (arguments.count == 0) {
        std::fprintf(stderr, "simulate: --count 0 runs nothing: give at least 1\n");
        return kUsage;
    }
    if (arguments.check_plants) {
        return check_plants(arguments);
    }
    if (!arguments.plant.empty()) {
        const PlantRow* row = find_plant(arguments.profile, arguments.plant);
        if (row == nullptr) {
            std::fprintf(
                stderr, "simulate: unknown plant '%s': see --list-plants\n", arguments.plant.c_str());
            return kUsage;
        }
        base::planted_bug = row->plant;
    }
    return run(arguments);
}

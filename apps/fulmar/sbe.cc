// fulmar sbe: typed messages and their schemas.
#include <utility>
#include <vector>

#include "apps/fulmar/sbe_verbs.h"

namespace fulmar::cli {

Run add_sbe(CLI::App& app) {
    auto* verb = app.add_subcommand("sbe", "typed messages (SBE) and their schemas");
    verb->require_subcommand(1);
    std::vector<std::pair<const char*, Run>> verbs{{"decode", add_sbe_decode(*verb)},
        {"export", add_sbe_export(*verb)}, {"import", add_sbe_import(*verb)}};
    return [verb, verbs = std::move(verbs)] {
        for (const auto& [name, run] : verbs) {
            if (verb->got_subcommand(name)) {
                return run();
            }
        }
        return kExitUsage;
    };
}

}  // namespace fulmar::cli

// fulmar sbe export: the XML schema of messages that are described in C++.
#include <array>
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "apps/examples/order_entry/messages.h"
#include "apps/fulmar/sbe_verbs.h"
#include "archive/mark_file.h"
#include "archive/messages.h"
#include "cluster/mark_file.h"
#include "cluster/messages.h"
#include "fulmar/sbe/describe.h"

namespace fulmar::cli {
namespace {

struct Exported {
    const char* name;
    const char* what;
    Result<std::string> (*write)();
};

constexpr std::array kExported{
    Exported{"archive", "the archive's control protocol", &sbe::write_schema_of<archive::Messages>},
    Exported{"cluster", "what the cluster's clients and log speak", &sbe::write_schema_of<cluster::Messages>},
    Exported{"archive-mark", "the archive's mark file", &sbe::write_schema<archive::MarkFileHeader>},
    Exported{"cluster-mark", "the cluster's mark files", &sbe::write_schema<cluster::MarkFileHeader>},
    Exported{"example", "order entry, as in apps/examples/order_entry",
        &sbe::write_schema_of<order_entry::Messages>},
};

int run_export(const std::string& name) {
    for (const Exported& exported : kExported) {
        if (name == exported.name) {
            const auto xml = exported.write();
            if (!xml) {
                return report("sbe export", xml.error());
            }
            std::fputs(xml->c_str(), stdout);
            return kExitPass;
        }
    }
    return kExitUsage;
}

}  // namespace

Run add_sbe_export(CLI::App& sbe) {
    auto* verb =
        sbe.add_subcommand("export", "print the XML schema of a protocol, for other languages' generators");
    auto name = std::make_shared<std::string>(kExported.front().name);
    std::vector<std::string> names;
    std::string help = "which protocol:";
    for (const Exported& exported : kExported) {
        names.emplace_back(exported.name);
        help += std::string(help.back() == ':' ? " " : "; ") + exported.name + ", " + exported.what;
    }
    verb->add_option("protocol", *name, help)->check(CLI::IsMember(names))->capture_default_str();
    return [name] { return run_export(*name); };
}

}  // namespace fulmar::cli

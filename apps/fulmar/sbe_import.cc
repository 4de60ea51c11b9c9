// fulmar sbe import: the C++ description of messages whose XML schema is there already.
#include <cstdio>
#include <memory>

#include "apps/fulmar/sbe_schema.h"
#include "apps/fulmar/sbe_verbs.h"
#include "fulmar/sbe/schema_cpp.h"

namespace fulmar::cli {

namespace {

int run_import(const std::string& path) {
    auto schema = read_schema(path);
    if (!schema) {
        return report("sbe import", schema.error());
    }
    const auto header = sbe::write_cpp(*schema);
    if (!header) {
        return report("sbe import", header.error());
    }
    std::fputs(header->c_str(), stdout);
    return kExitPass;
}

}  // namespace

Run add_sbe_import(CLI::App& sbe) {
    auto path = std::make_shared<std::string>();
    auto* verb =
        sbe.add_subcommand("import", "print the C++ description of an XML schema, a header to include");
    verb->add_option("FILE", *path, "the schema's XML; -: stdin")->required();
    verb->footer(
        "The header's namespace is the schema's package; its `Messages` lists them. Files that the schema "
        "includes\n"
        "are looked for beside it. `fulmar sbe export` goes the other way.");
    return [path] { return run_import(*path); };
}

}  // namespace fulmar::cli

// Compiled with the description that import_tool wrote of every_construct.xml: the layout is the schema's.
// Writes the XML schema of that description; given a file, says whether it is the same.
#include <cstdio>
#include <fstream>
#include <iterator>
#include <string>

#include "fulmar/sbe/decoder.h"
#include "fulmar/sbe/describe.h"
#include "fulmar/sbe/encoder.h"

#include FULMAR_IMPORTED

namespace {

namespace sbe = fulmar::sbe;
using namespace fulmar::test::every_construct;

static_assert(sbe::block_length<Fields> == 160);
static_assert(sbe::offset_of<Fields, "number32"> == 8);
static_assert(sbe::offset_of<Fields, "everything"> == 101);
static_assert(sbe::offset_of<Everything, "side"> == 24);
static_assert(sbe::offset_of<Fields, "old"> == 147);
static_assert(sbe::template_id<OnlyData> == 4);
static_assert(sbe::header_length<Nested> == 8);

std::string content_of(const char* path) {
    std::ifstream file(path);
    return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

int compare(const std::string& exported, const std::string& expected) {
    if (exported == expected) {
        return 0;
    }
    std::size_t at = 0;
    while (at < exported.size() && at < expected.size() && exported[at] == expected[at]) {
        ++at;
    }
    std::fprintf(stderr, "exported: %s\nexpected: %s\n", exported.substr(at, 120).c_str(),
        expected.substr(at, 120).c_str());
    return 1;
}

}  // namespace

int main(int argc, char** argv) {
    const auto exported = sbe::write_schema_of<Messages>();
    if (!exported) {
        std::fprintf(stderr, "%s\n", exported.error().message.c_str());
        return 1;
    }
    if (argc == 2) {
        return compare(*exported, content_of(argv[1]));
    }
    std::fputs(exported->c_str(), stdout);
    return 0;
}

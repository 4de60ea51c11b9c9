// Writes the C++ description of a schema file to stdout, for the build of export_tool.cc.
#include <cstdio>
#include <fstream>
#include <iterator>
#include <string>

#include "fulmar/sbe/schema_cpp.h"
#include "fulmar/sbe/schema_xml.h"

int main(int argc, char** argv) {
    if (argc != 2) {
        std::fputs("usage: import_tool SCHEMA.xml\n", stderr);
        return 2;
    }
    std::ifstream file(argv[1]);
    const std::string xml{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
    const auto schema = fulmar::sbe::read_xml(xml, {.name = argv[1]});
    if (!schema) {
        std::fprintf(stderr, "%s\n", schema.error().message.c_str());
        return 1;
    }
    const auto header = fulmar::sbe::write_cpp(*schema);
    if (!header) {
        std::fprintf(stderr, "%s\n", header.error().message.c_str());
        return 1;
    }
    std::fputs(header->c_str(), stdout);
    return 0;
}

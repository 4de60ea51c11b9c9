#include "apps/fulmar/sbe_schema.h"

#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <fmt/core.h>
#include <memory>
#include <system_error>

#include "fulmar/sbe/schema_xml.h"

namespace fulmar::cli {

namespace {

struct CloseFile {
    void operator()(std::FILE* file) const {
        if (file != stdin) {
            std::fclose(file);
        }
    }
};

Unexpected<Error> unreadable(const std::string& path) {
    return fail(
        ErrorCode::kGeneric, fmt::format("cannot read {}: {}", path, std::generic_category().message(errno)));
}

Result<sbe::IncludedXml> include_local(const std::string& href, const std::string& from) {
    const std::filesystem::path path(href);
    if (path.is_absolute() || href.find("://") != std::string::npos) {
        return fail(ErrorCode::kGeneric, "only files given relative to the schema are included");
    }
    std::string found = (std::filesystem::path(from).parent_path() / path).string();
    FULMAR_TRY(text, read_whole(found));
    return sbe::IncludedXml{std::move(found), std::move(text)};
}

}  // namespace

Result<std::string> read_whole(const std::string& path) {
    const std::unique_ptr<std::FILE, CloseFile> file(path == "-" ? stdin : std::fopen(path.c_str(), "rb"));
    if (!file) {
        return unreadable(path);
    }
    std::string content;
    constexpr std::size_t kChunk = 64 * 1024;
    for (std::size_t got = kChunk; got == kChunk;) {
        const std::size_t length = content.size();
        content.resize(length + kChunk);
        got = std::fread(content.data() + length, 1, kChunk, file.get());
        content.resize(length + got);
    }
    if (std::ferror(file.get()) != 0) {
        return unreadable(path);
    }
    return content;
}

Result<sbe::ir::Schema> read_schema(const std::string& path) {
    FULMAR_TRY(text, read_whole(path));
    return sbe::read_xml(text, {.name = path, .include = include_local});
}

}  // namespace fulmar::cli

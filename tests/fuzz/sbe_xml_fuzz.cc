/// sbe::read_xml over any text: an error of one line, or a schema that, where it makes sense, is written so
/// that reading gives the same again.
#include "fulmar/sbe/resolved_schema.h"
#include "fulmar/sbe/schema_cpp.h"
#include "fulmar/sbe/schema_xml.h"
#include "fuzz.h"

namespace {

using namespace fulmar;

void check_line(const Error& error) {
    FUZZ_CHECK(!error.message.empty());
    FUZZ_CHECK(error.message.find('\n') == std::string::npos);
}

/// Includes the text behind the first zero, whatever its name, so that includes are fuzzed too.
Result<sbe::IncludedXml> include(std::string_view text, const std::string& href) {
    const std::size_t zero = text.find('\0');
    if (zero == std::string_view::npos) {
        return fail(ErrorCode::kGeneric, "nothing to include");
    }
    return sbe::IncludedXml{href, std::string(text.substr(zero + 1))};
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    sbe::XmlOptions options;
    options.include = [text](const std::string& href, const std::string&) { return include(text, href); };
    const auto schema = sbe::read_xml(text.substr(0, text.find('\0')), options);
    if (!schema) {
        check_line(schema.error());
        return 0;
    }
    const auto resolved = sbe::ResolvedSchema::resolve(*schema);
    if (!resolved) {
        check_line(resolved.error());
        return 0;
    }
    const std::string written = sbe::write_xml(*schema);
    const auto again = sbe::read_xml(written);
    FUZZ_CHECK(again.has_value());
    FUZZ_CHECK(*again == *schema);
    FUZZ_CHECK(sbe::write_xml(*again) == written);
    FUZZ_CHECK(sbe::ResolvedSchema::resolve(*again).has_value());
    const auto described = sbe::write_cpp(*schema);
    if (!described) {
        check_line(described.error());
    } else {
        FUZZ_CHECK(*described == *sbe::write_cpp(*again));
    }
    return 0;
}

/// Schemas as SBE's XML, both ways. What was read is taken as it stands; ResolvedSchema says whether it makes
/// sense. threads: pure functions; the caller's include function runs on the caller's thread. source:
/// SBE 1.0, message schema.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>

#include "fulmar/result.h"
#include "fulmar/sbe/ir.h"

namespace fulmar::sbe {

/// Another document that a schema includes.
struct IncludedXml {
    std::string name;  ///< what errors call it; passed as `from` when it includes others
    std::string text;
};

struct XmlOptions {
    std::string name = "schema";  ///< what errors call the text, usually its file
    /// Reads what `<xi:include href>` of the document `from` asks for. None: an include is an error.
    std::function<fulmar::Result<IncludedXml>(const std::string& href, const std::string& from)> include;
    std::size_t bytes_max = 4 * 1024 * 1024;  ///< of the text with everything it includes
};

/// Adds SBE's standard header and group dimensions where the schema uses and does not declare them.
/// errors: kGeneric with file and line, the element, what is wrong with it. A DTD, hence any entity of one's
/// own, an element or an attribute the standard does not know are errors; attributes of other namespaces are
/// left out.
[[nodiscard]] fulmar::Result<ir::Schema> read_xml(std::string_view text, const XmlOptions& options = {});

/// Standard XML of a schema that resolves; read_xml makes an equal schema of it. Equal schemas give equal
/// text.
[[nodiscard]] std::string write_xml(const ir::Schema& schema);

}  // namespace fulmar::sbe

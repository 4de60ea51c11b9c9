/// A schema as the C++ description that fulmar/sbe/description.h speaks of, for whoever begins with an XML
/// schema. threads: pure.
#pragma once

#include <string>

#include "fulmar/result.h"
#include "fulmar/sbe/ir.h"

namespace fulmar::sbe {

/// A header with the types, the messages and, as `Messages`, the list of them, in a namespace named after the
/// package. Only what differs from SBE's defaults is written. What the description cannot say and no byte
/// depends on is left out: types nobody uses for a field, a nullValue of lengths and counts. errors:
/// kGeneric, the schema does not resolve, or says something that changes bytes and a description cannot say.
[[nodiscard]] fulmar::Result<std::string> write_cpp(const ir::Schema& schema);

}  // namespace fulmar::sbe

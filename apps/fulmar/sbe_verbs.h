/// The verbs of `fulmar sbe`.
#pragma once

#include "apps/fulmar/command.h"

namespace fulmar::cli {

Run add_sbe_decode(CLI::App& app);
Run add_sbe_export(CLI::App& app);
Run add_sbe_import(CLI::App& sbe);

}  // namespace fulmar::cli

/// The settings of an archive: one row for each, with its option, Aeron's property for it, and what it does.
/// threads: start-up.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "drivers/archive_runtime/archive.h"
#include "fulmar/result.h"

namespace fulmar::archived {

struct Setting {
    std::string name;      ///< `--name`, and FULMAR_ARCHIVE_NAME in the environment
    std::string property;  ///< Aeron's, and AERON_… in the environment; empty: ours alone
    std::string doc;
    std::string shown_default;
    bool is_flag = false;
    /// errors: what the value must be, without the name.
    std::function<Status(std::string_view, drivers::ArchiveOptions&)> set;
};

[[nodiscard]] const std::vector<Setting>& settings();
/// Of a property of Aeron's that is none of ours. errors: it asks for protection that is not to be had that
/// way.
[[nodiscard]] Status check_foreign(std::string_view property, std::string_view value);
/// What can only be judged when all is known. errors: one line.
[[nodiscard]] Status check(const drivers::ArchiveOptions& options);

}  // namespace fulmar::archived

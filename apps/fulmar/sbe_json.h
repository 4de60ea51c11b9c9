/// A message that only its schema describes, as JSON: fields by name, groups as arrays of objects.
#pragma once

#include <nlohmann/json.hpp>
#include <span>
#include <string>

#include "fulmar/sbe/walk.h"

namespace fulmar::cli {

/// Collects what a walk shows. Enums are names, or numbers where the schema knows no name; sets are arrays of
/// names; chars are text; data is text where the schema names its characters, else hexadecimal; null stands
/// for what is optional and not there, for what the sender's version did not have, and for NaN.
class JsonVisitor : public sbe::Visitor {
  public:
    /// `{"message":…,"template_id":…,"version":…,"fields":{…}}`; ours until the next message begins.
    [[nodiscard]] nlohmann::ordered_json& message() { return message_; }

    void on_message_begin(const sbe::BlockLayout& message, const sbe::HeaderValues& header) override;
    void on_message_end() override;
    void on_value(const sbe::FieldValue& value) override;
    void on_composite_begin(const sbe::Element& composite) override;
    void on_composite_end() override;
    void on_group_begin(const sbe::GroupLayout& group, std::uint64_t count) override;
    void on_entry_begin() override;
    void on_entry_end() override;
    void on_group_end() override;
    void on_data(const sbe::DataLayout& data, std::span<const std::byte> bytes) override;
    void on_absent_data(const sbe::DataLayout& data) override;

  private:
    nlohmann::ordered_json message_;
    std::vector<nlohmann::ordered_json*> open_;  // objects and arrays around what comes next, innermost last
};

}  // namespace fulmar::cli

#include "layout/fulmar_commands.h"

#include "layout/internal/record_text.h"

namespace fulmar::layout {

namespace {

using base::load_le;
using base::store_le;
using namespace internal;

constexpr std::size_t kClientIdField = 0;
constexpr std::size_t kCorrelationIdField = 8;
constexpr std::size_t kPortField = 16;

}  // namespace

Decoded<SetFault> SetFault::decode(std::span<const std::byte> record) {
    FULMAR_TRY(port, read_text(record, kPortField));
    FULMAR_TRY(spec, read_text(record, second_text_offset(kPortField, port.size())));
    SetFault value;
    value.client_id = load_le<std::int64_t>(record.data(), kClientIdField);
    value.correlation_id = load_le<std::int64_t>(record.data(), kCorrelationIdField);
    value.port = port;
    value.spec = spec;
    return value;
}

std::size_t SetFault::encoded_length() const {
    return second_text_offset(kPortField, port.size()) + kLengthField + spec.size();
}

std::size_t SetFault::encode(std::span<std::byte> record) const {
    if (record.size() < encoded_length()) {
        return 0;
    }
    const std::size_t spec_offset = second_text_offset(kPortField, port.size());
    store_le(record.data(), kClientIdField, client_id);
    store_le(record.data(), kCorrelationIdField, correlation_id);
    write_text(record, kPortField, port);
    zero(record, kPortField + kLengthField + port.size(), spec_offset);
    write_text(record, spec_offset, spec);
    return encoded_length();
}

}  // namespace fulmar::layout

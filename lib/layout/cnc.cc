#include "layout/cnc.h"

#include <limits>
#include <string>

#include "base/bytes.h"

namespace fulmar::layout {
namespace {

using base::load_le;
using base::store_le;

constexpr std::int32_t kPageSizeMin = 4096;
constexpr std::int32_t kPageSizeMax = 1024 * 1024 * 1024;
constexpr std::int32_t kQueueCapacityMin = 1024;
/// Sections hold 64-bit atomics and follow each other without gaps.
constexpr std::int32_t kSectionAlignment = 8;

constexpr std::int32_t major_version(std::int32_t version) {
    return version >> 16 & 0xFF;
}

Unexpected<Error> impossible(const char* field, std::int64_t value) {
    return fail(ErrorCode::kGeneric, "cnc file: " + std::string(field) + "=" + std::to_string(value) +
                                         " is impossible; remove the directory if no driver runs in it");
}

bool is_queue(std::int32_t length, std::int32_t trailer) {
    const std::int32_t capacity = length < trailer ? 0 : length - trailer;
    return capacity >= kQueueCapacityMin && base::is_power_of_two(capacity);
}

bool is_section(std::int32_t length) {
    return length > 0 && base::is_aligned(length, kSectionAlignment);
}

std::int64_t sum(const CncLengths& lengths) {
    return std::int64_t{kCncHeaderLength} + lengths.to_driver + lengths.to_clients +
           lengths.counter_metadata + lengths.counter_values + lengths.error_log;
}

Status check(const CncLengths& lengths) {
    if (!is_queue(lengths.to_driver, kRingTrailerLength)) {
        return impossible("to-driver length", lengths.to_driver);
    }
    if (!is_queue(lengths.to_clients, kBroadcastTrailerLength)) {
        return impossible("to-clients length", lengths.to_clients);
    }
    if (!is_section(lengths.counter_metadata)) {
        return impossible("counter metadata length", lengths.counter_metadata);
    }
    if (!is_section(lengths.counter_values)) {
        return impossible("counter values length", lengths.counter_values);
    }
    if (std::int64_t{lengths.counter_values} * kCounterMetadataRatio > lengths.counter_metadata) {
        return impossible("counter metadata length", lengths.counter_metadata);
    }
    if (!is_section(lengths.error_log)) {
        return impossible("error log length", lengths.error_log);
    }
    return Done{};
}

CncParams read_header(const std::byte* file) {
    return {
        .lengths =
            {
                .to_driver = load_le<std::int32_t>(file, cnc_field::kToDriverLength),
                .to_clients = load_le<std::int32_t>(file, cnc_field::kToClientsLength),
                .counter_metadata = load_le<std::int32_t>(file, cnc_field::kCounterMetadataLength),
                .counter_values = load_le<std::int32_t>(file, cnc_field::kCounterValuesLength),
                .error_log = load_le<std::int32_t>(file, cnc_field::kErrorLogLength),
            },
        .client_liveness_timeout_ns = load_le<std::int64_t>(file, cnc_field::kClientLivenessTimeoutNs),
        .start_timestamp_ms = load_le<std::int64_t>(file, cnc_field::kStartTimestampMs),
        .pid = load_le<std::int64_t>(file, cnc_field::kPid),
        .file_page_size = load_le<std::int32_t>(file, cnc_field::kFilePageSize),
    };
}

void write_header(std::byte* file, const CncParams& params) {
    store_le(file, cnc_field::kToDriverLength, params.lengths.to_driver);
    store_le(file, cnc_field::kToClientsLength, params.lengths.to_clients);
    store_le(file, cnc_field::kCounterMetadataLength, params.lengths.counter_metadata);
    store_le(file, cnc_field::kCounterValuesLength, params.lengths.counter_values);
    store_le(file, cnc_field::kErrorLogLength, params.lengths.error_log);
    store_le(file, cnc_field::kClientLivenessTimeoutNs, params.client_liveness_timeout_ns);
    store_le(file, cnc_field::kStartTimestampMs, params.start_timestamp_ms);
    store_le(file, cnc_field::kPid, params.pid);
    store_le(file, cnc_field::kFilePageSize, params.file_page_size);
}

}  // namespace

Result<std::int64_t> cnc_file_length(const CncLengths& lengths, std::int32_t page_size) {
    FULMAR_TRY_VOID(check(lengths));
    if (page_size < kPageSizeMin || page_size > kPageSizeMax || !base::is_power_of_two(page_size)) {
        return impossible("page size", page_size);
    }
    const std::int64_t length = base::align_up<std::int64_t>(sum(lengths), page_size);
    if (length > std::numeric_limits<std::int32_t>::max()) {
        return impossible("file length", length);
    }
    return length;
}

std::int32_t cnc_version_acquire(std::span<const std::byte> mapping) {
    if (mapping.size() < static_cast<std::size_t>(kCncHeaderLength)) {
        return 0;
    }
    // SYNC(cnc.version): acquire; pairs with CncFile::mark_ready, of any process.
    return base::load_acquire<std::int32_t>(mapping.data(), cnc_field::kVersion);
}

Result<CncFile> CncFile::create(std::span<std::byte> mapping, const CncParams& params) {
    FULMAR_TRY(length, cnc_file_length(params.lengths, params.file_page_size));
    if (static_cast<std::int64_t>(mapping.size()) < length) {
        return impossible("mapped length", static_cast<std::int64_t>(mapping.size()));
    }
    write_header(mapping.data(), params);
    CncFile file;
    file.mapping_ = mapping;
    file.params_ = params;
    return file;
}

void CncFile::mark_ready() const {
    // SYNC(cnc.version): release; publishes the header and all sections to cnc_version_acquire.
    base::store_release<std::int32_t>(mapping_.data(), cnc_field::kVersion, kCncVersion);
}

Result<CncFile> CncFile::open(std::span<std::byte> mapping) {
    const std::int32_t version = cnc_version_acquire(mapping);
    if (version == 0) {
        return fail(ErrorCode::kResourceTemporarilyUnavailable,
            "cnc file: not ready; the driver is still starting, or never finished");
    }
    if (major_version(version) != major_version(kCncVersion)) {
        return fail(ErrorCode::kGeneric, "cnc file: version " + std::to_string(version) +
                                             " has another major than ours, " + std::to_string(kCncVersion) +
                                             "; driver and client do not match");
    }
    CncFile file;
    file.params_ = read_header(mapping.data());
    FULMAR_TRY_VOID(check(file.params_.lengths));
    if (sum(file.params_.lengths) > static_cast<std::int64_t>(mapping.size())) {
        return impossible("file length", static_cast<std::int64_t>(mapping.size()));
    }
    file.mapping_ = mapping;
    return file;
}

std::span<std::byte> CncFile::to_clients() const {
    return section(lengths().to_driver, lengths().to_clients);
}

std::span<std::byte> CncFile::counter_metadata() const {
    return section(std::int64_t{lengths().to_driver} + lengths().to_clients, lengths().counter_metadata);
}

std::span<std::byte> CncFile::counter_values() const {
    return section(std::int64_t{lengths().to_driver} + lengths().to_clients + lengths().counter_metadata,
        lengths().counter_values);
}

std::span<std::byte> CncFile::error_log() const {
    return section(sum(lengths()) - lengths().error_log - kCncHeaderLength, lengths().error_log);
}

}  // namespace fulmar::layout

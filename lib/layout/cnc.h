/// The command-and-control file, `<dir>/cnc.dat`: header, commands ring, events broadcast, counters, errors.
/// CncFile is a view with its own copy of the lengths, so that nobody can move a section under us.
/// threads: any, once created or opened; the sections have their own rules.
/// units: bytes, unless a name says otherwise.  source: Aeron CnC file descriptor 0.2.0.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "fulmar/result.h"

namespace fulmar::layout {

inline constexpr std::string_view kCncFileName = "cnc.dat";
inline constexpr std::int32_t kCncVersion = 0 << 16 | 2 << 8 | 0;  ///< 0.2.0; readers compare the major
inline constexpr std::int32_t kCncHeaderLength = 128;
inline constexpr std::int32_t kControlProtocolVersion = 1 << 16;  ///< 1.0.0, value of system counter 43

/// What follows the power-of-two capacity in the two queue sections.
inline constexpr std::int32_t kRingTrailerLength = 768;
inline constexpr std::int32_t kBroadcastTrailerLength = 128;

inline constexpr std::int32_t kToDriverLengthDefault = 1024 * 1024 + kRingTrailerLength;
inline constexpr std::int32_t kToClientsLengthDefault = 1024 * 1024 + kBroadcastTrailerLength;
inline constexpr std::int32_t kCounterValuesLengthDefault = 8 * 1024 * 1024;
/// Metadata is 512 bytes per counter, values 128: always this many times the values.
inline constexpr std::int32_t kCounterMetadataRatio = 4;
inline constexpr std::int32_t kErrorLogLengthDefault = 4 * 1024 * 1024;
inline constexpr std::int64_t kClientLivenessTimeoutDefaultNs = 10'000'000'000;
inline constexpr std::int32_t kCncPageSizeDefault = 4096;

namespace cnc_field {
inline constexpr std::size_t kVersion = 0;  // i32, release-stored last
inline constexpr std::size_t kToDriverLength = 4;
inline constexpr std::size_t kToClientsLength = 8;
inline constexpr std::size_t kCounterMetadataLength = 12;
inline constexpr std::size_t kCounterValuesLength = 16;
inline constexpr std::size_t kErrorLogLength = 20;
inline constexpr std::size_t kClientLivenessTimeoutNs = 24;  // i64
inline constexpr std::size_t kStartTimestampMs = 32;         // i64
inline constexpr std::size_t kPid = 40;                      // i64
inline constexpr std::size_t kFilePageSize = 48;             // i32
}  // namespace cnc_field

/// Section lengths, trailers included, in the order of the file.
struct CncLengths {
    std::int32_t to_driver = kToDriverLengthDefault;
    std::int32_t to_clients = kToClientsLengthDefault;
    std::int32_t counter_metadata = kCounterValuesLengthDefault * kCounterMetadataRatio;
    std::int32_t counter_values = kCounterValuesLengthDefault;
    std::int32_t error_log = kErrorLogLengthDefault;
};

struct CncParams {
    CncLengths lengths;
    std::int64_t client_liveness_timeout_ns = kClientLivenessTimeoutDefaultNs;
    std::int64_t start_timestamp_ms = 0;
    std::int64_t pid = 0;
    std::int32_t file_page_size = kCncPageSizeDefault;
};

/// Length of the whole file, aligned to its page.
/// errors: kGeneric naming the length that is impossible (also when the sum leaves an int32).
[[nodiscard]] Result<std::int64_t> cnc_file_length(const CncLengths& lengths, std::int32_t page_size);

/// The version word: acquire, pairs with CncFile::mark_ready; 0 while a driver is still writing the file,
/// or if the mapping is too short to hold one.
[[nodiscard]] std::int32_t cnc_version_acquire(std::span<const std::byte> mapping);

class CncFile {
  public:
    CncFile() = default;

    /// Driver: fills the header of a fresh zeroed mapping. Clients keep waiting until mark_ready().
    /// errors: kGeneric, as cnc_file_length, or a mapping shorter than that.
    static Result<CncFile> create(std::span<std::byte> mapping, const CncParams& params);

    /// Driver: everything else in the file is set up; clients may come.
    void mark_ready() const;

    /// Client, tool: checks what a foreign file claims before anything is derived from it.
    /// errors: kResourceTemporarilyUnavailable while the version is 0, else kGeneric, one line.
    static Result<CncFile> open(std::span<std::byte> mapping);

    [[nodiscard]] bool valid() const { return !mapping_.empty(); }
    [[nodiscard]] const CncLengths& lengths() const { return params_.lengths; }
    /// With trailer: for the MPSC ring.
    [[nodiscard]] std::span<std::byte> to_driver() const { return section(0, lengths().to_driver); }
    /// With trailer: for the broadcast.
    [[nodiscard]] std::span<std::byte> to_clients() const;
    [[nodiscard]] std::span<std::byte> counter_metadata() const;
    [[nodiscard]] std::span<std::byte> counter_values() const;
    [[nodiscard]] std::span<std::byte> error_log() const;

    [[nodiscard]] std::int64_t client_liveness_timeout_ns() const {
        return params_.client_liveness_timeout_ns;
    }
    /// units: ms since the epoch
    [[nodiscard]] std::int64_t start_timestamp_ms() const { return params_.start_timestamp_ms; }
    [[nodiscard]] std::int64_t pid() const { return params_.pid; }
    [[nodiscard]] std::int32_t file_page_size() const { return params_.file_page_size; }

  private:
    [[nodiscard]] std::span<std::byte> section(std::int64_t offset, std::int32_t length) const {
        return mapping_.subspan(
            static_cast<std::size_t>(kCncHeaderLength + offset), static_cast<std::size_t>(length));
    }

    std::span<std::byte> mapping_;
    CncParams params_;
};

}  // namespace fulmar::layout

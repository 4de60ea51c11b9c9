#include "perf/e2e/hdr_log.h"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fmt/core.h>
#include <vector>
#include <zlib.h>

namespace fulmar::perf {

namespace {

// source: HdrHistogram V2 encoding; all header fields are big-endian.
constexpr std::uint32_t kEncodingCookie = 0x1c849303 | 0x10;
constexpr std::uint32_t kCompressedCookie = 0x1c849304 | 0x10;

template <class T>
void put_big_endian(std::vector<std::uint8_t>& out, T value) {
    for (int shift = static_cast<int>(sizeof(T) * 8) - 8; shift >= 0; shift -= 8) {
        out.push_back(static_cast<std::uint8_t>(value >> shift));
    }
}

/// ZigZag LEB128, at most nine bytes: the ninth carries eight bits.
void put_zigzag(std::vector<std::uint8_t>& out, std::int64_t value) {
    auto rest = (static_cast<std::uint64_t>(value) << 1) ^ static_cast<std::uint64_t>(value >> 63);
    for (int i = 0; i < 8; ++i) {
        if (rest < 0x80) {
            out.push_back(static_cast<std::uint8_t>(rest));
            return;
        }
        out.push_back(static_cast<std::uint8_t>((rest & 0x7F) | 0x80));
        rest >>= 7;
    }
    out.push_back(static_cast<std::uint8_t>(rest));
}

std::vector<std::uint8_t> encode_counts(const base::Histogram& histogram) {
    std::vector<std::uint8_t> payload;
    const std::size_t length = histogram.used_length();
    for (std::size_t i = 0; i < length;) {
        if (histogram.count_at(i) != 0) {
            put_zigzag(payload, static_cast<std::int64_t>(histogram.count_at(i)));
            ++i;
            continue;
        }
        std::int64_t zeros = 0;
        while (i < length && histogram.count_at(i) == 0) {
            ++zeros;
            ++i;
        }
        put_zigzag(payload, -zeros);
    }
    return payload;
}

std::string base64(const std::vector<std::uint8_t>& bytes) {
    constexpr const char* kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    std::string text;
    for (std::size_t i = 0; i < bytes.size(); i += 3) {
        std::uint32_t group = 0;
        for (std::size_t k = 0; k < 3; ++k) {
            group = (group << 8) | (i + k < bytes.size() ? bytes[i + k] : 0U);
        }
        for (std::size_t k = 0; k < 4; ++k) {
            text.push_back(i + k > bytes.size() ? '=' : kAlphabet[(group >> (18 - 6 * k)) & 0x3F]);
        }
    }
    return text;
}

}  // namespace

std::string encode_hdr(const base::Histogram& histogram) {
    const std::vector<std::uint8_t> counts = encode_counts(histogram);
    std::vector<std::uint8_t> plain;
    put_big_endian(plain, kEncodingCookie);
    put_big_endian(plain, static_cast<std::uint32_t>(counts.size()));
    put_big_endian(plain, std::uint32_t{0});  // normalizing index offset
    put_big_endian(plain, static_cast<std::uint32_t>(base::Histogram::kSignificantDigits));
    put_big_endian(plain, std::uint64_t{1});  // lowest discernible value
    put_big_endian(plain, static_cast<std::uint64_t>(base::Histogram::kHighestTrackable));
    put_big_endian(plain, std::uint64_t{0x3FF0000000000000});  // integer to double ratio: 1.0
    plain.insert(plain.end(), counts.begin(), counts.end());

    uLongf compressed_length = compressBound(plain.size());
    std::vector<std::uint8_t> compressed(compressed_length);
    compress2(compressed.data(), &compressed_length, plain.data(), plain.size(), Z_DEFAULT_COMPRESSION);
    std::vector<std::uint8_t> out;
    put_big_endian(out, kCompressedCookie);
    put_big_endian(out, static_cast<std::uint32_t>(compressed_length));
    out.insert(
        out.end(), compressed.begin(), compressed.begin() + static_cast<std::ptrdiff_t>(compressed_length));
    return base64(out);
}

Status write_hdr_log(
    const std::string& path, const base::Histogram& histogram, double start_epoch_s, double length_s) {
    std::FILE* file = std::fopen(path.c_str(), "w");
    if (file == nullptr) {
        return fail(ErrorCode::kGeneric, fmt::format("cannot write {}: {}", path, std::strerror(errno)));
    }
    fmt::print(file, "#[Histogram log format version 1.3]\n#[StartTime: {:.3f} (seconds since epoch)]\n",
        start_epoch_s);
    fmt::print(
        file, "\"StartTimestamp\",\"Interval_Length\",\"Interval_Max\",\"Interval_Compressed_Histogram\"\n");
    fmt::print(file, "{:.3f},{:.3f},{:.3f},{}\n", start_epoch_s, length_s,
        static_cast<double>(histogram.max()) / 1e6, encode_hdr(histogram));
    if (std::fclose(file) != 0) {
        return fail(ErrorCode::kGeneric, fmt::format("cannot finish {}: {}", path, std::strerror(errno)));
    }
    return Done{};
}

}  // namespace fulmar::perf

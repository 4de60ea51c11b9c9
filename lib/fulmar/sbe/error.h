/// Why bytes are not the message they were taken for, or a message did not fit: values, without allocation.
/// threads: values, no sharing.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>
#include <type_traits>

namespace fulmar::sbe {

enum class Fault : std::uint8_t {
    kNone,
    // decoding
    kHeaderPastEnd,
    kWrongSchema,
    kWrongTemplate,
    kBlockTooShort,
    kBlockPastEnd,
    kGroupHeaderPastEnd,
    kGroupBlockTooShort,
    kGroupPastEnd,
    kGroupWithoutBytes,
    kDataLengthPastEnd,
    kDataPastEnd,
    // encoding
    kBufferTooSmall,
    kOutOfOrder,
    kTooManyElements,
    kDataTooLong,
    kTextTooLong,
};

[[nodiscard]] constexpr std::string_view to_string(Fault fault) {
    switch (fault) {
        case Fault::kNone: return "no fault";
        case Fault::kHeaderPastEnd: return "message header reaches past the end";
        case Fault::kWrongSchema: return "message is of another schema";
        case Fault::kWrongTemplate: return "message is of another template";
        case Fault::kBlockTooShort: return "block is shorter than its version needs";
        case Fault::kBlockPastEnd: return "block reaches past the end";
        case Fault::kGroupHeaderPastEnd: return "group header reaches past the end";
        case Fault::kGroupBlockTooShort: return "group elements are shorter than their version needs";
        case Fault::kGroupPastEnd: return "group elements reach past the end";
        case Fault::kGroupWithoutBytes: return "group counts elements that occupy no bytes";
        case Fault::kDataLengthPastEnd: return "length of data reaches past the end";
        case Fault::kDataPastEnd: return "data reaches past the end";
        case Fault::kBufferTooSmall: return "buffer is too small";
        case Fault::kOutOfOrder: return "written after what follows it in the message";
        case Fault::kTooManyElements: return "group holds more elements than its header can count";
        case Fault::kDataTooLong: return "data is longer than its length field can say";
        case Fault::kTextTooLong: return "text is longer than its field";
    }
    return "?";
}

/// The first fault met: what, in which member, where, and by how much.
struct Error {
    Fault fault = Fault::kNone;
    /// The member that is at fault: a field, group or data; the message itself for its header and block.
    std::string_view member{};
    /// The innermost group that holds it, empty at the top, and which of its elements, from 0.
    std::string_view group{};
    std::uint64_t element = 0;
    /// Bytes from the start of the span to what is at fault.
    std::uint64_t offset = 0;
    /// What was there and what had to be: bytes, ids or counts, as the fault says.
    std::uint64_t have = 0;
    std::uint64_t need = 0;

    explicit operator bool() const { return fault != Fault::kNone; }
};

/// A T, or the Error why there is none. T is a view: cheap to copy, nothing to destroy.
/// errors: reading the value of a failed one stops the process.
template <class T>
class [[nodiscard]] Result {
    static_assert(std::is_trivially_copyable_v<T>);

  public:
    constexpr Result(const T& value) : value_(value), has_value_(true) {}
    constexpr Result(const Error& error) : error_(error), has_value_(false) {}

    [[nodiscard]] constexpr bool has_value() const { return has_value_; }
    constexpr explicit operator bool() const { return has_value_; }
    [[nodiscard]] constexpr const T& operator*() const {
        check(has_value_);
        return value_;
    }
    constexpr const T* operator->() const { return &**this; }
    [[nodiscard]] constexpr const T& value() const { return **this; }
    [[nodiscard]] constexpr const Error& error() const {
        check(!has_value_);
        return error_;
    }

  private:
    static constexpr void check(bool right_side) {
        if (!right_side) [[unlikely]] {
            std::abort();
        }
    }

    union {
        T value_;
        Error error_;
    };
    bool has_value_;
};

}  // namespace fulmar::sbe

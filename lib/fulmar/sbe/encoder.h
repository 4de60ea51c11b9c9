/// Writing messages in place. An Encoder lays the header and an empty block down at once; fields are then
/// stores at compile-time offsets in any order, groups and data follow in the order of the description.
/// Whatever is left out is encoded as absent: null for optional fields, zero for others, no elements, no
/// bytes.
///
///     sbe::Encoder<NewOrder> order(buffer);
///     order.set<"clOrdId">(7).set<"side">(Side::kBuy);
///     order.composite<"price">().set<"mantissa">(1015);
///     auto legs = order.group<"legs">();
///     for (const Leg& leg : strategy) { legs.add().set<"instrument">(leg.instrument); }
///     order.data<"text">("iceberg");
///     const auto encoded = order.finish();          // the bytes, or which member did not fit
///
/// threads: one writer.
/// errors: the first fault is kept and `finish` returns it; from then on what is written goes to a scratch
/// block, never past the buffer, so the calls in between need no check. source: FIX Simple Binary
/// Encoding 1.0, sections 3 and 5.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

#include "fulmar/sbe/block_writer.h"

namespace fulmar::sbe {

/// A message of type M being written at the start of a buffer. See the head of this file.
template <class M>
class Encoder : public BlockWriter<Encoder<M>, M, detail::Progress<M>, 0> {
    using P = detail::Progress<M>;
    using S = typename M::Schema;

  public:
    using Message = M;

    explicit Encoder(std::span<std::byte> buffer) { begin(buffer, header_length<M>); }

    /// Writes block and parts only, for containers that keep the header's values elsewhere.
    [[nodiscard]] static Encoder without_header(std::span<std::byte> buffer) { return Encoder(buffer, 0); }

    Encoder(const Encoder&) = delete;
    Encoder& operator=(const Encoder&) = delete;

    /// Ends the message: parts not written are encoded empty. The encoded bytes, or the first fault.
    [[nodiscard]] Result<std::span<std::byte>> finish() {
        progress_.template close<M, 0>();
        if (progress_.error) {
            return progress_.error;
        }
        return std::span<std::byte>(progress_.base, progress_.at);
    }

    /// The first fault so far.
    [[nodiscard]] const Error& error() const { return progress_.error; }

  private:
    friend class BlockWriter<Encoder, M, P, 0>;

    Encoder(std::span<std::byte> buffer, std::uint32_t header) { begin(buffer, header); }

    void begin(std::span<std::byte> buffer, std::uint32_t header) {
        static_assert(detail::valid_message<M>());
        progress_.base = buffer.data();
        progress_.size = buffer.size();
        progress_.open[0] = 1;
        progress_.serial = 1;
        std::byte* start = progress_.take(header + block_length<M>, M::kName);
        if (start != nullptr && header != 0) [[likely]] {
            put_header(start);
        }
        // One empty block for both ways, so that the compiler can drop what the caller's sets replace.
        block_ = start != nullptr ? start + header : P::scratch();
        detail::put_empty_block<M, S::kBigEndian>(block_);
    }

    static void put_header(std::byte* at) {
        using H = typename S::Header;
        if constexpr (detail::has_other_bytes<H, "blockLength", "templateId", "schemaId", "version">) {
            std::memset(at, 0, block_length<H>);
        }
        put_header_member<"blockLength">(at, block_length<M>);
        put_header_member<"templateId">(at, M::kId);
        put_header_member<"schemaId">(at, S::kId);
        put_header_member<"version">(at, S::kVersion);
    }
    template <Name kName>
    static void put_header_member(std::byte* at, std::uint64_t value) {
        using H = typename S::Header;
        using T = typename detail::Encoding<typename detail::MemberNamed<H, kName>::Type>::Element;
        detail::store<T, S::kBigEndian>(at + offset_of<H, kName>, static_cast<T>(value));
    }

    std::byte* block() { return block_; }
    P& progress() { return progress_; }
    static bool current() { return true; }

    P progress_;
    std::byte* block_ = nullptr;
};

namespace detail {
/// Bytes of a body's groups and data when they are empty: their headers.
template <class Body>
inline constexpr std::size_t empty_parts_length = [] {
    std::size_t length = 0;
    [&]<class... Ts>(List<Ts...>) {
        const auto add = [&]<class T>(std::type_identity<T>) {
            if constexpr (T::kRole == Role::kGroup) {
                length += block_length<typename T::DimensionType>;
            } else if constexpr (T::kRole == Role::kData) {
                length += sizeof(typename T::Type::Length);
            }
        };
        (add(std::type_identity<Ts>{}), ...);
    }(typename Body::Members{});
    return length;
}();
}  // namespace detail

/// Length of a message of type M with empty groups and data, header included, bytes. What to claim is this,
/// and for each element its element_length, and the bytes of each data.
template <class M>
inline constexpr std::size_t encoded_length =
    header_length<M> + block_length<M> + detail::empty_parts_length<M>;
/// Length of an element of group `kName` of a message or group, its own groups and data empty, bytes.
template <class Body, Name kName>
inline constexpr std::size_t element_length = block_length<detail::MemberNamed<Body, kName>> +
                                              detail::empty_parts_length<detail::MemberNamed<Body, kName>>;

}  // namespace fulmar::sbe

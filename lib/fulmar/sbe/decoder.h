/// Reading messages where they lie. `Decoder<M>::decode` checks a message whole, once; after that every
/// access is a load at a compile-time offset, in any order, without further checks and without allocation.
///
///     const auto order = sbe::Decoder<NewOrder>::decode(bytes);
///     if (!order) { return reject(order.error()); }
///     book.add(order->get<"price">().get<"mantissa">(), order->get<"side">());
///     for (const auto leg : order->group<"legs">()) { use(leg.get<"instrument">()); }
///     log(order->data<"text">());
///
/// threads: views of bytes that must stay as they are while they are read.
/// errors: `decode` and `wrap` say which member and why, and never read past the span; `trusted` checks
/// nothing and is for bytes that this process has just written or checked. source: FIX Simple Binary
/// Encoding 1.0, sections 3 and 5.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "fulmar/sbe/block_view.h"

namespace fulmar::sbe {

/// The four numbers before every message.
struct Header {
    std::uint32_t block_length = 0;
    std::uint16_t template_id = 0;
    std::uint16_t schema_id = 0;
    std::uint16_t version = 0;
};
/// The header of a message of schema S, whichever message it is.
/// errors: kHeaderPastEnd; kWrongSchema where the id is another's.
template <class S>
[[nodiscard]] Result<Header> read_header(std::span<const std::byte> bytes) {
    using H = typename S::Header;
    if (bytes.size() < block_length<H>) {
        return Error{.fault = Fault::kHeaderPastEnd,
            .member = H::kName,
            .have = bytes.size(),
            .need = block_length<H>};
    }
    const CompositeView<H, S::kBigEndian> view(bytes.data());
    const Header header{.block_length = view.template get<"blockLength">(),
        .template_id = static_cast<std::uint16_t>(view.template get<"templateId">()),
        .schema_id = static_cast<std::uint16_t>(view.template get<"schemaId">()),
        .version = static_cast<std::uint16_t>(view.template get<"version">())};
    if (header.schema_id != S::kId) {
        return Error{
            .fault = Fault::kWrongSchema, .member = S::kPackage, .have = header.schema_id, .need = S::kId};
    }
    return header;
}

/// A message of type M. See the head of this file.
template <class M>
class Decoder : public BlockView<M, typename M::Schema> {
    using S = typename M::Schema;
    using View = BlockView<M, S>;

  public:
    using Message = M;

    Decoder() = default;

    /// Checks header, block and every part of a message that begins `bytes`; more may follow it there.
    [[nodiscard]] static Result<Decoder> decode(std::span<const std::byte> bytes) {
        static_assert(detail::valid_message<M>());
        detail::Acting acting = kOwn;
        if (!has_own_header(bytes)) [[unlikely]] {
            acting = admit(bytes);
            if (!acting.valid) {
                return explain(bytes);
            }
        }
        Decoder decoder(bytes.data() + header_length<M>, acting);
        if (decoder.check(bytes.size() - header_length<M>)) [[likely]] {
            return decoder;
        }
        return explain(bytes);
    }

    /// The same for a message without its header, whose block length and version are known from elsewhere.
    [[nodiscard]] static Result<Decoder> wrap(
        std::span<const std::byte> bytes, std::uint32_t acting_block_length, std::uint16_t acting_version) {
        static_assert(detail::valid_message<M>());
        if (fits({acting_block_length, acting_version}, bytes.size())) [[likely]] {
            Decoder decoder(bytes.data(), {acting_block_length, acting_version});
            if (decoder.check(bytes.size())) [[likely]] {
                return decoder;
            }
        }
        return explain_block(bytes, {acting_block_length, acting_version}, 0);
    }

    /// A message at `bytes` with its header, unchecked: for bytes this process wrote or has already checked.
    [[nodiscard]] static Decoder trusted(const std::byte* bytes) {
        const CompositeView<typename S::Header, S::kBigEndian> header(bytes);
        return trusted(bytes + header_length<M>, header.template get<"blockLength">(),
            static_cast<std::uint16_t>(header.template get<"version">()));
    }
    /// The same without its header.
    [[nodiscard]] static Decoder trusted(
        const std::byte* block, std::uint32_t acting_block_length, std::uint16_t acting_version) {
        static_assert(detail::valid_message<M>());
        Decoder decoder(block, {acting_block_length, acting_version});
        decoder.index_trusted();
        return decoder;
    }

    /// Header, block and parts together, bytes.
    [[nodiscard]] std::size_t encoded_length() const { return header_length<M> + this->length(); }

  private:
    using View::View;

    static constexpr detail::Acting kOwn{block_length<M>, S::kVersion};

    /// A message of our own version begins with eight known bytes: one comparison instead of four and a block
    /// length and version that are constants from there on.
    static bool has_own_header(std::span<const std::byte> bytes) {
        using H = typename S::Header;
        if constexpr (detail::LayoutOf<H>::kSize != 4 || block_length<H> != sizeof(std::uint64_t)) {
            return false;
        } else {
            constexpr std::uint64_t own =
                header_bits<"blockLength">(block_length<M>) | header_bits<"templateId">(M::kId) |
                header_bits<"schemaId">(S::kId) | header_bits<"version">(S::kVersion);
            return bytes.size() >= header_length<M> + block_length<M> &&
                   detail::load<std::uint64_t, false>(bytes.data()) == own;
        }
    }
    template <Name kName>
    static consteval std::uint64_t header_bits(std::uint64_t value) {
        using H = typename S::Header;
        using T = typename detail::Encoding<typename detail::MemberNamed<H, kName>::Type>::Element;
        return std::uint64_t{detail::to_wire<T, S::kBigEndian>(static_cast<T>(value))}
               << (8 * offset_of<H, kName>);
    }

    static bool fits(detail::Acting acting, std::size_t size) {
        return acting.block_length <= size &&
               (acting.block_length >= block_length<M> ||
                   acting.block_length >= detail::LayoutOf<M>::needed(acting.version));
    }

    /// What another version, or another sender's longer block, says of itself, if it can be read at all.
    [[gnu::noinline]] static detail::Acting admit(std::span<const std::byte> bytes) {
        const Result<Header> header = read_header<S>(bytes);
        if (!header || header->template_id != M::kId) {
            return {.valid = false};
        }
        detail::Acting acting{header->block_length, header->version};
        acting.valid = fits(acting, bytes.size() - header_length<M>);
        return acting;
    }

    bool check(std::size_t size) {
        detail::Walk<detail::Mode::kCheck> walk{
            .base = this->block_, .size = size < detail::kMaxLength ? size : detail::kMaxLength};
        return this->template index<detail::Mode::kCheck>(walk);
    }

    [[gnu::noinline, gnu::cold]] static Error explain(std::span<const std::byte> bytes) {
        const Result<Header> header = read_header<S>(bytes);
        if (!header) {
            return header.error();
        }
        if (header->template_id != M::kId) {
            return Error{.fault = Fault::kWrongTemplate,
                .member = M::kName,
                .have = header->template_id,
                .need = M::kId};
        }
        return explain_block(
            bytes.subspan(header_length<M>), {header->block_length, header->version}, header_length<M>);
    }
    [[gnu::noinline, gnu::cold]] static Error explain_block(
        std::span<const std::byte> bytes, detail::Acting acting, std::uint32_t before) {
        detail::Walk<detail::Mode::kExplain> walk{.base = bytes.data(), .size = bytes.size()};
        if (acting.block_length > bytes.size()) {
            walk.fail(Fault::kBlockPastEnd, M::kName, bytes.size(), acting.block_length);
        } else if (acting.block_length < detail::LayoutOf<M>::needed(acting.version)) {
            walk.fail(Fault::kBlockTooShort, M::kName, acting.block_length,
                detail::LayoutOf<M>::needed(acting.version));
        } else {
            Decoder decoder(bytes.data(), acting);
            decoder.template index<detail::Mode::kExplain>(walk);
        }
        walk.error.offset += before;
        return walk.error;
    }
};

}  // namespace fulmar::sbe

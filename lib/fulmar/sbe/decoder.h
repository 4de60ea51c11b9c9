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
#include <limits>
#include <span>
#include <string_view>
#include <utility>

#include "fulmar/sbe/error.h"
#include "fulmar/sbe/value.h"

namespace fulmar::sbe {

/// The four numbers before every message.
struct Header {
    std::uint32_t block_length = 0;
    std::uint16_t template_id = 0;
    std::uint16_t schema_id = 0;
    std::uint16_t version = 0;
};

namespace detail {

/// The block of a message or group element as its sender laid it out.
struct Acting {
    std::uint32_t block_length = 0;
    std::uint16_t version = 0;
    bool valid = true;
};

/// How a walk treats what it meets: trusts it, refuses it, or says what is wrong with it. Refusing is the
/// path that matters and records nothing; a refused message is walked again to say why.
enum class Mode : std::uint8_t { kTrust, kCheck, kExplain };

/// Bytes being walked. `at` and the offsets handed out count from `base`.
template <Mode kMode>
struct Walk {
    const std::byte* base = nullptr;
    std::uint64_t size = 0;
    std::uint64_t at = 0;

    [[nodiscard]] std::uint64_t left() const { return size - at; }
    static bool fail(Fault, std::string_view, std::uint64_t, std::uint64_t) { return false; }
    static bool inside(std::string_view, std::uint64_t) { return false; }
};
template <>
struct Walk<Mode::kExplain> {
    const std::byte* base = nullptr;
    std::uint64_t size = 0;
    std::uint64_t at = 0;
    Error error{};

    [[nodiscard]] std::uint64_t left() const { return size - at; }
    bool fail(Fault fault, std::string_view member, std::uint64_t have, std::uint64_t need) {
        error = Error{.fault = fault, .member = member, .offset = at, .have = have, .need = need};
        return false;
    }
    bool inside(std::string_view group, std::uint64_t element) {
        if (error.group.empty()) {
            error.group = group;
            error.element = element;
        }
        return false;
    }
};

/// Offsets within a message are 32 bits wide; what lies further is past the end.
inline constexpr std::size_t kMaxLength = std::numeric_limits<std::uint32_t>::max();

/// Steps over the variable parts of a block, checking them or not, and notes where each begins.
template <class Body, class S, Mode kMode, class Sequence = std::make_index_sequence<LayoutOf<Body>::kSize>>
struct PartWalker;

template <class Body, class S, Mode kMode>
struct BlockWalker {
    /// From the start of the block at walk.at to the end of its last part. `parts` (kParts of them) may be
    /// null.
    static bool run(Walk<kMode>& walk, Acting acting, std::uint32_t* parts) {
        walk.at += acting.block_length;
        if constexpr (LayoutOf<Body>::kParts > 0) {
            return PartWalker<Body, S, kMode>::run(walk, acting.version, parts);
        } else {
            return true;
        }
    }
};

template <class G, class S, Mode kMode>
bool walk_group(Walk<kMode>& walk, std::uint16_t version) {
    using D = typename G::DimensionType;
    constexpr std::uint32_t kHead = block_length<D>;
    if (kMode != Mode::kTrust && walk.left() < kHead) {
        return walk.fail(Fault::kGroupHeaderPastEnd, G::kName, walk.left(), kHead);
    }
    const CompositeView<D, S::kBigEndian> head(walk.base + walk.at);
    const std::uint64_t length = head.template get<"blockLength">();
    const std::uint64_t count = head.template get<"numInGroup">();
    if constexpr (kMode != Mode::kTrust) {
        if (count > 0 && length < block_length<G> && length < LayoutOf<G>::needed(version)) {
            return walk.fail(Fault::kGroupBlockTooShort, G::kName, length, LayoutOf<G>::needed(version));
        }
        if (count > 0 && length == 0 && LayoutOf<G>::kParts == 0) {
            return walk.fail(Fault::kGroupWithoutBytes, G::kName, count, 0);
        }
        if (length > 0 && count > (walk.left() - kHead) / length) {
            return walk.fail(Fault::kGroupPastEnd, G::kName, walk.left() - kHead, count * length);
        }
    }
    walk.at += kHead;
    if constexpr (LayoutOf<G>::kParts == 0) {
        walk.at += count * length;
    } else {
        const Acting acting{static_cast<std::uint32_t>(length), version};
        for (std::uint64_t element = 0; element < count; ++element) {
            if (kMode != Mode::kTrust && walk.left() < length) {
                walk.fail(Fault::kGroupPastEnd, G::kName, walk.left(), length);
                return walk.inside(G::kName, element);
            }
            const std::uint64_t before = walk.at;
            if (!BlockWalker<G, S, kMode>::run(walk, acting, nullptr)) {
                return walk.inside(G::kName, element);
            }
            if (kMode != Mode::kTrust && walk.at == before) {
                // Nothing but parts newer than the message: a count of them could be a long loop over
                // nothing.
                return walk.fail(Fault::kGroupWithoutBytes, G::kName, count, 0);
            }
        }
    }
    return true;
}

template <class D, class S, Mode kMode>
bool walk_data(Walk<kMode>& walk) {
    using Length = typename D::Type::Length;
    if (kMode != Mode::kTrust && walk.left() < sizeof(Length)) {
        return walk.fail(Fault::kDataLengthPastEnd, D::kName, walk.left(), sizeof(Length));
    }
    const std::uint64_t length = load<Length, S::kBigEndian>(walk.base + walk.at);
    if (kMode != Mode::kTrust && walk.left() - sizeof(Length) < length) {
        return walk.fail(Fault::kDataPastEnd, D::kName, walk.left() - sizeof(Length), length);
    }
    walk.at += sizeof(Length) + length;
    return true;
}

template <class Body, class S, Mode kMode, std::size_t... kIndex>
struct PartWalker<Body, S, kMode, std::index_sequence<kIndex...>> {
    template <std::size_t kAt>
    static bool step(Walk<kMode>& walk, std::uint16_t version, std::uint32_t* parts) {
        constexpr MemberInfo info = LayoutOf<Body>::kLaid.members[kAt];
        if constexpr (info.role == Role::kGroup || info.role == Role::kData) {
            using Part = TypeAt<typename Body::Members, kAt>;
            if (info.since > 0 && version < info.since) {
                return true;
            }
            if (parts != nullptr) {
                parts[info.part] = static_cast<std::uint32_t>(walk.at);
            }
            if constexpr (info.role == Role::kGroup) {
                return walk_group<Part, S, kMode>(walk, version);
            } else {
                return walk_data<Part, S, kMode>(walk);
            }
        } else {
            return true;
        }
    }

    static bool run(Walk<kMode>& walk, std::uint16_t version, std::uint32_t* parts) {
        return (step<kIndex>(walk, version, parts) && ...);
    }
};

/// Where the parts of a block begin, from the start of the block; the end stands after the last.
template <std::uint32_t kParts>
struct PartOffsets {
    std::uint32_t at[kParts + 1];
};

}  // namespace detail

template <class G, class S>
class GroupView;

/// A block with what follows it: the root of a message, or one element of a group.
/// `Body` is the described Message or Group, `S` its Schema.
template <class Body, class S>
class BlockView {
  public:
    BlockView() = default;

    /// A field's value: a number, char, enum, Choices, string_view (char arrays), ArrayView or CompositeView.
    /// Where the field may be absent (Optional, or Since a later version) a std::optional of that.
    template <Name kName>
    [[nodiscard]] auto get() const {
        using F = detail::FieldNamed<Body, kName>;
        return detail::read_field<F, S::kBigEndian>(block_, offset_of<Body, kName>, acting_.version);
    }

    /// A number's or enum's element as it lies in the message, null values as they are; the null value itself
    /// where the message is older than the field.
    template <Name kName>
    [[nodiscard]] auto get_raw() const {
        using F = detail::FieldNamed<Body, kName>;
        using Raw = typename detail::Encoding<typename F::Type>::Element;
        static_assert(!detail::is_constant<F> && std::is_arithmetic_v<Raw> &&
                      detail::Encoding<typename F::Type>::kCount == 1);
        if (F::kOptions.since > 0 && acting_.version < F::kOptions.since) {
            return detail::null_of<F>();
        }
        return detail::load<Raw, S::kBigEndian>(block_ + offset_of<Body, kName>);
    }

    /// Whether the message is new enough to carry this member.
    template <Name kName>
    [[nodiscard]] bool carries() const {
        constexpr std::uint16_t since = detail::MemberNamed<Body, kName>::kOptions.since;
        return since == 0 || acting_.version >= since;
    }

    /// The elements of a group; none where the message is older than the group.
    template <Name kName>
    [[nodiscard]] auto group() const {
        using G = detail::MemberNamed<Body, kName>;
        static_assert(G::kRole == Role::kGroup, "group is for groups");
        if (!carries<kName>()) {
            return GroupView<G, S>();
        }
        return GroupView<G, S>(block_ + parts_.at[detail::info_of<Body, kName>.part], acting_.version);
    }

    /// The bytes of a Data, as a string_view where its type names a character encoding; empty where the
    /// message is older.
    template <Name kName>
    [[nodiscard]] auto data() const {
        using D = detail::MemberNamed<Body, kName>;
        static_assert(D::kRole == Role::kData, "data is for variable-length data");
        using Length = typename D::Type::Length;
        using Bytes = std::conditional_t<D::Type::kText, std::string_view, std::span<const std::byte>>;
        using Pointer = std::conditional_t<D::Type::kText, const char*, const std::byte*>;
        if (!carries<kName>()) {
            return Bytes();
        }
        const std::byte* at = block_ + parts_.at[detail::info_of<Body, kName>.part];
        const std::size_t length = detail::load<Length, S::kBigEndian>(at);
        return Bytes(reinterpret_cast<Pointer>(at + sizeof(Length)), length);
    }

    [[nodiscard]] std::uint16_t acting_version() const { return acting_.version; }
    [[nodiscard]] std::uint32_t acting_block_length() const { return acting_.block_length; }
    /// The fixed block as its sender laid it out, fields of newer versions included.
    [[nodiscard]] std::span<const std::byte> block() const { return {block_, acting_.block_length}; }
    /// Block and parts together, bytes.
    [[nodiscard]] std::size_t length() const { return parts_.at[kParts]; }

  protected:
    template <class, class>
    friend class GroupView;

    static constexpr std::uint32_t kParts = detail::LayoutOf<Body>::kParts;

    BlockView(const std::byte* block, detail::Acting acting) : block_(block), acting_(acting) {}

    template <detail::Mode kMode>
    bool index(detail::Walk<kMode>& walk) {
        if (!detail::BlockWalker<Body, S, kMode>::run(walk, acting_, parts_.at)) {
            return false;
        }
        parts_.at[kParts] = static_cast<std::uint32_t>(walk.at);
        return true;
    }
    void index_trusted() {
        detail::Walk<detail::Mode::kTrust> walk{.base = block_};
        index<detail::Mode::kTrust>(walk);
    }

    const std::byte* block_ = nullptr;
    detail::Acting acting_;
    detail::PartOffsets<kParts> parts_{};
};

/// The elements of a group, in order: a forward range of BlockView.
template <class G, class S>
class GroupView {
  public:
    using Element = BlockView<G, S>;

    class Iterator {
      public:
        using value_type = Element;
        using difference_type = std::ptrdiff_t;

        Iterator() = default;
        const Element& operator*() const { return element_; }
        const Element* operator->() const { return &element_; }
        Iterator& operator++() {
            element_.block_ += element_.length();
            --left_;
            settle();
            return *this;
        }
        Iterator operator++(int) {
            Iterator before = *this;
            ++*this;
            return before;
        }
        bool operator==(const Iterator& other) const { return left_ == other.left_; }

      private:
        friend class GroupView;
        Iterator(Element element, std::size_t left) : element_(element), left_(left) { settle(); }

        /// Finds the parts of the element just reached.
        void settle() {
            if (left_ > 0) {
                element_.index_trusted();
            }
        }

        Element element_;
        std::size_t left_ = 0;
    };

    GroupView() = default;

    [[nodiscard]] std::size_t size() const { return count_; }
    [[nodiscard]] bool empty() const { return count_ == 0; }
    [[nodiscard]] Iterator begin() const { return Iterator(Element(first_, acting_), count_); }
    [[nodiscard]] Iterator end() const { return Iterator(); }

    /// The element at `index` < size(), not checked; only for groups whose elements hold neither groups nor
    /// data.
    [[nodiscard]] Element operator[](std::size_t index) const requires(detail::LayoutOf<G>::kParts == 0) {
        Element element(first_ + index * acting_.block_length, acting_);
        element.index_trusted();
        return element;
    }

  private:
    template <class, class>
    friend class BlockView;
    using Head = typename G::DimensionType;

    GroupView(const std::byte* at, std::uint16_t version) : first_(at + block_length<Head>) {
        const CompositeView<Head, S::kBigEndian> head(at);
        acting_ = {static_cast<std::uint32_t>(head.template get<"blockLength">()), version};
        count_ = static_cast<std::size_t>(head.template get<"numInGroup">());
    }

    const std::byte* first_ = nullptr;
    detail::Acting acting_;
    std::size_t count_ = 0;
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

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
#include <limits>
#include <optional>
#include <span>
#include <string_view>
#include <utility>

#include "fulmar/sbe/error.h"
#include "fulmar/sbe/value.h"

namespace fulmar::sbe {

namespace detail {

template <class Body, bool kBigEndian>
void put_nulls(std::byte* block);

template <class F, bool kBigEndian>
void put_null(std::byte* at) {
    if constexpr (F::kRole == Role::kField) {
        if constexpr (!detail::is_constant<F>) {
            if constexpr (shape_of<typename F::Type>() == Shape::kComposite) {
                put_nulls<typename F::Type, kBigEndian>(at);
            } else if constexpr (has_null<F, kBigEndian>) {
                using Element = typename Encoding<typename F::Type>::Element;
                store<Element, kBigEndian>(at, null_of<F>());
            }
        }
    }
}
template <class Body, bool kBigEndian>
void put_nulls(std::byte* block) {
    [&]<std::size_t... kIndex>(std::index_sequence<kIndex...>) {
        (put_null<TypeAt<typename Body::Members, kIndex>, kBigEndian>(
             block + LayoutOf<Body>::kLaid.members[kIndex].offset),
            ...);
    }
    (std::make_index_sequence<LayoutOf<Body>::kSize>{});
}

/// The block with nothing in it: optional fields null, all else zero. What the caller sets right after
/// replaces this in the compiled code, as far as the compiler sees it.
template <class Body, bool kBigEndian>
void put_empty_block(std::byte* block) {
    std::memset(block, 0, block_length<Body>);
    put_nulls<Body, kBigEndian>(block);
}

/// How deep groups nest below a body, and the longest block among them.
template <class Body>
consteval std::size_t depth_of();
template <class Body>
consteval std::size_t longest_block_of();

template <class T>
consteval std::size_t group_depth() {
    if constexpr (T::kRole == Role::kGroup) {
        return 1 + depth_of<T>();
    } else {
        return 0;
    }
}
template <class T>
consteval std::size_t group_block() {
    if constexpr (T::kRole == Role::kGroup) {
        return longest_block_of<T>();
    } else {
        return 0;
    }
}
consteval std::size_t greater(std::size_t a, std::size_t b) {
    return a > b ? a : b;
}
template <class... Ts>
consteval std::size_t depth_of_list(List<Ts...>) {
    std::size_t depth = 0;
    ((depth = greater(depth, group_depth<Ts>())), ...);
    return depth;
}
template <class... Ts>
consteval std::size_t block_of_list(List<Ts...>) {
    std::size_t block = 0;
    ((block = greater(block, group_block<Ts>())), ...);
    return block;
}
template <class Body>
consteval std::size_t depth_of() {
    return depth_of_list(typename Body::Members{});
}
template <class Body>
consteval std::size_t longest_block_of() {
    return greater(block_length<Body>, block_of_list(typename Body::Members{}));
}

/// What the writers of one message share: where the next part begins, and which part each open level is at.
/// Level 0 is the message, level d + 1 the element last added to the open group of level d.
template <class M>
struct Progress {
    using Schema = typename M::Schema;
    static constexpr std::size_t kLevels = depth_of<M>() + 1;

    std::byte* base = nullptr;
    std::size_t size = 0;
    std::size_t at = 0;
    Error error{};
    /// The next part to be written of the element open at each level.
    std::uint32_t next[kLevels] = {};
    /// Which element is open at each level, 0 for none: a writer of another one is stale.
    std::uint32_t open[kLevels] = {};
    std::uint32_t serial = 0;

    /// Where fields of blocks that did not fit are set. Nobody reads it.
    static std::byte* scratch() {
        static thread_local std::byte bytes[longest_block_of<M>() + 1];
        return bytes;
    }

    // Always inline, and the scratch outside: an Encoder whose address goes nowhere lives in registers.
    [[gnu::always_inline]] void fail(
        Fault fault, std::string_view member, std::uint64_t have, std::uint64_t need) {
        if (!error) {
            error = Error{.fault = fault, .member = member, .offset = at, .have = have, .need = need};
        }
    }

    /// Takes `bytes` for a part; null when they are not there.
    std::byte* take(std::size_t bytes, std::string_view member) {
        if (size - at < bytes) [[unlikely]] {
            fail(Fault::kBufferTooSmall, member, size - at, bytes);
            return nullptr;
        }
        std::byte* taken = base + at;
        at += bytes;
        return taken;
    }

    template <class G>
    std::byte* begin_group() {
        using Head = typename G::DimensionType;
        std::byte* head = take(block_length<Head>, G::kName);
        if (head != nullptr) {
            if constexpr (has_other_bytes<Head, "blockLength", "numInGroup">) {
                std::memset(head, 0, block_length<Head>);
            }
            using Length = typename Encoding<typename MemberNamed<Head, "blockLength">::Type>::Element;
            static_assert(block_length<G> <= std::numeric_limits<Length>::max(),
                "the group's block length fits its header");
            store<Length, Schema::kBigEndian>(
                head + offset_of<Head, "blockLength">, static_cast<Length>(block_length<G>));
            set_count<G>(head, 0);
        }
        return head;
    }

    template <class G>
    static void set_count(std::byte* head, std::uint64_t count) {
        using Head = typename G::DimensionType;
        using Count = typename Encoding<typename MemberNamed<Head, "numInGroup">::Type>::Element;
        store<Count, Schema::kBigEndian>(head + offset_of<Head, "numInGroup">, static_cast<Count>(count));
    }

    template <class D>
    void put_data(const void* bytes, std::size_t length) {
        using Length = typename D::Type::Length;
        constexpr std::uint64_t most = D::Type::kMax.given() ? D::Type::kMax.template as<std::uint64_t>()
                                                             : std::numeric_limits<Length>::max();
        if (length > most) {
            fail(Fault::kDataTooLong, D::kName, length, most);
            return;
        }
        std::byte* to = take(sizeof(Length) + length, D::kName);
        if (to != nullptr) {
            store<Length, Schema::kBigEndian>(to, static_cast<Length>(length));
            if (length != 0) {
                std::memcpy(to + sizeof(Length), bytes, length);
            }
        }
    }

    /// Ends the open element of `kLevel`: its open group, and the parts that nobody wrote as empty ones.
    template <class Body, std::size_t kLevel>
    void close() {
        if constexpr (LayoutOf<Body>::kParts > 0) {
            [&]<std::size_t... kIndex>(std::index_sequence<kIndex...>) {
                (close_part<Body, kLevel, kIndex>(LayoutOf<Body>::kParts), ...);
            }
            (std::make_index_sequence<LayoutOf<Body>::kSize>{});
            next[kLevel] = LayoutOf<Body>::kParts;
        }
    }
    /// Brings `kLevel` to its part `part`, ending what is open before it. False where that part is already
    /// behind.
    template <class Body, std::size_t kLevel>
    bool reach(std::uint32_t part, std::string_view member) {
        if (next[kLevel] > part) {
            fail(Fault::kOutOfOrder, member, next[kLevel], part);
            return false;
        }
        [&]<std::size_t... kIndex>(std::index_sequence<kIndex...>) {
            (close_part<Body, kLevel, kIndex>(part), ...);
        }
        (std::make_index_sequence<LayoutOf<Body>::kSize>{});
        next[kLevel] = part + 1;
        return !error;
    }

  private:
    template <class Body, std::size_t kLevel, std::size_t kIndex>
    void close_part(std::uint32_t before) {
        constexpr MemberInfo info = LayoutOf<Body>::kLaid.members[kIndex];
        if constexpr (info.role == Role::kGroup || info.role == Role::kData) {
            using Part = TypeAt<typename Body::Members, kIndex>;
            if (info.part >= before) {
                return;
            }
            if constexpr (info.role == Role::kGroup) {
                if (next[kLevel] == info.part + 1 && open[kLevel + 1] != 0) {
                    close<Part, kLevel + 1>();
                    open[kLevel + 1] = 0;
                }
            }
            if (next[kLevel] <= info.part) {
                if constexpr (info.role == Role::kGroup) {
                    begin_group<Part>();
                } else {
                    put_data<Part>(nullptr, 0);
                }
            }
        }
    }
};

template <class F, bool kBigEndian>
using ArgumentOf = std::conditional_t<has_null<F, kBigEndian>,
    std::optional<typename Reader<typename F::Type, kBigEndian>::Value>,
    typename Reader<typename F::Type, kBigEndian>::Value>;

/// Stores a field's value. False where a text is longer than its field.
template <class F, bool kBigEndian, class V>
[[nodiscard]] bool write_field(std::byte* at, const V& value) {
    using T = typename F::Type;
    using Element = typename Encoding<T>::Element;
    constexpr Shape shape = shape_of<T>();
    if constexpr (has_null<F, kBigEndian>) {
        if (!value.has_value()) {
            if constexpr (shape == Shape::kText) {
                std::memset(at, 0, Encoding<T>::kBytes);
            }
            store<Element, kBigEndian>(at, null_of<F>());
            return true;
        }
    }
    const auto& present = [&]() -> const auto& {
        if constexpr (has_null<F, kBigEndian>) {
            return *value;
        } else {
            return value;
        }
    }
    ();
    if constexpr (shape == Shape::kText) {
        if (present.size() > Encoding<T>::kCount) {
            return false;
        }
        std::memset(at, 0, Encoding<T>::kBytes);
        std::memcpy(at, present.data(), present.size());
    } else if constexpr (shape == Shape::kSet) {
        store<Element, kBigEndian>(at, present.bits());
    } else {
        static_assert(shape == Shape::kNumber || shape == Shape::kEnum);
        store<Element, kBigEndian>(at, static_cast<Element>(present));
    }
    return true;
}

}  // namespace detail

/// A composite being written inside a block.
template <class C, class P>
class CompositeWriter {
    static constexpr bool kBigEndian = P::Schema::kBigEndian;

  public:
    CompositeWriter(std::byte* at, P& progress) : at_(at), progress_(&progress) {}

    template <Name kName>
    const CompositeWriter& set(
        const detail::ArgumentOf<detail::MemberNamed<C, kName>, kBigEndian>& value) const {
        using F = detail::MemberNamed<C, kName>;
        static_assert(!detail::is_constant<F>, "a constant is part of the schema and is not written");
        if (!detail::write_field<F, kBigEndian>(at_ + offset_of<C, kName>, value)) {
            progress_->fail(Fault::kTextTooLong, F::kName, 0, detail::Encoding<typename F::Type>::kCount);
        }
        return *this;
    }
    template <Name kName>
    [[nodiscard]] auto composite() const {
        using F = detail::MemberNamed<C, kName>;
        return CompositeWriter<typename F::Type, P>(at_ + offset_of<C, kName>, *progress_);
    }

  private:
    std::byte* at_;
    P* progress_;
};

template <class G, class P, std::size_t kLevel>
class GroupWriter;

/// What a message and a group element have in common. `Self` says where the block and the progress are.
template <class Self, class Body, class P, std::size_t kLevel>
class BlockWriter {
    using S = typename P::Schema;

  public:
    /// Sets a field: a number, char, enum, Choices or, for char arrays, a text no longer than the array (the
    /// rest is filled with NUL). An optional field takes std::nullopt too.
    template <Name kName>
    Self& set(const detail::ArgumentOf<detail::FieldNamed<Body, kName>, S::kBigEndian>& value) {
        using F = detail::FieldNamed<Body, kName>;
        static_assert(!detail::is_constant<F>, "a constant is part of the schema and is not written");
        if (!detail::write_field<F, S::kBigEndian>(self().block() + offset_of<Body, kName>, value)) {
            self().progress().fail(
                Fault::kTextTooLong, F::kName, 0, detail::Encoding<typename F::Type>::kCount);
        }
        return self();
    }

    /// Sets all elements of a fixed array of numbers.
    template <Name kName, class T, std::size_t kCount>
    Self& set_array(std::span<const T, kCount> values) {
        using F = detail::FieldNamed<Body, kName>;
        using E = detail::Encoding<typename F::Type>;
        static_assert(std::is_same_v<std::remove_const_t<T>, typename E::Element> && kCount == E::kCount,
            "the values are as many and of the type that the field holds");
        std::byte* at = self().block() + offset_of<Body, kName>;
        for (const T value : values) {
            detail::store<typename E::Element, S::kBigEndian>(at, value);
            at += sizeof(T);
        }
        return self();
    }

    /// A composite's members are set through this.
    template <Name kName>
    [[nodiscard]] auto composite() {
        using F = detail::FieldNamed<Body, kName>;
        return CompositeWriter<typename F::Type, P>(
            self().block() + offset_of<Body, kName>, self().progress());
    }

    /// Begins a group; its elements are added one by one. Parts between the last written one and this are
    /// encoded empty.
    template <Name kName>
    [[nodiscard]] auto group() {
        using G = detail::MemberNamed<Body, kName>;
        static_assert(G::kRole == Role::kGroup, "group is for groups");
        P& progress = self().progress();
        std::byte* head = nullptr;
        if (self().current() &&
            progress.template reach<Body, kLevel>(detail::info_of<Body, kName>.part, G::kName)) {
            head = progress.template begin_group<G>();
        }
        return GroupWriter<G, P, kLevel>(progress, head, progress.open[kLevel]);
    }

    /// Writes variable-length data; a text or bytes, by the data's type.
    template <Name kName>
    Self& data(std::string_view text) {
        return put_data<kName>(text.data(), text.size());
    }
    template <Name kName>
    Self& data(std::span<const std::byte> bytes) {
        return put_data<kName>(bytes.data(), bytes.size());
    }

  private:
    template <Name kName>
    Self& put_data(const void* bytes, std::size_t length) {
        using D = detail::MemberNamed<Body, kName>;
        static_assert(D::kRole == Role::kData, "data is for variable-length data");
        P& progress = self().progress();
        if (self().current() &&
            progress.template reach<Body, kLevel>(detail::info_of<Body, kName>.part, D::kName)) {
            progress.template put_data<D>(bytes, length);
        }
        return self();
    }

    Self& self() { return static_cast<Self&>(*this); }
};

/// One element of a group being written. Its fields may be set until the message is finished; its groups and
/// data only until the next element or part is begun.
template <class G, class P, std::size_t kLevel>
class ElementWriter : public BlockWriter<ElementWriter<G, P, kLevel>, G, P, kLevel> {
  public:
    ElementWriter(P& progress, std::byte* block, std::uint32_t serial)
        : progress_(&progress), block_(block), serial_(serial) {}

  private:
    friend class BlockWriter<ElementWriter, G, P, kLevel>;

    std::byte* block() const { return block_; }
    P& progress() const { return *progress_; }
    bool current() const {
        if (progress_->open[kLevel] != serial_) {
            progress_->fail(Fault::kOutOfOrder, G::kName, progress_->open[kLevel], serial_);
            return false;
        }
        return true;
    }

    P* progress_;
    std::byte* block_;
    std::uint32_t serial_;
};

/// A group being written: its elements, one after the other.
template <class G, class P, std::size_t kLevel>
class GroupWriter {
  public:
    using Element = ElementWriter<G, P, kLevel + 1>;

    GroupWriter(P& progress, std::byte* head, std::uint32_t owner)
        : progress_(&progress), head_(head), part_(progress.next[kLevel]), owner_(owner) {}

    /// Adds an element, empty so far, and counts it. The element before it is complete with that.
    Element add() {
        P& p = *progress_;
        if (head_ == nullptr || p.error) {
            return Element(p, P::scratch(), 0);
        }
        if (p.next[kLevel] != part_ || p.open[kLevel] != owner_) {
            p.fail(Fault::kOutOfOrder, G::kName, p.next[kLevel], part_);
            return Element(p, P::scratch(), 0);
        }
        constexpr std::uint64_t most = detail::member_max<typename G::DimensionType, "numInGroup">;
        if (count_ >= most) {
            p.fail(Fault::kTooManyElements, G::kName, count_ + 1, most);
            return Element(p, P::scratch(), 0);
        }
        if constexpr (detail::LayoutOf<G>::kParts > 0) {
            if (p.open[kLevel + 1] != 0) {
                p.template close<G, kLevel + 1>();
            }
            p.next[kLevel + 1] = 0;
            p.open[kLevel + 1] = ++p.serial;
        }
        std::byte* block = p.take(block_length<G>, G::kName);
        if (block != nullptr) [[likely]] {
            P::template set_count<G>(head_, ++count_);
        } else {
            block = P::scratch();
        }
        detail::put_empty_block<G, P::Schema::kBigEndian>(block);
        return Element(p, block, p.open[kLevel + 1]);
    }

    [[nodiscard]] std::uint64_t size() const { return count_; }

  private:
    P* progress_;
    std::byte* head_;
    std::uint64_t count_ = 0;
    std::uint32_t part_;
    std::uint32_t owner_;
};

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

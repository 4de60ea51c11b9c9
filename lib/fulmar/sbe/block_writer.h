/// What writes the blocks, groups and data of a message that an Encoder has begun.
/// threads: one writer.  errors: kept in the Encoder, see fulmar/sbe/encoder.h.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <optional>
#include <span>
#include <string_view>
#include <utility>

#include "fulmar/sbe/progress.h"

namespace fulmar::sbe {

namespace detail {

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

}  // namespace fulmar::sbe

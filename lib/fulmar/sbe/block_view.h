/// Views of checked bytes: the root of a message, its groups and their elements.
/// threads: views of bytes that must stay as they are while they are read.
/// errors: none; whoever makes a view has checked the bytes (see fulmar/sbe/decoder.h).
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <string_view>
#include <utility>

#include "fulmar/sbe/part_walker.h"

namespace fulmar::sbe {

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

}  // namespace fulmar::sbe

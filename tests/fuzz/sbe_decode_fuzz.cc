/// sbe::Decoder over any bytes. It refuses with a member's name and a place inside the bytes, or every member
/// can be read inside the bytes; the walker, given the schema that the same descriptions export, judges and
/// measures alike; and what was read, encoded again, is read the same.
#include <algorithm>
#include <memory>

#include "apps/examples/order_entry/messages.h"
#include "fulmar/sbe/describe.h"
#include "fulmar/sbe/walk.h"
#include "fuzz.h"
#include "tests/unit/sbe/constructs.h"

namespace {

namespace sbe = fulmar::sbe;
using sbe::detail::List;

struct Silent final : sbe::Visitor {
    void on_message_begin(const sbe::BlockLayout&, const sbe::HeaderValues&) override {}
    void on_message_end() override {}
    void on_value(const sbe::FieldValue&) override {}
    void on_composite_begin(const sbe::Element&) override {}
    void on_composite_end() override {}
    void on_group_begin(const sbe::GroupLayout&, std::uint64_t) override {}
    void on_entry_begin() override {}
    void on_entry_end() override {}
    void on_group_end() override {}
    void on_data(const sbe::DataLayout&, std::span<const std::byte>) override {}
    void on_absent_data(const sbe::DataLayout&) override {}
};

/// Reads every member there is; sums up what it read, so that two readings can be compared.
class Reader {
  public:
    std::uint64_t sum = 0;

    template <class Body, class S>
    void read(const sbe::BlockView<Body, S>& view) {
        members<Body>(view, typename Body::Members{});
    }

  private:
    template <class Body, class View, class... Ts>
    void members(const View& view, List<Ts...>) {
        [&]<std::size_t... kIndex>(std::index_sequence<kIndex...>) {
            (member<Body, kIndex>(view), ...);
        }
        (std::index_sequence_for<Ts...>{});
    }

    template <class Body, std::size_t kIndex, class View>
    void member(const View& view) {
        using T = sbe::detail::TypeAt<typename Body::Members, kIndex>;
        if constexpr (T::kRole == sbe::Role::kField) {
            value(view.template get<name<T>()>());
        } else if constexpr (T::kRole == sbe::Role::kGroup) {
            std::size_t count = 0;
            for (const auto& element : view.template group<name<T>()>()) {
                read(element);
                ++count;
            }
            FUZZ_CHECK(count == view.template group<name<T>()>().size());
            add(count);
        } else if constexpr (T::kRole == sbe::Role::kData) {
            const auto data = view.template data<name<T>()>();
            fulmar::fuzz::touch(data);
            add(data.size());
        }
    }

    /// The name of a member as the template argument that the accessors take.
    template <class T>
    static consteval auto name() {
        constexpr std::size_t kSize = T::kName.size() + 1;
        char text[kSize]{};
        std::copy(T::kName.begin(), T::kName.end(), text);
        return sbe::Name<kSize>(text);
    }

    void add(std::uint64_t value) { sum = sum * 31 + value; }

    template <class V>
    void value(const V& v) {
        if constexpr (requires { v.has_value(); }) {
            add(v.has_value() ? 1 : 0);
            if (v) {
                value(*v);
            }
        } else if constexpr (std::is_floating_point_v<V>) {
            add(v != v ? 7 : static_cast<std::uint64_t>(v < 0));
        } else if constexpr (std::is_arithmetic_v<V> || std::is_enum_v<V>) {
            add(static_cast<std::uint64_t>(v));
        } else if constexpr (requires { v.bits(); }) {
            add(v.bits());
        } else if constexpr (requires { v.bytes(); }) {
            fulmar::fuzz::touch(v.bytes());
        } else {
            fulmar::fuzz::touch(v);
            add(v.size());
        }
    }
};

template <class M>
void check(std::span<const std::byte> bytes) {
    static const auto schema = sbe::ResolvedSchema::resolve(sbe::describe<M>());
    FUZZ_CHECK(schema.has_value());
    Silent silent;
    const auto walked = sbe::walk(*schema, bytes, silent);
    const auto decoded = sbe::Decoder<M>::decode(bytes);
    if (!decoded) {
        const sbe::Error& error = decoded.error();
        FUZZ_CHECK(error.fault != sbe::Fault::kNone);
        FUZZ_CHECK(!error.member.empty());
        FUZZ_CHECK(error.offset <= bytes.size());
        // The walker lets a bounded number of elements without bytes pass.
        FUZZ_CHECK(!walked || error.fault == sbe::Fault::kGroupWithoutBytes);
        return;
    }
    FUZZ_CHECK(walked.has_value());
    FUZZ_CHECK(*walked == decoded->encoded_length());
    FUZZ_CHECK(decoded->encoded_length() <= bytes.size());
    Reader reader;
    reader.read(*decoded);
    Reader trusted;
    trusted.read(sbe::Decoder<M>::trusted(bytes.data()));
    FUZZ_CHECK(reader.sum == trusted.sum);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace fulmar::sbe::test;
    if (size == 0) {
        return 0;
    }
    const auto exact = std::make_unique<std::byte[]>(size - 1);
    std::copy_n(reinterpret_cast<const std::byte*>(data) + 1, size - 1, exact.get());
    const std::span<const std::byte> bytes(exact.get(), size - 1);
    switch (data[0] % 8) {
        case 0: check<Groups<Little>>(bytes); break;
        case 1: check<Groups<Big>>(bytes); break;
        case 2: check<Grown<Little>>(bytes); break;
        case 3: check<Grown<Big>>(bytes); break;
        case 4: check<Shapes<Little>>(bytes); break;
        case 5: check<Options<Big>>(bytes); break;
        case 6: check<order_entry::NewOrder>(bytes); break;
        default: check<order_entry::ExecutionReport>(bytes); break;
    }
    return 0;
}

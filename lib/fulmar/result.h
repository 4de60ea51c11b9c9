/// Result<T>: a value or the reason there is none, with std::expected's names so that an alias can
/// replace it once the compilers we support have it.
/// threads: values, no sharing.  errors: reading the wrong side is a bug and stops the process.
#pragma once

#include <cstdio>
#include <cstdlib>
#include <type_traits>
#include <utility>
#include <variant>

#include "fulmar/error.h"

namespace fulmar {

/// The error side of a Result, so that a T convertible to E cannot be mistaken for one.
template <class E>
struct Unexpected {
    E error;
};
template <class E>
Unexpected(E) -> Unexpected<E>;

namespace detail {
[[noreturn]] inline void bad_result_access() {
    std::fputs("fulmar: Result read on its wrong side\n", stderr);
    std::abort();
}
}  // namespace detail

template <class T, class E = Error>
class [[nodiscard]] Result {
  public:
    using value_type = T;
    using error_type = E;

    Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}
    template <class G>
    Result(Unexpected<G> unexpected) : state_(std::in_place_index<1>, std::move(unexpected.error)) {}

    [[nodiscard]] bool has_value() const { return state_.index() == 0; }
    explicit operator bool() const { return has_value(); }

    [[nodiscard]] T& value() & { return checked(); }
    [[nodiscard]] const T& value() const& { return const_cast<Result*>(this)->checked(); }
    [[nodiscard]] T&& value() && { return std::move(checked()); }
    T& operator*() & { return checked(); }
    const T& operator*() const& { return const_cast<Result*>(this)->checked(); }
    T&& operator*() && { return std::move(checked()); }
    T* operator->() { return &checked(); }
    const T* operator->() const { return &const_cast<Result*>(this)->checked(); }

    [[nodiscard]] const E& error() const& {
        if (has_value()) {
            detail::bad_result_access();
        }
        return *std::get_if<1>(&state_);
    }
    [[nodiscard]] E&& error() && {
        if (has_value()) {
            detail::bad_result_access();
        }
        return std::move(*std::get_if<1>(&state_));
    }

  private:
    T& checked() {
        if (!has_value()) {
            detail::bad_result_access();
        }
        return *std::get_if<0>(&state_);
    }

    std::variant<T, E> state_;
};

/// A Result without a value: success or the reason there is none.
struct Done {};
using Status = Result<Done>;

/// Builds the error side in one line: `return fail(ErrorCode::kInvalidChannel, "mtu=9 ...");`
[[nodiscard]] inline Unexpected<Error> fail(ErrorCode code, std::string message) {
    return {Error{code, std::move(message)}};
}

}  // namespace fulmar

/// Evaluates a Result; on error returns it to our caller, else declares `name` holding the value.
#define FULMAR_TRY(name, expression)                                   \
    auto name##_result = (expression);                                 \
    if (!name##_result) {                                              \
        return ::fulmar::Unexpected{std::move(name##_result).error()}; \
    }                                                                  \
    auto name = std::move(name##_result).value()

/// The same for a Status, where only failure matters.
#define FULMAR_TRY_VOID(expression)                                        \
    do {                                                                   \
        auto fulmar_status = (expression);                                 \
        if (!fulmar_status) {                                              \
            return ::fulmar::Unexpected{std::move(fulmar_status).error()}; \
        }                                                                  \
    } while (false)

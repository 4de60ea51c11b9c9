/// One call for whichever message of a protocol the bytes hold.
///
///     const sbe::Error error = sbe::dispatch<order_entry::Messages>(bytes, Overloaded{
///         [&](const sbe::Decoder<NewOrder>& order) { … },
///         [&](const sbe::Decoder<CancelOrder>& cancel) { … },
///         [&](const auto& other) { … }});
///
/// threads: runs on the caller's thread.
#pragma once

#include <span>

#include "fulmar/sbe/decoder.h"

namespace fulmar::sbe {

namespace detail {

template <class L>
struct Dispatcher;
template <class First, class... Rest>
struct Dispatcher<Messages<First, Rest...>> {
    using S = typename First::Schema;
    static_assert((std::is_same_v<S, typename Rest::Schema> && ...), "messages of one schema");

    template <class M, class Handler>
    static bool offer(
        std::uint16_t template_id, std::span<const std::byte> bytes, Handler& handler, Error& error) {
        if (template_id != M::kId) {
            return false;
        }
        const Result<Decoder<M>> decoded = Decoder<M>::decode(bytes);
        if (decoded) {
            handler(*decoded);
        } else {
            error = decoded.error();
        }
        return true;
    }

    template <class Handler>
    static Error run(std::span<const std::byte> bytes, Handler& handler) {
        const Result<Header> header = read_header<S>(bytes);
        if (!header) {
            return header.error();
        }
        Error error;
        if (!offer<First>(header->template_id, bytes, handler, error) &&
            !(offer<Rest>(header->template_id, bytes, handler, error) || ...)) {
            error.fault = Fault::kWrongTemplate;
            error.member = S::kPackage;
            error.have = header->template_id;
        }
        return error;
    }
};

}  // namespace detail

/// Checks the message that begins `bytes` and calls `handler` with its Decoder. `L` is a Messages<…> list.
/// errors: those of Decoder::decode, the handler not called then; kWrongTemplate where no message of the list
/// has that id.
template <class L, class Handler>
Error dispatch(std::span<const std::byte> bytes, Handler&& handler) {
    return detail::Dispatcher<L>::run(bytes, handler);
}

}  // namespace fulmar::sbe

#pragma once
// The handlers of the methods, by name.

#include <boost/asio/awaitable.hpp>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <variant>

#include "ipc/message.hpp"
#include "ipc/session.hpp"

namespace hob::ipc {

class dispatcher {
public:
    // Both return the raw result, valid JSON on one line, or throw failure; any other exception is an
    // internal error. failure(usage) is JSON-RPC's "invalid params".

    // Answers at once, in the turn of the event loop that has read the request. Must not block.
    using immediate = std::function<std::string(session&, const request&)>;

    // A coroutine. Cancelled (cancellation_type::terminal) when its client hangs up, unless the message was a
    // notification, for whose result nobody waits.
    using suspended = std::function<boost::asio::awaitable<std::string>(std::shared_ptr<session>, request)>;

    // Each method once, before the server listens.
    void add(std::string method, immediate handler);
    void add(std::string method, suspended handler);

    using entry = std::variant<immediate, suspended>;
    const entry* find(std::string_view method) const;

private:
    struct hash {
        using is_transparent = void;
        std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>()(text); }
    };
    std::unordered_map<std::string, entry, hash, std::equal_to<>> entries_;
};

}  // namespace hob::ipc

#pragma once
// Which method is handled by whom.

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

    // Answers at once, within the turn of the event loop that read the request: must not block.
    using immediate = std::function<std::string(session&, const request&)>;

    // Takes its time. Cancelled (cancellation_type::terminal) when its client hangs up, unless it was a
    // notification, which nobody was waiting for.
    using suspended = std::function<boost::asio::awaitable<std::string>(std::shared_ptr<session>, request)>;

    // Each method once; to be done before the server listens.
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

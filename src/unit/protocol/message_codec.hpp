#pragma once
// A codec turns calls into messages of a protocol, and messages into answers, requests and notifications.
// Without I/O.

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "error.hpp"

namespace hob::unit {

// A message from a worker.
struct worker_message {
    enum class kind {
        result,        // id, payload
        error,         // id, payload (the error object, raw), text (for people)
        notification,  // method, payload (params, raw, may be empty)
        request,       // from the worker to us: method, id_raw, payload (params, raw, may be empty)
        noise,         // not a message of this protocol: text says why
    };
    kind type = kind::noise;
    // In the form that we write ids. nullopt: the answer to the request sent last, or an id that is not ours.
    std::optional<std::uint64_t> id;
    std::string id_raw;
    std::string method;
    std::string payload;
    std::string text;
};

// Called once with the outcome of a request: the failure, or the raw result.
using result_handler = std::function<void(const std::optional<failure>& failed, std::string result)>;

class message_codec {
public:
    virtual ~message_codec() = default;

    // One request as a message. Throws failure(usage), `cannot call '<unit>': …`, for what the protocol
    // cannot express.
    virtual std::string request(std::uint64_t id, std::string_view unit, std::string_view method,
                                std::string_view params_raw) const = 0;
    // `fresh`, here and below: an id that nothing else has. Throws as request() does.
    virtual std::string notification(std::uint64_t fresh, std::string_view unit, std::string_view method,
                                     std::string_view params_raw) const = 0;
    // Empty: the protocol has no cancellation.
    virtual std::string cancellation(std::uint64_t id, std::uint64_t fresh) const = 0;
    // The error response to a request of the worker's. `why` may be empty. Empty: the protocol has none.
    virtual std::string refusal(const worker_message& request, std::uint64_t fresh,
                                std::string_view why) const = 0;
    virtual std::string reply(const worker_message& request, std::string_view result_raw,
                              std::uint64_t fresh) const = 0;
    virtual worker_message decode(std::string_view message) const = 0;
    // The messages of one frame: a batch holds several. The slices point into `frame`.
    virtual std::vector<std::string_view> messages(std::string_view frame) const { return {frame}; }
    // A message that was too long to be kept, by its first and its last bytes. An answer becomes an error
    // that says so; noise: it is not known what the message is.
    virtual worker_message decode_oversized(std::string_view head, std::string_view tail) const;
    // Called with the result of the handshake.
    virtual void set_capabilities(std::string_view capabilities) { static_cast<void>(capabilities); }
};

// How JSON-RPC protocols cancel a request.
enum class cancel_form { lsp, mcp };
std::unique_ptr<message_codec> make_jsonrpc_codec(cancel_form cancel = cancel_form::lsp);

// An id of ours: digits, no sign, no leading zero. Some servers return it as a string, or as 5.0. nullopt: it
// is none.
std::optional<std::uint64_t> own_id(std::string_view raw);

// `text` with blanks instead of its line breaks: a reason is one line.
std::string one_line(std::string text);

// The error of an answer with this id that is too long.
worker_message oversized_answer(std::optional<std::uint64_t> id, std::string_view id_raw);

}  // namespace hob::unit

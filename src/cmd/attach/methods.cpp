#include "cmd/attach/methods.hpp"

#include <fmt/format.h>

#include <utility>

#include "cmd/streams/stream_messages.hpp"
#include "error.hpp"
#include "ipc/session.hpp"
#include "unit/application/application.hpp"
#include "unit/protocol/attachment.hpp"
#include "util/base64.hpp"
#include "util/json_edit.hpp"
#include "util/json_text.hpp"

namespace hob::cmd {

namespace asio = boost::asio;

namespace {

struct input_message {
    std::uint64_t attachment = 0;
    std::string data;  // of `data` or `data_b64`
    bool end = false;
};

input_message parse_input(std::string_view params) {
    input_message said;
    const auto number = util::json_find_integer(params, {"attachment"});
    auto data = util::json_find_string(params, {"data"});
    if (!data) {
        const auto encoded = util::json_find_string(params, {"data_b64"});
        if (encoded) data = util::base64_decode(*encoded);
    }
    said.end = util::json_find_true(params, {"end"});
    if (!number || *number < 1 || (!data && !said.end)) {
        throw failure(error_kind::usage,
                      "cannot read the params: they are not {\"attachment\":N,\"data\":TEXT,\"end\":BOOL}");
    }
    said.attachment = static_cast<std::uint64_t>(*number);
    said.data = std::move(data).value_or("");
    return said;
}

}  // namespace

asio::awaitable<std::string> answer_attach(handler_context context, std::shared_ptr<ipc::session> from,
                                           ipc::request asked) {
    auto unit = util::json_find_string(asked.params, {"unit"});
    if (!unit) throw failure(error_kind::usage, "cannot read the params: they are not {\"unit\":NAME}");
    // A notification would outlive its client.
    if (asked.id.empty()) throw failure(error_kind::usage, "cannot attach '" + *unit + "': it is no request");
    const auto number = std::make_shared<std::uint64_t>(0);  // the stream's, too
    unit::attach_stream to;
    to.output = [from, number](std::string_view bytes) {
        from->notify("worker.output",
                     fmt::format(R"({{"attachment":{},{}}})", *number, text_member("data", bytes)));
    };
    to.queued = [from] { return from->backlog(); };
    to.drained = [from] { return from->drained(); };
    std::function<void(std::uint64_t)> began = [from, number, id = asked.id](std::uint64_t given) {
        *number = given;
        from->notify("worker.attached",
                     fmt::format(R"({{"id":{},"attachment":{}}})", id.empty() ? "null" : id, given));
    };
    const int status =
        co_await context.units.registry().attach(std::move(*unit), std::move(to), std::move(began));
    co_return fmt::format(R"({{"status":{}}})", status);
}

asio::awaitable<std::string> answer_attach_input(handler_context context, std::shared_ptr<ipc::session>,
                                                 ipc::request asked) {
    input_message said = parse_input(asked.params);
    const auto attached = context.units.registry().attachment_of(said.attachment);
    if (!attached) co_return R"({"open":false})";
    const bool open = co_await attached->input(std::move(said.data), said.end);
    co_return open ? R"({"open":true})" : R"({"open":false})";
}

}  // namespace hob::cmd

#include "cmd/attach/methods.hpp"

#include <algorithm>
#include <utility>
#include <vector>

#include "cmd/streams/stream_messages.hpp"
#include "error.hpp"
#include "ipc/session.hpp"
#include "unit/application/application.hpp"
#include "unit/protocol/attachment.hpp"
#include "util/base64.hpp"
#include "util/json/json_text.hpp"
#include "util/json/json_writer.hpp"

namespace hob::cmd {

namespace asio = boost::asio;

namespace {

struct attach_params {
    std::string unit;
};

struct input_params {
    std::uint64_t attachment = 0;
    std::string data;  // from `data` or `data_b64`
    bool end = false;
};

[[noreturn]] void malformed(std::string_view form) {
    throw failure(error_kind::usage, cannot("read the params"), "they are not " + std::string(form));
}

std::vector<util::json_member> members_of(std::string_view params) {
    return util::json_object_members(params).value_or(std::vector<util::json_member>());
}

attach_params parse_attach(std::string_view params) {
    std::optional<std::string> unit;
    for (const auto& member : members_of(params)) {
        if (member.key == "unit") unit = util::json_unquote(member.value);
    }
    if (!unit) malformed("{\"unit\":NAME}");
    return {std::move(*unit)};
}

input_params parse_input(std::string_view params) {
    input_params input;
    std::optional<std::string> data;
    for (const auto& member : members_of(params)) {
        if (member.key == "attachment")
            input.attachment = static_cast<std::uint64_t>(
                std::max<std::int64_t>(0, util::json_integer(member.value).value_or(0)));
        if (member.key == "data") data = util::json_unquote(member.value);
        if (member.key == "data_b64" && !data) {
            const auto encoded = util::json_unquote(member.value);
            if (encoded) data = util::base64_decode(*encoded);
        }
        if (member.key == "end") input.end = member.value == "true";
    }
    if (input.attachment == 0 || (!data && !input.end))
        malformed("{\"attachment\":N,\"data\":TEXT,\"end\":BOOL}");
    input.data = std::move(data).value_or("");
    return input;
}

}  // namespace

asio::awaitable<std::string> answer_attach(handler_context context, std::shared_ptr<ipc::session> from,
                                           ipc::request request) {
    attach_params params = parse_attach(request.params);
    // An attachment by a notification would outlive its client.
    if (request.id.empty())
        throw failure(error_kind::usage, cannot("attach", params.unit), "it is no request");
    context.units.consent({params.unit}, from->peer_pid());
    const auto number = std::make_shared<std::uint64_t>(0);  // also held by the stream
    unit::attach_stream stream;
    stream.output = [from, number](std::string_view bytes) {
        util::json_object output;
        output.add("attachment", *number);
        add_bytes(output, "data", bytes);
        from->notify("worker.output", std::move(output).text());
    };
    stream.queued = [from] { return from->backlog(); };
    stream.drained = [from] { return from->drained(); };
    std::function<void(std::uint64_t)> on_attached = [from, number, id = request.id](std::uint64_t given) {
        *number = given;
        util::json_object attached;
        attached.add("id", util::raw_json{id}).add("attachment", given);
        from->notify("worker.attached", std::move(attached).text());
    };
    const int status = co_await context.units.registry().attach(std::move(params.unit), std::move(stream),
                                                                std::move(on_attached));
    co_return util::json_object().add("status", status).text();
}

asio::awaitable<std::string> answer_attach_input(handler_context context, std::shared_ptr<ipc::session>,
                                                 ipc::request request) {
    input_params params = parse_input(request.params);
    const auto attached = context.units.registry().attachment_of(params.attachment);
    bool open = false;
    if (attached) {
        open = co_await attached->input(std::move(params.data), params.end);
    }
    co_return util::json_object().add("open", open).text();
}

}  // namespace hob::cmd

#include "cmd/attach/methods.hpp"

#include <utility>

#include "cmd/attach/params.hpp"
#include "cmd/streams/stream_messages.hpp"
#include "error.hpp"
#include "ipc/session.hpp"
#include "unit/application/application.hpp"
#include "unit/protocol/attachment.hpp"
#include "util/json/json_writer.hpp"

namespace hob::cmd {

namespace asio = boost::asio;

asio::awaitable<std::string> answer_attach(handler_context context, std::shared_ptr<ipc::session> from,
                                           ipc::request request) {
    attach_params params = parse_attach(request.params);
    co_return co_await attach_worker(context, std::move(from), std::move(request), std::move(params));
}

asio::awaitable<std::string> attach_worker(handler_context context, std::shared_ptr<ipc::session> from,
                                           ipc::request request, attach_params params) {
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
    attached_input params = parse_attached_input(request.params);
    const auto attached = context.units.registry().attachment_of(params.attachment);
    bool open = false;
    if (attached) {
        open = co_await attached->input(std::move(params.data), params.end);
    }
    co_return util::json_object().add("open", open).text();
}

}  // namespace hob::cmd

#include "cmd/attach/terminal_methods.hpp"

#include <utility>

#include "cmd/attach/methods.hpp"
#include "cmd/attach/params.hpp"
#include "cmd/streams/stream_messages.hpp"
#include "error.hpp"
#include "ipc/session.hpp"
#include "unit/application/application.hpp"
#include "unit/process/caller.hpp"
#include "unit/terminal/terminal_attachment.hpp"
#include "util/json/json_writer.hpp"

namespace hob::cmd {

namespace asio = boost::asio;

namespace {

util::json_object for_attachment(std::uint64_t number) {
    return util::json_object().add("attachment", number);
}

// `number`: of the attachment, once it is known.
unit::terminal_client client_of(const std::shared_ptr<ipc::session>& from,
                                const std::shared_ptr<std::uint64_t>& number, const attach_params& params) {
    unit::terminal_client client;
    client.output = [from, number](std::string_view bytes) {
        util::json_object output = for_attachment(*number);
        add_bytes(output, "data", bytes);
        from->notify("service.output", std::move(output).text());
    };
    client.skipped = [from, number](std::uint64_t bytes) {
        from->notify("service.skipped", for_attachment(*number).add("bytes", bytes).text());
    };
    client.state = [from, number](ipc::unit_state state, const std::string& detail) {
        util::json_object changed = for_attachment(*number);
        changed.add("state", name_of(state));
        if (!detail.empty()) changed.add("detail", detail);
        from->notify("service.state", std::move(changed).text());
    };
    client.queued = [from] { return from->backlog(); };
    client.drained = [from] { return from->drained(); };
    client.typed = params.typed;
    client.recent = params.recent;
    client.size = params.size;
    return client;
}

// It would show itself what it shows, for ever.
void refuse_own_process(handler_context context, const std::string& unit, pid_t by) {
    if (unit::unit_of(by, context.units.where().key) != unit) return;
    throw failure(error_kind::usage, cannot("attach", unit), "this is a process of it");
}

asio::awaitable<std::string> attach_service(handler_context context, std::shared_ptr<ipc::session> from,
                                            ipc::request request, attach_params params) {
    refuse_own_process(context, params.unit, from->peer_pid());
    context.units.consent({params.unit}, from->peer_pid());
    const auto number = std::make_shared<std::uint64_t>(0);  // also held by the client's functions
    unit::terminal_client client = client_of(from, number, params);
    std::function<void(std::uint64_t, bool)> began = [from, number, id = request.id](std::uint64_t given,
                                                                                     bool tty) {
        *number = given;
        util::json_object attached;
        attached.add("id", util::raw_json{id}).add("attachment", given).add("tty", tty);
        from->notify("service.attached", std::move(attached).text());
    };
    const unit::unit_status end = co_await context.units.registry().attach_terminal(
        std::move(params.unit), std::move(client), std::move(began));
    util::json_object result;
    result.add("state", name_of(end.state));
    if (!end.detail.empty()) result.add("detail", end.detail);
    co_return std::move(result).text();
}

}  // namespace

asio::awaitable<std::string> answer_unit_attach(handler_context context, std::shared_ptr<ipc::session> from,
                                                ipc::request request) {
    attach_params params = parse_attach(request.params);
    params.unit = context.units.name_for(params.unit, from->peer_pid());
    if (context.units.registry().is_worker(params.unit))
        co_return co_await attach_worker(context, std::move(from), std::move(request), std::move(params));
    // An attachment by a notification would outlive its client.
    if (request.id.empty())
        throw failure(error_kind::usage, cannot("attach", params.unit), "it is no request");
    co_return co_await attach_service(context, std::move(from), std::move(request), std::move(params));
}

asio::awaitable<std::string> answer_service_input(handler_context context, std::shared_ptr<ipc::session>,
                                                  ipc::request request) {
    attached_input input = parse_attached_input(request.params);
    const auto attached = context.units.registry().terminal_attachment_of(input.attachment);
    bool open = false;
    if (attached) {
        open = co_await attached->input(std::move(input.data), input.end);
    }
    co_return util::json_object().add("open", open).text();
}

std::string answer_service_resize(handler_context context, ipc::session&, const ipc::request& request) {
    const attached_size wanted = parse_attached_size(request.params);
    if (const auto attached = context.units.registry().terminal_attachment_of(wanted.attachment))
        attached->resize(wanted.size);
    return "{}";
}

}  // namespace hob::cmd

#include "cmd/handlers/make_application.hpp"

#include <string>
#include <utility>

#include "cmd/core/command.hpp"
#include "cmd/handlers/handler_context.hpp"
#include "unit/application/application.hpp"

namespace hob::cmd {
namespace {

ipc::dispatcher::immediate bind_handler(handler_context context, const method_row& row) {
    return [context, handler = row.handler](ipc::session& from, const ipc::request& request) {
        return handler(context, from, request);
    };
}

ipc::dispatcher::suspended bind_async_handler(handler_context context, const method_row& row) {
    return [context, handler = row.async_handler](std::shared_ptr<ipc::session> from, ipc::request request) {
        return handler(context, std::move(from), std::move(request));
    };
}

}  // namespace

std::unique_ptr<lifecycle::application> make_application(lifecycle::daemon& daemon,
                                                         lifecycle::application_context context) {
    auto application = std::make_unique<unit::application>(std::move(context));
    const handler_context handlers{daemon, *application};
    for (const command* verb : all_commands()) {
        for (const method_row& row : verb->methods) {
            if (row.handler)
                daemon.add_method(std::string(row.name), bind_handler(handlers, row), row.while_draining);
            if (row.async_handler)
                daemon.add_method(std::string(row.name), bind_async_handler(handlers, row),
                                  row.while_draining);
        }
    }
    return application;
}

}  // namespace hob::cmd

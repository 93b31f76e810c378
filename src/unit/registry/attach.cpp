// Clients that share the process of a unit.

#include <fmt/format.h>

#include <utility>

#include "unit/protocol/attachment.hpp"
#include "unit/registry/registry.hpp"
#include "unit/registry/unit_map.hpp"
#include "unit/terminal/terminal_attachment.hpp"
#include "unit/worker/worker.hpp"

namespace hob::unit {

namespace asio = boost::asio;

namespace {

// Makes an attachment known by its number until the coroutine ends.
struct registered_terminal {
    unit_context& context;
    std::uint64_t number;

    registered_terminal(unit_context& in, const std::shared_ptr<terminal_attachment>& which)
        : context(in), number(++in.last_attachment) {
        context.terminals.emplace(number, which);
    }
    ~registered_terminal() { context.terminals.erase(number); }
    registered_terminal(const registered_terminal&) = delete;
    registered_terminal& operator=(const registered_terminal&) = delete;
};

failure has_no_terminal(const managed_unit& unit) {
    const std::string& name = unit.spec().name;
    if (unit.spec().kind != unit_kind::service)
        return {error_kind::usage, cannot("attach", name),
                fmt::format("it is a {}; workers and services can be attached to", name_of(unit.spec().kind)),
                fmt::format("hob run -t {} runs it on this terminal", name)};
    const std::string reason = "it has neither a terminal nor an open standard input";
    if (unit.definition_changed())
        return {error_kind::usage, cannot("attach", name), reason + ", as it was started",
                fmt::format("hob restart {} starts it as it is defined now", name)};
    return {error_kind::usage, cannot("attach", name), reason,
            fmt::format("in [service.{}]: tty = true for a terminal, or stdin = \"open\"", name)};
}

// A service that is about to be started again is waited for; one that is not would be waited for in vain.
failure does_not_run(const managed_unit& unit) {
    const std::string& name = unit.spec().name;
    const std::string detail = unit.status().detail;
    const std::string state = unit.failed() ? "it has failed" : "it is stopped";
    return {error_kind::unit_failed, cannot("attach", name), detail.empty() ? state : state + ": " + detail,
            "hob start " + name};
}

}  // namespace

asio::awaitable<int> registry::attach(std::string unit, attach_stream to,
                                      std::function<void(std::uint64_t)> began) {
    const auto worker = units_->worker_named(unit, "attach");
    co_return co_await worker->attach(std::move(to), std::move(began));
}

std::shared_ptr<attachment> registry::attachment_of(std::uint64_t number) const {
    const auto found = units_->context->attachments.find(number);
    return found == units_->context->attachments.end() ? nullptr : found->second.lock();
}

bool registry::is_worker(const std::string& unit) const {
    return units_->unit_named("attach", unit)->spec().kind == unit_kind::worker;
}

asio::awaitable<unit_status> registry::attach_terminal(
    std::string unit, terminal_client client, std::function<void(std::uint64_t number, bool tty)> began) {
    const auto service = units_->unit_named("attach", unit);
    const auto terminal = service->terminal();
    if (!terminal) throw has_no_terminal(*service);
    if (!service->running()) throw does_not_run(*service);
    const auto attached = std::make_shared<terminal_attachment>(service, terminal, std::move(client));
    const registered_terminal registered(*units_->context, attached);
    began(registered.number, service->spec().tty);
    co_await attached->follow();
    co_return service->status();
}

std::shared_ptr<terminal_attachment> registry::terminal_attachment_of(std::uint64_t number) const {
    const auto found = units_->context->terminals.find(number);
    return found == units_->context->terminals.end() ? nullptr : found->second.lock();
}

}  // namespace hob::unit

#include "unit/registry/registry.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "unit/protocol/attachment.hpp"
#include "unit/registry/registry_impl.hpp"
#include "unit/task/task.hpp"
#include "unit/worker/worker.hpp"

namespace hob::unit {

namespace asio = boost::asio;

registry::registry(registry_options options) : impl_(std::make_unique<impl>(std::move(options))) {}
registry::~registry() = default;

apply_result registry::compare(const config& wanted) const {
    apply_result result;
    for (const auto& spec : wanted.units) {
        const unit_spec* before = impl_->find(spec.name);
        auto& list = !before ? result.added : *before == spec ? result.unchanged : result.changed;
        list.push_back(spec.name);
    }
    for (const auto& spec : impl_->specs) {
        if (!wanted.find(spec.name)) result.removed.push_back(spec.name);
    }
    return result;
}

apply_result registry::apply(const config& wanted) {
    auto& my = *impl_;
    apply_result result = compare(wanted);
    for (auto at = my.units.begin(); at != my.units.end();) {
        const unit_spec* spec = wanted.find(at->first);
        if (spec && spec->kind == at->second->spec().kind) {
            ++at;
            continue;
        }
        at->second->retired();
        at->second->request_stop("it was removed from the configuration");
        my.context->options.db.clear_desired_up(at->first);
        my.retired.push_back(at->second);
        at = my.units.erase(at);
    }
    my.drop_gone();
    my.specs = wanted.units;
    for (const auto& spec : my.specs) {
        my.apply_unit(spec);
    }
    my.applied = true;
    my.context->options.log_max_size = wanted.log.max_size;
    my.context->options.log_max_files = wanted.log.max_files;
    for (const auto& [name, one] : my.units)
        one->set_log_limits(wanted.log.max_size, wanted.log.max_files);
    my.commands->set_log_limits(wanted.log.max_size, wanted.log.max_files);
    if (my.context->options.changed) my.context->options.changed();
    return result;
}

std::vector<unit_status> registry::status() const {
    std::vector<unit_status> all;
    all.reserve(impl_->specs.size());
    for (const auto& spec : impl_->specs) {
        all.push_back(impl_->units.at(spec.name)->status());
    }
    return all;
}

std::optional<unit_status> registry::status(const std::string& unit) const {
    for (auto& one : status()) {
        if (one.name == unit) return std::move(one);
    }
    return std::nullopt;
}

asio::awaitable<std::string> registry::call(std::string unit, std::string method, std::string params_raw,
                                            std::optional<std::chrono::milliseconds> timeout) {
    call_request request;
    request.method = std::move(method);
    request.params = std::move(params_raw);
    request.timeout = timeout;
    co_return co_await call(std::move(unit), std::move(request));
}

asio::awaitable<std::string> registry::call(std::string unit, call_request request) {
    const auto one = impl_->worker_named(unit);
    co_return co_await one->call(std::move(request));
}

asio::awaitable<std::string> registry::capabilities(std::string unit,
                                                    std::optional<std::chrono::milliseconds> timeout) {
    const auto one = impl_->worker_named(unit);
    co_return co_await one->capabilities(timeout);
}

asio::awaitable<std::string> registry::list(std::string unit,
                                            std::optional<std::chrono::milliseconds> timeout) {
    const auto one = impl_->worker_named(unit);
    co_return co_await one->list(timeout);
}

asio::awaitable<int> registry::attach(std::string unit, attach_stream to,
                                      std::function<void(std::uint64_t)> began) {
    const auto one = impl_->worker_named(unit, "attach");
    co_return co_await one->attach(std::move(to), std::move(began));
}

std::shared_ptr<attachment> registry::attachment_of(std::uint64_t number) const {
    const auto found = impl_->context->attachments.find(number);
    return found == impl_->context->attachments.end() ? nullptr : found->second.lock();
}

asio::awaitable<void> registry::start(std::string unit,
                                      std::optional<std::vector<std::string>> caller_environment) {
    co_await impl_->unit_named("start", unit)->start(std::move(caller_environment));
}

asio::awaitable<void> registry::stop(std::string unit) {
    co_await impl_->unit_named("stop", unit)->stop(true);
}

asio::awaitable<void> registry::restart(std::string unit,
                                        std::optional<std::vector<std::string>> caller_environment) {
    co_await impl_->unit_named("restart", unit)->restart(std::move(caller_environment));
}

std::shared_ptr<run_job> registry::run_task(const std::string& unit, run_order order) {
    const auto one = impl_->unit_named("run", unit);
    if (one->spec().kind != unit_kind::task) {
        throw failure(error_kind::unit_failed,
                      fmt::format("cannot run '{}': it is a {}, and only tasks are run", unit,
                                  name_of(one->spec().kind)));
    }
    return std::static_pointer_cast<task>(one)->submit(std::move(order));
}

std::shared_ptr<run_job> registry::run_command(std::vector<std::string> command, run_order order) {
    return impl_->commands->submit(std::move(command), std::move(order));
}

std::shared_ptr<run_job> registry::job(std::int64_t run) const {
    const auto found = impl_->context->jobs.find(run);
    return found == impl_->context->jobs.end() ? nullptr : found->second.lock();
}

run_store& registry::runs() { return impl_->context->runs; }

void registry::begin() {
    for (const auto& spec : std::vector<unit_spec>(impl_->specs)) {
        const auto found = impl_->units.find(spec.name);
        if (found != impl_->units.end()) found->second->begin();
    }
}

bool registry::anything_running() const { return !impl_->running().empty(); }

bool registry::needed() const {
    return anything_running() || std::any_of(impl_->units.begin(), impl_->units.end(),
                                             [](const auto& each) { return each.second->awaits_trigger(); });
}

std::size_t registry::calls_in_flight() const {
    std::size_t count = 0;
    for (const auto& [name, one] : impl_->units)
        count += one->in_flight();
    for (const auto& one : impl_->retired)
        count += one->in_flight();
    return count;
}

}  // namespace hob::unit

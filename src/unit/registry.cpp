#include "unit/registry.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <exception>
#include <map>
#include <utility>

#include "error.hpp"
#include "unit/attachment.hpp"
#include "unit/service.hpp"
#include "unit/task.hpp"
#include "unit/worker.hpp"
#include "util/log.hpp"
#include "util/suggest.hpp"

namespace hob::unit {

namespace asio = boost::asio;

namespace {

using unit_ptr = std::shared_ptr<supervised>;

bool contains(const std::vector<std::string>& names, const std::string& name) {
    return std::find(names.begin(), names.end(), name) != names.end();
}

}  // namespace

class registry::impl {
public:
    explicit impl(registry_options options)
        : context(std::make_shared<unit_context>(unit_context{std::move(options), false, {}})) {
        context->cgroups =
            std::make_unique<cgroup_home>(context->options.instance_key, context->options.state_dir);
        context->root = context->options.root;
        commands = command_runner::make(context);
        context->find = [this](std::string_view name) {
            const auto found = units.find(name);
            return found == units.end() ? nullptr : found->second;
        };
    }
    ~impl() {
        context->find = [](std::string_view) { return unit_ptr(); };
    }

    const unit_spec* find(const std::string& name) const {
        for (const auto& spec : specs) {
            if (spec.name == name) return &spec;
        }
        return nullptr;
    }

    // Throws failure(unit_unknown).
    unit_ptr unit_named(const char* verb, const std::string& name) const {
        const auto found = units.find(name);
        if (found == units.end()) throw unknown(verb, name);
        return found->second;
    }

    std::shared_ptr<worker> worker_named(const std::string& name, const char* verb = "call") const {
        const unit_spec* spec = find(name);
        if (!spec) throw unknown(verb, name);
        if (spec->kind == unit_kind::worker) return std::static_pointer_cast<worker>(units.at(name));
        throw failure(error_kind::unit_failed,
                      fmt::format("cannot {} '{}': it is a {}, and only workers are called", verb, name,
                                  name_of(spec->kind)));
    }

    failure unknown(const char* verb, const std::string& name) const {
        std::vector<std::string_view> names;
        for (const auto& spec : specs)
            names.push_back(spec.name);
        std::string hint;
        if (const auto near = util::nearest(name, names)) {
            hint = fmt::format("did you mean '{}'?", *near);
        } else if (names.empty()) {
            hint = "hob.toml names no units";
        } else {
            hint = fmt::format("hob.toml has {}", fmt::join(names, ", "));
        }
        return failure(error_kind::unit_unknown,
                       fmt::format("cannot {} '{}': there is no such unit", verb, name), hint);
    }

    void drop_gone() {
        std::erase_if(retired, [](const unit_ptr& one) { return !one->running(); });
    }

    unit_ptr make(const unit_spec& spec) const {
        if (spec.kind == unit_kind::service) return service::make(context, spec);
        if (spec.kind == unit_kind::task) return task::make(context, spec, !applied);
        return worker::make(context, spec);
    }

    void apply_unit(const unit_spec& spec) {
        const auto found = units.find(spec.name);
        if (found == units.end()) {
            units.emplace(spec.name, revive(spec));
        } else if (!(found->second->spec() == spec)) {
            found->second->reconfigure(spec);
        }
    }

    // A name that was removed and came back, while its process is still being stopped, is the same unit: two
    // processes of one unit would not be told apart by their marks.
    unit_ptr revive(const unit_spec& spec) {
        const auto old = std::find_if(retired.begin(), retired.end(), [&](const unit_ptr& one) {
            return one->spec().name == spec.name && one->spec().kind == spec.kind;
        });
        if (old == retired.end()) return make(spec);
        unit_ptr same = *old;
        retired.erase(old);
        same->reconfigure(spec);
        return same;
    }

    void record_wishes(const char* verb, const std::vector<std::string>& names, bool up,
                       const std::optional<std::vector<std::string>>& caller) {
        for (const auto& name : names)
            unit_named(verb, name);  // throws before anything is written
        context->options.db.together([&] {
            for (const auto& name : names)
                unit_named(verb, name)->record_wish(up, caller);
        });
    }

    std::vector<unit_ptr> running() const {
        std::vector<unit_ptr> found;
        for (const auto& [name, one] : units) {
            if (one->running()) found.push_back(one);
        }
        for (const auto& one : retired) {
            if (one->running()) found.push_back(one);
        }
        if (commands->running()) found.push_back(commands);
        return found;
    }

    const std::shared_ptr<unit_context> context;         // also held by every unit
    std::vector<unit_spec> specs;                        // in file order
    std::map<std::string, unit_ptr, std::less<>> units;  // shared with their own coroutines
    std::vector<unit_ptr> retired;             // removed from the configuration, maybe still stopping
    std::shared_ptr<command_runner> commands;  // shared with its own coroutines
    bool applied = false;                      // a configuration, before
};

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
        my.context->options.db.unwant(at->first);
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
    call_wish wish;
    wish.method = std::move(method);
    wish.params = std::move(params_raw);
    wish.timeout = timeout;
    auto answer = call(std::move(unit), std::move(wish));
    co_return co_await std::move(answer);
}

asio::awaitable<std::string> registry::call(std::string unit, call_wish wish) {
    const auto one = impl_->worker_named(unit);
    auto answer = one->call(std::move(wish));
    co_return co_await std::move(answer);
}

asio::awaitable<std::string> registry::capabilities(std::string unit,
                                                    std::optional<std::chrono::milliseconds> timeout) {
    const auto one = impl_->worker_named(unit);
    auto answer = one->capabilities(timeout);
    co_return co_await std::move(answer);
}

asio::awaitable<std::string> registry::list(std::string unit,
                                            std::optional<std::chrono::milliseconds> timeout) {
    const auto one = impl_->worker_named(unit);
    auto answer = one->list(timeout);
    co_return co_await std::move(answer);
}

asio::awaitable<int> registry::attach(std::string unit, attach_stream to,
                                      std::function<void(std::uint64_t)> began) {
    const auto one = impl_->worker_named(unit, "attach");
    auto attached = one->attach(std::move(to), std::move(began));
    co_return co_await std::move(attached);
}

std::shared_ptr<attachment> registry::attachment_of(std::uint64_t number) const {
    const auto found = impl_->context->attachments.find(number);
    return found == impl_->context->attachments.end() ? nullptr : found->second.lock();
}

asio::awaitable<void> registry::start(std::string unit,
                                      std::optional<std::vector<std::string>> caller_environment) {
    auto started = impl_->unit_named("start", unit)->start(std::move(caller_environment));
    co_await std::move(started);
}

asio::awaitable<void> registry::stop(std::string unit) {
    auto stopped = impl_->unit_named("stop", unit)->stop(true);
    co_await std::move(stopped);
}

asio::awaitable<void> registry::restart(std::string unit,
                                        std::optional<std::vector<std::string>> caller_environment) {
    auto restarted = impl_->unit_named("restart", unit)->restart(std::move(caller_environment));
    co_await std::move(restarted);
}

namespace {

// Of a stop that nobody waits for.
void tell(const std::exception_ptr& failed) {
    if (!failed) return;
    try {
        std::rethrow_exception(failed);
    } catch (const failure& why) {
        util::log(util::level::error, "unit", "a unit could not be stopped",
                  {util::field("reason", why.what())});
    }
}

void throw_first(const std::vector<std::exception_ptr>& failures) {
    for (const auto& failed : failures) {
        if (failed) std::rethrow_exception(failed);
    }
}

// Of those that still run, the ones that no other of them comes after: nothing needs them any more.
std::vector<unit_ptr> needed_by_none(const std::vector<unit_ptr>& units) {
    std::vector<unit_ptr> found;
    for (const auto& one : units) {
        const bool needed = std::any_of(units.begin(), units.end(), [&](const unit_ptr& other) {
            return contains(other->spec().after, one->spec().name);
        });
        if (!needed) found.push_back(one);
    }
    return found.empty() ? units : found;
}

}  // namespace

asio::awaitable<void> registry::start_units(std::vector<std::string> names,
                                            std::optional<std::vector<std::string>> caller_environment) {
    impl_->record_wishes("start", names, true, caller_environment);
    std::vector<asio::awaitable<void>> starts;
    for (const auto& name : names)
        starts.push_back(impl_->unit_named("start", name)->start(caller_environment));
    auto all = util::all_of(std::move(starts));
    throw_first(co_await std::move(all));
}

asio::awaitable<void> registry::restart_units(std::vector<std::string> names,
                                              std::optional<std::vector<std::string>> caller_environment) {
    std::vector<asio::awaitable<void>> restarts;
    for (const auto& name : names)
        restarts.push_back(impl_->unit_named("restart", name)->restart(caller_environment));
    auto all = util::all_of(std::move(restarts));
    throw_first(co_await std::move(all));
}

asio::awaitable<void> registry::stop_units(std::vector<std::string> names) {
    std::vector<unit_ptr> left;
    impl_->record_wishes("stop", names, false, std::nullopt);
    for (const auto& name : names)
        left.push_back(impl_->unit_named("stop", name));
    std::exception_ptr first_failed;
    while (!left.empty()) {
        const auto next = needed_by_none(left);
        std::vector<asio::awaitable<void>> stops;
        for (const auto& one : next)
            stops.push_back(one->stop(true));
        auto all = util::all_of(std::move(stops));
        for (const auto& failed : co_await std::move(all)) {
            if (failed && !first_failed) first_failed = failed;
        }
        std::erase_if(left, [&](const unit_ptr& one) {
            return std::find(next.begin(), next.end(), one) != next.end();
        });
    }
    if (first_failed) std::rethrow_exception(first_failed);
}

asio::awaitable<void> registry::wait(std::string name, wanted_state wanted) {
    for (;;) {
        const auto one = impl_->unit_named("wait for", name);
        if (wanted == wanted_state::ready && one->ready()) co_return;
        if (wanted == wanted_state::stopped && !one->running()) co_return;
        if (wanted == wanted_state::idle && one->idle()) co_return;
        if (wanted == wanted_state::ready && one->failed() && !one->running()) {
            const std::string why = one->status().detail;
            throw failure(
                error_kind::unit_failed,
                fmt::format("cannot wait for '{}': it failed{}", name, why.empty() ? "" : ", " + why),
                fmt::format("hob logs {}", name));
        }
        auto change = one->changes().wait();
        co_await std::move(change);
    }
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

asio::awaitable<void> registry::drain() {
    impl_->context->draining = true;
    const failure ending(error_kind::cancelled, "cannot attach 'it': the daemon is shutting down");
    for (const auto& [number, one] : impl_->context->attachments) {
        if (const auto attached = one.lock()) attached->end(ending);
    }
    for (;;) {
        const auto left = impl_->running();
        const auto busy = std::find_if(left.begin(), left.end(), [](const unit_ptr& one) {
            return one->spec().kind == unit_kind::task;
        });
        if (busy == left.end()) co_return;
        auto changed = (*busy)->changes().wait();
        co_await std::move(changed);
    }
}

asio::awaitable<void> registry::stop_all() {
    impl_->context->closing = true;
    for (auto left = impl_->running(); !left.empty(); left = impl_->running()) {
        const auto next = needed_by_none(left);
        std::vector<asio::awaitable<void>> stops;
        for (const auto& one : next) {
            one->request_stop("the daemon is shutting down");
            stops.push_back(one->stop(false));
        }
        auto all = util::all_of(std::move(stops));
        for (const auto& failed : co_await std::move(all))
            tell(failed);
    }
    impl_->context->cgroups->remove_empty();
}

void registry::kill_all() {
    impl_->context->closing = true;
    for (const auto& one : impl_->running())
        one->kill_now();
}

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

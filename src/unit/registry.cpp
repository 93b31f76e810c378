#include "unit/registry.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <utility>

#include "error.hpp"
#include "unit/worker.hpp"
#include "util/log.hpp"
#include "util/suggest.hpp"

namespace hob::unit {

namespace asio = boost::asio;

namespace {

using unit_ptr = std::shared_ptr<supervised>;

// What is told of units that this version knows but does not run.
unit_status resting_status(const unit_spec& spec) {
    unit_status now;
    now.name = spec.name;
    now.kind = spec.kind;
    now.state = spec.kind == unit_kind::service ? "stopped" : "idle";
    return now;
}

const char* plural(unit_kind kind) { return kind == unit_kind::service ? "services" : "tasks"; }

bool contains(const std::vector<std::string>& names, const std::string& name) {
    return std::find(names.begin(), names.end(), name) != names.end();
}

}  // namespace

class registry::impl {
public:
    explicit impl(registry_options options)
        : context(std::make_shared<unit_context>(unit_context{std::move(options), false, {}})) {
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

    // Throws failure(unit_unknown), or unit_failed for a kind that is not run.
    unit_ptr unit_named(const char* verb, const std::string& name) const {
        const unit_spec* spec = find(name);
        if (!spec) throw unknown(verb, name);
        if (const auto found = units.find(name); found != units.end()) return found->second;
        throw failure(error_kind::unit_failed,
                      fmt::format("cannot {} '{}': {} are not run by this version of hob", verb, name,
                                  plural(spec->kind)));
    }

    std::shared_ptr<worker> worker_named(const std::string& name) const {
        const unit_spec* spec = find(name);
        if (!spec) throw unknown("call", name);
        if (spec->kind == unit_kind::worker) return std::static_pointer_cast<worker>(units.at(name));
        throw failure(error_kind::unit_failed,
                      fmt::format("cannot call '{}': it is a {}, and only workers are called", name,
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

    static bool is_run(unit_kind kind) { return kind == unit_kind::worker; }

    unit_ptr make(const unit_spec& spec) const { return worker::make(context, spec); }

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

    std::vector<unit_ptr> running() const {
        std::vector<unit_ptr> found;
        for (const auto& [name, one] : units) {
            if (one->running()) found.push_back(one);
        }
        for (const auto& one : retired) {
            if (one->running()) found.push_back(one);
        }
        return found;
    }

    const std::shared_ptr<unit_context> context;         // also held by every unit
    std::vector<unit_spec> specs;                        // in file order
    std::map<std::string, unit_ptr, std::less<>> units;  // shared with their own coroutines
    std::vector<unit_ptr> retired;  // removed from the configuration, maybe still stopping
};

registry::registry(registry_options options) : impl_(std::make_unique<impl>(std::move(options))) {}
registry::~registry() = default;

apply_result registry::apply(const config& wanted) {
    auto& my = *impl_;
    apply_result result;
    for (const auto& spec : wanted.units) {
        const unit_spec* before = my.find(spec.name);
        auto& list = !before ? result.added : *before == spec ? result.unchanged : result.changed;
        list.push_back(spec.name);
    }
    for (const auto& spec : my.specs) {
        if (!wanted.find(spec.name)) result.removed.push_back(spec.name);
    }
    for (auto at = my.units.begin(); at != my.units.end();) {
        const unit_spec* spec = wanted.find(at->first);
        if (spec && spec->kind == at->second->spec().kind) {
            ++at;
            continue;
        }
        at->second->request_stop("it was removed from the configuration");
        my.retired.push_back(at->second);
        at = my.units.erase(at);
    }
    my.drop_gone();
    my.specs = wanted.units;
    for (const auto& spec : my.specs) {
        if (my.is_run(spec.kind)) my.apply_unit(spec);
    }
    my.context->options.log_max_size = wanted.log.max_size;
    my.context->options.log_max_files = wanted.log.max_files;
    for (const auto& [name, one] : my.units)
        one->set_log_limits(wanted.log.max_size, wanted.log.max_files);
    if (my.context->options.changed) my.context->options.changed();
    return result;
}

std::vector<unit_status> registry::status() const {
    std::vector<unit_status> all;
    all.reserve(impl_->specs.size());
    for (const auto& spec : impl_->specs) {
        const auto found = impl_->units.find(spec.name);
        all.push_back(found == impl_->units.end() ? resting_status(spec) : found->second->status());
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
    const auto one = impl_->worker_named(unit);
    auto answer = one->call(std::move(method), std::move(params_raw), timeout);
    co_return co_await std::move(answer);
}

asio::awaitable<void> registry::start(std::string unit,
                                      std::optional<std::vector<std::string>> caller_environment) {
    const auto one = impl_->unit_named("start", unit);
    auto started = one->start(std::move(caller_environment));
    co_await std::move(started);
}

asio::awaitable<void> registry::stop(std::string unit) {
    const auto one = impl_->unit_named("stop", unit);
    auto stopped = one->stop(true);
    co_await std::move(stopped);
}

asio::awaitable<void> registry::restart(std::string unit,
                                        std::optional<std::vector<std::string>> caller_environment) {
    const auto one = impl_->unit_named("restart", unit);
    auto restarted = one->restart(std::move(caller_environment));
    co_await std::move(restarted);
}

asio::awaitable<void> registry::stop_all() {
    impl_->context->closing = true;
    for (auto left = impl_->running(); !left.empty(); left = impl_->running()) {
        std::vector<unit_ptr> next;  // nothing that runs needs them any more
        for (const auto& one : left) {
            const bool needed = std::any_of(left.begin(), left.end(), [&](const unit_ptr& other) {
                return contains(other->spec().after, one->spec().name);
            });
            if (!needed) next.push_back(one);
        }
        if (next.empty()) next = left;
        for (const auto& one : next)
            one->request_stop("the daemon is shutting down");
        for (const auto& one : next) {
            auto stopped = one->stop(false);
            co_await std::move(stopped);
        }
    }
}

void registry::kill_all() {
    impl_->context->closing = true;
    for (const auto& one : impl_->running())
        one->kill_now();
}

bool registry::anything_running() const { return !impl_->running().empty(); }

std::size_t registry::calls_in_flight() const {
    std::size_t count = 0;
    for (const auto& [name, one] : impl_->units)
        count += one->in_flight();
    for (const auto& one : impl_->retired)
        count += one->in_flight();
    return count;
}

}  // namespace hob::unit

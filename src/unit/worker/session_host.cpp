// What the script of a protocol may do with the running process.

#include <fmt/format.h>
#include <signal.h>

#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <utility>

#include "unit/worker/worker_process.hpp"
#include "util/json_text.hpp"
#include "util/log.hpp"

namespace hob::unit {

namespace asio = boost::asio;

asio::awaitable<std::string> worker::worker_process::ask(std::string method, std::string params,
                                                         util::deadline limit) {
    co_return co_await ask_for(nullptr, std::move(method), std::move(params), limit);
}

asio::awaitable<std::string> worker::worker_process::ask_for(event_watch* watch, std::string method,
                                                             std::string params, util::deadline limit) {
    const auto alive = shared_from_this();
    if (watch && watch->wants_end()) {
        co_await catch_up();
    }
    pending_calls::question what;
    what.method = std::move(method);
    what.params = std::move(params);
    what.limit = limit;
    what.limit_text = limit.remaining();
    what.watch = watch;
    what.parting = parting;
    co_return co_await pending_calls::ask(calls, std::move(what));
}

// What is in the pipe was said before the request that is about to be sent, and must not end its wait. Each
// turn of the loop reads some of it; after the last bytes one more turn hands out what was read.
asio::awaitable<void> worker::worker_process::catch_up() {
    constexpr int turns_max = 256;  // a process that never stops writing is not waited for
    for (int turns = 0; turns < turns_max && io->unread() > 0; ++turns)
        co_await asio::post(executor(), asio::use_awaitable);
    co_await asio::post(executor(), asio::use_awaitable);
}

std::uint64_t worker::worker_process::post(const std::string& method, const std::string& params,
                                           result_handler done) {
    return calls->post(method, params, std::move(done));
}

void worker::worker_process::withdraw(std::uint64_t id) { calls->withdraw(id); }

namespace {

asio::awaitable<void> holding(std::shared_ptr<void> what, asio::awaitable<void> work) {
    co_await std::move(work);
    static_cast<void>(what);
}

}  // namespace

void worker::worker_process::run(asio::awaitable<void> work, std::string name) {
    util::spawn(executor(), holding(shared_from_this(), std::move(work)), std::move(name));
}

void worker::worker_process::end_attachments(const failure& why) {
    const auto all = attached;
    for (auto* one : all)
        one->end(why);
}

bool worker::worker_process::notify(std::string_view method, std::string_view params) {
    return calls->notify(method, params);
}

void worker::worker_process::reply(const worker_message& request, std::string_view result) {
    calls->reply(request, result);
}

void worker::worker_process::refuse(const worker_message& request, std::string_view why) {
    calls->refuse(request, why);
}

void worker::worker_process::emit_event(std::string name, std::string params) {
    owner.events_.push(std::move(name), std::move(params), 0);
}

void worker::worker_process::set_activity(std::string text) {
    if (owner.process_.get() != this || owner.activity_ == text) return;
    owner.activity_ = std::move(text);
    if (owner.context_->options.publish) {
        owner.context_->options.publish("worker.activity", R"({"unit":)" + util::json_quote(own_spec->name) +
                                                               R"(,"activity":)" +
                                                               util::json_quote(owner.activity_) + "}");
    }
    if (owner.context_->options.changed) owner.context_->options.changed();
}

program_beside::~program_beside() {
    if (io) io->abandon();
    if (process && !process->poll()) process->signal_group(SIGKILL);
}

pid_t worker::worker_process::run_beside(
    std::vector<std::string> argv, const std::vector<std::pair<std::string, std::optional<std::string>>>& env,
    const std::string& cwd) {
    try {
        child_options options;
        options.unit = own_spec->name;
        options.argv = std::move(argv);
        options.environment = owner.context_->environment_of(*own_spec, owner.caller_environment_);
        for (const auto& [name, value] : env) {
            std::erase_if(options.environment, [&unset = name](const std::string& entry) {
                return entry.starts_with(unset + "=");
            });
            if (value) options.environment.push_back(name + "=" + *value);
        }
        options.cwd = cwd.starts_with('/') ? cwd : own_spec->cwd;
        child_pipes pipes;
        options.input = pipes.input.read.get();
        options.output = pipes.output.write.get();
        options.error = pipes.error.write.get();
        program_beside made;
        made.process = std::make_unique<child>(executor(), options);
        pipes.input.read.reset();
        pipes.output.write.reset();
        pipes.error.write.reset();
        const std::weak_ptr<worker> of = owner.self();
        const auto told = [of](const char* stream) {
            const auto cut = std::make_shared<std::string>();  // held by the handler, and its copies
            return [of, stream, cut](std::string_view bytes) {
                const auto mine = of.lock();
                if (!mine) return;
                mine->log_.write(stream, bytes);
                cut->append(bytes);
                const std::size_t whole = util::utf8_uncut(*cut);
                if (whole == 0) return;
                mine->events_.push("output",
                                   fmt::format(R"({{"category":"{}","output":{}}})", stream,
                                               util::json_quote(std::string_view(*cut).substr(0, whole))),
                                   0);
                cut->erase(0, whole);
            };
        };
        process_io::handlers on;
        on.output = told("stdout");
        on.error = told("stderr");
        made.io = process_io::make(executor(), std::move(pipes), std::move(on));
        const pid_t pid = made.process->pid();
        beside.push_back(std::move(made));
        return pid;
    } catch (const failure& why) {
        util::log(util::level::warning, "unit", "a program for a worker did not start",
                  {util::field("unit", own_spec->name), util::field("reason", why.what())});
        return 0;
    }
}

std::string worker::worker_process::recall(std::string_view key) const { return owner.memory_.recall(key); }

std::vector<std::pair<std::string, std::string>> worker::worker_process::recall_all(
    std::string_view prefix) const {
    return owner.memory_.recall_all(prefix);
}

// A process that is on its way out, of what the worker was before, has nothing to say of what it is now.
void worker::worker_process::remember(std::string_view key, std::string value, validity valid_for) {
    if (own_spec == owner.spec_) owner.memory_.remember(key, std::move(value), valid_for);
}

}  // namespace hob::unit

// What a protocol session can do with the running process.

#include <signal.h>

#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <utility>

#include "unit/worker/worker_process.hpp"
#include "util/json/json_writer.hpp"
#include "util/log/log.hpp"
#include "util/utf8.hpp"

namespace hob::unit {

namespace asio = boost::asio;

asio::awaitable<std::string> worker::worker_process::request(std::string method, std::string params,
                                                             util::deadline limit) {
    co_return co_await request_for(nullptr, std::move(method), std::move(params), limit);
}

asio::awaitable<std::string> worker::worker_process::request_for(event_watch* watch, std::string method,
                                                                 std::string params, util::deadline limit) {
    co_return co_await send_request(nullptr, watch, std::move(method), std::move(params), limit);
}

asio::awaitable<std::string> worker::worker_process::request_renewable(renewable_limit& renewal,
                                                                       event_watch* watch, std::string method,
                                                                       std::string params,
                                                                       util::deadline limit) {
    co_return co_await send_request(&renewal, watch, std::move(method), std::move(params), limit);
}

asio::awaitable<std::string> worker::worker_process::send_request(renewable_limit* renewal,
                                                                  event_watch* watch, std::string method,
                                                                  std::string params, util::deadline limit) {
    const auto alive = shared_from_this();
    if (watch && watch->has_until()) {
        co_await catch_up();
    }
    pending_calls::outgoing_request what;
    what.method = std::move(method);
    what.params = std::move(params);
    what.limit = limit;
    what.watch = watch;
    what.renewal = renewal;
    what.goodbye = phase == worker_phase::goodbye;
    co_return co_await pending_calls::request(calls, std::move(what));
}

// Output in the pipe was written before the request that is about to be sent, and must not end its wait. Each
// turn of the loop reads some of it; after the last bytes, one more turn handles what was read.
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

std::chrono::steady_clock::time_point worker::worker_process::last_worked() {
    if (!main_process || over()) return {};
    return watched_work.last_worked(main_process->pid());
}

input_watch::sight worker::worker_process::look_at_input() {
    if (!watched_input || over() || main_process->poll()) return input_watch::sight::unknown;
    return watched_input->look(main_process->pid());
}

bool worker::worker_process::reads_input() { return watched_input && !over() && watched_input->reads(); }

bool worker::worker_process::only_reads_input() {
    return watched_input && !over() && watched_input->only_reads(main_process->pid());
}

void worker::worker_process::answer(const worker_message& message) {
    if (!calls->on_answer(message)) owner.on_unexpected_answer(*this, message);
}

void worker::worker_process::set_capabilities(std::string text) {
    handshake_result = std::move(text);
    protocol.codec->set_capabilities(handshake_result);
}

void worker::worker_process::withdraw(std::uint64_t id) { calls->withdraw(id); }

namespace {

asio::awaitable<void> keeping_alive(std::shared_ptr<void> host, asio::awaitable<void> work) {
    co_await std::move(work);
    static_cast<void>(host);
}

// Gives the output of a helper program to `emit` in pieces that do not cut characters.
auto in_whole_characters(std::function<void(std::string_view)> emit) {
    const auto cut = std::make_shared<std::string>();  // held by the handler and its copies
    return [emit = std::move(emit), cut](std::string_view bytes) {
        cut->append(bytes);
        const std::size_t whole = util::utf8_uncut(*cut);
        if (whole == 0) return;
        emit(std::string_view(*cut).substr(0, whole));
        cut->erase(0, whole);
    };
}

void change_environment(std::vector<std::string>& environment, const environment_changes& changes) {
    for (const auto& [name, value] : changes) {
        const std::string prefix = name + "=";
        std::erase_if(environment, [&prefix](const std::string& entry) { return entry.starts_with(prefix); });
        if (value) environment.push_back(prefix + *value);
    }
}

}  // namespace

void worker::worker_process::spawn(asio::awaitable<void> work, std::string name) {
    util::spawn(executor(), keeping_alive(shared_from_this(), std::move(work)), std::move(name));
}

void worker::worker_process::end_attachments(const failure& why) {
    const auto all = attachments;
    for (auto* each : all)
        each->end(why);
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
    if (const auto over = protocol.session->end_of_events(*this)) owner.events_.fail_armed(*over);
}

void worker::worker_process::set_activity(std::string text) {
    if (owner.process_.get() != this || owner.activity_ == text) return;
    owner.activity_ = std::move(text);
    const auto& options = owner.context_->options;
    if (options.publish) {
        util::json_object params;
        params.add("unit", spec().name).add("activity", owner.activity_);
        options.publish("worker.activity", std::move(params).text());
    }
    if (options.changed) options.changed();
}

helper_program::~helper_program() {
    if (io) io->abandon();
    if (process && !process->poll()) process->signal_group(SIGKILL);
}

helper_program worker::worker_process::start_program(std::vector<std::string> argv,
                                                     const environment_changes& env, const std::string& cwd) {
    child_options options;
    options.unit = spec().name;
    options.argv = std::move(argv);
    options.environment = owner.context_->environment_of(spec(), owner.caller_environment_);
    change_environment(options.environment, env);
    options.cwd = cwd.starts_with('/') ? cwd : spec().cwd;
    child_pipes pipes;
    options.input = pipes.input.read.get();
    options.output = pipes.output.write.get();
    options.error = pipes.error.write.get();
    helper_program program;
    program.process = std::make_shared<child>(executor(), options);
    pipes.close_child_ends();
    const auto handler = [weak = std::weak_ptr(owner.self())](const char* stream) {
        const auto emit = [weak, stream](std::string_view text) {
            const auto alive = weak.lock();
            if (!alive) return;
            util::json_object params;
            params.add("category", stream).add("output", text);
            alive->events_.push("output", std::move(params).text(), 0);
        };
        return [weak, stream, whole = in_whole_characters(emit)](std::string_view bytes) {
            const auto alive = weak.lock();
            if (!alive) return;
            alive->log_.write(stream, bytes);
            whole(bytes);
        };
    };
    process_io::handlers on;
    on.output = handler("stdout");
    on.error = handler("stderr");
    program.io = process_io::make(executor(), std::move(pipes), std::move(on));
    return program;
}

asio::awaitable<pid_t> worker::worker_process::run_program(std::vector<std::string> argv,
                                                           environment_changes env, std::string cwd) {
    const auto alive = shared_from_this();
    programs.push_back(start_program(std::move(argv), env, cwd));
    const auto program = programs.back().process;
    co_await program->launched();
    co_return program->pid();
}

std::string worker::worker_process::recall(std::string_view key) const { return owner.memory_.recall(key); }

std::vector<std::pair<std::string, std::string>> worker::worker_process::recall_all(
    std::string_view prefix) const {
    return owner.memory_.recall_all(prefix);
}

// Ignore values from a process that was started with the previous configuration.
void worker::worker_process::remember(std::string_view key, std::string value, validity valid_for) {
    if (definition == owner.spec_) owner.memory_.remember(key, std::move(value), valid_for);
}

}  // namespace hob::unit

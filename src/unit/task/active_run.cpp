#include "unit/task/active_run.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>

#include "error.hpp"
#include "limits.hpp"
#include "unit/process/environment.hpp"
#include "util/json/json_text.hpp"
#include "util/json/json_writer.hpp"
#include "util/log/log.hpp"

namespace hob::unit {

namespace asio = boost::asio;
using util::field;
using util::level;
using util::log;

namespace {

// The exit status in a failure's detail, {"exit":N}.
std::optional<std::int64_t> exit_in(const failure& why) {
    for (const auto& member :
         util::json_object_members(why.detail()).value_or(std::vector<util::json_member>())) {
        if (member.key == "exit") return util::json_integer(member.value);
    }
    return std::nullopt;
}

// The names of those whose hard limit this process may not give; empty: there is none.
std::string limits_above_own(const std::vector<util::resource_limit>& wanted) {
    std::string names;
    if (wanted.empty() || ::geteuid() == 0) return names;
    for (const auto& own : util::own_resource_limits()) {
        for (const auto& limit : wanted) {
            if (limit.resource != own.resource || limit.value.rlim_max <= own.value.rlim_max) continue;
            names.append(names.empty() ? "" : ", ").append(util::resource_name(own.resource));
        }
    }
    return names;
}

asio::awaitable<void> until_ended(unit_process& process) { co_await process.ended(); }

// False: the limit was reached.
asio::awaitable<bool> before(util::deadline limit, asio::awaitable<void> work) {
    if (!limit.is_never()) co_return co_await util::within(limit.remaining(), std::move(work));
    co_await std::move(work);
    co_return true;
}

}  // namespace

active_run::active_run(std::shared_ptr<unit_context> context, std::shared_ptr<const unit_spec> spec,
                       unit_log& log, run_parameters parameters)
    : context_(std::move(context)),
      spec_(std::move(spec)),
      log_(log),
      parameters_(std::move(parameters)),
      listener_dropped_(context_->options.executor),
      begun_(context_->options.executor),
      cancelled_(context_->options.executor),
      done_(context_->options.executor) {}

std::shared_ptr<active_run> active_run::make(std::shared_ptr<unit_context> context,
                                             std::shared_ptr<const unit_spec> spec, unit_log& log,
                                             run_parameters parameters) {
    return std::shared_ptr<active_run>(
        new active_run(std::move(context), std::move(spec), log, std::move(parameters)));
}

std::vector<std::string> active_run::environment() {
    if (environment_.empty()) environment_ = context_->environment_of(*spec_, parameters_.caller);
    auto entries = std::move(environment_);
    const auto set = [&entries](std::string_view key, std::string_view value) {
        const std::string start = std::string(key) + "=";
        std::erase_if(entries, [&](const std::string& entry) { return entry.starts_with(start); });
        entries.push_back(start + std::string(value));
    };
    if (parameters_.cwd) set("PWD", *parameters_.cwd);
    set(mark_run, std::to_string(record_.id));
    set("HOB_TRIGGER", name_of(parameters_.trigger));
    for (const auto& [key, value] : parameters_.variables)
        set(key, value);
    return entries;
}

void active_run::publish(run_state state) const {
    if (!context_->options.publish) return;
    util::json_object event;
    event.add("run", record_.id).add("unit", spec_->name);
    event.add("trigger", name_of(parameters_.trigger)).add("to", name_of(state));
    context_->options.publish("run.state", std::move(event).text());
}

void active_run::begin() {
    record_.task = spec_->name;
    record_.trigger = parameters_.trigger;
    record_.cause = parameters_.cause;
    record_.state = run_state::running;
    record_.started_at = std::chrono::system_clock::now();
    try {
        environment_ = context_->environment_of(*spec_, parameters_.caller);
        record_.environment = differing_names(context_->options.base_environment, environment_);
    } catch (const failure&) {
        // start_process() reports it, once there is a record.
    }
    add_record();
    context_->active_runs[record_.id] = weak_from_this();
    context_->note_token(parameters_.token, record_.id);
}

run_io::handlers active_run::handlers() {
    // run_io::finish drops the handlers before this run ends. They are weak for a daemon that ends in the
    // middle.
    const std::weak_ptr<active_run> weak = weak_from_this();
    run_io::handlers on;
    on.output = [weak](std::string_view stream, std::uint64_t, std::string_view bytes) {
        const auto owner = weak.lock();
        if (!owner) return;
        owner->log_.write(stream, bytes, owner->record_.id);
        owner->pass_on(stream, bytes);
    };
    on.room = [weak]() -> asio::awaitable<void> {
        const auto owner = weak.lock();
        return owner ? owner->output_room() : []() -> asio::awaitable<void> { co_return; }();
    };
    return on;
}

asio::awaitable<void> active_run::output_room() {
    const auto self = shared_from_this();
    while (parameters_.listener && !killed_ &&
           parameters_.listener->queued() > limits::run_output_queued_max) {
        auto drained = parameters_.listener->drained();
        auto dropped = listener_dropped_.wait();
        co_await util::first_of(std::move(drained), std::move(dropped));
    }
}

void active_run::start_process() {
    const bool merged = spec_->output == output_streams::merged;
    run_ends ends = parameters_.terminal ? make_run_terminal(*parameters_.terminal)
                                         : make_run_pipes(parameters_.input, merged);
    if (context_->keeper()) ends.spool = output_spool::make();
    if (parameters_.input_descriptor) ends.child_input = std::move(*parameters_.input_descriptor);
    parameters_.input_descriptor.reset();
    process_options options;
    options.spec = spec_;
    if (is_command()) options.display_name = spec_->run.argv.front();
    options.argv = spec_->run.argv;
    options.argv.insert(options.argv.end(), parameters_.arguments.begin(), parameters_.arguments.end());
    options.environment = environment();
    options.cwd = parameters_.cwd;
    options.input = ends.child_input.get();
    options.output = ends.child_output.get();
    options.error = ends.child_error.get();
    options.terminal = ends.terminal;
    if (parameters_.umask) options.umask = *parameters_.umask;
    options.limits = parameters_.limits;
    note_capped_limits();
    options.held = held_by_keeper(ends);
    process_ = std::make_unique<unit_process>(context_, options);
    remember();
    ends.child_input.reset();
    ends.child_output.reset();
    ends.child_error.reset();
    if (ends.spool) log_.attach(record_.id, ends.spool);
    io_ = run_io::make(context_->options.executor, std::move(ends), handlers());
}

void active_run::note_capped_limits() {
    const std::string capped = limits_above_own(parameters_.limits);
    if (capped.empty()) return;
    const std::string note = "its hard limits cannot be raised to those of the caller: " + capped;
    record_.cause += (record_.cause.empty() ? "" : "; ") + note;
    log_.write("hob", note + "\n", record_.id);
}

// Until the program runs, or the run is to be ended. Throws failure(unit_failed).
asio::awaitable<void> active_run::await_launch() {
    std::optional<failure> failed;
    try {
        const bool in_time = co_await before(limit_, process_->launched());
        if (in_time) co_return;
    } catch (const failure& why) {
        failed.emplace(why);
    }
    if (!failed) {
        cancel("it took too long: " + process_->blocked_by(), run_state::timeout);
        co_return;
    }
    co_await io_->finish();
    end_output();
    process_.reset();
    throw failure(*failed);
}

void active_run::failed_to_start(const failure& why) {
    record_.exit = exit_in(why);
    record_.cause += record_.cause.empty() ? why.what() : std::string(": ") + why.what();
    log_.write("hob", std::string(why.what()) + "\n", record_.id);
    write_end(run_state::failed);
}

void active_run::check_cancelled() const {
    if (ended_by_) throw failure(error_kind::cancelled, cannot("run", spec_->name), "it was cancelled");
}

asio::awaitable<int> active_run::sync_record() {
    const auto disk = context_->disk;
    const int error = co_await disk->flush();
    if (error != 0) {
        log(level::error, "store", "the record of a run is not on the disk",
            {field("run", record_.id), field("reason", errno_text(error))});
    }
    co_return error;
}

std::exception_ptr active_run::record_start_failure(const failure& why) {
    if (ended_by_) {
        if (record_.id != 0) write_end(*ended_by_);
        return std::make_exception_ptr(why);
    }
    log(level::warning, "unit", "a run did not start",
        {field("unit", spec_->name), field("reason", why.what())});
    if (record_.id == 0) return std::make_exception_ptr(why);
    failed_to_start(why);
    return std::make_exception_ptr(is_command() ? why.without_hint() : why);
}

// The record is durable before the process starts.
asio::awaitable<void> active_run::make_process() {
    check_cancelled();
    begin();
    if (const int error = co_await sync_record(); error != 0) {
        throw failure(error_kind::unit_failed, cannot("run", spec_->name),
                      "its record cannot be written: " + errno_text(error));
    }
    check_cancelled();
    start_process();
    const auto& settings = std::get<task_spec>(spec_->detail);
    limit_ = settings.timeout ? util::deadline::in(*settings.timeout) : util::deadline::never();
    if (settings.timeout) remember();
}

// False: it did not start.
asio::awaitable<bool> active_run::launch() {
    std::exception_ptr start_failure;
    try {
        if (!process_) co_await make_process();
        if (process_->launches()) co_await await_launch();
    } catch (const failure& why) {
        start_failure = record_start_failure(why);
    }
    if (!start_failure) co_return true;
    co_await sync_record();
    set_start_failure(start_failure);
    co_return false;
}

asio::awaitable<void> active_run::execute() {
    const auto self = shared_from_this();
    if (over()) co_return;
    const bool goes_on = process_ != nullptr;
    if (!co_await launch()) co_return;
    log(level::info, "unit", goes_on ? "run goes on" : "run started",
        {field("unit", spec_->name), field("run", record_.id), field("pid", process_->pid()),
         field("trigger", name_of(record_.trigger)), field("cause", record_.cause)});
    if (parameters_.listener) parameters_.listener->started(record_.id);
    begun_.set();
    if (!goes_on) publish(run_state::running);
    const std::optional<exit_state> exit = co_await until_end();
    co_await finish(exit);
}

void active_run::end_output() {
    for (const std::string_view stream : output_streams_of_run)
        log_.end(stream, record_.id);
    log_.detach(record_.id);
}

asio::awaitable<std::optional<exit_state>> active_run::until_end() {
    const bool in_time = co_await before(limit_, until_ended(*process_));
    if (!in_time) cancel("it took too long", run_state::timeout);
    co_return co_await process_->end();
}

// The end of the record is durable before the callers get it.
asio::awaitable<void> active_run::finish(std::optional<exit_state> exit) {
    exit_ = exit;
    co_await io_->finish();
    end_output();
    drop_output();
    stopped_ = co_await process_->clean_up();
    const std::string note = stopped_.text();
    if (!note.empty()) tell_of_end(note);
    if (!note.empty()) record_.cause += (record_.cause.empty() ? "" : "; ") + note;
    record_exit();
    const bool succeeded = exit && !exit->signalled && exit->number == 0;
    const run_state state = ended_by_.value_or(succeeded ? run_state::ok : run_state::failed);
    log(state == run_state::ok ? level::info : level::warning, "unit", "run ended",
        {field("unit", spec_->name), field("run", record_.id), field("how", end_text(exit)),
         field("state", name_of(state))});
    if (state != run_state::ok) tell_of_end(fmt::format("the run {}", end_text(exit)));
    write_end(state);
    log_.end("hob", record_.id);
    co_await sync_record();
    process_.reset();
    set_done();
}

void active_run::record_exit() {
    if (exit_ && exit_->signalled) record_.signal = exit_->number;
    if (exit_ && !exit_->killed_for.empty())
        record_.cause += (record_.cause.empty() ? "" : "; ") + exit_text(*exit_);
    if (exit_ && !exit_->signalled) record_.exit = exit_->number;
    if (const auto& used = process_->used()) record_.note_usage(*used);
}

void active_run::write_end(run_state state) {
    record_.state = state;
    record_.ended_at = std::max(std::chrono::system_clock::now(), record_.started_at);
    record_.output_bytes = io_ ? static_cast<std::int64_t>(io_->output_bytes()) : 0;
    context_->runs.end(record_, spec_->keep);
    result_ = record_;
    publish(record_.state);
}

asio::awaitable<void> active_run::fail(std::exception_ptr reason) {
    const auto self = shared_from_this();
    try {
        begin();
        std::rethrow_exception(std::move(reason));
    } catch (const failure& why) {
        reason = record_start_failure(why);
    }
    co_await sync_record();
    set_start_failure(std::move(reason));
}

void active_run::set_start_failure(std::exception_ptr reason) {
    start_failure_ = std::move(reason);
    begun_.set();
    set_done();
}

// Clients find it until they may be told of its end.
void active_run::set_done() {
    context_->active_runs.erase(record_.id);
    done_.set();
}

asio::awaitable<run_record> active_run::wait() {
    const auto self = shared_from_this();
    co_await done_.wait();
    if (start_failure_) std::rethrow_exception(start_failure_);
    co_return *result_;
}

asio::awaitable<void> active_run::begun() {
    const auto self = shared_from_this();
    co_await begun_.wait();
    if (start_failure_) std::rethrow_exception(start_failure_);
}

}  // namespace hob::unit

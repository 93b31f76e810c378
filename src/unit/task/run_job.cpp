#include "unit/task/run_job.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "error.hpp"
#include "limits.hpp"
#include "unit/process/environment.hpp"
#include "util/json_text.hpp"
#include "util/log.hpp"

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

}  // namespace

run_job::run_job(std::shared_ptr<unit_context> context, std::shared_ptr<const unit_spec> spec, unit_log& log,
                 run_order order)
    : context_(std::move(context)),
      spec_(std::move(spec)),
      log_(log),
      order_(std::move(order)),
      unheard_(context_->options.executor),
      begun_(context_->options.executor),
      cancelled_(context_->options.executor),
      done_(context_->options.executor) {}

run_job::~run_job() = default;

std::shared_ptr<run_job> run_job::make(std::shared_ptr<unit_context> context,
                                       std::shared_ptr<const unit_spec> spec, unit_log& log,
                                       run_order order) {
    return std::shared_ptr<run_job>(new run_job(std::move(context), std::move(spec), log, std::move(order)));
}

std::vector<std::string> run_job::environment() const {
    auto entries = context_->environment_of(*spec_, order_.caller);
    const auto set = [&entries](std::string_view key, std::string_view value) {
        const std::string start = std::string(key) + "=";
        std::erase_if(entries, [&](const std::string& entry) { return entry.starts_with(start); });
        entries.push_back(start + std::string(value));
    };
    set(mark_run, std::to_string(record_.id));
    set("HOB_TRIGGER", name_of(order_.trigger));
    for (const auto& [key, value] : order_.variables)
        set(key, value);
    return entries;
}

void run_job::publish(std::string_view to) const {
    if (!context_->options.publish) return;
    context_->options.publish("run.state",
                              fmt::format(R"({{"run":{},"unit":{},"trigger":"{}","to":"{}"}})", record_.id,
                                          util::json_quote(spec_->name), name_of(order_.trigger), to));
}

void run_job::begin() {
    record_.task = spec_->name;
    record_.trigger = name_of(order_.trigger);
    record_.cause = order_.cause;
    record_.state = name_of(run_state::running);
    record_.started_at = std::chrono::system_clock::now();
    record_.id = context_->runs.add(record_);
    context_->jobs[record_.id] = weak_from_this();
}

run_io::handlers run_job::handlers() {
    // Dropped by run_io::finish before this job ends; a daemon that is torn down in the middle is why they
    // are weak.
    const std::weak_ptr<run_job> owner = weak_from_this();
    run_io::handlers on;
    on.output = [owner](std::string_view stream, std::string_view bytes) {
        const auto mine = owner.lock();
        if (!mine) return;
        mine->log_.write(stream, bytes, mine->record_.id);
        if (mine->order_.listener) mine->order_.listener->output(mine->record_.id, stream, bytes);
    };
    on.room = [owner]() -> asio::awaitable<void> {
        const auto mine = owner.lock();
        return mine ? mine->room() : []() -> asio::awaitable<void> { co_return; }();
    };
    return on;
}

asio::awaitable<void> run_job::room() {
    const auto self = shared_from_this();
    while (order_.listener && !hurried_ && order_.listener->queued() > limits::run_output_queued_max) {
        auto drained = order_.listener->drained();
        auto unheard = unheard_.wait();
        co_await util::first_of(std::move(drained), std::move(unheard));
    }
}

void run_job::start_process() {
    run_ends ends = order_.terminal ? make_run_terminal(*order_.terminal) : make_run_pipes(order_.input);
    process_options wanted;
    wanted.spec = spec_;
    if (is_command()) wanted.display_name = spec_->run.argv.front();
    wanted.argv = spec_->run.argv;
    wanted.argv.insert(wanted.argv.end(), order_.arguments.begin(), order_.arguments.end());
    wanted.environment = environment();
    wanted.cwd = order_.cwd;
    wanted.input = ends.child_input.get();
    wanted.output = ends.child_output.get();
    wanted.error = ends.child_error.get();
    wanted.terminal = ends.terminal;
    process_ = std::make_unique<unit_process>(context_, wanted);
    ends.child_input.reset();
    ends.child_output.reset();
    ends.child_error.reset();
    io_ = run_io::make(context_->options.executor, std::move(ends), handlers());
}

void run_job::failed_to_start(const failure& why) {
    record_.exit = exit_in(why);
    record_.cause += record_.cause.empty() ? why.what() : std::string(": ") + why.what();
    log_.write("hob", std::string(why.what()) + "\n", record_.id);
    write_end(run_state::failed);
}

void run_job::check_cancelled() const {
    if (ended_by_)
        throw failure(error_kind::cancelled, fmt::format("cannot run '{}': it was cancelled", spec_->name));
}

// What has been written of it survives a crash of the machine. Returns, and logs, an errno.
asio::awaitable<int> run_job::durable() {
    const auto disk = context_->disk;
    const int error = co_await disk->flush();
    if (error != 0) {
        log(level::error, "store", "the record of a run is not on the disk",
            {field("run", record_.id), field("reason", errno_text(error))});
    }
    co_return error;
}

// What its callers are told.
std::exception_ptr run_job::did_not_start(const failure& why) {
    if (ended_by_) {
        if (record_.id != 0) write_end(*ended_by_);
        return std::make_exception_ptr(why);
    }
    log(level::warning, "unit", "a run did not start",
        {field("unit", spec_->name), field("reason", why.what())});
    if (record_.id == 0) return std::make_exception_ptr(why);
    failed_to_start(why);
    return std::make_exception_ptr(
        failure(why.kind(), why.what(), is_command() ? std::string() : why.hint(), why.detail()));
}

// The record is durable before anything runs, and its end before it is told.
asio::awaitable<void> run_job::execute() {
    const auto self = shared_from_this();
    std::exception_ptr problem;
    try {
        check_cancelled();
        begin();
        if (const int error = co_await durable(); error != 0) {
            throw failure(error_kind::unit_failed,
                          fmt::format("cannot run '{}': its record cannot be written: {}", spec_->name,
                                      errno_text(error)));
        }
        check_cancelled();
        start_process();
    } catch (const failure& why) {
        problem = did_not_start(why);
    }
    if (problem) {
        co_await durable();
        refuse(problem);
        co_return;
    }
    log(level::info, "unit", "run started",
        {field("unit", spec_->name), field("run", record_.id), field("pid", process_->pid()),
         field("trigger", record_.trigger), field("cause", record_.cause)});
    if (order_.listener) order_.listener->started(record_.id);
    begun_.set();
    publish(name_of(run_state::running));
    const exit_state exit = co_await until_end();
    co_await finish(exit);
}

asio::awaitable<exit_state> run_job::until_end() {
    const auto limit = std::get<task_spec>(spec_->detail).timeout;
    if (limit) {
        const auto in_time = co_await util::within(*limit, process_->ended());
        if (!in_time) cancel("it took too long", run_state::timeout);
    } else {
        co_await process_->ended();
    }
    co_return co_await process_->end();
}

asio::awaitable<void> run_job::finish(exit_state exit) {
    exit_ = exit;
    co_await io_->finish();
    log_.end("stdout", record_.id);
    log_.end("stderr", record_.id);
    co_await process_->clean_up();
    if (process_->needed_kill()) log_.write("hob", process_->kill_note() + "\n", record_.id);
    if (exit.signalled) {
        record_.signal = exit.number;
    } else {
        record_.exit = exit.number;
    }
    if (const auto& used = process_->used()) {
        const auto ms = [](const timeval& time) { return time.tv_sec * 1000 + time.tv_usec / 1000; };
        record_.cpu_ms = ms(used->ru_utime) + ms(used->ru_stime);
        record_.max_rss_kib = used->ru_maxrss;
    }
    const bool good = !exit.signalled && exit.number == 0;
    const run_state state = ended_by_.value_or(good ? run_state::ok : run_state::failed);
    log(state == run_state::ok ? level::info : level::warning, "unit", "run ended",
        {field("unit", spec_->name), field("run", record_.id), field("how", exit_text(exit)),
         field("state", name_of(state))});
    if (state != run_state::ok) log_.write("hob", fmt::format("the run {}\n", exit_text(exit)), record_.id);
    write_end(state);
    log_.end("hob", record_.id);
    co_await durable();
    process_.reset();
    done_.set();
}

void run_job::write_end(run_state state) {
    record_.state = name_of(state);
    record_.ended_at = std::max(std::chrono::system_clock::now(), record_.started_at);
    context_->options.db.transaction([this] {
        context_->runs.finish(record_);
        context_->runs.prune(record_.task, std::get<task_spec>(spec_->detail).keep);
    });
    context_->jobs.erase(record_.id);
    result_ = record_;
    publish(record_.state);
}

asio::awaitable<void> run_job::fail(std::exception_ptr why) {
    const auto self = shared_from_this();
    try {
        begin();
        std::rethrow_exception(std::move(why));
    } catch (const failure& reason) {
        why = did_not_start(reason);
    }
    co_await durable();
    refuse(std::move(why));
}

void run_job::refuse(std::exception_ptr why) {
    refused_ = std::move(why);
    begun_.set();
    done_.set();
}

asio::awaitable<run_record> run_job::wait() {
    const auto self = shared_from_this();
    co_await done_.wait();
    if (refused_) std::rethrow_exception(refused_);
    co_return *result_;
}

asio::awaitable<void> run_job::begun() {
    const auto self = shared_from_this();
    co_await begun_.wait();
    if (refused_) std::rethrow_exception(refused_);
}

void run_job::cancel(const std::string& why, run_state how) {
    if (over()) return;
    if (!ended_by_) {
        ended_by_ = how;
        cancelled_.set();
        record_.cause += fmt::format("{}{}", record_.cause.empty() ? "" : "; ", why);
    }
    if (process_ && process_->request_stop()) {
        log(level::info, "unit", "run is stopped",
            {field("unit", spec_->name), field("run", record_.id), field("reason", why)});
    }
}

void run_job::kill_now() {
    hurried_ = true;
    unheard_.ring();
    cancel("killed");
    if (process_) process_->kill_now();
}

void run_job::drop_listener() {
    order_.listener.reset();
    unheard_.ring();
}

asio::awaitable<bool> run_job::input(std::string bytes) {
    const auto self = shared_from_this();
    if (!io_ || over()) co_return false;
    co_return co_await io_->send(std::move(bytes));
}

void run_job::close_input() {
    if (!io_) return;
    if (!order_.terminal) return io_->close_input();
    // A terminal has no end; what stands for it is a key.
    const auto ended = [](std::shared_ptr<run_io> io) -> asio::awaitable<void> { co_await io->send("\x04"); };
    util::spawn(context_->options.executor, ended(io_), "run input");
}

void run_job::resize(terminal_size size) {
    if (io_) io_->resize(size);
}

}  // namespace hob::unit

// A worker that a program before this one has left in this process: its process and conversation go on.

#include <utility>

#include "unit/config/expanded.hpp"
#include "unit/protocol/carried.hpp"
#include "unit/spec/definition_digest.hpp"
#include "unit/worker/worker_process.hpp"
#include "unit/worker/worker_record.hpp"
#include "util/clock.hpp"
#include "util/json/json_text.hpp"
#include "util/log/log.hpp"

namespace hob::unit {

void worker::adopt(lifecycle::held_entry held) {
    const auto note = carried_worker(held);
    const auto record = note ? parse_worker_record(held.text().value_or("")) : std::nullopt;
    const bool known = record && restore(*record);
    if (!note || note->pid == 0) return;
    try {
        adopt_process(*note, known ? *record : worker_record(), held);
    } catch (const failure& why) {
        util::log(util::level::warning, "unit", "a worker is not there any more",
                  {util::field("unit", spec_->name), util::field("reason", why.what())});
    }
}

// What it knows without a process. False: the record is none.
bool worker::restore(const worker_record& record) {
    const auto variables = unpack(record.environment);
    if (!variables || !events_.restore(record.events)) return false;
    restarts_ = static_cast<int>(record.restarts);
    if (record.exit >= 0) {
        last_exit_ = exit_state{record.exit_by_signal, static_cast<int>(record.exit), record.exit_with_core,
                                record.killed_for};
    }
    died_ = record.died;
    failure_reported_ = record.failure_reported;
    if (record.has_environment) caller_environment_ = *variables;
    last_id_ = static_cast<std::uint64_t>(record.last_id);
    if (record.state == name_of(unit_state::failed))
        restore_state(unit_state::failed, util::time_of_ms(record.since));
    return true;
}

// Throws failure if the process is gone.
void worker::adopt_process(const worker_note& note, const worker_record& record, lifecycle::held_entry& held) {
    auto made = std::make_shared<worker_process>(*this);
    memory_.bind(*spec_);
    made->protocol = instantiate(*own_spec().protocol);
    made->definition = made->started_with = spec_;
    adopted_process process;
    process.spec = spec_;
    process.pid = static_cast<pid_t>(note.pid);
    process.cgroup = record.cgroup;
    process.output = held.take("stop");
    try {
        process.environment = context_->environment_of(*spec_, caller_environment_);
        made->started_with = expanded(spec_, process.environment);
    } catch (const failure&) {
        made->started_with = nullptr;
    }
    const bool same = made->started_with && record.definition == definition_digest(*spec_) &&
                      record.started_with == definition_digest(*made->started_with) &&
                      record.protocol == made->protocol.record->name;
    if (!same) made->started_with = spec_;
    made->main_process = std::make_unique<unit_process>(context_, std::move(process));
    child_pipes pipes{{}, {}, {}};
    pipes.input.write = held.take("input");
    pipes.output.read = held.take("output");
    pipes.error.read = held.take("error");
    connect_pipes(made, std::move(pipes));
    made->address_watch.reset();
    if (auto connection = held.take("connection")) made->io->connect(std::move(connection));
    process_ = made;
    const bool goes_on = same && resume(made, record, held.take("inotify"));
    made->handshake_done.set();
    restore_state(unit_state::warm, util::time_of_ms(record.since));
    if (goes_on) {
        begin_warm(made);
    } else {
        request_stop("its conversation cannot be gone on with");
    }
    util::spawn(context_->options.executor, supervise(made), "worker " + spec_->name);
}

// False: the conversation cannot be gone on with.
bool worker::resume(const process_ptr& process, const worker_record& record, util::unique_fd inotify) {
    const auto unwritten = util::base64_decode(record.unwritten);
    auto last_words = util::base64_decode(record.last_words);
    const auto output = util::base64_decode(record.unfinished_output);
    const auto error = util::base64_decode(record.unfinished_error);
    if (!unwritten || !last_words || !output || !error) return false;
    if (!process->protocol.framing->restore(record.framing)) return false;
    std::set<std::uint64_t> ignored;
    for (const auto& text : record.ignored) {
        const auto id = util::json_integer(text);
        if (!id) return false;
        ignored.insert(static_cast<std::uint64_t>(*id));
    }
    using clock = std::chrono::steady_clock;
    process->calls->restore(std::move(ignored), clock::time_point(clock::duration(record.last_used)));
    process->address = record.address;
    process->noise_lines = static_cast<std::uint64_t>(record.noise_lines);
    process->unexpected_answers = static_cast<std::uint64_t>(record.unexpected_answers);
    log_.write("stdout", *output);
    log_.write("stderr", *error);
    log_.restore_remembered(std::move(*last_words));
    if (!unwritten->empty()) process->io->send(*unwritten);
    if (process->protocol.record->handshake) process->set_capabilities(record.capabilities);
    activity_ = record.activity;
    carried_session state{record.session, std::move(inotify)};
    return process->protocol.session->resume(*process, std::move(state));
}

void worker::begin_warm(const process_ptr& process) {
    process->phase = worker_phase::open;
    util::log(util::level::info, "unit", "worker goes on",
              {util::field("unit", spec_->name), util::field("pid", process->main_process->pid())});
    if (worker_spec_of(process->spec()).idle_timeout)
        util::spawn(context_->options.executor, watch_idle(process), "idle " + spec_->name);
}

}  // namespace hob::unit

// A session of a debug adapter. One process of the worker is one session: launch or attach is sent without
// waiting for its answer, breakpoints follow when the adapter asks for its configuration, and then the
// program runs.

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "error.hpp"
#include "limits.hpp"
#include "unit/protocol/dap/breakpoints.hpp"
#include "unit/protocol/dap/conversation.hpp"
#include "unit/protocol/dap/dap.hpp"
#include "unit/protocol/dap/defaults.hpp"
#include "unit/protocol/dap/frame.hpp"
#include "unit/protocol/dap/handshake.hpp"
#include "unit/protocol/dap/methods.hpp"
#include "unit/protocol/dap/program_output.hpp"
#include "unit/protocol/dap/program_state.hpp"
#include "unit/protocol/dap/progress.hpp"
#include "unit/protocol/dap/terminal.hpp"
#include "unit/protocol/method_names.hpp"
#include "unit/protocol/protocol_session.hpp"
#include "util/async.hpp"
#include "util/json/json_edit.hpp"
#include "util/json/json_text.hpp"
#include "util/json/json_writer.hpp"

namespace hob::unit {
namespace {

namespace asio = boost::asio;

bool is_launch(const call_request& call) { return call.method == "launch" || call.method == "attach"; }

struct launch_outcome {
    std::optional<std::string> result;
    std::optional<failure> failed;
};
using launch_ptr = std::shared_ptr<launch_outcome>;  // held by the launch and by the coroutine that sends it

class dap_session final : public protocol_session {
public:
    std::uint64_t generation() const override { return now_.generation; }

    asio::awaitable<std::string> start(session_host& host) override {
        changed_.emplace(host.executor());
        const std::string announced = co_await host.request("initialize", dap_initialize_params(host.spec()),
                                                            util::deadline::in(limits::handshake_timeout));
        // Changes may have come behind the answer already.
        std::string& known = now_.capabilities;
        known = known.empty() ? announced : util::json_merge(announced, known);
        co_return now_.capabilities;
    }

    asio::awaitable<void> stop(session_host& host) override {
        if (now_.connection != dap_connection::open) co_return;
        now_.connection = dap_connection::disconnecting;
        const std::string params = util::json_object().add("terminateDebuggee", now_.owns_program).text();
        co_await host.request("disconnect", params, util::deadline::in(host.spec().stop.timeout));
    }

    std::optional<call_mutex> mutex_for(const session_host& host, const std::string& method) const override {
        if (among(dap_running_methods, method)) return call_mutex{"run", true};
        return protocol_session::mutex_for(host, method);
    }

    asio::awaitable<std::string> handle_call(session_host& host, call_request call, event_watch* watch,
                                             util::deadline limit) override {
        const std::string directory = call.cwd.empty() ? host.spec().cwd : call.cwd;
        if (call.params.empty()) call.params = "{}";
        check_supported(host.spec().name, call.method, now_.capabilities);
        if (call.method == "setBreakpoints")
            expand_breakpoints_shorthand(host.spec().name, call.params, directory);
        const std::string key = breakpoints_key(call.method, call.params);
        if (!key.empty()) {
            co_return co_await set_breakpoints(host, key, std::move(call), watch, limit);
        }
        if (is_launch(call)) {
            make_absolute(call.params, "program", directory);
            co_return co_await launch(host, std::move(call), watch, limit);
        }
        if (call.method == "disconnect") now_.connection = dap_connection::disconnecting;
        if (now_.program.is == program_state::phase::paused && wants_frame(call, now_.frame)) {
            co_await fetch_top_frame(host, now_.thread, limit);
        }
        fill_in(call, now_.thread, now_.frame);
        if (wants_scope(call)) {
            fill_in_scope(call, co_await locals_scope_of(host, now_.frame, limit));
        }
        if (among(dap_running_methods, call.method)) {
            co_return co_await let_run(host, std::move(call), watch, limit);
        }
        try {
            co_return co_await host.request_for(watch, call.method, std::move(call.params), limit);
        } catch (const failure& why) {
            throw with_method_hint(why, call.method, dap_methods);
        }
    }

    // The frame that the program stopped in, and its local variables as far as the adapter knows them.
    asio::awaitable<raw_members> event_details(session_host& host, worker_event event,
                                               util::deadline limit) override {
        if (event.name != "stopped") co_return raw_members();
        std::string thread = dap_handle(event.params, "threadId");
        if (thread.empty()) thread = now_.thread;
        std::string frame;
        try {
            frame = co_await fetch_top_frame(host, std::move(thread), limit);
        } catch (const failure& why) {
            co_return missing_details(why);
        }
        if (frame.empty()) co_return raw_members();
        co_return co_await details_of_stop(host, std::move(frame), limit);
    }

    bool on_server_request(session_host& host, const worker_message& request) override {
        if (request.method == "startDebugging") return refuse_child_session(host, request);
        return request.method == "runInTerminal" && run_in_terminal(host, request);
    }

    std::uint64_t on_notification(session_host& host, const std::string& name, std::string& params) override {
        if (name == "initialized") {
            if (now_.configuration == dap_configuration::unknown)
                now_.configuration = dap_configuration::always_requested;
            else if (now_.configuration == dap_configuration::awaited)
                now_.configuration = dap_configuration::requested;
            changed_->ring();
        } else if (name == "stopped") {
            on_stopped(host, params);
        } else if (name == "continued") {
            on_running(host);
        } else if (name == "exited") {
            set_program(host,
                        {program_state::phase::exited, {}, util::json_find_integer(params, {"exitCode"})});
            if (now_.session == dap_debug_session::running)
                host.spawn(end_after_exit(host), "end of a session");
        } else if (name == "terminated") {
            on_terminated(host);
        } else if (name == "output") {
            now_.output.on_output(params);
        } else if (name == "capabilities") {
            const std::string_view more = util::json_find(params, {"capabilities"});
            if (more.starts_with('{')) now_.capabilities = util::json_merge(now_.capabilities, more);
            host.set_capabilities(now_.capabilities);
        } else if (name.starts_with("progress")) {
            if (now_.progress.on_event(name, params)) host.set_activity(activity());
        }
        return 0;
    }

    // Its adapter has served one session. Many adapters hang or die at a second one.
    bool is_spent_for(const std::string& method) const override {
        return now_.session == dap_debug_session::over && (method == "launch" || method == "attach");
    }

    std::optional<failure> end_of_events(const session_host& host) const override {
        if (now_.session != dap_debug_session::over) return std::nullopt;
        const std::string how = now_.program.text();
        return failure(error_kind::unit_failed, cannot("call", host.spec().name),
                       "the debug session has ended" + (how.empty() ? "" : ": the program has " + how),
                       "launch or attach begins another one");
    }

    // A request that the protocol does not define may cause any event.
    std::optional<failure> never_comes(const session_host& host, const std::string& method,
                                       const std::vector<event_pattern>& events) const override {
        const bool idle = among(dap_methods, method) && now_.session == dap_debug_session::none &&
                          now_.program.is == program_state::phase::unknown &&
                          std::ranges::all_of(events, is_session_event, &event_pattern::name);
        if (!idle) return end_of_events(host);
        return failure(error_kind::unit_failed, cannot("call", host.spec().name), "it has no debug session",
                       "launch or attach begins one");
    }

    void on_process_end() override {
        now_.connection = dap_connection::ended;
        if (changed_) changed_->ring();
    }

    std::optional<carried_session> state_for_successor() override {
        return launch_is_open_ ? std::nullopt : carried_as(now_);
    }

    bool resume(session_host& host, carried_session state) override {
        auto conversation = parse_dap_conversation(state.json);
        if (!conversation) return false;
        now_ = std::move(*conversation);
        changed_.emplace(host.executor());
        if (now_.session == dap_debug_session::running && now_.program.is == program_state::phase::exited)
            host.spawn(end_after_exit(host), "end of a session");
        return true;
    }

private:
    void set_program(session_host& host, program_state state) {
        now_.program = std::move(state);
        changed_->ring();
        host.set_activity(activity());
    }

    // The state of the program, and the newest work of the adapter.
    std::string activity() const {
        const std::string state = now_.program.text();
        const std::string work = now_.progress.text();
        return state.empty() || work.empty() ? state + work : state + ", " + work;
    }

    void on_stopped(session_host& host, const std::string& params) {
        ++now_.generation;
        now_.frame.clear();
        if (auto id = dap_handle(params, "threadId"); !id.empty()) now_.thread = std::move(id);
        set_program(
            host,
            {program_state::phase::paused, util::json_find_string(params, {"reason"}).value_or(""), {}});
    }

    // Handles of the last stop are invalid from here on.
    void on_running(session_host& host) {
        ++now_.generation;
        now_.frame.clear();
        set_program(host, {program_state::phase::running, {}, {}});
    }

    void on_terminated(session_host& host) {
        now_.session = dap_debug_session::over;
        ++now_.generation;
        now_.thread.clear();
        now_.frame.clear();
        now_.breakpoints = dap_breakpoints::stored;
        if (!now_.program.over()) set_program(host, {program_state::phase::terminated, {}, {}});
    }

    // Some adapters report the exit of the program and not the end of the session.
    asio::awaitable<void> end_after_exit(session_host& host) {
        const auto limit = util::deadline::in(limits::dap_farewell);
        while (now_.session == dap_debug_session::running && now_.program.is == program_state::phase::exited &&
               now_.connection == dap_connection::open) {
            const bool in_time = co_await util::within(limit.remaining(), changed_->wait());
            if (in_time) continue;
            on_terminated(host);
            host.emit_event("terminated", "{}");
        }
    }

    asio::awaitable<std::string> fetch_top_frame(session_host& host, std::string thread,
                                                 util::deadline limit) {
        const std::uint64_t before = now_.generation;
        std::string frame = co_await top_frame_of(host, thread, limit);
        // The program may have run meanwhile.
        if (before == now_.generation && thread == now_.thread) now_.frame = dap_handle(frame, "id");
        co_return frame;
    }

    // The program counts as running before the answer comes: it may have stopped again by then.
    asio::awaitable<std::string> let_run(session_host& host, call_request call, event_watch* watch,
                                         util::deadline limit) {
        const program_state before = now_.program;
        if (now_.session != dap_debug_session::over) on_running(host);
        const std::uint64_t generation = now_.generation;
        std::optional<failure> failed;
        try {
            co_return co_await host.request_for(watch, std::move(call.method), std::move(call.params), limit);
        } catch (const failure& why) {
            failed.emplace(why);
        }
        // Unless the adapter has reported another state meanwhile.
        if (failed->kind() == error_kind::worker_error && now_.generation == generation)
            set_program(host, before);
        throw failure(*failed);
    }

    static asio::awaitable<void> send_launch(std::shared_ptr<dap_session> self, session_host& host,
                                             call_request call, event_watch* watch, util::deadline limit,
                                             launch_ptr outcome) {
        try {
            outcome->result =
                co_await host.request_for(watch, std::move(call.method), std::move(call.params), limit);
        } catch (const failure& why) {
            outcome->failed.emplace(why);
        } catch (const std::exception&) {
            outcome->failed.emplace(error_kind::cancelled, cannot("launch"), "nobody waits for it any more");
        }
        self->changed_->ring();
    }

    // Sends the launch and configures the adapter at the same time: adapters answer `launch` before or after
    // they ask for the configuration.
    asio::awaitable<std::string> launch(session_host& host, call_request call, event_watch* watch,
                                        util::deadline limit) {
        launch_is_open_ = true;
        const program_state program_before = now_.program;
        const dap_debug_session session_before = std::exchange(now_.session, dap_debug_session::running);
        const dap_breakpoints breakpoints_before = now_.breakpoints;
        const bool owned_before = now_.owns_program;
        now_.owns_program = call.method == "launch";
        if (now_.configuration != dap_configuration::always_requested)
            now_.configuration = dap_configuration::awaited;
        on_running(host);
        host.forget_events();
        now_.output.clear();
        const auto outcome = std::make_shared<launch_outcome>();
        auto self = std::static_pointer_cast<dap_session>(shared_from_this());
        auto configuring = configure(host, outcome, call.remark, limit);
        std::optional<failure> failed;
        try {
            co_await util::both(send_launch(self, host, std::move(call), watch, limit, outcome),
                                std::move(configuring));
        } catch (const failure& why) {
            failed = why;
        }
        // A refused launch leaves an earlier session as it was.
        if (outcome->failed && outcome->failed->kind() == error_kind::worker_error) {
            launch_is_open_ = false;
            now_.breakpoints = breakpoints_before;
            now_.owns_program = owned_before;
            now_.session = session_before;
            if (!now_.program.over()) set_program(host, program_before);
            throw now_.output.added_to(*outcome->failed);
        }
        if (failed) {
            // Its configuration was refused in the middle of the launch: another launch needs a new adapter.
            if (failed->kind() == error_kind::worker_error) {
                on_terminated(host);
                set_program(host, {});
            }
            throw failure(*failed);
        }
        if (outcome->failed) throw failure(*outcome->failed);
        launch_is_open_ = false;
        co_return *outcome->result;
    }

    // An adapter that has answered the launch and does not ask for its configuration is not waited for long:
    // its program may run already.
    asio::awaitable<void> configure(session_host& host, launch_ptr launch, remark_handler remark,
                                    util::deadline limit) {
        std::optional<util::deadline> patience;
        while (now_.configuration == dap_configuration::awaited && !launch->failed) {
            if (now_.connection == dap_connection::ended) {
                co_await host.request("configurationDone", {}, limit);  // throws why the process ended
            }
            if (launch->result && !patience) patience = util::deadline::in(limits::dap_initialized);
            if (patience && (patience->expired() || now_.program.is != program_state::phase::running)) break;
            const auto wait = patience ? limit.earlier(*patience) : limit;
            const bool in_time = co_await util::within(wait.remaining(), changed_->wait());
            if (!in_time && !patience) co_return;  // the launch itself fails at the same limit
        }
        if (now_.program.over()) co_return;
        if (launch->failed) co_return;
        co_await restore_all_breakpoints(host, std::move(remark), limit);
        if (util::json_find_true(now_.capabilities, {"supportsConfigurationDoneRequest"})) {
            co_await host.request("configurationDone", {}, limit);
        }
    }

    // Breakpoints that a call sets meanwhile wait: they would be set before the stored ones that they
    // replace.
    asio::awaitable<void> restore_all_breakpoints(session_host& host, remark_handler remark,
                                                  util::deadline limit) {
        now_.breakpoints = dap_breakpoints::restoring;
        std::exception_ptr failed;
        try {
            co_await restore_breakpoints(host, std::move(remark), limit);
        } catch (...) {
            failed = std::current_exception();
        }
        if (now_.breakpoints == dap_breakpoints::restoring) now_.breakpoints = dap_breakpoints::settable;
        changed_->ring();
        if (failed) std::rethrow_exception(failed);
    }

    // Stores breakpoints; in a session, only those that the adapter has accepted.
    asio::awaitable<std::string> set_breakpoints(session_host& host, std::string key, call_request call,
                                                 event_watch* watch, util::deadline limit) {
        while (now_.breakpoints == dap_breakpoints::restoring) {
            const bool in_time = co_await util::within(limit.remaining(), changed_->wait());
            if (!in_time) break;
        }
        std::string params = call.params;
        std::string result = unverified_breakpoints(params);
        if (now_.breakpoints != dap_breakpoints::stored) {
            result = co_await host.request_for(watch, std::move(call.method), std::move(call.params), limit);
        }
        store_breakpoints(host, key, std::move(params));
        co_return result;
    }

    dap_conversation now_;
    bool launch_is_open_ = false;  // a launch has begun, and was neither answered nor refused
    std::optional<util::notifier> changed_;
};

}  // namespace

std::shared_ptr<protocol_session> make_dap_session() { return std::make_shared<dap_session>(); }

}  // namespace hob::unit

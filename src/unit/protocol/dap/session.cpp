// The debug adapter protocol. A debugger's session is one process of the worker: launch or attach is sent
// without waiting, breakpoints follow when the adapter asks for them, and then the program runs.

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "error.hpp"
#include "limits.hpp"
#include "unit/protocol/dap/breakpoints.hpp"
#include "unit/protocol/dap/frame.hpp"
#include "unit/protocol/dap/progress.hpp"
#include "unit/protocol/dap/terminal.hpp"
#include "unit/protocol/protocol_session.hpp"
#include "util/async.hpp"
#include "util/json_edit.hpp"
#include "util/json_text.hpp"

namespace hob::unit {
namespace {

namespace asio = boost::asio;

// What lets the program run, and so may not overlap.
constexpr std::array<std::string_view, 10> running_methods{
    "launch", "attach",  "restart",  "continue", "next",
    "stepIn", "stepOut", "stepBack", "goto",     "reverseContinue",
};
constexpr std::array<std::string_view, 9> methods_of_a_thread{
    "continue", "next", "stepIn", "stepOut", "stepBack", "reverseContinue", "goto", "pause", "stackTrace"};
constexpr std::array<std::string_view, 4> methods_of_a_frame{"scopes", "evaluate", "restartFrame",
                                                             "setExpression"};
using remark_function = decltype(call_request::remark);

template <std::size_t N>
bool among(const std::array<std::string_view, N>& names, std::string_view name) {
    return std::find(names.begin(), names.end(), name) != names.end();
}

struct launching {
    std::optional<std::string> result;
    std::optional<failure> failed;
    bool done() const { return result || failed; }
};

class dap_session final : public protocol_session {
public:
    bool has_start() const override { return true; }
    bool has_stop() const override { return true; }
    std::uint64_t generation() const override { return generation_; }

    asio::awaitable<std::string> start(session_host& with) override {
        news_.emplace(with.executor());
        const std::string ours = fmt::format(
            R"({{"clientID":"hob","clientName":"hob","adapterID":{},"locale":"en","pathFormat":"path","linesStartAt1":true,"columnsStartAt1":true,"supportsVariableType":true,"supportsRunInTerminalRequest":true,"supportsProgressReporting":true}})",
            util::json_quote(with.spec().name));
        const auto& said = std::get<worker_spec>(with.spec().detail).initialize_json;
        capabilities_ = co_await with.ask("initialize", util::json_merge(ours, said),
                                          util::deadline::in(limits::handshake_timeout));
        co_return capabilities_;
    }

    asio::awaitable<void> stop(session_host& with) override {
        if (std::exchange(disconnected_, true)) co_return;
        const std::string params =
            launched_ ? R"({"terminateDebuggee":true})" : R"({"terminateDebuggee":false})";
        co_await with.ask("disconnect", params, util::deadline::in(with.spec().stop.timeout));
    }

    std::optional<call_mutex> mutex_for(const session_host& with, const std::string& method) const override {
        if (among(running_methods, method)) return call_mutex{"run", true};
        return protocol_session::mutex_for(with, method);
    }

    asio::awaitable<std::string> handle_call(session_host& with, call_request wish, event_watch* watch,
                                             util::deadline limit) override {
        const std::string directory = wish.cwd.empty() ? with.spec().cwd : wish.cwd;
        if (wish.method == "setBreakpoints") breakpoints_shorthand(with.spec().name, wish.params, directory);
        const std::string kept_as = breakpoints_key(wish.method, wish.params);
        if (!kept_as.empty()) {
            co_return co_await set_breakpoints(with, kept_as, std::move(wish), watch, limit);
        }
        if (wish.method == "launch" || wish.method == "attach") {
            const auto program = util::json_find_string(wish.params, {"program"});
            if (program && !program->empty()) {
                wish.params = util::json_set(wish.params, {"program"},
                                             util::json_quote(absolute_path(*program, directory)));
            }
            co_return co_await launch(with, std::move(wish), watch, limit);
        }
        if (wish.method == "disconnect") disconnected_ = true;
        if (among(methods_of_a_frame, wish.method) && frame_.empty() && stopped_ &&
            util::json_find(wish.params, {"frameId"}).empty()) {
            co_await top_frame(with, thread_, limit);
        }
        fill_in(wish);
        if (among(running_methods, wish.method)) {
            co_return co_await resume(with, std::move(wish), watch, limit);
        }
        co_return co_await with.ask_for(watch, std::move(wish.method), std::move(wish.params), limit);
    }

    // The frame that the program has stopped in, and the variables that are local to it, where the adapter
    // says them.
    asio::awaitable<std::string> follow(session_host& with, worker_event event,
                                        util::deadline limit) override {
        if (event.name != "stopped") co_return std::string();
        std::string thread = dap_handle(event.params, "threadId");
        auto found = top_frame(with, thread.empty() ? thread_ : std::move(thread), limit);
        const std::string frame = co_await std::move(found);
        if (frame.empty()) co_return std::string();
        const std::string variables = co_await locals_of(with, dap_handle(frame, "id"), limit);
        co_return R"(,"frame":)" + frame + (variables.empty() ? "" : R"(,"locals":)" + variables);
    }

    bool asked(session_host& with, const worker_message& request) override {
        if (request.method == "startDebugging") return refuse_child(with, request);
        return request.method == "runInTerminal" && run_in_terminal(with, request);
    }

    std::uint64_t heard(session_host& with, const std::string& name, std::string& params) override {
        if (name == "initialized") {
            initialized_ = true;
            early_ = early_ || !launch_sent_;
            news_->ring();
        } else if (name == "stopped") {
            ++generation_;
            frame_.clear();
            if (auto id = dap_handle(params, "threadId"); !id.empty()) thread_ = std::move(id);
            stopped_ = !thread_.empty();
            const auto why = util::json_find_string(params, {"reason"}).value_or("");
            set_state(with, why.empty() ? "paused" : "paused: " + why);
        } else if (name == "continued") {
            goes_on(with);
        } else if (name == "exited") {
            const auto status = util::json_find_integer(params, {"exitCode"});
            set_state(with, status ? fmt::format("exited with status {}", *status) : "exited");
            ended_ = true;
        } else if (name == "terminated") {
            if (!std::exchange(ended_, true)) set_state(with, "terminated");
            ++generation_;
            configurable_ = stopped_ = false;
            thread_.clear();
            frame_.clear();
        } else if (name == "capabilities") {
            const std::string_view more = util::json_find(params, {"capabilities"});
            if (more.starts_with('{')) capabilities_ = util::json_merge(capabilities_, more);
        } else if (name.starts_with("progress")) {
            if (progress_.heard(name, params)) with.set_activity(activity());
        }
        return 0;
    }

    void end() override {
        gone_ = true;
        if (news_) news_->ring();
    }

private:
    // A child session is a conversation of its own, and one worker has one: whoever is interested is told
    // what the adapter wants to be started, and may start it by another worker.
    static bool refuse_child(session_host& with, const worker_message& request) {
        with.emit_event("startDebugging", request.payload);
        with.refuse(request, "one worker of hob is one session; a child needs a worker of its own");
        return true;
    }

    void set_state(session_host& with, std::string text) {
        state_ = std::move(text);
        with.set_activity(activity());
    }

    // Work of the adapter's own is what it does meanwhile; the newest of several is shown.
    std::string activity() const {
        std::string work = progress_.text();
        if (state_.empty() || work.empty()) return state_ + work;
        return state_ + ", " + work;
    }

    asio::awaitable<std::string> top_frame(session_host& with, std::string thread, util::deadline limit) {
        const std::uint64_t turn = generation_;
        std::string frame = co_await top_frame_of(with, thread, limit);
        // The program may have gone on meanwhile.
        if (turn == generation_ && thread == thread_) frame_ = dap_handle(frame, "id");
        co_return frame;
    }

    // Older handles mean nothing from here on.
    void goes_on(session_host& with) {
        ++generation_;
        frame_.clear();
        stopped_ = false;
        set_state(with, "running");
    }

    // What it was before something was asked for that lets it go on.
    struct situation {
        std::string state;
        bool stopped, configurable, launched;
    };
    situation now() const { return {state_, stopped_, configurable_, launched_}; }

    // It has not gone on, and nothing was heard of it since `turn`.
    void back_to(session_host& with, const situation& before, std::uint64_t turn) {
        if (generation_ != turn) return;
        stopped_ = before.stopped;
        set_state(with, before.state);
    }

    // It may have stopped again before this is answered.
    asio::awaitable<std::string> resume(session_host& with, call_request wish, event_watch* watch,
                                        util::deadline limit) {
        const situation before = now();
        goes_on(with);
        const std::uint64_t turn = generation_;
        std::optional<failure> failed;
        try {
            co_return co_await with.ask_for(watch, std::move(wish.method), std::move(wish.params), limit);
        } catch (const failure& why) {
            failed.emplace(why);
        }
        if (failed->kind() == error_kind::worker_error) back_to(with, before, turn);
        throw failure(*failed);
    }

    static asio::awaitable<void> send_launch(std::shared_ptr<dap_session> self, session_host& with,
                                             call_request wish, event_watch* watch, util::deadline limit,
                                             std::shared_ptr<launching> into) {
        try {
            into->result =
                co_await with.ask_for(watch, std::move(wish.method), std::move(wish.params), limit);
        } catch (const failure& why) {
            into->failed.emplace(why);
        } catch (const std::exception&) {
            into->failed.emplace(error_kind::cancelled, "cannot launch: nobody waits for it any more");
        }
        self->news_->ring();
    }

    // Both at once: adapters answer `launch` before or after they ask for the configuration.
    asio::awaitable<std::string> launch(session_host& with, call_request wish, event_watch* watch,
                                        util::deadline limit) {
        const situation before = now();
        launch_sent_ = true;
        launched_ = wish.method == "launch";
        initialized_ = early_;
        ended_ = false;
        goes_on(with);
        const std::uint64_t turn = generation_;
        const auto worker_message = std::make_shared<launching>();  // also held by the coroutine that asks
        auto self = std::static_pointer_cast<dap_session>(shared_from_this());
        auto remark = wish.remark;
        auto asking = send_launch(self, with, std::move(wish), watch, limit, worker_message);
        auto configuring = configure(with, worker_message, std::move(remark), limit);
        std::optional<failure> failed;
        try {
            co_await both(std::move(asking), std::move(configuring));
        } catch (const failure& why) {
            failed.emplace(why);
        }
        // One that the adapter refuses leaves a session as it was that there may be.
        if (worker_message->failed && worker_message->failed->kind() == error_kind::worker_error) {
            configurable_ = before.configurable;
            launched_ = before.launched;
            back_to(with, before, turn);
            throw failure(*worker_message->failed);
        }
        if (failed) throw failure(*failed);
        if (worker_message->failed) throw failure(*worker_message->failed);
        co_return *worker_message->result;
    }

    // Until both have ended; `other` ends `one` when it fails.
    static asio::awaitable<void> both(asio::awaitable<void> one, asio::awaitable<void> other) {
        const auto executor = co_await asio::this_coro::executor;
        auto first = asio::co_spawn(executor, std::move(one), asio::deferred);
        auto second = asio::co_spawn(executor, std::move(other), asio::deferred);
        auto group = asio::experimental::make_parallel_group(std::move(first), std::move(second));
        auto [order, first_failed, second_failed] =
            co_await group.async_wait(asio::experimental::wait_for_one_error(), asio::use_awaitable);
        if (second_failed) std::rethrow_exception(second_failed);
        if (first_failed) std::rethrow_exception(first_failed);
    }

    asio::awaitable<void> configure(session_host& with, std::shared_ptr<launching> worker_message,
                                    remark_function remark, util::deadline limit) {
        while (!initialized_ && !worker_message->failed) {
            if (gone_) {
                auto refused = with.ask("configurationDone", {}, limit);  // says what it ended of
                co_await std::move(refused);
            }
            const bool in_time = co_await util::within(limit.remaining(), news_->wait());
            if (!in_time) co_return;  // the launch's own limit says so
        }
        if (worker_message->failed) co_return;
        co_await set_kept(with, std::move(remark), limit);
        if (util::json_find_true(capabilities_, {"supportsConfigurationDoneRequest"})) {
            co_await with.ask("configurationDone", {}, limit);
        }
    }

    // What somebody sets meanwhile waits: it would be set before what it replaces.
    asio::awaitable<void> set_kept(session_host& with, remark_function remark, util::deadline limit) {
        configurable_ = setting_ = true;
        std::exception_ptr failed;
        try {
            co_await set_kept_breakpoints(with, std::move(remark), limit);
        } catch (...) {
            failed = std::current_exception();
        }
        setting_ = false;
        news_->ring();
        if (failed) std::rethrow_exception(failed);
    }

    // Kept only once the adapter has taken them, where there is one to ask.
    asio::awaitable<std::string> set_breakpoints(session_host& with, std::string key, call_request wish,
                                                 event_watch* watch, util::deadline limit) {
        while (setting_) {
            const bool in_time = co_await util::within(limit.remaining(), news_->wait());
            if (!in_time) break;
        }
        std::string params = wish.params;
        std::string result = breakpoints_promised(params);
        if (configurable_) {
            result = co_await with.ask_for(watch, std::move(wish.method), std::move(wish.params), limit);
        }
        keep_breakpoints(with, key, std::move(params));
        co_return result;
    }

    // The thread and frame that the program has stopped in, where none is named.
    void fill_in(call_request& wish) const {
        if (among(methods_of_a_thread, wish.method) && !thread_.empty() &&
            util::json_find(wish.params, {"threadId"}).empty()) {
            wish.params = util::json_set(wish.params, {"threadId"}, thread_);
        }
        if (among(methods_of_a_frame, wish.method) && !frame_.empty() &&
            util::json_find(wish.params, {"frameId"}).empty()) {
            wish.params = util::json_set(wish.params, {"frameId"}, frame_);
        }
    }

    std::string capabilities_;
    std::string state_;      // of the program: "running"
    dap_progress progress_;  // of the adapter
    std::string thread_;     // raw, of the last stop
    std::string frame_;      // raw, its top frame, once somebody has asked for it
    std::uint64_t generation_ = 1;
    bool stopped_ = false;       // thread_ has, and has not gone on
    bool initialized_ = false;   // the adapter wants its configuration
    bool launch_sent_ = false;   // launch, or attach
    bool early_ = false;         // it wanted its configuration before one, once for all
    bool setting_ = false;       // breakpoints that were kept are being set
    bool configurable_ = false;  // there is a session that breakpoints can be set in
    bool launched_ = false;      // the program is ours: it ends with the session
    bool ended_ = false;
    bool disconnected_ = false;
    bool gone_ = false;  // the process
    std::optional<util::notifier> news_;
};

}  // namespace

std::shared_ptr<protocol_session> make_dap_session() { return std::make_shared<dap_session>(); }

}  // namespace hob::unit

#pragma once
// A worker: a process that answers calls. The first call starts it; it stays warm, is stopped after its
// idle_timeout without calls, and is started again by the next call after its death. One coroutine supervises
// each process from its start until nothing of it is left; the state has one writer.

#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "error.hpp"
#include "ipc/frame.hpp"
#include "unit/process/child.hpp"
#include "unit/process/process_io.hpp"
#include "unit/process/unit_log.hpp"
#include "unit/protocol/event_ring.hpp"
#include "unit/protocol/protocol_session.hpp"
#include "unit/supervise/managed_unit.hpp"
#include "unit/worker/worker_memory.hpp"
#include "util/async.hpp"
#include "util/deadline.hpp"

namespace hob::unit {

class call_mutexes;
struct worker_note;
struct worker_record;

class worker final : public managed_unit {
public:
    // shared: the registry, and each coroutine of a call or a process while it runs.
    static std::shared_ptr<worker> make(std::shared_ptr<unit_context> context, unit_spec spec);
    ~worker() override;

    unit_status status() const override;
    bool running() const override { return process_ != nullptr; }
    bool ready() const override { return state() == unit_state::warm; }
    bool failed() const override { return state() == unit_state::failed; }
    bool coming_up() const override { return starts_requested_ > 0 || state() == unit_state::starting; }
    std::size_t in_flight() const override;
    bool idle() const override { return calls_ == 0; }

    // See registry.
    boost::asio::awaitable<std::string> call(call_request request);
    boost::asio::awaitable<std::string> capabilities(std::optional<std::chrono::milliseconds> timeout);
    boost::asio::awaitable<std::string> list(std::optional<std::chrono::milliseconds> timeout);
    boost::asio::awaitable<int> attach(attach_stream stream, std::function<void(std::uint64_t)> on_attached);
    boost::asio::awaitable<void> start(std::optional<environment> caller) override;
    boost::asio::awaitable<void> stop(bool hold) override;
    boost::asio::awaitable<void> restart(std::optional<environment> caller) override;

    void record_desired_state(bool up, const std::optional<environment>& caller) override;
    void request_start(std::optional<environment> caller) override;
    void request_stop(const char* why) override;  // waiting callers get failure(cancelled)
    void request_new_process(const char* why) override { request_stop(why); }
    void signal(int number, bool whole) override;
    void kill_now() override;
    void reconfigure(unit_spec spec, running_process running) override;
    bool definition_changed() const override;
    boost::asio::awaitable<void> hand_over(util::deadline limit) override;
    void adopt(lifecycle::held_entry held) override;
    void set_log_limits(std::uint64_t max_size, int max_files) override {
        log_.set_limits(max_size, max_files);
    }

private:
    struct worker_process;
    using process_ptr = std::shared_ptr<worker_process>;

    worker(std::shared_ptr<unit_context> context, unit_spec spec);
    std::shared_ptr<worker> self() { return std::static_pointer_cast<worker>(shared_from_this()); }
    const worker_spec& own_spec() const { return worker_spec_of(*spec_); }
    util::deadline call_limit(const std::optional<std::chrono::milliseconds>& timeout) const;

    // state (worker.cpp)
    void add_readiness(unit_status& status) const;
    void set_state(unit_state to);
    boost::asio::awaitable<void> start_as_requested(std::optional<environment> caller);
    boost::asio::awaitable<void> wait_until_warm(const char* verb, util::deadline limit);
    boost::asio::awaitable<void> wait_for_transition(process_ptr process, const char* verb,
                                                     util::deadline limit);
    static std::string not_started_yet(const worker_process& process);
    void check_usable(const char* verb) const;

    // calls (call.cpp)
    boost::asio::awaitable<std::string> call_in_turn(call_request request, util::deadline limit);
    boost::asio::awaitable<std::string> call_and_wait(process_ptr process, call_request request,
                                                      util::deadline limit);
    boost::asio::awaitable<std::string> send_call(process_ptr process, call_request request,
                                                  event_watch* watch, util::deadline limit);
    boost::asio::awaitable<void> wait_for_event(process_ptr process, std::string method, event_watch& watch,
                                                util::deadline limit);
    boost::asio::awaitable<void> notify(process_ptr process, call_request request, event_watch* watch);

    // one process (worker_process.cpp)
    void start_process();
    process_ptr make_process();
    boost::asio::awaitable<void> run_process(process_ptr process);
    boost::asio::awaitable<bool> launched(process_ptr process);
    void begin_session(const process_ptr& process);
    void connect_pipes(const process_ptr& process, child_pipes pipes);
    boost::asio::awaitable<void> run_handshake(process_ptr process);
    boost::asio::awaitable<std::optional<failure>> handshake(process_ptr process);
    boost::asio::awaitable<std::string> open_session(process_ptr process);
    boost::asio::awaitable<void> supervise(process_ptr process);
    boost::asio::awaitable<std::optional<exit_state>> stop_gracefully(process_ptr process);
    boost::asio::awaitable<void> say_goodbye(process_ptr process);
    boost::asio::awaitable<void> finish(process_ptr process, std::optional<exit_state> exit);
    boost::asio::awaitable<void> end_children(process_ptr process);
    void end_conversation(const process_ptr& process, std::optional<exit_state> exit);
    boost::asio::awaitable<void> watch_idle(process_ptr process);
    boost::asio::awaitable<void> watch_closed_input(process_ptr process);
    void call_on_failure(const std::string& reason);
    failure stopped_failure(const char* verb) const;
    void note_taken_port(const worker_process& process);
    std::string taken_text() const;
    failure death_failure(const std::optional<exit_state>& exit) const;

    // the connection of a worker that listens on a port (connect.cpp)
    boost::asio::awaitable<void> connect(process_ptr process);
    boost::asio::awaitable<void> connect_in_time(process_ptr process);
    boost::asio::awaitable<void> connect_with_retries(process_ptr process);

    // its output (output.cpp)
    void on_printed(worker_process& process, const char* stream, std::string_view bytes);
    void on_output(worker_process& process, std::string_view bytes);
    void on_oversized(worker_process& process, const ipc::frame& message);
    void on_frame(worker_process& process, std::string_view text);
    void on_message(worker_process& process, std::string_view text);
    void on_unexpected_answer(worker_process& process, const worker_message& answer);
    void on_noise(worker_process& process, const worker_message& message, std::string_view text);
    void on_notification(worker_process& process, worker_message notification);
    void on_server_request(worker_process& process, const worker_message& request);
    static attachment* best_attachment(const worker_process& process, const worker_message& request);

    // another program takes over in this process (hand_over.cpp)
    bool is_used() const;  // by somebody; or it starts or stops
    boost::asio::awaitable<void> until_unused();
    bool is_at_rest() const;
    std::string fault_of_handover(const worker_process& process) const;
    boost::asio::awaitable<bool> freeze(process_ptr process);
    boost::asio::awaitable<void> end_before_successor(process_ptr process);
    worker_record record_without_process() const;
    bool describe(const worker_process& process, const frozen_io& io, worker_record& record) const;
    bool hold(const process_ptr& process, const frozen_io& io, carried_session session);

    // it has taken over (adopt.cpp)
    bool restore(const worker_record& record);
    void adopt_process(const worker_note& note, const worker_record& record, lifecycle::held_entry& held);
    bool resume(const process_ptr& process, const worker_record& record, util::unique_fd inotify);
    void begin_warm(const process_ptr& process);

    unit_log log_;
    std::optional<environment> caller_environment_;
    process_ptr process_;               // also held by the coroutines that supervise it
    util::manual_reset_event settled_;  // set unless a process is starting or stopping
    std::optional<exit_state> last_exit_;
    bool stopped_by_user_ = false;
    std::optional<port_user> port_taken_;  // what made its last process end
    bool died_ = false;                    // the last process ended without being stopped
    bool failure_reported_ = false;        // to on_failure, since it was last warm
    int restarts_ = 0;
    int starts_requested_ = 0;  // by request_start(), and still going on
    std::size_t calls_ = 0;
    std::shared_ptr<call_mutexes> turns_;  // also held by each call where only one may be sent at a time
    std::uint64_t last_id_ = 0;
    event_ring events_;
    std::string activity_;
    worker_memory memory_;  // of the protocol sessions, see session_host::remember
};

}  // namespace hob::unit

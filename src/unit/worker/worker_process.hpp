#pragma once
// One process of a worker, from fork until nothing of it is left.

#include <memory>

#include "unit/ports/tcp_connect.hpp"
#include "unit/process/input_watch.hpp"
#include "unit/process/line_watch.hpp"
#include "unit/process/process_io.hpp"
#include "unit/process/work_watch.hpp"
#include "unit/protocol/attachment.hpp"
#include "unit/protocol/protocols.hpp"
#include "unit/supervise/unit_process.hpp"
#include "unit/worker/call_mutexes.hpp"
#include "unit/worker/pending_calls.hpp"
#include "unit/worker/worker.hpp"
#include "util/timer.hpp"

namespace hob::unit {

enum class worker_phase {
    opening,       // until the handshake has succeeded
    open,          // calls can be made
    goodbye,       // the session says goodbye: only its own requests are sent
    disconnected,  // the connection has ended; the process is being stopped
    over,          // nothing of the process is left
};

// A program that a protocol session runs beside the worker's process.
struct helper_program {
    std::shared_ptr<child> process;  // also held while it is launched
    std::shared_ptr<process_io> io;  // also held by its own coroutines
    ~helper_program();
    helper_program() = default;
    helper_program(helper_program&&) = default;
    helper_program& operator=(helper_program&&) = default;
};

struct worker::worker_process final : session_host, std::enable_shared_from_this<worker::worker_process> {
    explicit worker_process(worker& of)
        : owner(of),
          handshake_done(executor()),
          ended(executor()),
          address_known(executor()),
          idle_timer(executor()),
          closed_input_timer(executor()),
          taken_back(executor()) {}

    const boost::asio::any_io_executor& executor() const override { return owner.context_->options.executor; }
    const unit_spec& spec() const override { return *started_with; }
    boost::asio::awaitable<std::string> request(std::string method, std::string params,
                                                util::deadline limit) override;
    boost::asio::awaitable<std::string> request_for(event_watch* watch, std::string method,
                                                    std::string params, util::deadline limit) override;
    boost::asio::awaitable<std::string> request_renewable(renewable_limit& renewal, event_watch* watch,
                                                          std::string method, std::string params,
                                                          util::deadline limit) override;
    // `renewal` may be null.
    boost::asio::awaitable<std::string> send_request(renewable_limit* renewal, event_watch* watch,
                                                     std::string method, std::string params,
                                                     util::deadline limit);
    std::uint64_t post(const std::string& method, const std::string& params, result_handler done) override;
    void withdraw(std::uint64_t id) override;
    std::size_t unread_input() const override { return io->queued(); }
    boost::asio::awaitable<void> input_read() override { return io->taken(); }
    bool notify(std::string_view method, std::string_view params) override;
    void reply(const worker_message& request, std::string_view result) override;
    void refuse(const worker_message& request, std::string_view why) override;
    void forget_events() override { owner.events_.forget(); }
    void emit_event(std::string name, std::string params) override;
    const std::string& capabilities() const override { return handshake_result; }
    void set_capabilities(std::string text) override;
    std::chrono::steady_clock::time_point last_worked() override;
    input_watch::sight look_at_input() override;
    bool reads_input() override;
    bool only_reads_input() override;
    std::size_t unread_output() const override { return io->unread(); }
    void log_output(std::string_view bytes) override { owner.log_.write("stdout", bytes); }
    void answer(const worker_message& message) override;
    void spawn(boost::asio::awaitable<void> work, std::string name) override;
    void set_activity(std::string text) override;
    boost::asio::awaitable<pid_t> run_program(std::vector<std::string> argv, environment_changes env,
                                              std::string cwd) override;
    std::string recall(std::string_view key) const override;
    std::vector<std::pair<std::string, std::string>> recall_all(std::string_view prefix) const override;
    void remember(std::string_view key, std::string value, validity valid_for) override;

    // Throws failure.
    helper_program start_program(std::vector<std::string> argv, const environment_changes& env,
                                 const std::string& cwd);
    void end_attachments(const failure& why);

    // Returns when all output that the process had written before this call is read.
    boost::asio::awaitable<void> catch_up();

    // After it was handed over: no other program goes on with it, and nothing is read or written any more.
    void take_back() {
        taken_back.set();
        main_process->kill_now();
    }

    bool over() const { return phase == worker_phase::over; }

    worker& owner;                                  // outlives every coroutine that holds this
    std::shared_ptr<const unit_spec> definition;    // also the worker's, until it is reconfigured
    std::shared_ptr<const unit_spec> started_with;  // the definition, with what its environment says
    protocol_instance protocol;
    std::unique_ptr<unit_process> main_process;
    std::shared_ptr<process_io> io;           // also held by its own coroutines
    std::shared_ptr<pending_calls> calls;     // also held by each call in flight
    std::shared_ptr<call_mutexes> mutexes;    // likewise
    util::manual_reset_event handshake_done;  // successfully or not
    util::manual_reset_event ended;           // the process has ended, and its last output is read
    util::manual_reset_event address_known;
    std::unique_ptr<line_watch> address_watch;  // until the address is known
    std::string address;                        // where it listens, as it printed it
    attempt_failure not_connected;              // while it is connected to: why it is not yet
    std::optional<failure> start_failure;
    std::string handshake_result;
    worker_phase phase = worker_phase::opening;
    std::vector<helper_program> programs;
    std::vector<attachment*> attachments;  // each removes itself at its end
    util::timer idle_timer;
    bool input_closed = false;       // the process reads no more requests
    bool handed_over = false;        // another program in this process goes on with it
    util::timer closed_input_timer;  // from then on, how long its end may take
    util::manual_reset_event taken_back;
    work_watch watched_work;
    std::optional<input_watch> watched_input;  // nullopt: it is spoken to over TCP
    std::uint64_t noise_lines = 0;             // output lines that were not messages
    std::uint64_t unexpected_answers = 0;      // answers that no call waited for
};

}  // namespace hob::unit

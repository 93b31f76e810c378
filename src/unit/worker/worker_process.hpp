#pragma once
// One process of a worker, from fork to the last leftover.

#include <memory>

#include "unit/process/line_watch.hpp"
#include "unit/process/process_io.hpp"
#include "unit/protocol/attachment.hpp"
#include "unit/protocol/message_codec.hpp"
#include "unit/supervise/unit_process.hpp"
#include "unit/worker/call_mutexes.hpp"
#include "unit/worker/pending_calls.hpp"
#include "unit/worker/worker.hpp"
#include "util/timer.hpp"

namespace hob::unit {

// A program that runs beside the worker's process, for its script.
struct program_beside {
    std::unique_ptr<child> process;
    std::shared_ptr<process_io> io;  // also held by its own coroutines
    ~program_beside();
    program_beside() = default;
    program_beside(program_beside&&) = default;
    program_beside& operator=(program_beside&&) = default;
};

struct worker::worker_process final : session_host, std::enable_shared_from_this<worker::worker_process> {
    explicit worker_process(worker& of)
        : owner(of),
          opened(executor()),
          ended(executor()),
          said(executor()),
          idle(executor()),
          deaf(executor()) {}

    const boost::asio::any_io_executor& executor() const override { return owner.context_->options.executor; }
    const unit_spec& spec() const override { return *own_spec; }
    boost::asio::awaitable<std::string> ask(std::string method, std::string params,
                                            util::deadline limit) override;
    boost::asio::awaitable<std::string> ask_for(event_watch* watch, std::string method, std::string params,
                                                util::deadline limit) override;
    std::uint64_t post(const std::string& method, const std::string& params, result_handler done) override;
    void withdraw(std::uint64_t id) override;
    std::size_t queued() const override { return io->queued(); }
    boost::asio::awaitable<void> taken() override { return io->taken(); }
    bool notify(std::string_view method, std::string_view params) override;
    void reply(const worker_message& request, std::string_view result) override;
    void refuse(const worker_message& request, std::string_view why) override;
    void emit_event(std::string name, std::string params) override;
    const std::string& handshake() const override { return capabilities; }
    void run(boost::asio::awaitable<void> work, std::string name) override;
    void set_activity(std::string text) override;
    pid_t run_beside(std::vector<std::string> argv,
                     const std::vector<std::pair<std::string, std::optional<std::string>>>& env,
                     const std::string& cwd) override;
    std::string recall(std::string_view key) const override;
    std::vector<std::pair<std::string, std::string>> recall_all(std::string_view prefix) const override;
    void remember(std::string_view key, std::string value, validity valid_for) override;

    // Each attachment's, and that it ends.
    void end_attachments(const failure& why);

    // Whatever the process had written when this was called has been taken in.
    boost::asio::awaitable<void> catch_up();

    worker& owner;                              // outlives every coroutine that holds this
    std::shared_ptr<const unit_spec> own_spec;  // also the worker's, until it is reconfigured
    protocol speaks;
    std::unique_ptr<unit_process> process;
    std::shared_ptr<process_io> io;             // also held by its own coroutines
    std::shared_ptr<pending_calls> calls;       // also held by each call in flight
    std::shared_ptr<call_mutexes> lanes_taken;  // likewise
    util::manual_reset_event opened;            // the handshake is over, well or not
    util::manual_reset_event ended;             // the process is over, and its last words are known
    util::manual_reset_event said;              // it has said where it listens
    std::unique_ptr<line_watch> lines;          // until then
    std::string address;                        // what it said
    std::optional<failure> start_failed;
    std::string capabilities;
    bool usable = false;   // the handshake has succeeded, if there is one
    bool parting = false;  // the stop script runs
    std::vector<program_beside> beside;
    std::vector<attachment*> attached;  // each takes itself out at its end
    util::timer idle;
    bool input_closed = false;
    util::timer deaf;  // from then on, until its end is seen
    bool over = false;
    std::uint64_t noise = 0;       // lines that were no messages
    std::uint64_t unexpected = 0;  // answers that nobody waited for
};

}  // namespace hob::unit

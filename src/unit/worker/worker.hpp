#pragma once
// A worker: a process that answers calls. Started by the first, kept warm, stopped when nobody called for its
// idle_timeout, started again by the next call after a death. One coroutine lives each life of the process
// from start to last leftover; the phase has one writer.

#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "error.hpp"
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

class worker final : public managed_unit {
public:
    // shared: the registry, and each coroutine of a call or a life while it runs.
    static std::shared_ptr<worker> make(std::shared_ptr<unit_context> context, unit_spec spec);
    ~worker() override;

    unit_status status() const override;
    bool running() const override { return process_ != nullptr; }
    bool ready() const override { return state() == unit_state::warm; }
    bool failed() const override { return state() == unit_state::failed; }
    bool coming_up() const override { return starts_requested_ > 0 || state() == unit_state::starting; }
    std::size_t in_flight() const override;
    bool idle() const override { return calls_ == 0; }

    // See registry. The wish is the coroutine's own.
    boost::asio::awaitable<std::string> call(call_request wish);
    boost::asio::awaitable<std::string> capabilities(std::optional<std::chrono::milliseconds> timeout);
    boost::asio::awaitable<std::string> list(std::optional<std::chrono::milliseconds> timeout);
    boost::asio::awaitable<int> attach(attach_stream to, std::function<void(std::uint64_t)> began);
    boost::asio::awaitable<void> start(std::optional<environment> caller) override;
    boost::asio::awaitable<void> stop(bool hold) override;
    boost::asio::awaitable<void> restart(std::optional<environment> caller) override;

    void record_desired_state(bool up, const std::optional<environment>& caller) override;
    void request_start(std::optional<environment> caller) override;
    void request_stop(const char* why) override;  // waiting callers get failure(cancelled)
    void kill_now() override;
    void reconfigure(unit_spec spec, running_process running) override;
    bool definition_changed() const override;
    void set_log_limits(std::uint64_t max_size, int max_files) override {
        log_.set_limits(max_size, max_files);
    }

private:
    struct worker_process;
    worker(std::shared_ptr<unit_context> context, unit_spec spec);
    std::shared_ptr<worker> self() { return std::static_pointer_cast<worker>(shared_from_this()); }

    void set_state(unit_state to);
    boost::asio::awaitable<void> start_as_requested(std::optional<environment> caller);
    boost::asio::awaitable<void> wait_until_warm(const char* verb, util::deadline limit);
    boost::asio::awaitable<void> wait_for_state(std::shared_ptr<worker_process> now, const char* verb,
                                                util::deadline limit);
    boost::asio::awaitable<std::string> call_and_wait(std::shared_ptr<worker_process> now, call_request wish,
                                                      util::deadline limit);
    boost::asio::awaitable<void> notify(std::shared_ptr<worker_process> now, call_request wish,
                                        event_watch* watch);
    void check_usable(const char* verb) const;
    void start_process();
    std::shared_ptr<worker_process> make_process();
    void attach_pipes(const std::shared_ptr<worker_process>& now, child_pipes pipes);

    boost::asio::awaitable<void> open(std::shared_ptr<worker_process> now);
    boost::asio::awaitable<std::string> greet(std::shared_ptr<worker_process> now);
    boost::asio::awaitable<void> connect(std::shared_ptr<worker_process> now);
    boost::asio::awaitable<void> connect_in_time(std::shared_ptr<worker_process> now);
    boost::asio::awaitable<void> keep_trying(std::shared_ptr<worker_process> now, std::string& why);
    void printed(worker_process& now, const char* stream, std::string_view bytes);
    boost::asio::awaitable<void> live(std::shared_ptr<worker_process> now);
    boost::asio::awaitable<exit_state> stop_gracefully(std::shared_ptr<worker_process> now);
    boost::asio::awaitable<void> finish(std::shared_ptr<worker_process> now, exit_state exit);
    boost::asio::awaitable<void> watch_idle(std::shared_ptr<worker_process> now);
    boost::asio::awaitable<void> watch_closed_input(std::shared_ptr<worker_process> now);

    void output(worker_process& now, std::string_view bytes);
    void message(worker_process& now, std::string_view text);
    void notified(worker_process& now, worker_message got);
    void asked(worker_process& now, const worker_message& request);
    static attachment* most_fit(const worker_process& now, const worker_message& request);
    void oversized(worker_process& now);
    failure death(const exit_state& exit) const;

    unit_log log_;
    std::optional<environment> caller_environment_;
    std::shared_ptr<worker_process> process_;  // also held by the coroutines that live it
    util::manual_reset_event settled_;         // set while no end is being waited for
    std::optional<exit_state> last_exit_;
    bool stopped_by_user_ = false;
    bool died_ = false;  // the last end was nobody's wish
    int restarts_ = 0;
    int starts_requested_ = 0;  // by request_start(), and still going on
    std::size_t calls_ = 0;
    std::uint64_t last_id_ = 0;
    event_ring events_;
    std::string activity_;
    worker_memory memory_;  // the scripts', see wire::remember
};

}  // namespace hob::unit

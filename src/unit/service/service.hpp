#pragma once
// A service: a process that stays up. One coroutine keeps it up for as long as that is wanted: waits for the
// units that it comes after, starts it, sees it become ready, sees it end, and starts it again as `restart`
// and `backoff` say. Whoever wants something else of it says so and rings; nobody else touches the phase.

#include <boost/asio/awaitable.hpp>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "error.hpp"
#include "unit/process/child.hpp"
#include "unit/process/scope.hpp"
#include "unit/process/unit_log.hpp"
#include "unit/supervise/managed_unit.hpp"
#include "util/async.hpp"

namespace hob::unit {

class service final : public managed_unit {
public:
    // shared: the registry, and the coroutine that keeps it up.
    static std::shared_ptr<service> make(std::shared_ptr<unit_context> context, unit_spec spec);
    ~service() override;

    unit_status status() const override;
    bool running() const override { return kept_; }
    bool ready() const override { return state() == unit_state::ready; }
    bool failed() const override { return state() == unit_state::failed || state() == unit_state::backoff; }
    std::size_t in_flight() const override { return 0; }
    bool idle() const override { return !kept_; }

    // Returns once it is ready. Throws failure(unit_failed) when this start fails, also where it is tried
    // again later.
    boost::asio::awaitable<void> start(std::optional<environment> caller) override;
    // Throws failure(unit_failed) when something of it could not be ended.
    boost::asio::awaitable<void> stop(bool hold) override;
    boost::asio::awaitable<void> restart(std::optional<environment> caller) override;

    void record_desired_state(bool up, const std::optional<environment>& caller) override;
    void begin() override;
    void pull(std::optional<environment> caller) override;
    void request_stop(const char* why) override;
    void kill_now() override;
    void reconfigure(unit_spec spec, running_process running) override;
    bool definition_changed() const override { return pending_spec_.has_value(); }
    void set_log_limits(std::uint64_t max_size, int max_files) override {
        log_.set_limits(max_size, max_files);
    }

private:
    struct service_process;
    // How one life of the process went.
    struct ending {
        bool asked = false;  // it was to end, by whoever's wish
        bool failed = false;
        std::string reason;  // "exited with status 3", "was not ready within 20s: …"
    };

    service(std::shared_ptr<unit_context> context, unit_spec spec);
    std::shared_ptr<service> self() { return std::static_pointer_cast<service>(shared_from_this()); }

    void set_state(unit_state to);
    void say(std::string detail);  // the reason of a phase, to status and to who waits for changes
    void set_desired_up(std::optional<environment> caller);
    bool apply_pending_spec();  // false: there is none
    void check_usable(const char* verb) const;
    void leave_current(const char* why);  // the process that runs now is to end
    boost::asio::awaitable<void> await_ready_or_failed(const char* verb);
    boost::asio::awaitable<void> await_end_of_keeping();
    failure failed_start(const char* verb) const;

    boost::asio::awaitable<void> keep_up();
    boost::asio::awaitable<void> wait_for_units();
    boost::asio::awaitable<void> until_unwanted();
    boost::asio::awaitable<bool> run_due_tasks();  // false: one failed, and the service with it
    boost::asio::awaitable<ending> run_once();
    std::shared_ptr<service_process> launch();
    void attach(const std::shared_ptr<service_process>& now);
    boost::asio::awaitable<std::optional<exit_state>> become_ready(std::shared_ptr<service_process> now,
                                                                   std::string& why);
    boost::asio::awaitable<ending> finish(std::shared_ptr<service_process> now,
                                          std::optional<exit_state> exit, std::string why);
    boost::asio::awaitable<void> watch_alive(std::shared_ptr<service_process> now);
    bool should_restart(const ending& last);
    boost::asio::awaitable<void> back_off();
    void give_up(const ending& last);

    unit_log log_;
    std::optional<unit_spec> pending_spec_;  // replaces spec_ at the next start or restart by name
    std::string detail_;
    std::optional<environment> caller_environment_;
    bool wanted_ = false;
    bool kept_ = false;   // keep_up() runs
    bool again_ = false;  // the process that runs is to be replaced, by hand or by a reload: not counted
    bool stopped_by_user_ = false;
    bool tasks_due_ = false;                    // tasks in `after` are to run before the next launch
    std::string failed_task_;                   // the one that kept it from starting
    bool pulled_ = false;                       // units in `after` were started for this wish
    std::shared_ptr<service_process> process_;  // also held by the coroutines that live it
    util::notifier asked_;                      // something of the above was changed from outside
    std::optional<exit_state> last_exit_;
    std::vector<member> left_;            // what the last stop could not end
    std::uint64_t failures_ = 0;          // lives that failed, ever
    int restarts_ = 0;                    // starts after an end that nobody asked for
    int in_a_row_ = 0;                    // of those, since it was last up for backoff.reset
    std::chrono::milliseconds pause_{0};  // the last one
};

}  // namespace hob::unit

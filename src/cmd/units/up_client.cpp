#include "cmd/units/up_client.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <poll.h>
#include <signal.h>

#include <algorithm>
#include <array>
#include <optional>
#include <utility>
#include <vector>

#include "cmd/core/connection.hpp"
#include "cmd/core/output.hpp"
#include "cmd/core/signal_reader.hpp"
#include "cmd/streams/stream_client.hpp"
#include "cmd/units/unit_streams.hpp"
#include "cmd/units/up_methods.hpp"
#include "cmd/units/up_screen.hpp"
#include "error.hpp"
#include "identity.hpp"
#include "ipc/draining.hpp"
#include "lifecycle/request.hpp"
#include "limits.hpp"
#include "util/json/json_edit.hpp"
#include "util/json/json_writer.hpp"
#include "util/signal_name.hpp"

namespace hob::cmd {
namespace {

constexpr std::string_view up_id = "1", stop_id = "2", kill_id = "3", subscribe_id = "4";

class follower {
public:
    follower(invocation& call, ipc::client daemon, const std::string& params, const std::string& exit_with)
        : call_(call),
          params_(params),
          exit_with_(exit_with),
          daemon_(std::move(daemon)),
          lost_(call.where()),
          screen_(call.global.json, call.global.quiet),
          streams_(call.where().log_dir()) {}

    exit_code run() {
        send(up_id, "unit.up", params_);
        while (phase_ != phase::ended) {
            bool busy = phase_ != phase::finishing && take_message();
            if (screen_.is_written()) busy = read_streams() || busy;
            screen_.write();
            if (screen_.reader_gone() && !is_interrupted()) return leave("nobody reads the output any more");
            if (phase_ == phase::finishing && !busy && screen_.is_written()) break;
            if (!busy) wait();
        }
        return status();
    }

private:
    enum class phase {
        up,
        stopping,   // asked the daemon to stop what it started
        finishing,  // shows the rest
        ended,      // the user does not want to wait for that
    };

    // The end of the daemon is noticed where its messages are read.
    void send(std::string_view id, std::string_view method, const std::string& params) {
        try {
            daemon_.send(ipc::request_line(id, method, params));
        } catch (const ipc::not_executed&) {
        }
    }

    // True: there may be more.
    bool take_message() {
        auto next = take_arrived(daemon_);
        if (next.closed) daemon_ended();
        if (next.message) handle(*next.message);
        return next.message.has_value();
    }

    bool read_streams() {
        streams_.note_changes();
        const bool more = streams_.read(
            [this](const std::string& unit, std::string_view record) { screen_.show_record(unit, record); });
        for (const auto& unit : streams_.take_losses())
            screen_.say(
                fmt::format("lines of {} may be missing: its log was rotated before they were read", unit));
        return more;
    }

    void handle(const ipc::incoming& message) {
        if (message.method == "up.begun") {
            begin(parse_up_begun(message.payload));
        } else if (message.method == this_program.methods.event) {
            handle_event(message.payload);
        } else if (message.id == up_id) {
            handle_end(message);
        } else if (message.id == stop_id) {
            if (message.what == ipc::incoming::kind::error)
                stop_failure_ = ipc::failure_from_error(message.payload);
            finish();
        }
    }

    void begin(const up_begun& begun) {
        begun_ = has_begun_ = true;
        if (!mark_) mark_ = begun.mark;
        for (const auto& unit : begun.shown) {
            if (std::find(shown_.begin(), shown_.end(), unit.name) != shown_.end()) continue;
            streams_.add(unit.name, call_.where().unit_log_path(unit.name), unit.log_inode, unit.log_size);
            screen_.add_unit(unit.name);
            shown_.push_back(unit.name);
            if (unit.ours) ours_.push_back(unit.name);
        }
        if (!begun.by_themselves.empty())
            screen_.say(fmt::format("by itself from now on: {}", fmt::join(begun.by_themselves, ", ")));
        if (interrupts_ > 0) stop();
        if (interrupts_ > 1 && phase_ == phase::stopping) send_stop(kill_id, true);
    }

    void handle_event(const std::string& payload) {
        const auto event = util::json_find_string(payload, {"event"});
        if (event == "daemon.restarting" && phase_ == phase::up) restarts_ = true;
        if (event == "daemon.draining") {
            shuts_down_ = !restarts_;
            screen_.say(restarts_ ? "the daemon restarts" : "the daemon shuts down");
        }
        const std::string unit = util::json_find_string(payload, {"unit"}).value_or("");
        if (std::find(shown_.begin(), shown_.end(), unit) == shown_.end()) return;
        // A unit that was asked to stop gets a line only when it has stopped.
        if (phase_ == phase::stopping && util::json_find_string(payload, {"to"}) == "stopping") return;
        // What the unit printed before comes first: as much of it as is read at once, since it may print more
        // all the time.
        read_streams();
        screen_.show_event(payload);
    }

    // The units may have been stopped by others, or by the daemon's end: then nothing is left to stop.
    void handle_end(const ipc::incoming& message) {
        if (message.what == ipc::incoming::kind::error) {
            failure why = ipc::failure_from_error(message.payload);
            if (ipc::is_draining_refusal(why)) {
                if (!has_begun_) throw ipc::not_executed();
                return;  // the end of the connection follows
            }
            if (!shuts_down_ && !restarts_ && phase_ == phase::up) throw failure(why);
            return;
        }
        end_ = parse_up_end(message.payload);
        if (restarts_ && !end_->status) return;
        restarts_ = false;
        shuts_down_ = shuts_down_ || end_->shuts_down;
        if (!shuts_down_ && phase_ == phase::up) stop();
    }

    void daemon_ended() {
        shuts_down_ = shuts_down_ || (daemon_.told_of_end() && !restarts_);
        if (shuts_down_) return finish();
        if (!has_begun_) throw ipc::not_executed();
        if (phase_ == phase::up && !restarts_) screen_.say("the daemon has ended; another one goes on");
        screen_.write();
        begun_ = false;
        if (restarts_) mark_.reset();  // a restart ends the process on purpose
        if (!go_on()) return;
        restarts_ = false;
        end_.reset();
        if (phase_ == phase::stopping) {
            begun_ = true;
            send(subscribe_id, this_program.methods.subscribe, "{}");
            return send_stop(stop_id, interrupts_ > 1);
        }
        // What was to be up is up, or is started by this daemon: it is only followed.
        util::json_object params;
        params.add_members(util::raw_json{params_}).add("resume", true);
        if (mark_) params.add("ends", mark_->ends).add("keeper", mark_->keeper);
        send(up_id, "unit.up", params.text());
    }

    // Connects to the next daemon. False: there is none, and what is to be done then is done.
    bool go_on() {
        lost_.add();
        lifecycle::next_options options;
        options.restarts = restarts_;
        options.interrupted = [this] { return is_left(); };
        auto next = lifecycle::connect_next(call_.where(), options);
        if (!next && phase_ == phase::ended) return false;
        if (!next && phase_ == phase::stopping) {
            finish();  // the units ended with their keeper
            return false;
        }
        if (!next && restarts_)
            throw failure(error_kind::no_daemon, cannot("follow", "", "the units any longer"),
                          "the daemon was to be restarted, and did not come back",
                          "hob up starts them again");
        if (!next) next = lifecycle::connect_acting(call_.where(), connect_options_of(call_));
        daemon_ = std::move(*next);
        return true;
    }

    // Without a daemon: what the user wants meanwhile. True: to wait no longer.
    bool is_left() {
        is_interrupted();
        if (!left_.empty()) phase_ = phase::ended;
        return phase_ == phase::ended;
    }

    void stop() {
        phase_ = phase::stopping;
        if (ours_.empty()) return finish();
        send_stop(stop_id, false);
    }

    void send_stop(std::string_view id, bool now) {
        util::json_array units;
        for (const auto& name : ours_)
            units.add(name);
        util::json_object params;
        params.add("units", units).add("hold", false).add("now", now);
        send(id, "unit.stop", params.text());
    }

    void finish() {
        phase_ = phase::finishing;
        streams_.look_at_all();
    }

    void interrupt(int number) {
        ++interrupts_;
        signal_ = number;
        if (phase_ == phase::finishing || interrupts_ > 2) {
            phase_ = phase::ended;
        } else if (interrupts_ == 2) {
            screen_.say("killing");
            if (begun_ && !shuts_down_ && !restarts_) send_stop(kill_id, true);
        } else if (begun_ && phase_ == phase::up && !shuts_down_ && !restarts_) {
            screen_.say(fmt::format("stopping; {} again kills", number == SIGINT ? "Ctrl-C" : "a signal"));
            stop();
        }
    }

    // Ctrl-C may have ended the reader, too: its signal comes first.
    bool is_interrupted() {
        while (const int number = signals_.next())
            handle_signal(number);
        return interrupts_ > 0;
    }

    exit_code leave(const std::string& why) {
        if (!call_.global.quiet && !call_.global.json)
            print_error(
                fmt::format("{}: {}; the units stay up, hob down ends them\n", this_program.name, why));
        return exit_code::done;
    }

    void wait() {
        if (call_.limit.expired() && !timed_out_) {
            timed_out_ = true;
            if (begun_ && phase_ == phase::up && !shuts_down_) stop();
        }
        const bool reads = screen_.is_written() && phase_ != phase::finishing;
        std::array<pollfd, 5> watched{{{signals_.fd(), POLLIN, 0},
                                       screen_.output(),
                                       screen_.error_output(),
                                       {phase_ == phase::finishing ? -1 : daemon_.socket(), POLLIN, 0},
                                       {reads ? streams_.descriptor() : -1, POLLIN, 0}}};
        auto until = timed_out_ ? util::deadline::never() : call_.limit;
        if (reads) until = until.earlier(streams_.next_look());
        if (::poll(watched.data(), watched.size(), until.poll_timeout()) <= 0) return;
        if (watched[0].revents != 0) handle_signal(signals_.next());
        const bool gone = (watched[1].revents & (POLLERR | POLLHUP)) != 0 && screen_.is_written();
        if (gone && !is_interrupted()) left_ = "nobody reads the output any more";
        if (!left_.empty()) phase_ = phase::ended;
    }

    void handle_signal(int number) {
        if (number == SIGHUP) {
            left_ = "the terminal is gone";
        } else if (number == SIGINT || number == SIGTERM || number == SIGQUIT) {
            interrupt(number);
        }
    }

    exit_code status() {
        if (!left_.empty()) return leave(left_);
        if (timed_out_)
            throw failure(error_kind::timeout, cannot("keep", "", "the units up any longer"),
                          "the deadline is over");
        if (stop_failure_) throw failure(*stop_failure_);
        if (!exit_with_.empty()) return status_of_unit();
        if (signal_ != 0) return exit_code::done;
        return report_failed();
    }

    exit_code status_of_unit() const {
        if (signal_ != 0) return static_cast<exit_code>(128 + signal_);
        if (end_ && end_->no_status.empty() && end_->status) return static_cast<exit_code>(*end_->status);
        const bool is_known = end_ && !end_->no_status.empty();
        const failure why(error_kind::unit_failed, cannot("end with", exit_with_),
                          is_known ? end_->no_status : "the daemon has shut down before it ended",
                          is_known ? "hob logs " + exit_with_ : "");
        if (!end_ || !end_->status) throw failure(why);
        print_failure(why, call_.global.json);
        return static_cast<exit_code>(*end_->status);
    }

    exit_code report_failed() const {
        if (!end_ || end_->failed.empty()) return exit_code::done;
        for (const auto& unit : end_->failed) {
            print_failure(
                failure(error_kind::unit_failed, cannot("keep", unit.name, "up"),
                        unit.reason.empty() ? "it has failed" : unit.reason, "hob logs " + unit.name),
                call_.global.json);
        }
        return exit_code::failed;
    }

    invocation& call_;
    const std::string& params_;  // of unit.up
    const std::string& exit_with_;
    ipc::client daemon_;
    lifecycle::lost_daemons lost_;
    signal_reader signals_{SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGWINCH};
    up_screen screen_;
    unit_streams streams_;
    phase phase_ = phase::up;
    bool begun_ = false;           // the daemon has taken the request
    bool has_begun_ = false;       // likewise, or one before it
    std::optional<up_mark> mark_;  // of the service with whose end it ends
    std::vector<std::string> shown_, ours_;
    std::optional<up_end> end_;
    std::optional<failure> stop_failure_;
    bool shuts_down_ = false;  // the daemon
    bool restarts_ = false;    // likewise: a successor follows
    bool timed_out_ = false;
    std::string left_;  // why it ends and leaves all up; empty: it does not
    int interrupts_ = 0;
    int signal_ = 0;
};

}  // namespace

exit_code follow_up(invocation& call, const std::string& params, const std::string& exit_with) {
    exit_code status = exit_code::done;
    const lifecycle::talk_function talk = [&](ipc::client& daemon, bool) {
        status = follower(call, std::move(daemon), params, exit_with).run();
    };
    lifecycle::talk_acting(call.where(), connect_options_of(call), "unit.up", false, talk);
    return status;
}

}  // namespace hob::cmd

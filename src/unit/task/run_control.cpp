// What clients do with a run in progress.
#include <fmt/format.h>

#include "unit/task/active_run.hpp"
#include "util/log/log.hpp"

namespace hob::unit {

namespace asio = boost::asio;
using util::field;
using util::level;
using util::log;

void active_run::cancel(const std::string& reason, run_state state) {
    if (over() || result_) return;
    if (!ended_by_) {
        ended_by_ = state;
        cancelled_.set();
        record_.cause += fmt::format("{}{}", record_.cause.empty() ? "" : "; ", reason);
        remember();
    }
    if (process_ && process_->request_stop()) {
        log(level::info, "unit", "run is stopped",
            {field("unit", spec_->name), field("run", record_.id), field("reason", reason)});
    }
}

void active_run::kill_now() {
    killed_ = true;
    listener_dropped_.ring();
    cancel("killed");
    if (process_) process_->kill_now();
}

void active_run::detach() {
    detached_ = true;
    remember();
}

void active_run::drop_listener() {
    parameters_.listener.reset();
    listener_dropped_.ring();
}

asio::awaitable<bool> active_run::input(std::string bytes) {
    const auto self = shared_from_this();
    if (!io_ || over()) co_return false;
    co_return co_await io_->send(std::move(bytes));
}

void active_run::close_input() {
    if (!io_) return;
    if (!parameters_.terminal) return io_->close_input();
    // The end of input on a terminal is a key, Ctrl-D.
    const auto send_end = [](std::shared_ptr<run_io> io) -> asio::awaitable<void> {
        co_await io->send("\x04");
    };
    util::spawn(context_->options.executor, send_end(io_), "run input");
}

void active_run::resize(terminal_size size) {
    if (io_) io_->resize(size);
}

}  // namespace hob::unit

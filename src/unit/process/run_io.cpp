#include "unit/process/run_io.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <boost/asio/buffer.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <array>
#include <cerrno>
#include <utility>

#include "error.hpp"
#include "util/async.hpp"

namespace hob::unit {

namespace asio = boost::asio;

namespace {

constexpr std::size_t chunk_size = 64u << 10;
// The most that a pipe holds (fs.pipe-max-size). More than that comes from a process that still writes, not
// from the one that ended.
constexpr std::size_t rest_max = 1u << 20;

using stream = asio::posix::stream_descriptor;

void adopt(stream& into, util::unique_fd fd) {
    if (!fd) return;
    util::set_nonblocking(fd.get(), true);
    into.assign(fd.release());
    into.native_non_blocking(true);
}

// All runs share one buffer: each read is handled before the next begins.
std::array<char, chunk_size>& chunk() {
    static std::array<char, chunk_size> bytes;
    return bytes;
}

}  // namespace

run_ends make_run_pipes(bool with_input, bool merged) {
    run_ends ends;
    util::pipe_ends output = util::make_pipe();
    ends.output = std::move(output.read);
    ends.child_output = std::move(output.write);
    if (merged) {
        ends.child_error.reset(::fcntl(ends.child_output.get(), F_DUPFD_CLOEXEC, 3));
        if (!ends.child_error) throw denied("make", "a pipe", errno);
    } else {
        util::pipe_ends error = util::make_pipe();
        ends.error = std::move(error.read);
        ends.child_error = std::move(error.write);
    }
    if (with_input) {
        util::pipe_ends input = util::make_pipe();
        ends.input = std::move(input.write);
        ends.child_input = std::move(input.read);
    }
    return ends;
}

run_ends make_run_terminal(terminal_size size) {
    run_ends ends;
    ends.terminal = true;
    pseudo_terminal made = open_pseudo_terminal(size);
    ends.output = std::move(made.master);
    ends.child_input = std::move(made.slave);
    ends.child_output.reset(::fcntl(ends.child_input.get(), F_DUPFD_CLOEXEC, 3));
    ends.child_error.reset(::fcntl(ends.child_input.get(), F_DUPFD_CLOEXEC, 3));
    ends.input.reset(::fcntl(ends.output.get(), F_DUPFD_CLOEXEC, 3));
    if (!ends.child_output || !ends.child_error || !ends.input) throw denied("open", "a terminal", errno);
    return ends;
}

struct run_io::state {
    struct source {
        stream from;
        std::string_view name;
        util::manual_reset_event ended;
        std::uint64_t handed_over = 0;  // bytes
    };

    state(const asio::any_io_executor& runs_on, run_ends ends, handlers on)
        : executor(runs_on),
          input(runs_on),
          sources{source{stream(runs_on), "stdout", util::manual_reset_event(runs_on)},
                  source{stream(runs_on), "stderr", util::manual_reset_event(runs_on)}},
          spool(std::move(ends.spool)),
          handle(std::move(on)) {
        for (std::size_t which = 0; spool && which < sources.size(); ++which)
            sources[which].handed_over = spool->logged(which);
        adopt(input, std::move(ends.input));
        adopt(sources[0].from, std::move(ends.output));
        adopt(sources[1].from, std::move(ends.error));
    }

    // As read(2).
    ssize_t read_bytes(std::size_t which, std::string_view& bytes) {
        const int from = sources[which].from.native_handle();
        if (spool) return spool->take(which, from, bytes);
        const ssize_t n = ::read(from, chunk().data(), chunk_size);
        if (n > 0) bytes = {chunk().data(), static_cast<std::size_t>(n)};
        return n;
    }

    asio::any_io_executor executor;
    stream input;
    std::array<source, 2> sources;
    const std::shared_ptr<output_spool> spool;  // see run_ends
    handlers handle;
    bool ending = false;
};

run_io::run_io(std::unique_ptr<state> initial) : state_(std::move(initial)) {}
run_io::~run_io() = default;

std::shared_ptr<run_io> run_io::make(const asio::any_io_executor& executor, run_ends ends, handlers on) {
    std::shared_ptr<run_io> io(new run_io(std::make_unique<state>(executor, std::move(ends), std::move(on))));
    util::spawn(executor, io->read_all(0), "run output");
    util::spawn(executor, io->read_all(1), "run errors");
    return io;
}

asio::awaitable<void> run_io::read_all(std::size_t which) {
    const auto self = shared_from_this();
    auto& io = *state_;
    auto& source = io.sources[which];
    if (io.spool) co_await hand_over(which, io.spool->unlogged(which));
    while (source.from.is_open() && !io.ending) {
        boost::system::error_code error;
        auto token = asio::redirect_error(asio::use_awaitable, error);
        co_await source.from.async_wait(stream::wait_read, token);
        if (error || io.ending) break;
        std::string_view bytes;
        const ssize_t n = io.read_bytes(which, bytes);
        if (n < 0 && (errno == EAGAIN || errno == EINTR)) continue;
        if (n <= 0) break;  // EIO: a terminal that no process has open any more
        co_await hand_over(which, bytes);
    }
    source.ended.set();
}

asio::awaitable<void> run_io::hand_over(std::size_t which, std::string_view bytes) {
    auto& source = state_->sources[which];
    if (bytes.empty()) co_return;
    const std::uint64_t offset = source.handed_over;
    source.handed_over += bytes.size();
    state_->handle.output(source.name, offset, bytes);
    co_await state_->handle.room();
}

asio::awaitable<void> run_io::read_rest(std::size_t which) {
    auto& io = *state_;
    auto& source = io.sources[which];
    for (std::size_t total = 0; source.from.is_open() && total < rest_max;) {
        std::string_view bytes;
        const ssize_t n = io.read_bytes(which, bytes);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) co_return;
        total += bytes.size();
        co_await hand_over(which, bytes);
    }
}

int run_io::spool() const { return state_->spool ? state_->spool->descriptor() : -1; }

std::uint64_t run_io::output_bytes() const {
    return state_->sources[0].handed_over + state_->sources[1].handed_over;
}

asio::awaitable<void> run_io::finish() {
    const auto self = shared_from_this();
    close_input();
    state_->ending = true;
    for (auto& source : state_->sources) {
        boost::system::error_code ignored;
        if (source.from.is_open()) source.from.cancel(ignored);
    }
    for (std::size_t which = 0; which < state_->sources.size(); ++which) {
        auto& source = state_->sources[which];
        co_await source.ended.wait();
        co_await read_rest(which);
        boost::system::error_code ignored;
        if (source.from.is_open()) source.from.close(ignored);
    }
    state_->handle = {};
}

asio::awaitable<bool> run_io::send(std::string bytes) {
    const auto self = shared_from_this();
    auto& input = state_->input;
    std::size_t written = 0;
    while (written < bytes.size()) {
        if (!input.is_open()) co_return false;
        boost::system::error_code error;
        auto token = asio::redirect_error(asio::use_awaitable, error);
        const auto rest = asio::buffer(bytes.data() + written, bytes.size() - written);
        written += co_await input.async_write_some(rest, token);
        if (error) {
            close_input();
            co_return false;
        }
    }
    co_return true;
}

void run_io::close_input() {
    boost::system::error_code ignored;
    if (state_->input.is_open()) state_->input.close(ignored);
}

void run_io::resize(terminal_size size) {
    auto& master = state_->sources[0].from;
    if (master.is_open()) set_terminal_size(master.native_handle(), size);
}

}  // namespace hob::unit

#include "unit/process/process_io.hpp"

#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <termios.h>
#include <unistd.h>

#include <boost/asio/buffer.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <array>
#include <cerrno>
#include <utility>

#include "error.hpp"
#include "limits.hpp"
#include "util/async.hpp"

namespace hob::unit {

namespace asio = boost::asio;

namespace {

constexpr std::size_t chunk_size = 64u << 10;
constexpr int connection = 2;       // among the sources
constexpr int chunks_in_a_row = 8;  // of one stream, before other streams are read
// The most that one pipe holds (fs.pipe-max-size is 1 MiB by default). More than that comes from a process
// that still writes, not from the one that ended.
constexpr std::size_t rest_max = 1u << 20;

asio::posix::stream_descriptor own(const asio::any_io_executor& executor, util::unique_fd fd) {
    asio::posix::stream_descriptor stream(executor);
    if (!fd) return stream;
    stream.assign(fd.release());
    stream.native_non_blocking(true);
    return stream;
}

// All streams share one buffer: each read is handled before the next begins, and a thousand units must not
// own a buffer each.
std::array<char, chunk_size>& shared_buffer() {
    static std::array<char, chunk_size> bytes;
    return bytes;
}

}  // namespace

struct process_io::state {
    struct source {
        asio::posix::stream_descriptor stream;
        util::manual_reset_event ended;
        bool ending = false;
    };

    state(const asio::any_io_executor& on, child_pipes pipes, handlers what)
        : executor(on),
          input(own(on, std::move(pipes.input.write))),
          sources{source{own(on, std::move(pipes.output.read)), util::manual_reset_event(on)},
                  source{own(on, std::move(pipes.error.read)), util::manual_reset_event(on)},
                  source{asio::posix::stream_descriptor(on), util::manual_reset_event(on)}},
          spool(std::move(pipes.spool)),
          handle(std::move(what)),
          room(on) {}

    const std::function<void(std::string_view)>& handler(int which) const {
        return which == 0 ? handle.output : which == 1 ? handle.error : handle.connection;
    }

    enum class reading { more, drained, ended };

    void call_handler(int which, std::string_view bytes) {
        // A copy: the handler may call abandon(), which drops all handlers.
        if (const auto handle_bytes = handler(which)) handle_bytes(bytes);
    }

    // As read(2).
    ssize_t read_bytes(int which, std::string_view& bytes) {
        const int from = sources[static_cast<std::size_t>(which)].stream.native_handle();
        if (spool && which != connection) return spool->take(static_cast<std::size_t>(which), from, bytes);
        auto& buffer = shared_buffer();
        ssize_t n = 0;
        do {
            n = ::read(from, buffer.data(), buffer.size());
        } while (n < 0 && errno == EINTR);
        if (n > 0) bytes = {buffer.data(), static_cast<std::size_t>(n)};
        return n;
    }

    // Reads once and calls the handler.
    reading read_once(int which, std::size_t& total) {
        std::string_view bytes;
        const ssize_t n = read_bytes(which, bytes);
        if (n < 0) return errno == EAGAIN ? reading::drained : reading::ended;
        if (n == 0) return reading::ended;
        total += bytes.size();
        const bool full = bytes.size() == chunk_size;
        call_handler(which, bytes);
        return full ? reading::more : reading::drained;
    }

    void handle_unlogged(int which) {
        if (!spool || which == connection) return;
        const std::string_view bytes = spool->unlogged(static_cast<std::size_t>(which));
        if (!bytes.empty()) call_handler(which, bytes);
    }

    // Reads what is in the pipe now.
    void read_rest(int which) {
        auto& stream = sources[static_cast<std::size_t>(which)].stream;
        std::size_t total = 0;
        while (stream.is_open() && total < rest_max) {
            const std::size_t before = total;
            if (read_once(which, total) == reading::ended || total == before) return;
        }
    }

    asio::any_io_executor executor;
    asio::posix::stream_descriptor input;
    std::array<source, 3> sources;              // output, errors, connection
    const std::shared_ptr<output_spool> spool;  // see child_pipes
    handlers handle;
    std::string queue;           // not yet written
    std::size_t batch_left = 0;  // bytes that write_queued took from the queue and has not written
    bool writing = false;        // write_queued runs
    bool freezing = false;       // freeze() was called
    util::notifier room;         // bytes of the queue were written or dropped
};

child_pipes child_pipes::terminal(terminal_size size) {
    child_pipes ends{{}, {}, {}};
    pseudo_terminal made = open_pseudo_terminal(size);
    ends.input.write.reset(::fcntl(made.master.get(), F_DUPFD_CLOEXEC, 3));
    ends.input.read.reset(::fcntl(made.slave.get(), F_DUPFD_CLOEXEC, 3));
    if (!ends.input.write || !ends.input.read) throw denied("open", "a terminal", errno);
    ends.output.read = std::move(made.master);
    ends.output.write = std::move(made.slave);
    return ends;
}

void child_pipes::use_terminal_for_output() {
    pseudo_terminal made = open_pseudo_terminal({});
    termios mode{};
    ::tcgetattr(made.slave.get(), &mode);
    ::cfmakeraw(&mode);
    if (::tcsetattr(made.slave.get(), TCSANOW, &mode) != 0) throw denied("open", "a terminal", errno);
    output = {std::move(made.master), std::move(made.slave)};
}

process_io::process_io(std::unique_ptr<state> initial) : state_(std::move(initial)) {}
process_io::~process_io() = default;

std::shared_ptr<process_io> process_io::make(const asio::any_io_executor& executor, child_pipes pipes,
                                             handlers on) {
    std::shared_ptr<process_io> io(
        new process_io(std::make_unique<state>(executor, std::move(pipes), std::move(on))));
    util::spawn(executor, io->read_all(0), "worker output");
    util::spawn(executor, io->read_all(1), "worker errors");
    io->state_->sources[connection].ended.set();
    return io;
}

void process_io::connect(util::unique_fd socket) {
    auto& io = *state_;
    // Each stream owns a descriptor: the two directions end separately.
    io.input = own(io.executor, util::unique_fd(::fcntl(socket.get(), F_DUPFD_CLOEXEC, 0)));
    io.sources[connection].stream = own(io.executor, std::move(socket));
    io.sources[connection].ended.clear();
    util::spawn(io.executor, read_all(connection), "worker connection");
}

asio::awaitable<void> process_io::read_all(int which) {
    const auto self = shared_from_this();
    auto& from = state_->sources[static_cast<std::size_t>(which)];
    state_->handle_unlogged(which);
    while (!from.ending) {
        boost::system::error_code error;
        auto token = asio::redirect_error(asio::use_awaitable, error);
        co_await from.stream.async_wait(asio::posix::stream_descriptor::wait_read, token);
        if (error) break;
        auto result = state::reading::more;
        std::size_t total = 0;
        for (int i = 0; i < chunks_in_a_row && result == state::reading::more && from.stream.is_open(); ++i)
            result = state_->read_once(which, total);
        if (result == state::reading::ended) break;
    }
    from.ended.set();
    if (which == connection && !from.ending) input_failed();
}

bool process_io::send(std::string bytes) {
    auto& io = *state_;
    // The process has ended: every caller is about to get that error, with the last lines of its stderr.
    if (io.sources[0].ending && !io.freezing) return true;
    if (!io.input.is_open() || io.queue.size() + bytes.size() > limits::worker_input_max) return false;
    if (io.writing || io.freezing) {
        io.queue += bytes;
        return true;
    }
    ssize_t n = 0;
    do {
        n = ::write(io.input.native_handle(), bytes.data(), bytes.size());
    } while (n < 0 && errno == EINTR);
    if (n < 0 && errno != EAGAIN) {
        input_failed();
        return true;  // the end of the process will be reported, and says more than a failed write
    }
    if (n < 0) n = 0;
    if (static_cast<std::size_t>(n) == bytes.size()) return true;
    io.queue = bytes.substr(static_cast<std::size_t>(n));
    io.writing = true;
    util::spawn(io.executor, write_queued(), "worker input");
    return true;
}

asio::awaitable<void> process_io::write_queued() {
    const auto self = shared_from_this();
    auto& io = *state_;
    while (io.input.is_open() && !io.queue.empty()) {
        const std::string batch = std::exchange(io.queue, {});
        std::size_t written = 0;
        while (written < batch.size() && io.input.is_open() && !io.freezing) {
            boost::system::error_code error;
            auto token = asio::redirect_error(asio::use_awaitable, error);
            const auto buffer = asio::buffer(batch.data() + written, batch.size() - written);
            io.batch_left = batch.size() - written;
            written += co_await io.input.async_write_some(buffer, token);
            io.batch_left = batch.size() - written;
            io.room.ring();
            if (!error || io.freezing) continue;
            io.batch_left = 0;
            io.writing = false;
            if (error != asio::error::operation_aborted) input_failed();
            co_return;
        }
        if (!io.freezing) continue;
        io.queue.insert(0, batch, written);
        io.batch_left = 0;
        break;
    }
    io.writing = false;
    io.room.ring();
}

void process_io::input_failed() {
    close_input();
    if (auto handler = std::exchange(state_->handle.input_closed, nullptr)) handler();
}

std::size_t process_io::unread() const {
    int waiting = 0;
    auto& io = *state_;
    auto& stream = io.sources[io.sources[connection].stream.is_open() ? connection : 0].stream;
    if (!stream.is_open() || ::ioctl(stream.native_handle(), FIONREAD, &waiting) != 0) return 0;
    return static_cast<std::size_t>(waiting);
}

std::size_t process_io::queued() const {
    return state_->input.is_open() ? state_->queue.size() + state_->batch_left : 0;
}

bool process_io::takes_input() const { return state_->input.is_open(); }

int process_io::terminal() const {
    auto& master = state_->sources[0].stream;
    return master.is_open() ? master.native_handle() : -1;
}

int process_io::spool() const { return state_->spool ? state_->spool->descriptor() : -1; }

asio::awaitable<void> process_io::taken() {
    const auto self = shared_from_this();
    co_await state_->room.wait();
}

void process_io::close_input() {
    boost::system::error_code ignored;
    state_->queue.clear();
    state_->room.ring();
    if (!state_->input.is_open()) return;
    // A socket has a second descriptor, so closing this one alone would not reach the peer.
    ::shutdown(state_->input.native_handle(), SHUT_WR);
    state_->input.close(ignored);
}

asio::awaitable<void> process_io::finish() {
    const auto self = shared_from_this();
    close_input();
    for (int which = 0; which < static_cast<int>(state_->sources.size()); ++which) {
        auto& from = state_->sources[static_cast<std::size_t>(which)];
        // A completed read may still have to be handled. It comes first, so that the bytes stay in order.
        from.ending = true;
        boost::system::error_code ignored;
        if (from.stream.is_open()) from.stream.cancel(ignored);
        co_await from.ended.wait();
        state_->read_rest(which);
    }
    abandon();
}

asio::awaitable<frozen_io> process_io::freeze() {
    const auto self = shared_from_this();
    auto& io = *state_;
    io.freezing = true;
    boost::system::error_code ignored;
    if (io.input.is_open()) io.input.cancel(ignored);
    while (io.writing)
        co_await io.room.wait();
    for (auto& from : io.sources) {
        from.ending = true;
        if (from.stream.is_open()) from.stream.cancel(ignored);
        co_await from.ended.wait();
    }
    frozen_io frozen;
    const auto descriptor_of = [](asio::posix::stream_descriptor& stream) {
        return stream.is_open() ? stream.native_handle() : -1;
    };
    frozen.output = descriptor_of(io.sources[0].stream);
    frozen.error = descriptor_of(io.sources[1].stream);
    frozen.connection = descriptor_of(io.sources[connection].stream);
    if (frozen.connection < 0) frozen.input = descriptor_of(io.input);
    frozen.unwritten = io.queue;
    co_return frozen;
}

void process_io::abandon() {
    close_input();
    state_->handle = {};
    for (auto& from : state_->sources) {
        boost::system::error_code ignored;
        from.ending = true;
        if (from.stream.is_open()) from.stream.close(ignored);
    }
}

}  // namespace hob::unit

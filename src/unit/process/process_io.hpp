#pragma once
// The three pipes of a running child, or its terminal. Writing never blocks: what does not fit is queued, up
// to a limit. Output and errors are always read.

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "unit/process/output_spool.hpp"
#include "unit/process/pseudo_terminal.hpp"
#include "util/fd.hpp"

namespace hob::unit {

// The ends for the child, and those that stay here. Without `input` the child reads /dev/null.
struct child_pipes {
    util::pipe_ends input;
    util::pipe_ends output = util::make_pipe();
    util::pipe_ends error = util::make_pipe();
    // Also the log's. The outputs go through it; nullptr: they are only read.
    std::shared_ptr<output_spool> spool{};

    static child_pipes with_input() {
        child_pipes pipes;
        pipes.input = util::make_pipe();
        return pipes;
    }
    // One pipe for both outputs; their handler is that of the output.
    static child_pipes merged() {
        child_pipes pipes;
        pipes.error = {};
        return pipes;
    }
    // The terminal is the child's input and both outputs. Throws failure(denied).
    static child_pipes terminal(terminal_size size);
    // The child's output is a terminal that passes every byte on as it is. Throws failure(denied).
    void use_terminal_for_output();
    int error_end() const { return error.write ? error.write.get() : output.write.get(); }
    // After the fork.
    void close_child_ends() {
        input.read.reset();
        output.write.reset();
        error.write.reset();
    }
};

// The descriptors of a process that another program in this process goes on with; -1: there is none. They stay
// open, and belong to the process_io.
struct frozen_io {
    int input = -1;
    int output = -1;
    int error = -1;
    int connection = -1;      // see process_io::connect; then there is no `input`
    std::string unwritten{};  // was sent, and not written yet
};

class process_io : public std::enable_shared_from_this<process_io> {
public:
    struct handlers {
        std::function<void(std::string_view bytes)> output;
        std::function<void(std::string_view bytes)> error;
        std::function<void()> input_closed;  // the process closed its input; called at most once
        std::function<void(std::string_view bytes)> connection;  // see connect()
    };

    // shared: the reading and writing coroutines hold it while they run. What the spool has and the log does
    // not comes first.
    static std::shared_ptr<process_io> make(const boost::asio::any_io_executor& executor, child_pipes pipes,
                                            handlers on);
    ~process_io();

    // From now on send() writes to this socket, and the handler `connection` gets what is read from it. The
    // end of the connection is the end of the input.
    void connect(util::unique_fd socket);

    // False: the queue is full (limits::worker_input_max), or the input is closed; nothing was queued.
    bool send(std::string bytes);
    std::size_t queued() const;  // bytes that the child has not read
    bool takes_input() const;    // the child has not closed its input
    int terminal() const;        // the master of the child's terminal; -1: it is closed
    int spool() const;           // its descriptor; -1: there is none
    // Returns when the child has read some of them, or will not read more. Throws on cancellation.
    boost::asio::awaitable<void> taken();
    std::size_t unread() const;  // bytes of its output, or of the connection, that wait to be read
    void close_input();          // drops what is queued

    // After the process has ended: reads what is still in the pipes and closes them, without waiting for
    // other processes that hold them open. No handler is called afterwards.
    boost::asio::awaitable<void> finish();
    void abandon();  // as finish(), but without reading
    // Reads and writes nothing more. Returns when what was read is handled; nothing may be sent afterwards.
    boost::asio::awaitable<frozen_io> freeze();

private:
    struct state;
    explicit process_io(std::unique_ptr<state> initial);
    boost::asio::awaitable<void> read_all(int which);
    boost::asio::awaitable<void> write_queued();
    void input_failed();

    std::unique_ptr<state> state_;
};

}  // namespace hob::unit

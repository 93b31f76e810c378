#pragma once
// What a run reads and writes: three pipes, or one pseudo-terminal. Its output is read only as fast as
// whoever listens takes it, so that a slow listener slows the run down and loses nothing.

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "util/fd.hpp"

namespace hob::unit {

struct terminal_size {
    unsigned short rows = 24;
    unsigned short columns = 80;
};

// The ends that a run's process gets, and those that stay here.
struct run_ends {
    util::unique_fd child_input, child_output, child_error;  // child_input empty: /dev/null
    util::unique_fd input, output, error;                    // error empty: a terminal has one stream
    bool terminal = false;
};

// `with_input`: a pipe for standard input. Throws failure(denied).
run_ends make_run_pipes(bool with_input);
run_ends make_run_terminal(terminal_size size);

class run_io : public std::enable_shared_from_this<run_io> {
public:
    struct handlers {
        std::function<void(std::string_view stream, std::string_view bytes)> output;  // "stdout" or "stderr"
        std::function<boost::asio::awaitable<void>()> room;  // returns when more may be given to `output`
    };

    // shared: its own reading coroutines hold it.
    static std::shared_ptr<run_io> make(const boost::asio::any_io_executor& executor, run_ends ends,
                                        handlers on);
    ~run_io();

    // Returns once all of it is in the pipe. False: the process reads no more.
    boost::asio::awaitable<bool> send(std::string bytes);
    void close_input();
    void resize(terminal_size size);

    // After the process has ended: gives what is still in the pipes, without waiting for others that hold
    // them open, and closes them. Nothing is given afterwards.
    boost::asio::awaitable<void> finish();

private:
    struct state;
    explicit run_io(std::unique_ptr<state> initial);
    boost::asio::awaitable<void> read_all(std::size_t which);
    boost::asio::awaitable<void> read_rest(std::size_t which);

    std::unique_ptr<state> state_;
};

}  // namespace hob::unit

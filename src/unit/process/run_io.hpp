#pragma once
// The input and output of a run: three pipes, or one pseudo-terminal. Output is read only as fast as the
// listener takes it, so that a slow listener slows the run down and loses nothing.

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "unit/process/output_spool.hpp"
#include "unit/process/pseudo_terminal.hpp"
#include "util/fd.hpp"

namespace hob::unit {

// The ends for the run's process, and those that stay here.
struct run_ends {
    util::unique_fd child_input, child_output, child_error;  // child_input empty: /dev/null
    util::unique_fd input, output, error;                    // error empty: both outputs are one stream
    bool terminal = false;
    // Also the log's. The outputs go through it; nullptr: they are only read.
    std::shared_ptr<output_spool> spool{};
};

// `with_input`: a pipe for standard input. `merged`: one pipe for both outputs. Throws failure(denied).
run_ends make_run_pipes(bool with_input, bool merged = false);
run_ends make_run_terminal(terminal_size size);

class run_io : public std::enable_shared_from_this<run_io> {
public:
    struct handlers {
        // `stream`: "stdout" or "stderr"; `offset`: of the first byte, in the stream.
        std::function<void(std::string_view stream, std::uint64_t offset, std::string_view bytes)> output;
        std::function<boost::asio::awaitable<void>()> room;  // returns when `output` may be called again
    };

    // shared: its own reading coroutines hold it. What the spool has and the log does not comes first.
    static std::shared_ptr<run_io> make(const boost::asio::any_io_executor& executor, run_ends ends,
                                        handlers on);
    ~run_io();

    // Returns once all of it is in the pipe. False: the process has closed its input.
    boost::asio::awaitable<bool> send(std::string bytes);
    void close_input();
    void resize(terminal_size size);
    int spool() const;  // its descriptor; -1: there is none
    std::uint64_t output_bytes()
        const;  // of both streams, since the run began; `output` got them, or the log

    // After the process has ended: reads what is still in the pipes and closes them, without waiting for
    // other processes that hold them open. No handler is called afterwards.
    boost::asio::awaitable<void> finish();

private:
    struct state;
    explicit run_io(std::unique_ptr<state> initial);
    boost::asio::awaitable<void> read_all(std::size_t which);
    boost::asio::awaitable<void> read_rest(std::size_t which);
    boost::asio::awaitable<void> hand_over(std::size_t which, std::string_view bytes);

    std::unique_ptr<state> state_;
};

}  // namespace hob::unit

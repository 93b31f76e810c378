#pragma once
// The terminal, or the open standard input, of a service: what its processes, one after the other, share with
// the clients that are attached. It keeps the last of the output, for clients that attach late or read
// slowly. No client makes the service wait.

#include <boost/asio/any_io_executor.hpp>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "unit/process/process_io.hpp"
#include "unit/process/pseudo_terminal.hpp"
#include "util/async.hpp"
#include "util/terminal_modes.hpp"

namespace hob::unit {

class terminal_attachment;

// shared: the service, and each attachment.
class service_terminal : public std::enable_shared_from_this<service_terminal> {
public:
    explicit service_terminal(const boost::asio::any_io_executor& executor);

    // A process has started; `tty`: on a terminal of size().
    void connect(std::shared_ptr<process_io> io, bool tty);
    void disconnect();  // it has ended, and all of its output has come
    void output(std::string_view bytes);
    // The service has neither of the two keys any more: the attachments end.
    void close();

    const boost::asio::any_io_executor& executor() const { return executor_; }
    bool tty() const { return tty_; }
    bool closed() const { return closed_; }
    terminal_size size() const { return size_; }
    std::shared_ptr<process_io> process() const { return process_; }  // nullptr: none runs
    // Rings when a process has started or ended, and at close().
    util::notifier& changed() { return changed_; }

    // Positions count the bytes of the output. Those from begin() to end() are kept.
    std::uint64_t begin() const { return begin_; }
    std::uint64_t end() const { return begin_ + recent_.size(); }
    std::string_view since(std::uint64_t position) const;
    // Where the next line begins, or end().
    std::uint64_t next_line(std::uint64_t position) const;
    // What a terminal with so many rows shows of the last output: its text and colours, and the modes that
    // the program has switched on.
    std::string screen(unsigned short rows) const;

    // The terminal has the size of the client that typed last. `attached` has a size.
    void join(terminal_attachment& attached);
    void leave(terminal_attachment& attached);
    void typed(terminal_attachment& attached);
    void resized(const terminal_attachment& attached);
    // Makes a program that uses the whole screen draw it again.
    void redraw();

private:
    void take_size();
    void set_size(terminal_size size);
    boost::asio::awaitable<void> shrink_and_grow();

    boost::asio::any_io_executor executor_;
    std::shared_ptr<process_io> process_;  // also held by its own coroutines and the service
    bool tty_ = false;
    bool closed_ = false;
    bool redrawing_ = false;
    bool anybody_typed_ = false;  // of those who are attached
    terminal_size size_;
    std::string recent_;
    std::uint64_t begin_ = 0;
    util::terminal_modes modes_;
    std::vector<terminal_attachment*> attached_;  // the one that typed last is the last; each leaves
    util::notifier changed_;
};

}  // namespace hob::unit

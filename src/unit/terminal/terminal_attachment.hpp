#pragma once
// One client that is attached to the terminal, or to the open standard input, of a service. It stays attached
// while the service is restarted.

#include <boost/asio/awaitable.hpp>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "ipc/unit_state.hpp"
#include "unit/process/pseudo_terminal.hpp"
#include "unit/supervise/managed_unit.hpp"
#include "unit/terminal/service_terminal.hpp"
#include "util/async.hpp"

namespace hob::unit {

// The client's side.
struct terminal_client {
    std::function<void(std::string_view bytes)> output;
    std::function<void(std::uint64_t bytes)> skipped;  // it has read too slowly to get these
    // What the service does, when that has changed.
    std::function<void(ipc::unit_state state, const std::string& detail)> state;
    std::function<std::size_t()> queued;                      // bytes that it has not read yet
    std::function<boost::asio::awaitable<void>()> drained{};  // returns when it has read some of them
    bool typed = false;   // its input is typed, not read from a file or a pipe
    bool recent = false;  // it wants to see the last output
    std::optional<terminal_size> size{};
};

// shared: the request that follows it; those of its input hold it while they last.
class terminal_attachment : public std::enable_shared_from_this<terminal_attachment> {
public:
    // `unit` is the service that `terminal` belongs to. It is attached once follow() runs.
    terminal_attachment(std::shared_ptr<managed_unit> unit, std::shared_ptr<service_terminal> terminal,
                        terminal_client client);
    ~terminal_attachment();
    terminal_attachment(const terminal_attachment&) = delete;
    terminal_attachment& operator=(const terminal_attachment&) = delete;

    // Shows what the service writes until the service has stopped, or has failed for good, and does not come
    // up again by itself. Throws failure(cancelled) after end(). Cancelling it detaches the client.
    boost::asio::awaitable<void> follow();

    // To the program: on a terminal every byte, otherwise whole lines, an unfinished one with the rest of it.
    // Returns once the program may take more; at the end of the input, once it has taken all. Without a
    // process that waits for the next one, except for what is typed at a terminal, which is lost. False: the
    // service reads no input any more. Throws failure(usage) if the last call has not returned.
    boost::asio::awaitable<bool> input(std::string bytes, bool end);
    void resize(terminal_size size);
    const std::optional<terminal_size>& size() const { return client_.size; }

    void end();  // the daemon is shutting down

    // For the terminal.
    void show_output();
    void show(std::string_view bytes) { client_.output(bytes); }
    void wake() { wake_.ring(); }

private:
    void show_screen();
    void tell_state();
    std::string complete_lines(std::string bytes, bool end);
    boost::asio::awaitable<bool> deliver(std::string bytes, bool all);

    const std::shared_ptr<managed_unit> unit_;          // also the registry's
    const std::shared_ptr<service_terminal> terminal_;  // also the service's
    terminal_client client_;
    std::uint64_t position_ = 0;  // of the output that it has got
    bool joined_ = false;
    bool behind_ = false;  // there is output for it that it has no room for
    bool over_ = false;
    bool ended_ = false;
    bool input_busy_ = false;
    std::string line_;  // of its input, unfinished
    std::optional<ipc::unit_state> told_;
    util::notifier wake_;
};

}  // namespace hob::unit

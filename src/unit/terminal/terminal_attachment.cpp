#include "unit/terminal/terminal_attachment.hpp"

#include <algorithm>
#include <utility>

#include "error.hpp"
#include "limits.hpp"

namespace hob::unit {

namespace asio = boost::asio;

namespace {

constexpr std::size_t piece_max = 32u << 10;  // bytes sent to the client at once

// Of a flag that is set.
class set_back {
public:
    explicit set_back(bool& flag) : flag_(flag) {}
    ~set_back() { flag_ = false; }
    set_back(const set_back&) = delete;
    set_back& operator=(const set_back&) = delete;

private:
    bool& flag_;
};

}  // namespace

terminal_attachment::terminal_attachment(std::shared_ptr<managed_unit> unit,
                                         std::shared_ptr<service_terminal> terminal, terminal_client client)
    : unit_(std::move(unit)),
      terminal_(std::move(terminal)),
      client_(std::move(client)),
      wake_(terminal_->executor()) {}

terminal_attachment::~terminal_attachment() {
    if (joined_) terminal_->leave(*this);
}

void terminal_attachment::show_screen() {
    position_ = terminal_->end();
    const terminal_size before = terminal_->size();
    terminal_->join(*this);
    joined_ = true;
    if (!client_.recent) return;
    const std::string screen = terminal_->screen(client_.size.value_or(before).rows);
    if (!screen.empty()) client_.output(screen);
    if (terminal_->size() == before) terminal_->redraw();
}

// A process may write as soon as it has been made: its start is told first.
void terminal_attachment::show_output() {
    tell_state();
    while (position_ < terminal_->end()) {
        const bool lost = position_ < terminal_->begin();
        // One that has lost output gets the rest when it has read all that it was sent: then it loses much at
        // once, not a little again and again.
        behind_ = client_.queued() > (lost ? 0 : limits::terminal_backlog_max);
        if (behind_) return wake_.ring();
        if (lost) {
            const std::uint64_t resumed = terminal_->next_line(terminal_->begin());
            client_.skipped(resumed - position_);
            position_ = resumed;
            continue;
        }
        const std::string_view piece = terminal_->since(position_).substr(0, piece_max);
        client_.output(piece);
        position_ += piece.size();
    }
    behind_ = false;
}

void terminal_attachment::tell_state() {
    const auto state = unit_->state();
    if (told_ == state) return;
    told_ = state;
    client_.state(state, unit_->status().detail);
}

asio::awaitable<void> terminal_attachment::follow() {
    const auto self = shared_from_this();
    show_screen();
    for (;;) {
        if (ended_)
            throw failure(error_kind::cancelled, cannot("attach", unit_->spec().name),
                          "the daemon is shutting down");
        show_output();
        if (behind_) {
            co_await util::first_of(client_.drained(), wake_.wait());
        } else if (!unit_->running() || terminal_->closed()) {
            break;
        } else {
            co_await util::first_of(wake_.wait(), unit_->changes().wait());
        }
    }
    over_ = true;
    terminal_->changed().ring();
}

void terminal_attachment::end() {
    ended_ = true;
    wake_.ring();
}

void terminal_attachment::resize(terminal_size size) {
    client_.size = size;
    if (joined_) terminal_->resized(*this);
}

// The lines of several clients do not mix.
std::string terminal_attachment::complete_lines(std::string bytes, bool end) {
    if (terminal_->tty()) return std::exchange(line_, {}) + bytes;
    line_ += bytes;
    if (end && !line_.empty() && !line_.ends_with('\n')) line_ += '\n';
    const std::size_t newline = line_.rfind('\n');
    std::size_t complete = newline == std::string::npos ? 0 : newline + 1;
    if (line_.size() - complete > limits::terminal_line_max) complete = line_.size();
    std::string lines = line_.substr(0, complete);
    line_.erase(0, complete);
    return lines;
}

asio::awaitable<bool> terminal_attachment::input(std::string bytes, bool end) {
    const auto self = shared_from_this();
    if (std::exchange(input_busy_, true))
        throw failure(error_kind::usage, cannot("send", "input"), "the last request is not answered yet");
    const set_back when_done(input_busy_);
    if (client_.typed && joined_) terminal_->typed(*this);
    std::string complete = complete_lines(std::move(bytes), end);
    co_return co_await deliver(std::move(complete), end);
}

asio::awaitable<bool> terminal_attachment::deliver(std::string bytes, bool all) {
    std::shared_ptr<process_io> taker;
    while (!bytes.empty()) {
        taker = terminal_->process();
        if (over_) co_return false;
        if (!taker && terminal_->tty() && client_.typed) co_return true;
        if (!taker) {
            co_await terminal_->changed().wait();
        } else if (!taker->takes_input()) {
            co_return false;
        } else if (taker->queued() >= limits::terminal_input_max) {
            co_await taker->taken();
        } else {
            taker->send(bytes.substr(0, limits::terminal_input_max));
            bytes.erase(0, limits::terminal_input_max);
        }
    }
    while (all && taker && taker->takes_input() && taker->queued() > 0) {
        co_await taker->taken();
    }
    co_return !taker || taker->takes_input() || taker != terminal_->process();
}

}  // namespace hob::unit

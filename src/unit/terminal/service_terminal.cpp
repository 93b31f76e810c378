#include "unit/terminal/service_terminal.hpp"

#include <algorithm>
#include <utility>

#include "limits.hpp"
#include "unit/terminal/terminal_attachment.hpp"
#include "util/escape_sequences.hpp"

namespace hob::unit {

namespace asio = boost::asio;

namespace {

// The last so many lines; an unfinished one counts.
std::string_view last_lines(std::string_view text, std::size_t lines) {
    std::size_t at = text.size();
    if (text.ends_with('\n')) --at;
    for (; lines > 0; --lines) {
        at = at == 0 ? std::string_view::npos : text.rfind('\n', at - 1);
        if (at == std::string_view::npos) return text;
    }
    return text.substr(at + 1);
}

}  // namespace

service_terminal::service_terminal(const asio::any_io_executor& executor)
    : executor_(executor), changed_(executor) {}

void service_terminal::connect(std::shared_ptr<process_io> io, bool tty) {
    process_ = std::move(io);
    tty_ = tty;
    if (tty_) set_terminal_size(process_->terminal(), size_);
    changed_.ring();
}

// A program that was killed has not put the terminals of those who look at it in order.
void service_terminal::disconnect() {
    const std::string undo = modes_.leave_text();
    modes_ = {};
    if (!undo.empty()) {
        for (auto* attached : attached_) {
            if (attached->size()) attached->show(undo);
        }
    }
    process_.reset();
    changed_.ring();
}

void service_terminal::close() {
    closed_ = true;
    changed_.ring();
    for (auto* attached : attached_)
        attached->wake();
}

void service_terminal::output(std::string_view bytes) {
    modes_.feed(bytes);
    recent_.append(bytes);
    if (recent_.size() > 2 * limits::terminal_recent_max) {
        const std::size_t excess = recent_.size() - limits::terminal_recent_max;
        recent_.erase(0, excess);
        begin_ += excess;
    }
    for (auto* attached : attached_)
        attached->show_output();
}

std::string_view service_terminal::since(std::uint64_t position) const {
    return std::string_view(recent_).substr(position < begin_ ? 0 : position - begin_);
}

std::uint64_t service_terminal::next_line(std::uint64_t position) const {
    const std::string_view rest = since(position);
    const auto newline = rest.find('\n');
    return newline == std::string_view::npos ? end() : end() - rest.size() + newline + 1;
}

std::string service_terminal::screen(unsigned short rows) const {
    if (modes_.alternate_screen()) return modes_.enter_text() + "\x1b[2J\x1b[H";
    std::string_view last(recent_);
    const std::size_t lines = rows > 1 ? rows - 1u : 1u;
    if (last.size() > limits::terminal_screen_max) {
        last.remove_prefix(last.size() - limits::terminal_screen_max);
        last.remove_prefix(std::min(last.find('\n'), last.size() - 1) + 1);
    }
    // Without what moves the cursor, or asks the terminal something: that was for another moment.
    return util::with_colors_alone(last_lines(last, lines)) + modes_.enter_text();
}

// Until somebody has typed, the terminal has the size of the client that came last.
void service_terminal::join(terminal_attachment& attached) {
    if (attached_.empty()) anybody_typed_ = false;
    attached_.insert(anybody_typed_ ? attached_.begin() : attached_.end(), &attached);
    take_size();
}

void service_terminal::leave(terminal_attachment& attached) {
    std::erase(attached_, &attached);
    take_size();
}

void service_terminal::typed(terminal_attachment& attached) {
    anybody_typed_ = true;
    std::erase(attached_, &attached);
    attached_.push_back(&attached);
    take_size();
}

void service_terminal::resized(const terminal_attachment& attached) {
    if (!attached_.empty() && attached_.back() == &attached) take_size();
}

void service_terminal::take_size() {
    const auto with_size = std::find_if(attached_.rbegin(), attached_.rend(),
                                        [](const auto* attached) { return attached->size().has_value(); });
    if (with_size != attached_.rend()) set_size(*(*with_size)->size());
}

void service_terminal::set_size(terminal_size size) {
    if (size_ == size) return;
    size_ = size;
    if (tty_ && process_ && process_->terminal() >= 0) set_terminal_size(process_->terminal(), size_);
}

// A program draws anew when the size has changed, and many do not when it was only told so.
void service_terminal::redraw() {
    if (!tty_ || !process_ || !modes_.alternate_screen() || redrawing_) return;
    redrawing_ = true;
    util::spawn(executor_, shrink_and_grow(), "terminal of a service");
}

asio::awaitable<void> service_terminal::shrink_and_grow() {
    const auto self = shared_from_this();
    const auto drawing = process_;
    terminal_size smaller = size_;
    if (smaller.rows > 1) --smaller.rows;
    if (drawing->terminal() >= 0) set_terminal_size(drawing->terminal(), smaller);
    co_await util::pause(limits::terminal_redraw_pause);
    redrawing_ = false;
    if (drawing->terminal() >= 0) set_terminal_size(drawing->terminal(), size_);
}

}  // namespace hob::unit

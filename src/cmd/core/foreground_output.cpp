#include "cmd/core/foreground_output.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <chrono>
#include <utility>

#include "identity.hpp"
#include "limits.hpp"
#include "util/async.hpp"
#include "util/base64.hpp"
#include "util/clock.hpp"
#include "util/deadline.hpp"
#include "util/json/json_writer.hpp"
#include "util/utf8.hpp"

namespace hob::cmd {
namespace {

namespace asio = boost::asio;

constexpr std::size_t queue_max = 1u << 20;

}  // namespace

foreground_output::foreground_output(bool json)
    : json_(json), to_(STDOUT_FILENO), style_(log_style_for_output(log_format::raw)), prefix_(style_.out) {}

void foreground_output::show(std::string_view unit, std::string_view line) {
    if (gone_) return;
    if (queue_.size() > queue_max) {
        ++left_out_;
        return;
    }
    if (left_out_ > 0) {
        queue_ +=
            text_of(this_program.name,
                    fmt::format("{} lines are not shown: standard output was not read in time", left_out_));
        left_out_ = 0;
    }
    queue_ += text_of(unit, line);
    if (writing_ || write_queued()) return;
    writing_ = true;
    util::spawn(executor_, write_rest(), "standard output");
}

std::string foreground_output::text_of(std::string_view unit, std::string_view line) {
    if (!json_) return prefix_.of(unit) + program_text(line, style_) + "\n";
    util::json_object object;
    object.add("ts", util::rfc3339(std::chrono::system_clock::now())).add("unit", unit);
    if (util::is_utf8(line)) {
        object.add("msg", line);
    } else {
        object.add("data_b64", util::base64_encode(line));
    }
    return std::move(object).text() + "\n";
}

bool foreground_output::write_queued() {
    std::size_t written = 0;
    while (written < queue_.size()) {
        const auto n = to_.write(std::string_view(queue_).substr(written));
        gone_ = !n;
        if (gone_) queue_.clear();
        if (gone_) return true;
        if (*n == 0) break;
        written += *n;
    }
    queue_.erase(0, written);
    return queue_.empty();
}

asio::awaitable<void> foreground_output::write_rest() {
    const auto self = shared_from_this();
    asio::posix::stream_descriptor out(executor_, ::fcntl(to_.descriptor(), F_DUPFD_CLOEXEC, 3));
    while (!write_queued()) {
        boost::system::error_code error;
        auto token = asio::redirect_error(asio::use_awaitable, error);
        co_await out.async_wait(asio::posix::stream_descriptor::wait_write, token);
        if (error) break;
    }
    writing_ = false;
}

void foreground_output::finish() {
    const auto limit = util::deadline::in(limits::last_output_timeout);
    while (!write_queued() && !limit.expired()) {
        pollfd out{to_.descriptor(), POLLOUT, 0};
        ::poll(&out, 1, limit.poll_timeout());
    }
}

}  // namespace hob::cmd

#include "unit/ports/port_reservations.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <sstream>
#include <utility>

#include "error.hpp"
#include "limits.hpp"
#include "util/deadline.hpp"
#include "util/proc.hpp"

namespace hob::unit {
namespace {

constexpr std::size_t file_max = 4u << 20;

[[noreturn]] void refuse(const std::string& path, const std::string& reason) {
    throw failure(error_kind::unit_failed, cannot("choose", {}, "a port"),
                  fmt::format("'{}': {}", path, reason));
}

bool lives(const port_reservation& by) {
    const auto process = by.pid > 1 ? util::read_proc_stat(by.pid) : std::nullopt;
    return process && process->start_time == by.start_time && !util::has_ended(*process);
}

std::vector<port_reservation> parse(const std::string& text) {
    std::vector<port_reservation> found;
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);) {
        std::istringstream words(line);
        port_reservation each;
        if (words >> each.port >> each.pid >> each.start_time >> each.instance >> each.name && lives(each))
            found.push_back(std::move(each));
    }
    return found;
}

void lock(const std::string& path, int file) {
    const auto limit = util::deadline::in(limits::port_lock_wait);
    while (::flock(file, LOCK_EX | LOCK_NB) != 0) {
        if (errno != EWOULDBLOCK && errno != EINTR) refuse(path, errno_text(errno));
        if (limit.expired()) refuse(path, "another daemon keeps it locked");
        ::poll(nullptr, 0, static_cast<int>(limits::port_lock_pause.count()));
    }
}

}  // namespace

std::string port_reservations_path(const std::string& state_root) { return state_root + "/.ports"; }

std::vector<port_reservation> read_port_reservations(const std::string& path) {
    const auto text = util::read_file(path, file_max);
    return text ? parse(*text) : std::vector<port_reservation>();
}

locked_port_reservations::locked_port_reservations(std::string path)
    : path_(std::move(path)), file_(util::open_file(path_, O_RDWR | O_CREAT | O_NOFOLLOW, 0600)) {
    if (!file_) refuse(path_, errno_text(errno));
    lock(path_, file_.get());
    all_ = read_port_reservations(path_);
}

void locked_port_reservations::replace(const std::string& instance,
                                       const std::vector<port_reservation>& with) {
    std::erase_if(all_, [&](const port_reservation& each) { return each.instance == instance; });
    all_.insert(all_.end(), with.begin(), with.end());
    std::string text;
    for (const auto& each : all_)
        text +=
            fmt::format("{} {} {} {} {}\n", each.port, each.pid, each.start_time, each.instance, each.name);
    const ssize_t written = ::pwrite(file_.get(), text.data(), text.size(), 0);
    if (written < 0) refuse(path_, errno_text(errno));
    if (static_cast<std::size_t>(written) != text.size()) refuse(path_, errno_text(ENOSPC));
    if (::ftruncate(file_.get(), static_cast<off_t>(text.size())) != 0) refuse(path_, errno_text(errno));
}

}  // namespace hob::unit

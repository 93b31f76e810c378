#include "keeper/holdings.hpp"

#include <signal.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "util/orphans.hpp"

namespace hob::keeper {
namespace {

// As waitid(2) of the kernel, which also tells what the process used, and leaves it a zombie.
bool read_exit(pid_t pid, exit_report& into) {
    siginfo_t info{};
    const auto failed = ::syscall(SYS_waitid, P_PID, pid, &info, WEXITED | WNOHANG | WNOWAIT, &into.used);
    if (failed != 0 || info.si_pid != pid) return false;
    into.code = info.si_code;
    into.status = info.si_status;
    return true;
}

void reap(pid_t pid) {
    while (::waitpid(pid, nullptr, WNOHANG) < 0 && errno == EINTR) {
    }
}

// Empty: the kernel has none, or half of the descriptors that this process may open are in use. The rest is
// for what only a descriptor can hold: without one of the process its end is looked for.
util::unique_fd open_process(pid_t pid) {
    util::unique_fd process(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
    rlimit most{};
    ::getrlimit(RLIMIT_NOFILE, &most);
    if (process && static_cast<rlim_t>(process.get()) >= most.rlim_cur / 2) process.reset();
    return process;
}

constexpr auto key_of = [](const auto& held) { return held->key(); };
constexpr auto pid_of = [](const auto& held) { return held->pid; };

}  // namespace

holding& holdings::entry(std::string_view key) {
    auto at = std::ranges::lower_bound(by_key_, key, {}, key_of);
    if (at == by_key_.end() || (*at)->key() != key) at = by_key_.insert(at, std::make_unique<holding>(key));
    return **at;
}

holding& holdings::hold(received from) {
    holding& held = entry(from.what.key);
    if (held.pid != from.what.pid) {
        forget_process(held);
        if (from.what.pid > 0) add_process(held, from.what.pid);
    }
    if (!from.what.text.empty()) held.set_note(from.what.text);
    held.set_descriptors(std::move(from.descriptors), from.what.roles);
    return held;
}

void holdings::add_process(holding& held, pid_t pid) {
    held.pid = pid;
    held.process = open_process(pid);
    by_pid_.insert(std::ranges::upper_bound(by_pid_, pid, {}, pid_of), &held);
    if (!held.process) look_at(held);
}

void holdings::forget_process(holding& held) {
    if (held.pid <= 0) return;
    unlist_process(held);
    if (!held.exit) reap(held.pid);
    held.process.reset();
    held.exit.reset();
    held.ended = false;
    held.pid = 0;
}

void holdings::unlist_process(const holding& held) {
    const auto found = std::ranges::find(by_pid_, &held);
    if (found != by_pid_.end()) by_pid_.erase(found);
}

void holdings::close(std::string_view key, std::string_view roles) {
    const auto at = std::ranges::lower_bound(by_key_, key, {}, key_of);
    if (at != by_key_.end() && (*at)->key() == key) (*at)->close(roles);
}

void holdings::drop(std::string_view key) {
    const auto at = std::ranges::lower_bound(by_key_, key, {}, key_of);
    if (at == by_key_.end() || (*at)->key() != key) return;
    forget_process(**at);
    by_key_.erase(at);
}

void holdings::clear() {
    for (const auto& held : by_key_)
        forget_process(*held);
    by_key_.clear();
}

void holdings::note_end(holding& held) {
    if (std::exchange(held.ended, true)) return;
    ended_.push_back(held.pid);
}

exit_report holdings::exit_of(const holding& held) const {
    exit_report exit;
    if (held.exit) return *held.exit;
    if (held.ended && !read_exit(held.pid, exit)) exit.code = CLD_EXITED;
    return exit;
}

void holdings::look_at_processes() {
    for_each_living([this](holding& held) {
        if (!held.process) look_at(held);
    });
}

void holdings::look_at_all() {
    for_each_living([this](holding& held) { look_at(held); });
}

void holdings::look_at(holding& held) {
    exit_report exit;
    // It may have ended, and been reaped, before this process was told of it.
    if (read_exit(held.pid, exit) || (::kill(held.pid, 0) != 0 && errno == ESRCH)) note_end(held);
}

void holdings::allow_reaping(pid_t pid) {
    holding* held = of_process(pid);
    if (!held) return;
    if (!held->ended) look_at(*held);
    if (!held->ended) return;
    held->exit = std::make_unique<exit_report>(exit_of(*held));
    reap(pid);
    unlist_process(*held);
}

void holdings::reap_others(pid_t spared) {
    util::reap_children_except([&](pid_t pid) { return pid == spared || of_process(pid); });
}

const holding* holdings::of_process(pid_t pid) const {
    const auto found = std::ranges::lower_bound(by_pid_, pid, {}, pid_of);
    return found == by_pid_.end() || (*found)->pid != pid ? nullptr : *found;
}

holding* holdings::of_process(pid_t pid) {
    return const_cast<holding*>(std::as_const(*this).of_process(pid));
}

const holding* holdings::after(std::string_view key) const {
    const auto next = std::ranges::upper_bound(by_key_, key, {}, key_of);
    return next == by_key_.end() ? nullptr : next->get();
}

daemon_program holdings::program(std::string_view program_key) const {
    daemon_program found;
    const auto at = std::ranges::lower_bound(by_key_, program_key, {}, key_of);
    if (at == by_key_.end() || (*at)->key() != program_key || (*at)->descriptors().size() != 2) return found;
    found.path = (*at)->note();
    found.executable = (*at)->descriptors()[0];
    found.environment = (*at)->descriptors()[1];
    return found;
}

}  // namespace hob::keeper

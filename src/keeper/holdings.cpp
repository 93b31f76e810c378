#include "keeper/holdings.hpp"

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

}  // namespace

holding& holdings::hold(const std::string& key, received from) {
    holding& held = by_key_[key];
    if (held.pid != from.what.pid) {
        forget_process(held);
        held.exit = {};
        held.may_reap = held.reaped = false;
        held.pid = from.what.pid;
        if (held.pid > 0) {
            key_of_[held.pid] = key;
            held.process.reset(static_cast<int>(::syscall(SYS_pidfd_open, held.pid, 0)));
        }
    }
    if (!from.what.text.empty()) held.note = std::move(from.what.text);
    held.roles = std::move(from.what.roles);
    held.descriptors = std::move(from.descriptors);
    return held;
}

void holdings::forget_process(holding& held) {
    if (held.pid <= 0) return;
    key_of_.erase(held.pid);
    if (!held.reaped) reap(held.pid);
    held.process.reset();
    held.pid = 0;
}

void holdings::close(const std::string& key, std::string_view roles) {
    holding* held = find(key);
    if (!held) return;
    const auto next_word = [](std::string_view& words) {
        const std::string_view word = words.substr(0, words.find(' '));
        words.remove_prefix(std::min(words.size(), word.size() + 1));
        return word;
    };
    std::string left;
    std::vector<util::unique_fd> descriptors;
    std::string_view had = held->roles;
    for (auto& fd : held->descriptors) {
        const std::string_view role = next_word(had);
        bool closes = false;
        for (std::string_view words = roles; !words.empty();)
            closes = next_word(words) == role || closes;
        if (closes) continue;
        left.append(left.empty() ? "" : " ").append(role);
        descriptors.push_back(std::move(fd));
    }
    held->roles = std::move(left);
    held->descriptors = std::move(descriptors);
}

void holdings::drop(const std::string& key) {
    const auto found = by_key_.find(key);
    if (found == by_key_.end()) return;
    forget_process(found->second);
    by_key_.erase(found);
}

void holdings::clear() {
    while (!by_key_.empty())
        drop(std::string(by_key_.begin()->first));
}

void holdings::note_end(holding& held) {
    if (held.exit.code != 0) return;
    read_exit_of(held);
    if (held.exit.code != 0) return;
    held.exit.code = CLD_EXITED;
    ended_.push_back(held.pid);
}

void holdings::look_at_processes() {
    for_each_living([this](holding& held) {
        if (!held.process) read_exit_of(held);
    });
}

void holdings::look_at_all() {
    for_each_living([this](holding& held) { read_exit_of(held); });
}

void holdings::read_exit_of(holding& held) {
    if (read_exit(held.pid, held.exit)) ended_.push_back(held.pid);
}

void holdings::allow_reaping(pid_t pid) {
    holding* held = of_process(pid);
    if (!held || held->reaped) return;
    if (held->exit.code == 0) read_exit_of(*held);
    held->may_reap = true;
    if (held->exit.code == 0) return;
    reap(pid);
    held->reaped = true;
    key_of_.erase(pid);
}

void holdings::reap_others(pid_t spared) {
    util::reap_children_except([&](pid_t pid) { return pid == spared || holds(pid); });
}

holding* holdings::find(const std::string& key) {
    const auto found = by_key_.find(key);
    return found == by_key_.end() ? nullptr : &found->second;
}

holding* holdings::of_process(pid_t pid) {
    const auto found = key_of_.find(pid);
    return found == key_of_.end() ? nullptr : find(found->second);
}

const std::string* holdings::key_after(const std::string& key) const {
    const auto next = key.empty() ? by_key_.begin() : by_key_.upper_bound(key);
    return next == by_key_.end() ? nullptr : &next->first;
}

}  // namespace hob::keeper

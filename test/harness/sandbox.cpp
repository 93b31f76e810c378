#include "harness/sandbox.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sha256.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <boost/test/unit_test.hpp>
#include <climits>
#include <csignal>
#include <cstdlib>
#include <filesystem>

#include "harness/background.hpp"
#include "paths.hpp"
#include "util/proc.hpp"

namespace hob::test {
namespace {

constexpr auto end_limit = 15s;  // longer than the default of shutdown_timeout

std::string make_root() {
    const char* given = std::getenv("TMPDIR");
    // Short, so that socket paths fit in a sockaddr unless the test wants otherwise.
    std::string path = given != nullptr && std::string_view(given).size() < 40 ? given : "/tmp";
    path += "/hobt-XXXXXX";
    if (::mkdtemp(path.data()) == nullptr) throw test_failure("cannot make a directory for the test");
    char resolved[PATH_MAX];
    if (::realpath(path.c_str(), resolved) == nullptr) throw test_failure("cannot resolve " + path);
    return resolved;
}

void make_directory(const std::string& path, const std::optional<uid_t>& owner) {
    if (!util::make_directories(path)) throw test_failure("cannot make " + path);
    if (owner && ::chown(path.c_str(), *owner, *owner) != 0) throw test_failure("cannot chown " + path);
}

std::string hex12(const std::string& bytes) {
    std::array<std::uint8_t, SHA256_DIGEST_LENGTH> digest{};
    SHA2_CTX context;
    ::SHA256Init(&context);
    ::SHA256Update(&context, reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size());
    ::SHA256Final(digest.data(), &context);
    std::string hex;
    for (std::size_t i = 0; i < 6; ++i) {
        static constexpr char digits[] = "0123456789abcdef";
        hex += digits[digest[i] >> 4];
        hex += digits[digest[i] & 15];
    }
    return hex;
}

std::string slug_of(const std::string& path) {
    std::string slug = path.substr(path.rfind('/') + 1);
    for (char& c : slug) {
        const bool plain = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
                           c == '.' || c == '_' || c == '-';
        if (!plain) c = '_';
    }
    slug.erase(0, std::min(slug.find_first_not_of(".-"), slug.size()));
    slug = slug.substr(0, 32);
    return slug.empty() ? "root" : slug;
}

}  // namespace

namespace {

// The arguments, each ended by a zero byte; empty: there is no such process.
std::string proc_command(pid_t pid) {
    return util::read_file("/proc/" + std::to_string(pid) + "/cmdline", 1u << 20).value_or("");
}

}  // namespace

sandbox::sandbox(sandbox_options options) : root_(make_root()), binary_(HOB_BINARY), uid_(options.uid) {
    id_ = root_.substr(root_.rfind('-') + 1);
    project_ = root_ + "/" + options.project;
    if (uid_ && ::chown(root_.c_str(), *uid_, *uid_) != 0) throw test_failure("cannot chown " + root_);
    for (const auto& path : {project_, home(), root_ + "/t", root_ + "/bin", root_ + "/own"})
        make_directory(path, uid_);
    env_ = {{"HOME", home()},
            {"HOB_RUNTIME_DIR", runtime()},
            {"HOB_STATE_DIR", state()},
            {"XDG_CONFIG_HOME", home() + "/.config"},
            {"XDG_STATE_HOME", home() + "/.local/state"},
            {"XDG_RUNTIME_DIR", root_ + "/x"},
            {"TMPDIR", root_ + "/t"},
            {"PATH", root_ + "/bin:/usr/local/bin:/usr/bin:/bin"},
            {"LANG", "C.UTF-8"},
            {"SANDBOX_ID", id_}};
    const std::string link = root_ + "/bin/hob";
    if (uid_) {
        copy_binary();
        ::symlink("../own/hob", link.c_str());
    } else if (::symlink(binary_.c_str(), link.c_str()) != 0) {
        throw test_failure("cannot link " + link);
    }
    config("");
}

sandbox::~sandbox() {
    try {
        end_everything();
        std::error_code ignored;
        if (std::getenv("HOB_TEST_KEEP") == nullptr) std::filesystem::remove_all(root_, ignored);
    } catch (const std::exception& error) {
        BOOST_ERROR("cannot end the sandbox: " << error.what());
    }
}

void sandbox::end_everything() {
    const auto first = processes_and_keepers();
    for (const pid_t pid : first) {
        const auto stat = util::read_proc_stat(pid);
        // Daemons only: they end their units themselves.
        if (!stat || stat->comm.substr(0, 3) != "hob") continue;
        ::kill(pid, SIGCONT);
        ::kill(pid, SIGTERM);
    }
    const bool clean = first.empty() || wait_until([this] { return processes_and_keepers().empty(); },
                                                   leftovers_expected_ ? 2s : end_limit);
    if (clean) return;
    std::string left;
    for (const pid_t pid : processes_and_keepers()) {
        const auto stat = util::read_proc_stat(pid);
        left += " " + std::to_string(pid) +
                (stat ? " (" + stat->comm + ", " + util::state_text(stat->state) + ")" : "");
    }
    wait_until(
        [this] {
            for (const pid_t pid : processes_and_keepers())
                ::kill(pid, SIGKILL);
            return processes_and_keepers().empty();
        },
        5s);
    if (!leftovers_expected_)
        BOOST_ERROR("left behind in " << root_ << ":" << left << "\n" << slurp(daemon_log()));
}

std::string sandbox::copy_binary(const std::string& from) {
    const std::string copy = root_ + "/own/hob";  // must be called hob: other names are verbs
    std::filesystem::copy_file(from.empty() ? binary_ : from, copy + ".new",
                               std::filesystem::copy_options::overwrite_existing);
    ::chmod((copy + ".new").c_str(), 0755);
    ::rename((copy + ".new").c_str(), copy.c_str());
    binary_ = copy;
    return copy;
}

std::string sandbox::key(const std::string& directory) const {
    char resolved[PATH_MAX];
    const std::string& wanted = directory.empty() ? project_ : directory;
    const std::string path = ::realpath(wanted.c_str(), resolved) != nullptr ? resolved : wanted;
    return slug_of(path) + "-" + hex12(path);
}

std::string sandbox::socket(const std::string& directory) const {
    return runtime() + "/" + key(directory) + ".sock";
}
std::string sandbox::pid_file(const std::string& directory) const {
    return runtime() + "/" + key(directory) + ".pid";
}
std::string sandbox::page(const std::string& directory) const {
    return runtime() + "/" + key(directory) + ".page";
}
std::string sandbox::state_dir(const std::string& directory) const { return state() + "/" + key(directory); }
std::string sandbox::daemon_log(const std::string& directory) const {
    return state_dir(directory) + "/daemon.log";
}

void sandbox::write(const std::string& path, std::string_view text, unsigned mode) {
    const std::string full = path.starts_with('/') ? path : project_ + "/" + path;
    const auto fd = util::open_file(full, O_WRONLY | O_CREAT | O_TRUNC, mode);
    if (!fd || !util::write_all(fd.get(), text)) throw test_failure("cannot write " + full);
    ::fchmod(fd.get(), mode);
    if (uid_ && ::fchown(fd.get(), *uid_, *uid_) != 0) throw test_failure("cannot chown " + full);
}

void sandbox::set_env(const std::string& name, std::optional<std::string> value) {
    std::erase_if(env_, [&](const auto& entry) { return entry.first == name; });
    if (value) env_.emplace_back(name, *value);
}

std::vector<std::string> sandbox::environment() const {
    std::vector<std::string> result;
    for (const auto& [name, value] : env_)
        result.push_back(name + "=" + value);
    return result;
}

background sandbox::start(const std::vector<std::string>& args, const run_options& options) {
    std::vector<std::pair<std::string, std::string>> env;
    if (!options.empty_env) env = env_;
    for (const auto& entry : options.env) {
        std::erase_if(env, [&](const auto& old) { return old.first == entry.first; });
        if (entry.second) env.emplace_back(entry.first, *entry.second);
    }
    const std::string program = options.program.empty() ? binary_ : options.program;
    spawn_plan plan{program,
                    {options.argv0.empty() ? program : options.argv0},
                    {},
                    options.cwd.value_or(project_),
                    options.as_uid ? options.as_uid : uid_,
                    options};
    plan.argv.insert(plan.argv.end(), args.begin(), args.end());
    for (const auto& [name, value] : env)
        plan.env.push_back(name + "=" + value);
    return background(spawn_state(std::move(plan)));
}

outcome sandbox::run(const std::vector<std::string>& args, const run_options& options) {
    return start(args, options).wait(options.limit);
}

outcome sandbox::shell(const std::string& script, run_options options) {
    options.program = "/bin/bash";
    options.argv0 = "bash";
    return run({"--norc", "-c", script}, options);
}

pid_t sandbox::daemon_pid(const std::string& directory) const {
    const std::string text = slurp(pid_file(directory));
    const pid_t pid = std::atoi(text.c_str());
    return pid > 0 && process_lives(pid) ? pid : 0;
}

int sandbox::daemon_starts(const std::string& directory) const {
    std::size_t starts = count(slurp(daemon_log(directory)), R"("msg":"daemon starting")");
    for (int i = 1; i <= 9; ++i) {
        starts += count(slurp(daemon_log(directory) + "." + std::to_string(i)), R"("msg":"daemon starting")");
    }
    return static_cast<int>(starts);
}

pid_t sandbox::keeper_pid(const std::string& directory) const {
    const auto daemon = util::read_proc_stat(daemon_pid(directory));
    return daemon && proc_command(daemon->ppid) == proc_command(daemon->pid) ? daemon->ppid : 0;
}

void sandbox::kill_daemon_and_keeper() {
    const pid_t daemon = daemon_pid(), keeper = keeper_pid();
    // One that still runs would end in order, and start another.
    ::kill(daemon, SIGSTOP);
    if (keeper > 0) ::kill(keeper, SIGKILL);
    ::kill(daemon, SIGKILL);
    wait_until([&] { return !process_lives(daemon) && !process_lives(keeper); });
}

std::vector<pid_t> sandbox::processes() const {
    auto found = processes_and_keepers();
    std::erase_if(found, [](pid_t pid) {
        const auto stat = util::read_proc_stat(pid);
        const auto children = util::children_of(pid).value_or(std::vector<pid_t>());
        return stat && stat->comm == "hob" && std::any_of(children.begin(), children.end(), [](pid_t child) {
                   const auto daemon = util::read_proc_stat(child);
                   return daemon && daemon->comm == "hob" &&
                          proc_command(child) == proc_command(daemon->ppid);
               });
    });
    return found;
}

std::vector<pid_t> sandbox::processes_and_keepers() const {
    const auto all = util::all_processes();
    std::vector<pid_t> found;
    const auto add = [&](pid_t pid) {
        if (std::find(found.begin(), found.end(), pid) == found.end()) found.push_back(pid);
    };
    for (const auto& process : all) {
        if (util::proc_environment_value(process.pid, "SANDBOX_ID") == id_) add(process.pid);
    }
    // A daemon started with an empty environment lacks SANDBOX_ID but has a pid file.
    std::error_code none;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(
             root_, std::filesystem::directory_options::skip_permission_denied, none)) {
        if (entry.path().extension() != ".pid" || !entry.is_regular_file(none)) continue;
        const pid_t pid = std::atoi(slurp(entry.path().string()).c_str());
        const auto stat = pid > 1 ? util::read_proc_stat(pid) : std::nullopt;
        if (stat && stat->comm.starts_with("hob")) add(pid);
    }
    for (std::size_t i = 0; i < found.size(); ++i) {
        for (const pid_t pid : util::descendants_of(found[i], all))
            add(pid);
    }
    const pid_t self = ::getpid();
    std::erase_if(found, [&](pid_t pid) {
        const auto at = std::find_if(all.begin(), all.end(), [&](const auto& p) { return p.pid == pid; });
        return pid == self || at == all.end() || at->ppid == self || util::has_ended(*at);
    });
    return found;
}

}  // namespace hob::test

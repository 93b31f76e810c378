#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <climits>
#include <csignal>
#include <cstdlib>
#include <utility>

#include "cmd/core/remote.hpp"
#include "cmd/core/remote_request.hpp"
#include "cmd/core/signal_reader.hpp"
#include "error.hpp"
#include "identity.hpp"
#include "util/fd.hpp"
#include "util/fork.hpp"

namespace hob::cmd {
namespace {

constexpr std::size_t chunk = 16u << 10;

// Runs the command line as a process of its own, whose standard input is a pipe, and feeds that.
class far_end {
public:
    explicit far_end(const remote_request& request) : request_(request) {}

    int run() {
        util::write_all(STDERR_FILENO, remote_begins(request_.id));
        start();
        while (!status_)
            wait();
        util::write_all(STDERR_FILENO, remote_ends(request_.id, *status_));
        return *status_;
    }

private:
    void start() {
        std::vector<std::string> words{this_program.name};
        enter_directory(words);
        ::setenv("COLUMNS", request_.columns.c_str(), 1);
        words.insert(words.end(), request_.words.begin(), request_.words.end());
        std::vector<char*> argv;
        for (auto& word : words)
            argv.push_back(word.data());
        argv.push_back(nullptr);
        util::pipe_ends input = util::make_pipe();
        const auto prepare = [&] {
            signals_.restore();
            ::signal(SIGPIPE, SIG_DFL);
            return ::dup2(input.read.get(), STDIN_FILENO) >= 0;
        };
        pid_ = util::start_program("/proc/self/exe", argv.data(), prepare);
        if (pid_ < 0) throw denied("run", this_program.name, errno);
        input_ = std::move(input.write);
        util::set_nonblocking(input_.get(), true);
    }

    // A directory that cannot be entered is reported as that of -C.
    void enter_directory(std::vector<std::string>& words) const {
        std::string directory = request_.directory;
        const char* home = std::getenv("HOME");
        if ((directory == "~" || directory.starts_with("~/")) && home != nullptr)
            directory.replace(0, 1, home);
        if (directory.empty()) return;
        if (::chdir(directory.c_str()) != 0) {
            words.insert(words.end(), {"-C", directory});
            return;
        }
        std::array<char, PATH_MAX> path{};
        if (::getcwd(path.data(), path.size()) != nullptr) ::setenv("PWD", path.data(), 1);
    }

    void wait() {
        const bool reads = !caller_gone_ && unsent_.empty();
        std::array<pollfd, 3> watched{{{signals_.fd(), POLLIN, 0},
                                       {reads ? STDIN_FILENO : -1, POLLIN, 0},
                                       {unsent_.empty() ? -1 : input_.get(), POLLOUT, 0}}};
        if (::poll(watched.data(), watched.size(), -1) <= 0) return;
        if (watched[1].revents != 0) read_frames();
        if (watched[2].revents != 0) feed();
        if (watched[0].revents != 0) handle(signals_.next());
    }

    void handle(int number) {
        if (number != SIGCHLD && number != 0) return cancel();
        int status = 0;
        if (::waitpid(pid_, &status, WNOHANG) != pid_) return;
        status_ = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    }

    void cancel() {
        if (!std::exchange(caller_gone_, true)) ::kill(pid_, SIGINT);
    }

    void read_frames() {
        std::array<char, chunk> bytes;
        const ssize_t n = ::read(STDIN_FILENO, bytes.data(), bytes.size());
        if (n < 0 && (errno == EINTR || errno == EAGAIN)) return;
        if (n <= 0) return cancel();
        frames_.add({bytes.data(), static_cast<std::size_t>(n)});
        while (const auto frame = frames_.next()) {
            if (frame->empty()) input_ended_ = true;
            unsent_ += *frame;
        }
        if (!input_) unsent_.clear();
        if (unsent_.empty() && input_ended_) input_.reset();
    }

    // A command that takes no more input goes on without it.
    void feed() {
        const ssize_t n = ::write(input_.get(), unsent_.data(), unsent_.size());
        if (n > 0) unsent_.erase(0, static_cast<std::size_t>(n));
        if (n < 0 && errno != EAGAIN && errno != EINTR) input_.reset();
        if (!input_) unsent_.clear();
        if (unsent_.empty() && input_ended_) input_.reset();
    }

    const remote_request& request_;
    signal_reader signals_{SIGINT, SIGTERM, SIGHUP, SIGCHLD};
    frame_reader frames_;
    pid_t pid_ = 0;
    util::unique_fd input_;
    std::string unsent_;
    bool input_ended_ = false;
    bool caller_gone_ = false;
    std::optional<int> status_;
};

}  // namespace

std::optional<int> run_for_remote(const std::vector<std::string>& words) {
    if (words.size() != 1 || !words.front().starts_with(remote_option)) return std::nullopt;
    const auto request = parse_remote_word(std::string_view(words.front()).substr(remote_option.size()));
    if (!request) {
        throw failure(error_kind::version, cannot("run", "", "a command for another machine"),
                      "it comes from another version", "install the same version on both machines");
    }
    return far_end(*request).run();
}

}  // namespace hob::cmd

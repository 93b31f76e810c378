#include <fmt/format.h>
#include <poll.h>
#include <sys/random.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <csignal>
#include <cstdlib>
#include <utility>

#include "cmd/core/output.hpp"
#include "cmd/core/remote.hpp"
#include "cmd/core/remote_request.hpp"
#include "cmd/core/signal_reader.hpp"
#include "error.hpp"
#include "identity.hpp"
#include "util/fd.hpp"
#include "util/fork.hpp"
#include "version.hpp"

namespace hob::cmd {
namespace {

constexpr std::size_t chunk = 16u << 10;

std::string random_id() {
    std::array<unsigned char, 16> bytes{};
    if (::getrandom(bytes.data(), bytes.size(), 0) != static_cast<ssize_t>(bytes.size()))
        throw denied("read", "random bytes", errno);
    std::string text;
    for (const unsigned char byte : bytes)
        text += fmt::format("{:02x}", byte);
    return text;
}

// The program and its first arguments, separated by blanks in the variable.
std::vector<std::string> ssh_words() {
    const char* given = std::getenv(this_program.variables.remote_shell);
    std::string_view rest = given != nullptr ? given : "";
    std::vector<std::string> words;
    while (!rest.empty()) {
        const auto end = std::min(rest.find(' '), rest.size());
        if (end > 0) words.emplace_back(rest.substr(0, end));
        rest.remove_prefix(std::min(end + 1, rest.size()));
    }
    if (words.empty()) words.emplace_back("ssh");
    return words;
}

// The words of the command line without -H and its value.
std::vector<std::string> words_for_remote(const command_line& line, const command& verb) {
    std::vector<std::string> words{std::string(verb.name)};
    for (std::size_t at = 0; at < line.before.size(); ++at) {
        const std::string& word = line.before[at];
        if (word == "-H" || word == "--host") {
            ++at;
        } else if (!word.starts_with("--host=") && !(word.starts_with("-H") && word.size() > 2)) {
            words.push_back(word);
        }
    }
    if (out_terminal().color && chosen_color_mode() == color_mode::automatic)
        words.emplace_back("--color=always");
    if (!line.dashes) return words;
    words.emplace_back("--");
    words.insert(words.end(), line.after.begin(), line.after.end());
    return words;
}

// Finds the marks of the far end in what ssh writes to standard error, and prints the rest.
class mark_reader {
public:
    explicit mark_reader(const std::string& id) : start_(fmt::format("\x01{} {} ", this_program.name, id)) {}

    void read(std::string_view bytes) {
        line_.append(bytes);
        std::string rest;
        while (!line_.empty()) {
            const auto end = line_.find('\n');
            const bool may_be_mark = at_line_start_ && std::string_view(line_).substr(0, start_.size()) ==
                                                           std::string_view(start_).substr(0, line_.size());
            if (may_be_mark && end == std::string::npos) break;
            const std::size_t size = end == std::string::npos ? line_.size() : end + 1;
            if (may_be_mark) {
                take(std::string_view(line_).substr(start_.size(), size - start_.size() - 1));
            } else {
                rest += line_.substr(0, size);
                at_line_start_ = end != std::string::npos;
            }
            line_.erase(0, size);
        }
        if (!rest.empty()) util::write_all(STDERR_FILENO, rest);
    }

    bool began() const { return began_; }
    const std::optional<int>& status() const { return status_; }

private:
    void take(std::string_view text) {
        if (text.starts_with("begins ")) began_ = true;
        if (!text.starts_with("ends ")) return;
        int status = 0;
        text.remove_prefix(5);
        if (std::from_chars(text.data(), text.data() + text.size(), status).ec == std::errc{})
            status_ = status;
    }

    const std::string start_;
    std::string line_;  // not yet printed: it may become a mark
    bool at_line_start_ = true;
    bool began_ = false;
    std::optional<int> status_;
};

class remote_call {
public:
    remote_call(remote_target target, std::string id, bool reads_input, util::deadline limit,
                std::string what)
        : target_(std::move(target)),
          what_(std::move(what)),
          marks_(id),
          reads_input_(reads_input),
          limit_(limit) {
        if (!reads_input_) unsent_ = input_end_frame;
    }
    ~remote_call() {
        if (pid_ <= 0) return;
        ::kill(pid_, SIGKILL);
        reap(0);
    }
    remote_call(const remote_call&) = delete;
    remote_call& operator=(const remote_call&) = delete;

    int run(const std::string& word) {
        start(word);
        while (!ended_)
            wait();
        drain_marks();
        if (marks_.status()) return *marks_.status();
        throw explanation();
    }

private:
    void start(const std::string& word) {
        std::vector<std::string> words = ssh_words();
        words.insert(words.end(), {"-T", "--", target_.host, std::string(this_program.name),
                                   std::string(remote_option) + word});
        std::vector<char*> argv;
        for (auto& each : words)
            argv.push_back(each.data());
        argv.push_back(nullptr);
        util::pipe_ends input = util::make_pipe(), marks = util::make_pipe();
        const auto prepare = [&] {
            signals_.restore();
            ::signal(SIGPIPE, SIG_DFL);
            // Ctrl-C on the terminal is for this process, which tells the far end.
            ::signal(SIGINT, SIG_IGN);
            ::signal(SIGQUIT, SIG_IGN);
            return ::dup2(input.read.get(), STDIN_FILENO) >= 0 &&
                   ::dup2(marks.write.get(), STDERR_FILENO) >= 0;
        };
        pid_ = util::start_program(argv.front(), argv.data(), prepare);
        if (pid_ < 0) {
            throw failure(error_kind::no_daemon, cannot("run", words.front()), errno_text(errno),
                          fmt::format("-H needs the program ssh; {} names another",
                                      this_program.variables.remote_shell));
        }
        to_ssh_ = std::move(input.write);
        from_ssh_ = std::move(marks.read);
        util::set_nonblocking(to_ssh_.get(), true);
        util::set_nonblocking(from_ssh_.get(), true);
    }

    void wait() {
        if (limit_.expired()) {
            throw failure(error_kind::timeout,
                          cannot("wait for", what_, fmt::format("on {} any longer", target_.host)),
                          "the deadline is over");
        }
        const bool reads = reads_input_ && unsent_.empty() && to_ssh_;
        std::array<pollfd, 4> watched{{{signals_.fd(), POLLIN, 0},
                                       {from_ssh_.get(), POLLIN, 0},
                                       {unsent_.empty() ? -1 : to_ssh_.get(), POLLOUT, 0},
                                       {reads ? STDIN_FILENO : -1, POLLIN, 0}}};
        if (::poll(watched.data(), watched.size(), limit_.poll_timeout()) <= 0) return;
        if (watched[1].revents != 0) read_marks();
        if (watched[2].revents != 0) send();
        if (watched[3].revents != 0) read_input();
        if (watched[0].revents != 0) handle(signals_.next());
    }

    void handle(int number) {
        if (number == SIGCHLD) {
            reap(WNOHANG);
        } else if (number != 0) {
            // Before the far end has begun, and the second time, nothing there can answer.
            if (!marks_.began() || std::exchange(interrupted_, true)) ::kill(pid_, SIGTERM);
            interrupted_ = true;
            to_ssh_.reset();
        }
    }

    void reap(int flags) {
        int status = 0;
        if (::waitpid(pid_, &status, flags) != pid_) return;
        ended_ = true;
        pid_ = 0;
        ssh_status_ = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    }

    // A program that ssh left in the background may keep the pipe open.
    void drain_marks() {
        while (from_ssh_ && read_marks()) {
        }
    }

    bool read_marks() {
        std::array<char, chunk> bytes;
        const ssize_t n = ::read(from_ssh_.get(), bytes.data(), bytes.size());
        if (n > 0) marks_.read({bytes.data(), static_cast<std::size_t>(n)});
        if (n == 0) from_ssh_.reset();
        return n > 0;
    }

    void read_input() {
        std::array<char, chunk> bytes;
        const ssize_t n = ::read(STDIN_FILENO, bytes.data(), bytes.size());
        if (n < 0 && (errno == EINTR || errno == EAGAIN)) return;
        if (n <= 0) {
            reads_input_ = false;
            unsent_ += input_end_frame;
        } else {
            unsent_ += input_frame({bytes.data(), static_cast<std::size_t>(n)});
        }
    }

    // A far end that takes no more has ended, or ssh has: its exit follows.
    void send() {
        const ssize_t n = ::write(to_ssh_.get(), unsent_.data(), unsent_.size());
        if (n > 0) unsent_.erase(0, static_cast<std::size_t>(n));
        if (n < 0 && errno != EAGAIN && errno != EINTR) to_ssh_.reset();
    }

    failure explanation() const {
        const std::string name(this_program.name);
        const cannot tried("run", what_, fmt::format("on {}", target_.host));
        if (interrupted_) return {error_kind::cancelled, tried, "it was cancelled"};
        if (marks_.began())
            return {error_kind::no_daemon, tried, "the connection ended before the command did",
                    "it was cancelled there if it was still running"};
        if (ssh_status_ == 255) {
            return {error_kind::no_daemon, tried, "ssh could not connect",
                    fmt::format("ssh {} must work by itself", target_.host)};
        }
        if (ssh_status_ == 126 || ssh_status_ == 127) {
            return {error_kind::no_daemon, tried,
                    fmt::format("there is no {} that its login shell finds", name),
                    fmt::format("its PATH: ssh {} 'echo $PATH'", target_.host)};
        }
        return {error_kind::version, tried,
                fmt::format("the {} there does not understand this one (status {})", name, ssh_status_),
                fmt::format("install {} {} there", name, version_text)};
    }

    const remote_target target_;
    const std::string what_;
    signal_reader signals_{SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGCHLD};
    mark_reader marks_;
    pid_t pid_ = 0;
    util::unique_fd to_ssh_;
    util::unique_fd from_ssh_;
    std::string unsent_;  // frames
    bool reads_input_;    // and has not found its end
    bool interrupted_ = false;
    bool ended_ = false;
    int ssh_status_ = 0;
    const util::deadline limit_;
};

}  // namespace

int run_remotely(const command_line& line, const command& verb, const parsed_line& parsed) {
    const auto& call = parsed.call;
    remote_request request;
    remote_target target = parse_remote_target(*call.global.host);
    request.id = random_id();
    request.directory = target.directory;
    request.columns = std::to_string(out_terminal().columns);
    request.words = words_for_remote(line, verb);
    const std::string word = remote_word(request);
    const bool dash = std::find(call.operands.begin(), call.operands.end(), "-") != call.operands.end();
    remote_call remote(std::move(target), request.id, verb.reads_input || dash, call.limit,
                       command_text(verb.name));
    return remote.run(word);
}

}  // namespace hob::cmd

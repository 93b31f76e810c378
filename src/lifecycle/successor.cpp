#include "lifecycle/successor.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <boost/asio/error.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/system_error.hpp>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <utility>

#include "error.hpp"
#include "identity.hpp"
#include "lifecycle/keeper_link.hpp"
#include "lifecycle/spawn.hpp"
#include "util/async.hpp"
#include "util/fd.hpp"
#include "util/fork.hpp"
#include "util/json/json_fields.hpp"
#include "util/nul_list.hpp"
#include "util/process_handle.hpp"
#include "version.hpp"

namespace hob::lifecycle {
namespace {

namespace asio = boost::asio;

constexpr std::size_t answer_max = 64u << 10;
constexpr std::size_t input_max = 64u << 20;
constexpr std::size_t arguments_max = 8u << 20;

// Of what units, runs and clients leave with the keeper. A higher one is not read by programs with a lower
// one.
constexpr std::int64_t state_version = 1;

// Facts, or why there are none: then `message` is not empty.
struct check_answer {
    successor_facts facts{};
    std::string code{};
    std::string message{};
    std::string hint{};
};

template <util::json_fields::is<check_answer> Answer, typename Field>
void each_field(Answer& answer, const Field& field) {
    field("version", answer.facts.version);
    field("protocol", answer.facts.protocol);
    field("keeper", answer.facts.keeper);
    field("state", answer.facts.state);
    field("code", answer.code);
    field("message", answer.message);
    field("hint", answer.hint);
}

std::vector<char*> pointers_to(std::vector<std::string>& texts) {
    std::vector<char*> pointers;
    for (auto& text : texts)
        pointers.push_back(text.data());
    pointers.push_back(nullptr);
    return pointers;
}

void reset_signals() {
    sigset_t none;
    ::sigemptyset(&none);
    ::sigprocmask(SIG_SETMASK, &none, nullptr);
    ::signal(SIGPIPE, SIG_DFL);
}

// -1 and errno: it cannot be executed.
pid_t start_check(successor next, std::vector<std::string> words, int input, int output) {
    const auto argv = pointers_to(words);
    const auto variables = pointers_to(next.environment);
    return util::start_program(next.program.c_str(), argv.data(), [&] {
        environ = const_cast<char**>(variables.data());
        reset_signals();
        ::prctl(PR_SET_PDEATHSIG, SIGKILL);
        return ::dup2(input, 0) == 0 && ::dup2(output, 1) == 1 && ::dup2(output, 2) == 2;
    });
}

asio::awaitable<void> read_to_end(asio::posix::stream_descriptor& from, std::string& into) {
    char chunk[4096];
    while (into.size() < answer_max) {
        boost::system::error_code error;
        const std::size_t count = co_await from.async_read_some(
            asio::buffer(chunk), asio::redirect_error(asio::use_awaitable, error));
        if (error == asio::error::operation_aborted) throw boost::system::system_error(error);
        if (error) co_return;
        into.append(chunk, count);
    }
}

std::string first_line(const std::string& text) { return text.substr(0, text.find('\n')); }

constexpr const char* goes_on = "the daemon goes on as it is";

failure cannot_take_over(const std::string& program, error_kind kind, std::string reason,
                         std::string hint = {}) {
    return failure(kind, cannot("hand the daemon over to", program), std::move(reason), std::move(hint));
}

// Throws failure where the program cannot go on with what this one leaves.
successor_facts judged(const std::string& program, const std::string& output) {
    const std::string line = first_line(output);
    const auto answer = util::json_fields::parse<check_answer>(line);
    if (!answer || (answer->facts.version.empty() && answer->message.empty()))
        throw cannot_take_over(program, error_kind::start_failed,
                               line.empty() ? "it ended without an answer" : "it said: " + line, goes_on);
    if (!answer->message.empty())
        throw cannot_take_over(program, error_kind_named(answer->code).value_or(error_kind::start_failed),
                               answer->message, answer->hint);
    const successor_facts own = own_successor_facts();
    const auto differs = [&](const char* what, std::int64_t theirs, std::int64_t ours) {
        throw cannot_take_over(
            program, error_kind::version,
            fmt::format("its {} has version {}, and this daemon's {}", what, theirs, ours),
            "the daemon goes on; " + command_text("shutdown") + " ends it and what it runs");
    };
    if (answer->facts.keeper != own.keeper)
        differs("protocol of the keeper", answer->facts.keeper, own.keeper);
    if (answer->facts.state < own.state) differs("state", answer->facts.state, own.state);
    return answer->facts;
}

}  // namespace

successor_facts own_successor_facts() {
    return {version_text, protocol_version, keeper_protocol_version, state_version};
}

int answer_successor_check(const std::function<void(const std::string& input)>& check) {
    check_answer answer;
    try {
        check(util::read_file("/proc/self/fd/0", input_max).value_or(""));
        answer.facts = own_successor_facts();
    } catch (const failure& why) {
        answer.code = name_of(why.kind());
        answer.message = why.what();
        answer.hint = why.hint();
    } catch (const std::exception& why) {
        answer.code = name_of(error_kind::internal);
        answer.message = why.what();
    }
    util::write_all(1, util::json_fields::to_json(answer) + "\n");
    return answer.message.empty() ? 0 : 1;
}

asio::awaitable<successor_facts> check_successor(asio::any_io_executor executor, successor next,
                                                 successor_check what, util::deadline limit) {
    const std::string program = next.program;
    if (!what.input) what.input = util::open_file("/dev/null", O_RDONLY);
    util::pipe_ends answer = util::make_pipe();
    std::vector<std::string> words{this_program.name, "daemon",
                                   what.without_database ? check_without_database_option : check_option,
                                   key_option + what.key, root_option + what.root};
    const pid_t pid = start_check(std::move(next), std::move(words), what.input.get(), answer.write.get());
    if (pid < 0) throw cannot_take_over(program, error_kind::start_failed, errno_text(errno));
    const util::process_handle process(pid);
    answer.write.reset();
    asio::posix::stream_descriptor from(executor, answer.read.release());
    std::string output;
    const bool in_time = co_await util::within(limit.remaining(), read_to_end(from, output));
    process.signal(SIGKILL);
    if (!in_time) throw cannot_take_over(program, error_kind::timeout, "it does not answer", goes_on);
    co_return judged(program, output);
}

void execute_successor(const successor& next, int keeper_socket) {
    std::vector<std::string> words = own_arguments();
    std::vector<std::string> environment = next.environment;
    environment.push_back(fmt::format("{}={}", this_program.variables.keeper, keeper_socket));
    const auto argv = pointers_to(words);
    const auto variables = pointers_to(environment);
    reset_signals();
    if (::fcntl(keeper_socket, F_SETFD, 0) != 0) return;
    ::execve(next.program.c_str(), argv.data(), variables.data());
}

std::vector<std::string> own_arguments() {
    return util::split_nul_list(util::read_file("/proc/self/cmdline", arguments_max).value_or(""));
}

std::vector<std::string> own_environment() {
    auto variables = util::split_nul_list(util::read_file("/proc/self/environ", arguments_max).value_or(""));
    const std::string own = fmt::format("{}=", this_program.variables.keeper);
    std::erase_if(variables, [&own](const std::string& each) { return each.starts_with(own); });
    return variables;
}

std::string own_program_path() {
    std::string path(PATH_MAX, '\0');
    const ssize_t size = ::readlink("/proc/self/exe", path.data(), path.size());
    path.resize(size > 0 ? static_cast<std::size_t>(size) : 0);
    return path.ends_with(" (deleted)") ? std::string() : path;
}

}  // namespace hob::lifecycle

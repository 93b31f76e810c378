#pragma once
// Private directories, environment and processes for one end-to-end test. It finds no process by
// name across the machine, so tests can run in parallel.
//
//   sandbox box;                                  // a project without hob.toml
//   box.config("[worker.echo]\nrun = ...");       // now it has one
//   const auto ping = box.run({"ping"});          // {status, signal, out, err, elapsed}
//   BOOST_TEST(ping.status == 0);
//
// run() returns at the end of file of the program's stdout and stderr *and* its exit, so a daemon that keeps
// a caller's pipe makes every test fail. At the deadline it kills the program's process group and
// throws.

#include <sys/types.h>

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "util/fd.hpp"

namespace hob::test {

using namespace std::chrono_literals;
using std::chrono::milliseconds;

class test_failure : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

struct outcome {
    int status = -1;  // exit status; -1 when a signal ended it
    int signal = 0;
    std::string out;
    std::string err;
    milliseconds elapsed{0};   // until its exit, not until the end of its output
    std::string text() const;  // everything, for messages
};

struct run_options {
    std::string program;             // default: the sandbox's hob
    std::optional<std::string> cwd;  // default: project()
    std::vector<std::pair<std::string, std::optional<std::string>>>
        env;                               // on top of environment(); nullopt removes
    bool empty_env = false;                // env -i (then `env` on top)
    std::optional<std::string> input;      // stdin's text; default: /dev/null
    bool keep_stdin = false;               // start(): a pipe that write_line() feeds
    std::string argv0;                     // default: the program's path
    std::vector<std::pair<int, int>> fds;  // {number in the child, ours}, inherited
    bool close_stdout = false;             // run without the descriptor
    bool close_stderr = false;
    std::optional<uid_t> as_uid;     // needs root; default: the sandbox's uid
    std::function<void()> in_child;  // before exec; async-signal-safe things only
    milliseconds limit = 30s;
};

// A program in the background, in a process group of its own. The destructor SIGKILLs the group and reaps.
class background {
public:
    background(background&&) noexcept;
    background& operator=(background&&) noexcept;
    ~background();

    pid_t pid() const;
    bool running();           // also reaps
    void signal(int number);  // to the process
    void signal_group(int number);
    void kill_and_reap();
    std::optional<std::string> read_line(
        milliseconds limit);                 // of stdout; nullopt at end of file; throws when late
    void write_line(std::string_view line);  // keep_stdin
    void close_stdin();
    outcome wait(milliseconds limit = 30s);  // as run(): end of file and exit; throws when late

    struct state;
    explicit background(std::unique_ptr<state>);

private:
    std::unique_ptr<state> state_;
};

struct sandbox_options {
    std::optional<uid_t>
        uid;  // its owner, who also runs the programs; needs root. The binary is then a copy.
    std::string project = "p";  // below root()
};

class sandbox {
public:
    explicit sandbox(sandbox_options = {});
    // Ends every daemon with SIGTERM, waits, kills what is left, and fails the test if anything was left.
    ~sandbox();
    sandbox(const sandbox&) = delete;
    sandbox& operator=(const sandbox&) = delete;

    const std::string& root() const { return root_; }
    std::string project() const { return project_; }
    std::string runtime() const { return root_ + "/r"; }  // HOB_RUNTIME_DIR; hob creates it
    std::string state() const { return root_ + "/s"; }    // HOB_STATE_DIR; hob creates it
    std::string home() const { return root_ + "/h"; }
    std::string binary() const { return binary_; }
    std::string copy_binary(const std::string& from = {});  // returns the path of a private copy, which the
                                                            // sandbox uses from now on

    // The files of the instance whose root is `directory` (default: project()), computed independently of
    // hob.
    std::string key(const std::string& directory = {}) const;
    std::string socket(const std::string& directory = {}) const;
    std::string pid_file(const std::string& directory = {}) const;
    std::string page(const std::string& directory = {}) const;
    std::string state_dir(const std::string& directory = {}) const;
    std::string daemon_log(const std::string& directory = {}) const;

    void write(const std::string& path, std::string_view text,
               unsigned mode = 0600);  // relative to project()
    void config(std::string_view toml) { write("hob.toml", toml); }

    void set_env(const std::string& name, std::optional<std::string> value);  // for every later run
    std::vector<std::string> environment() const;                             // NAME=value

    outcome run(const std::vector<std::string>& args, const run_options& options = {});
    background start(const std::vector<std::string>& args, const run_options& options = {});
    outcome shell(const std::string& script, run_options options = {});  // bash -c; `hob` is in PATH

    pid_t daemon_pid(const std::string& directory = {}) const;  // from the pid file; 0: not running
    int daemon_starts(
        const std::string& directory = {}) const;  // start lines in daemon.log and its rotated files

    // Pids of this sandbox except the test's own children (start()): found by SANDBOX_ID in their
    // environment and by descent from those and from its daemons. Zombies do not count, nor does a keeper while
    // it has a daemon.
    std::vector<pid_t> processes() const;
    std::vector<pid_t> processes_and_keepers() const;
    // Of the daemon; 0: there is none.
    pid_t keeper_pid(const std::string& directory = {}) const;
    // SIGKILL to the daemon and its keeper, so that nothing goes on.
    void kill_daemon_and_keeper();
    void expect_leftovers() { leftovers_expected_ = true; }  // this test leaves processes on purpose

private:
    void end_everything();

    std::string id_;
    std::string root_;
    std::string project_;
    std::string binary_;
    std::optional<uid_t> uid_;
    std::vector<std::pair<std::string, std::string>> env_;
    bool leftovers_expected_ = false;
};

// True as soon as `holds` returns true; false at the limit.
bool wait_until(const std::function<bool()>& holds, milliseconds limit = 10s);

// Waits: `exactly`, or a random part of `at_most`. For sweeping over points in time and for checking that
// nothing happens, never for waiting for something.
void let_pass(std::chrono::microseconds exactly);
void let_pass_randomly(std::chrono::microseconds at_most);

// False, with a message, where `name` is not in PATH; with HOB_REQUIRE_ALL=1 the test fails.
bool require_program(const std::string& name);

// Likewise for being root, which `as_uid` needs.
bool require_root();

// Records that the running test case cannot cause its fault on this machine, and why, in the file that
// HOB_TEST_IMPOSSIBLE names, which `./dev test --faults` reads.
void not_possible_here(const std::string& why);

// A number from the environment, such as HOB_TEST_ROUNDS, or `otherwise`.
int number_from_env(const char* name, int otherwise);

// Built with sanitizers: slower, dynamically linked, and freed memory is held for a while.
bool sanitized();

// `full` divided by HOB_TEST_SCALE, at least 1: the size of a loop that a sanitized build should not run
// full.
int scaled(int full);

// [worker.NAME] running the test program echo_worker; `more` is further lines of its table.
std::string echo_worker(const std::string& name = "echo", const std::string& more = {});

// Sum of the context switches of all threads of `pid`; -1 when unreadable.
long context_switches(pid_t pid);
int open_descriptors(pid_t pid);
std::string proc_status(pid_t pid,
                        const std::string& field);  // of /proc/PID/status, such as "SigIgn"; trimmed

std::string slurp(const std::string& path);  // empty when unreadable
bool exists(const std::string& path);        // lstat
bool process_lives(pid_t pid);               // exists and is not a zombie
bool remove_tree(const std::string& path);   // also while others create files in it
std::size_t count(std::string_view text, std::string_view word);

// The value at a JSON pointer ("/units/0/name") of `text`; strings unquoted, everything else as JSON text.
// nullopt: no such value, or not JSON.
std::optional<std::string> json_at(std::string_view text, const std::string& pointer);

}  // namespace hob::test

// Verbs on another machine: a real sshd on loopback, whose login shell is that of the key.
#include <signal.h>

#include <boost/test/unit_test.hpp>

#include "harness/free_port.hpp"
#include "harness/sandbox.hpp"

using namespace hob::test;

namespace {

class machine {
public:
    explicit machine(sandbox& box) : box_(box), port_(free_port()) {
        const std::string dir = directory();
        BOOST_REQUIRE(
            box.shell("mkdir -p '" + dir + "' && ssh-keygen -q -t ed25519 -N '' -f '" + dir + "/host'")
                .status == 0);
        std::string keys;
        for (const auto& [name, command] : logins()) {
            box.write(dir + "/as-" + name, "#!/bin/sh\n" + command + "\n", 0700);
            BOOST_REQUIRE(box.shell("ssh-keygen -q -t ed25519 -N '' -f '" + dir + "/" + name + "'").status ==
                          0);
            keys += "command=\"exec " + dir + "/as-" + name + "\" " + slurp(dir + "/" + name + ".pub");
        }
        box.write(dir + "/keys", keys);
        std::string config = "Port " + std::to_string(port_) + "\nListenAddress 127.0.0.1\nHostKey " + dir +
                             "/host\nPidFile none\nAuthorizedKeysFile " + dir +
                             "/keys\nStrictModes no\nUsePAM no\nPermitRootLogin yes\nSetEnv";
        for (const auto& entry : box.environment())
            config += " \"" + entry + "\"";
        box.write(dir + "/config", config + "\n");
        if (::geteuid() == 0) BOOST_REQUIRE(box.shell("mkdir -p /run/sshd").status == 0);
        run_options options;
        options.program = "/usr/sbin/sshd";
        options.argv0 = options.program;
        server_.emplace(box.start({"-D", "-e", "-f", dir + "/config"}, options));
        BOOST_REQUIRE(wait_until(
            [&] { return box.shell("exec 3<>/dev/tcp/127.0.0.1/" + std::to_string(port_)).status == 0; }));
        use("bash");
    }
    ~machine() { server_->kill_and_reap(); }

    // Whose key ssh shows from now on.
    void use(const std::string& login, int port = 0) {
        box_.set_env("HOB_SSH",
                     "ssh -F none -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o "
                     "LogLevel=ERROR -o BatchMode=yes -o IdentitiesOnly=yes -p " +
                         std::to_string(port != 0 ? port : port_) + " -i " + directory() + "/" + login);
    }
    std::string here() const { return "127.0.0.1:" + box_.project(); }

private:
    std::string directory() const { return box_.root() + "/ssh"; }

    std::vector<std::pair<std::string, std::string>> logins() const {
        const std::string command = " -c \"$SSH_ORIGINAL_COMMAND\"";
        const std::string path =
            "PATH=\"" + box_.binary().substr(0, box_.binary().rfind('/')) + ":$PATH\"; export PATH\n";
        return {{"bash", path + "exec bash" + command},
                {"fish", path + "exec fish" + command},
                {"restricted", path + "exec bash -r" + command},
                {"without", "exec /bin/sh -c \"PATH=/nonexistent; $SSH_ORIGINAL_COMMAND\""},
                {"older", "echo \"hob: cannot run 'hob': unknown option '--over-ssh'\" >&2; exit 2"}};
    }

    sandbox& box_;
    const int port_;
    std::optional<background> server_;
};

bool can_have_machine() {
    if (!require_program("fish") || !require_program("ssh")) return false;
    if (exists("/usr/sbin/sshd")) return true;
    return require_program("sshd");
}

std::string last_state(sandbox& box) {
    return json_at(box.run({"runs", "--json", "-n", "1"}).out, "/0/state").value_or("none");
}

}  // namespace

BOOST_AUTO_TEST_SUITE(cli_remote)

BOOST_AUTO_TEST_CASE(words_output_and_status_pass_unchanged_through_any_login_shell) {
    if (!can_have_machine()) return;
    sandbox box;
    box.config("[task.t]\nrun = ['true']\n");
    machine there(box);
    for (const char* shell : {"bash", "fish", "restricted"}) {
        BOOST_TEST_CONTEXT(shell) {
            there.use(shell);
            const auto words =
                box.run({"-H", there.here(), "run", "--", "printf", "<%s>", "a b", "it's \"q\"", "$HOME `id`",
                         "*;|&(", "\xc3\xbc\xff", "", "-H", "x\ny", "\\"});
            BOOST_TEST(words.status == 0, words.text());
            BOOST_TEST(words.out == "<a b><it's \"q\"><$HOME `id`><*;|&(><\xc3\xbc\xff><><-H><x\ny><\\>",
                       words.text());
            BOOST_TEST(words.err == "");
            for (const int status : {7, 255})
                BOOST_TEST(box.run({"-H", there.here(), "run", "--", "sh", "-c",
                                    "echo out; echo err >&2; exit " + std::to_string(status)})
                               .status == status);
            const auto failed = box.run({"run", "-H", there.here(), "nothing"});
            BOOST_TEST(failed.status == 125);
            BOOST_TEST(failed.err.find("hob: cannot run 'nothing'") != std::string::npos, failed.text());
            const auto check = box.run({"--host=" + there.here(), "check", "--json"});
            BOOST_TEST(check.status == 0, check.text());
        }
    }
    const auto in = box.run({"-H", there.here(), "-C", "..", "run", "--", "pwd"});
    BOOST_TEST(in.out == box.root() + "\n", in.text());
}

BOOST_AUTO_TEST_CASE(standard_input_reaches_the_run_and_only_what_reads_it) {
    if (!can_have_machine()) return;
    sandbox box;
    box.config("[task.cat]\nrun = ['cat']\n");
    machine there(box);
    run_options options;
    options.input = std::string(300'000, 'x') + "\nend\n";
    const auto copied = box.run({"-H", there.here(), "run", "cat"}, options);
    BOOST_TEST(copied.status == 0);
    BOOST_TEST((copied.out == *options.input));
    // A command that takes none of it, and one that ends before it has taken all.
    BOOST_TEST(box.run({"-H", there.here(), "run", "--", "true"}, options).status == 0);
    BOOST_TEST(box.run({"-H", there.here(), "run", "--", "head", "-c", "3"}, options).out == "xxx");
    const auto loop = box.shell("printf 'a\\nb\\nc\\n' | while read line; do hob -H " + there.here() +
                                " check >/dev/null && echo $line; done");
    BOOST_TEST(loop.out == "a\nb\nc\n", loop.text());
}

BOOST_AUTO_TEST_CASE(a_log_is_followed_and_ctrl_c_ends_that_there) {
    if (!can_have_machine()) return;
    sandbox box;
    box.config("[service.web]\nrun = 'i=0; while :; do echo tick $i; i=$((i+1)); sleep 0.1; done'\n");
    machine there(box);
    BOOST_TEST(box.run({"-H", there.here(), "start", "web"}).status == 0);
    auto follower = box.start({"-H", there.here(), "logs", "-f", "web", "--raw"});
    for (int line = 0; line < 5; ++line)
        BOOST_TEST(follower.read_line(20s).value_or("").starts_with("tick "));
    follower.signal(SIGINT);
    const auto ended = follower.wait();
    BOOST_TEST(ended.status == 0, ended.text());
    BOOST_TEST(
        wait_until([&] { return box.processes().size() <= 4u; }));  // the daemon, the service, its sleep
    BOOST_TEST(box.run({"-H", there.here(), "stop", "web"}).status == 0);
}

BOOST_AUTO_TEST_CASE(ctrl_c_a_hang_up_and_the_end_of_the_client_cancel_the_run_there) {
    if (!can_have_machine()) return;
    sandbox box;
    box.config("[task.long]\nrun = 'echo begun; exec sleep 1000'\n");
    machine there(box);
    for (const int number : {SIGINT, SIGHUP, SIGKILL}) {
        BOOST_TEST_CONTEXT("signal " << number) {
            auto client = box.start({"-H", there.here(), "run", "long"});
            BOOST_REQUIRE(client.read_line(20s).value_or("") == "begun");
            // Ctrl-C on a terminal is for ssh, too.
            if (number == SIGINT) {
                client.signal_group(number);
            } else {
                client.signal(number);
            }
            const auto ended = client.wait();
            // As of a run here that was cancelled: by SIGTERM.
            if (number == SIGINT) BOOST_TEST(ended.status == 128 + SIGTERM, ended.text());
            BOOST_TEST(wait_until([&] { return last_state(box) == "cancelled"; }));
        }
    }
}

BOOST_AUTO_TEST_CASE(what_stands_in_the_way_is_named) {
    if (!can_have_machine()) return;
    sandbox box;
    box.config("[task.t]\nrun = ['true']\n");
    machine there(box);
    const auto result = [&](const char* verb) { return box.run({"-H", there.here(), verb, "t"}); };
    there.use("without");
    const auto missing = result("logs");
    BOOST_TEST(missing.status == 3, missing.text());
    BOOST_TEST(missing.err.find(
                   "hob: cannot run 'hob logs' on 127.0.0.1: there is no hob that its login shell finds\n") !=
                   std::string::npos,
               missing.err);
    BOOST_TEST(result("run").status == 125);
    there.use("older");
    const auto older = result("logs");
    BOOST_TEST(older.status == 1, older.text());
    BOOST_TEST(older.err.find("the hob there does not understand this one (status 2)\n") != std::string::npos,
               older.err);
    there.use("bash", free_port());
    const auto closed = result("logs");
    BOOST_TEST(closed.status == 3, closed.text());
    BOOST_TEST(closed.err.find("Connection refused") != std::string::npos, closed.err);
    BOOST_TEST(closed.err.find("hob: cannot run 'hob logs' on 127.0.0.1: ssh could not connect\n") !=
                   std::string::npos,
               closed.err);
    const auto json = box.run({"--json", "-H", there.here(), "logs", "t"});
    BOOST_TEST(json.err.find("{\"error\":{\"code\":\"no_daemon\"") != std::string::npos, json.err);
    there.use("bash");
    const auto directory = box.run({"-H", "127.0.0.1:/nonexistent", "status"});
    BOOST_TEST(directory.status == 2, directory.text());
    BOOST_TEST(directory.err.find("/nonexistent") != std::string::npos, directory.err);
}

BOOST_AUTO_TEST_CASE(a_host_that_ssh_or_a_shell_would_misread_is_refused) {
    sandbox box;
    box.write(box.root() + "/ssh", "#!/bin/sh\necho \"$@\"\nexit 255\n", 0700);
    box.set_env("HOB_SSH", box.root() + "/ssh first second");
    for (const char* host :
         {"-oProxyCommand=id", "user@-x", "", "@host", "user@", ":dir", "a b", "$(id)", "[::1", "[::1]x"})
        BOOST_TEST(box.run({"-H", host, "status"}).status == 2, host);
    const std::string shown = box.run({"-H", "me@[::1]:some dir", "status"}).out;
    BOOST_TEST(shown.starts_with("first second -T -- me@::1 hob --over-ssh="), shown);
    const std::string word = shown.substr(shown.find('=') + 1);
    BOOST_TEST(word.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_\n") ==
               std::string::npos);
    box.set_env("HOB_SSH", "/nonexistent/ssh");
    const auto none = box.run({"-H", "host", "status"});
    BOOST_TEST(none.status == 3);
    BOOST_TEST(
        none.err.find("cannot run '/nonexistent/ssh': No such file or directory\n") != std::string::npos,
        none.err);
}

BOOST_AUTO_TEST_CASE(the_deadline_holds_for_the_connection_too) {
    sandbox box;
    box.write(box.root() + "/ssh", "#!/bin/sh\nexec sleep 1000\n", 0700);
    box.set_env("HOB_SSH", box.root() + "/ssh");
    const auto late = box.run({"-H", "host", "--timeout", "300ms", "status"});
    BOOST_TEST(late.status == 4, late.text());
    BOOST_TEST(
        late.err.find("hob: cannot wait for 'hob status' on host any longer: the deadline is over\n") !=
            std::string::npos,
        late.err);
}

BOOST_AUTO_TEST_CASE(a_word_that_is_damaged_or_of_another_version_is_refused) {
    sandbox box;
    for (const char* word : {"", "A", "!!!!", "Mg", "AAAA", "MQA"}) {
        const auto refused = box.run({"--over-ssh=" + std::string(word)});
        BOOST_TEST(refused.status == 1, word);
        BOOST_TEST(refused.err.find("it comes from another version") != std::string::npos, refused.text());
    }
}

BOOST_AUTO_TEST_SUITE_END()

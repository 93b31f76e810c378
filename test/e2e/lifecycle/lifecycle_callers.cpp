// Callers whose environment is about another user, another project or a unit.

#include <sys/stat.h>
#include <unistd.h>

#include <boost/test/unit_test.hpp>
#include <csignal>
#include <filesystem>
#include <string>

#include "harness/raw_client.hpp"
#include "harness/sandbox.hpp"

using namespace hob::test;

namespace {

constexpr uid_t one = 54321;
constexpr uid_t other = 54322;

std::string directory_of(sandbox& box, const std::string& name, uid_t owner) {
    std::string path = box.root() + "/" + name;
    ::mkdir(path.c_str(), 0700);
    BOOST_REQUIRE(::chown(path.c_str(), owner, owner) == 0);
    return path;
}

sandbox_options owned_by(uid_t uid) {
    sandbox_options options;
    options.uid = uid;
    return options;
}

// Ends the daemon that runs with this environment.
void end(sandbox& box, const run_options& options) { BOOST_TEST(box.run({"shutdown"}, options).status == 0); }

std::string root_in(const outcome& result) { return json_at(result.out, "/root").value_or(""); }

}  // namespace

BOOST_AUTO_TEST_SUITE(lifecycle_callers)

BOOST_AUTO_TEST_CASE(L40_a_home_of_another_user_is_refused_and_left_as_it_is) {
    if (!require_root()) return;
    sandbox box;
    const std::string home = directory_of(box, "home", other);
    run_options options;
    options.env = {{"HOME", home}, {"HOB_STATE_DIR", std::nullopt}, {"HOB_RUNTIME_DIR", std::nullopt}};
    for (const char* verb : {"ping", "status", "list", "daemon"}) {
        const auto refused = box.run({verb, "--json"}, options);
        BOOST_TEST(refused.status != 0, refused.text());
        BOOST_TEST(json_at(refused.err, "/error/code").value_or("") == "foreign", refused.text());
        BOOST_TEST(refused.err.find(home) != std::string::npos, refused.text());
        BOOST_TEST(refused.err.find("HOB_STATE_DIR") != std::string::npos, refused.text());
    }
    BOOST_TEST(std::filesystem::is_empty(home));
    // One of the two is not enough; both are.
    options.env = {{"HOME", home}, {"HOB_RUNTIME_DIR", std::nullopt}};
    BOOST_TEST(box.run({"ping"}, options).status != 0);
    options.env = {{"HOME", home}};
    BOOST_TEST(box.run({"ping"}, options).status == 0);
    BOOST_TEST(std::filesystem::is_empty(home));
    // Likewise a state directory of another user that is inherited.
    options.env = {{"XDG_STATE_HOME", home + "/state"}, {"HOB_STATE_DIR", std::nullopt}};
    const auto state = box.run({"ping"}, options);
    BOOST_TEST(state.err.find("XDG_STATE_HOME") != std::string::npos, state.text());
    BOOST_TEST(std::filesystem::is_empty(home));
}

BOOST_AUTO_TEST_CASE(L45_an_inherited_runtime_directory_of_another_user_is_not_used) {
    if (!require_root()) return;
    for (const mode_t mode : {mode_t{0700}, mode_t{0777}}) {
        sandbox box(owned_by(one));
        const std::string theirs = directory_of(box, "theirs", other);
        BOOST_REQUIRE(::chmod(theirs.c_str(), mode) == 0);
        run_options options;
        options.env = {{"HOB_RUNTIME_DIR", std::nullopt}, {"XDG_RUNTIME_DIR", theirs}};
        const auto status = box.run({"ping"}, options);
        BOOST_TEST(status.status == 0, status.text());
        const auto socket =
            json_at(box.run({"status", "--json"}, options).out, "/daemon/socket").value_or("");
        BOOST_TEST(socket.starts_with("/tmp/hob-54321/"), socket);
        BOOST_TEST(std::filesystem::is_empty(theirs));
        end(box, options);
        // What is named on purpose is refused, with the way out.
        for (const std::string& named : {theirs, theirs + "/below"}) {
            options.env = {{"HOB_RUNTIME_DIR", named}};
            const auto refused = box.run({"ping"}, options);
            if (mode == 0777 && named != theirs) {  // made there, and ours
                end(box, options);
                continue;
            }
            BOOST_TEST(refused.status != 0);
            BOOST_TEST(refused.err.find("HOB_RUNTIME_DIR to a directory of your own") != std::string::npos,
                       refused.text());
        }
        options.env = {{"HOB_STATE_DIR", theirs}};
        const auto state = box.run({"ping"}, options);
        BOOST_TEST(state.err.find("HOB_STATE_DIR to a directory of your own") != std::string::npos,
                   state.text());
    }
    std::filesystem::remove_all("/tmp/hob-54321");
}

BOOST_AUTO_TEST_CASE(L43_in_a_unit_the_directory_of_another_project_is_about_that_project) {
    sandbox box;
    box.config(echo_worker());
    const std::string second = box.root() + "/second";
    box.shell("mkdir -p sub '" + second + "/deep' && echo '# none' >'" + second + "/hob.toml'");
    const auto own = box.run({"run", "--", "sh", "-c", box.binary() + " status --json"});
    BOOST_TEST(root_in(own) == box.project(), own.text());
    const auto own_elsewhere =
        box.run({"run", "--", "sh", "-c", "cd / && " + box.binary() + " status --json"});
    BOOST_TEST(root_in(own_elsewhere) == box.project(), own_elsewhere.text());
    const auto there =
        box.run({"run", "--", "sh", "-c", "cd '" + second + "/deep' && " + box.binary() + " status --json"});
    BOOST_TEST(root_in(there) == second, there.text());
    // Set by a person, it counts everywhere; empty marks are none.
    run_options person;
    person.cwd = second;
    person.env = {{"HOB_INSTANCE", box.key()}};
    BOOST_TEST(root_in(box.run({"status", "--json"}, person)) == box.project());
    person.env.emplace_back("HOB_UNIT", "");
    BOOST_TEST(root_in(box.run({"status", "--json"}, person)) == box.project());
    // In a unit, -C and --instance count before it.
    person.env = {{"HOB_INSTANCE", box.key()}, {"HOB_UNIT", "u"}};
    BOOST_TEST(root_in(box.run({"status", "--json"}, person)) == second);
    BOOST_TEST(root_in(box.run({"-C", box.project(), "status", "--json"}, person)) == box.project());
}

BOOST_AUTO_TEST_CASE(L43_a_named_instance_and_its_own_root_are_one) {
    sandbox box;
    box.config(echo_worker());
    BOOST_REQUIRE(box.run({"--instance", "n", "ping"}).status == 0);
    run_options unit;
    unit.env = {{"HOB_INSTANCE", "n"}, {"HOB_RUN", "7"}};
    const auto status = box.run({"status", "--json"}, unit);
    BOOST_TEST(json_at(status.out, "/instance").value_or("") == "n", status.text());
    BOOST_TEST(box.run({"--instance", "n", "shutdown"}).status == 0);
}

BOOST_AUTO_TEST_CASE(U44_below_a_project_a_daemon_without_its_file_is_found_too) {
    sandbox box;
    box.config("# the outer one\n");
    const std::string inner = box.project() + "/inner";
    box.shell("mkdir -p inner/sub && printf \"[service.s]\\nrun = 'exec sleep 1000'\\n\" >inner/hob.toml");
    run_options inside;
    inside.cwd = inner;
    BOOST_REQUIRE(box.run({"start", "s"}, inside).status == 0);
    const pid_t daemon = box.daemon_pid(inner);
    box.shell("mv inner/hob.toml inner/away");
    for (const std::string& directory : {inner, inner + "/sub"}) {
        inside.cwd = directory;
        const auto status = box.run({"status", "--json"}, inside);
        BOOST_TEST(json_at(status.out, "/daemon/pid").value_or("") == std::to_string(daemon), status.text());
    }
    BOOST_TEST(box.run({"stop", "s"}, inside).status == 0);
    BOOST_TEST(box.run({"shutdown"}, inside).status == 0);
    BOOST_TEST(!process_lives(daemon));
    // Without a daemon it is part of the outer project.
    BOOST_TEST(root_in(box.run({"status", "--json"}, inside)) == box.project());
}

BOOST_AUTO_TEST_CASE(L25_a_command_or_a_waiting_client_is_work_that_no_newer_client_interrupts) {
    sandbox box;
    const auto if_idle = [&](const std::string& first) {
        raw_client client(box.socket());
        client.line();
        if (!first.empty()) client.request("1", "unit.wait", first);
        client.request("2", "hob.shutdown", R"({"if_idle":true})");
        return client.reply();
    };
    const std::string script = "touch began; exec sleep 1000";
    box.config(echo_worker() + "[task.t]\nrun = '" + script + "'\n");
    for (const auto& words : {std::vector<std::string>{"run", "--", "sh", "-c", script}, {"run", "t"}}) {
        box.shell("rm -f began");
        auto busy = box.start(words);
        BOOST_REQUIRE(wait_until([&] { return exists(box.project() + "/began"); }));
        const std::string refused = if_idle("");
        BOOST_TEST(json_at(refused, "/error/data/code").value_or("") == "version", refused);
        BOOST_TEST(busy.running());
        busy.kill_and_reap();
    }
    BOOST_REQUIRE(box.run({"wait", "t", "--for", "idle"}).status == 0);
    BOOST_REQUIRE(box.run({"call", "echo", "pid"}).status == 0);
    const std::string refused = if_idle(R"({"units":["echo"],"for":"stopped"})");
    BOOST_TEST(json_at(refused, "/error/data/code").value_or("") == "version", refused);
    BOOST_REQUIRE(wait_until([&] { return if_idle("").find("\"result\"") != std::string::npos; }));
    BOOST_TEST(wait_until([&] { return box.daemon_pid() == 0; }));
}

BOOST_AUTO_TEST_CASE(U37_in_the_foreground_it_says_what_starts_by_itself_and_what_does_not) {
    sandbox box;
    box.config(
        "[service.a]\nrun = 'exec sleep 1000'\nautostart = true\n[service.b]\nrun = 'exec sleep 1000'\n"
        "[task.c]\nrun = 'true'\nevery = '1h'\n");
    const auto life = [&] {
        auto daemon = box.start({"daemon", "--foreground"});
        BOOST_REQUIRE(wait_until([&] { return box.run({"--no-spawn", "ping"}).status == 0; }));
        daemon.signal(SIGTERM);
        return daemon.wait().err;
    };
    const std::string fresh = life();
    BOOST_TEST(fresh.find("no unit starts by itself until a command names one") != std::string::npos, fresh);
    BOOST_TEST(fresh.find("a, c") != std::string::npos, fresh);
    BOOST_REQUIRE(box.run({"start"}).status == 0);
    box.kill_daemon_and_keeper();
    const std::string later = life();
    BOOST_TEST(later.find("these units start by themselves") != std::string::npos, later);
    BOOST_TEST(later.find("a, b, c") != std::string::npos, later);
    box.config("[service.d]\nrun = 'exec sleep 1000'\n");
    BOOST_TEST(life().find("no unit starts by itself") != std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()

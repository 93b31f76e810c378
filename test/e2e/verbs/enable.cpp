// hob enable: units of systemd that start the daemon.

#include <sys/stat.h>
#include <unistd.h>

#include <boost/test/unit_test.hpp>

#include "fixtures/systemd.hpp"
#include "harness/sandbox.hpp"

using namespace hob::test;

namespace {

std::string line_with(const std::string& text, const std::string& start) {
    const auto at = ("\n" + text).find("\n" + start);
    if (at == std::string::npos) return {};
    return text.substr(at, text.find('\n', at) - at);
}

std::string unit_text(const outcome& printed, const std::string& suffix) {
    for (int i = 0; auto name = json_at(printed.out, "/files/" + std::to_string(i) + "/name"); ++i)
        if (name->ends_with(suffix))
            return json_at(printed.out, "/files/" + std::to_string(i) + "/text").value_or("");
    return {};
}

constexpr const char* project =
    "[service.web]\nrun = ['sleep', '1000']\nautostart = true\n[task.tidy]\nrun = ['true']\nevery = '1h'\n"
    "[service.other]\nrun = ['sleep', '1000']\n";

}  // namespace

BOOST_AUTO_TEST_SUITE(enable_)

BOOST_AUTO_TEST_CASE(systemd_accepts_the_units_of_odd_paths) {
    if (!require_program("systemd-analyze")) return;
    for (const char* name :
         {"p", "a b", "100%h", "it's", "say \"x\"", "$HOME", "b\\c", "über 日本", "-dash", "x;y#z"}) {
        sandbox_options options;
        options.project = name;
        sandbox box(options);
        box.config("[daemon]\nshutdown_timeout = \"1m\"\n");
        // The program too has an odd path.
        const std::string directory = box.root() + "/bin of " + name;
        BOOST_REQUIRE(::mkdir(directory.c_str(), 0700) == 0);
        BOOST_REQUIRE(::link(box.copy_binary().c_str(), (directory + "/hob").c_str()) == 0);
        box.set_env("PATH", directory + ":/usr/bin:/bin");
        const auto printed = box.run({"--json", "enable", "--print"});
        BOOST_TEST_CONTEXT(name << " " << printed.text()) {
            BOOST_TEST(printed.status == 0);
            const std::string service = unit_text(printed, ".service");
            BOOST_TEST(line_with(service, "TimeoutStopSec=") == "TimeoutStopSec=65");
            box.write("hob-x.service", service);
            box.write("hob-x.socket", unit_text(printed, ".socket"));
            const auto verified = box.shell(
                "mkdir x && XDG_RUNTIME_DIR=$PWD/x systemd-analyze --user verify --man=no ./hob-x.service "
                "./hob-x.socket 2>&1");
            BOOST_TEST(verified.status == 0, verified.text());
            BOOST_TEST(verified.out == "", verified.out);
        }
    }
}

BOOST_AUTO_TEST_CASE(the_words_reach_the_program_as_they_are) {
    if (!require_program("systemd-analyze")) return;
    sandbox_options options;
    options.project = "a $HOME %h \"q\" ü";
    sandbox box(options);
    box.config("");
    const auto printed = box.run({"--json", "enable", "--print"});
    box.write("hob-x.service", unit_text(printed, ".service"));
    box.write("hob-x.socket", unit_text(printed, ".socket"));
    const auto read = box.shell(
        "mkdir -p x && XDG_RUNTIME_DIR=$PWD/x SYSTEMD_LOG_LEVEL=debug systemd-analyze --user verify --man=no "
        "./hob-x.service 2>&1 | grep 'Command Line.*daemon'");
    // systemd shows the words as it would read them: a dollar sign stands twice.
    BOOST_TEST(read.out.find("-C \"" + box.root() + "/a \\$\\$HOME %h \\\"q\\\" ü\" daemon --foreground") !=
                   std::string::npos,
               read.text());
    const auto dumped = box.shell(
        "mkdir -p x && XDG_RUNTIME_DIR=$PWD/x SYSTEMD_LOG_LEVEL=debug systemd-analyze --user verify --man=no "
        "./hob-x.socket 2>&1 | grep 'ListenStream:'");
    BOOST_TEST(dumped.out.find(box.runtime() + "/") != std::string::npos, dumped.text());
}

BOOST_AUTO_TEST_CASE(units_of_the_system_ask_for_the_directory_of_the_user) {
    sandbox box;
    box.config("");
    box.set_env("HOB_RUNTIME_DIR", std::nullopt);
    const auto printed = box.run({"--json", "enable", "--system", "--user", "daemon", "--print"});
    BOOST_TEST(printed.status == 0, printed.text());
    const std::string service = unit_text(printed, ".service"), socket = unit_text(printed, ".socket");
    BOOST_TEST(line_with(service, "User=") == "User=daemon");
    BOOST_TEST(line_with(socket, "SocketUser=") == "SocketUser=daemon");
    BOOST_TEST(line_with(service, "WantedBy=") == "WantedBy=multi-user.target");
    for (const auto& text : {service, socket})
        BOOST_TEST(line_with(text, "Requires=") == "Requires=user-runtime-dir@1.service");
    BOOST_TEST(line_with(socket, "ListenStream=") == "ListenStream=/run/user/1/hob/" + box.key() + ".sock");
    BOOST_TEST(service.find("Environment=\"PATH=") == std::string::npos);
    if (!require_program("systemd-analyze")) return;
    box.write("hob-x.service", service);
    box.write("hob-x.socket", socket);
    const auto verified = box.shell("systemd-analyze verify --man=no ./hob-x.service ./hob-x.socket 2>&1");
    BOOST_TEST(verified.status == 0, verified.text());
    BOOST_TEST(verified.out == "", verified.out);
}

BOOST_AUTO_TEST_CASE(print_changes_nothing) {
    sandbox box;
    box.config(project);
    const auto printed = box.run({"enable", "--print"});
    BOOST_TEST(printed.status == 0, printed.text());
    BOOST_TEST(printed.out.find("# --- hob-" + box.key() + ".service\n# Written by 'hob enable'") == 0u,
               printed.out);
    BOOST_TEST(!exists(box.home() + "/.config"));
    BOOST_TEST(!exists(box.state()));
    const auto plist = box.run({"enable", "--launchd", "--print"});
    BOOST_TEST(plist.status == 0);
    BOOST_TEST(plist.out.find("<!-- Not tested.") != std::string::npos);
    BOOST_TEST(plist.out.find("<string>" + box.project() + "</string>") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(without_systemd_it_says_what_to_do) {
    if (!require_root()) return;
    sandbox box;
    box.config(project);
    const auto none = box.shell("unshare -m sh -c 'mount -t tmpfs none /run && exec hob enable'");
    BOOST_TEST(none.status == 3, none.text());
    BOOST_TEST(none.err.find("systemd does not run on this machine") != std::string::npos, none.err);
    BOOST_TEST(none.err.find("--print") != std::string::npos, none.err);
    const auto own = box.shell(
        "unshare -m sh -c 'mount -t tmpfs none /run && mkdir -p /run/systemd/system && exec hob enable'");
    BOOST_TEST(own.status == 3, own.text());
    BOOST_TEST(own.err.find("no systemd of the user root runs") != std::string::npos, own.err);
    BOOST_TEST(own.err.find("loginctl enable-linger root") != std::string::npos, own.err);
    BOOST_TEST(!exists(box.home() + "/.config"));
    BOOST_TEST(!exists(box.state()));
}

BOOST_AUTO_TEST_CASE(it_writes_enables_accepts_and_can_be_repeated) {
    if (!require_root() || !require_program("systemctl")) return;
    sandbox box;
    box.config(project);
    const auto first = with_systemd(box, "enable");
    BOOST_TEST(first.status == 0, first.text());
    BOOST_TEST(first.out.find("written    " + unit_path(box, ".service")) != std::string::npos, first.out);
    BOOST_TEST(first.out.find("by itself then: web, tidy\n") != std::string::npos, first.out);
    BOOST_TEST(first.out.find("loginctl enable-linger") != std::string::npos, first.out);
    BOOST_TEST(exists(unit_directory_of(box) + "/default.target.wants/hob-" + box.key() + ".service"));
    BOOST_TEST(exists(unit_directory_of(box) + "/sockets.target.wants/hob-" + box.key() + ".socket"));
    BOOST_TEST(box.daemon_starts() == 0);
    BOOST_TEST(!exists(box.pid_file()));
    const auto again = with_systemd(box, "enable --json");
    BOOST_TEST(again.status == 0, again.text());
    BOOST_TEST(json_at(again.out, "/files/0/change").value_or("") == "unchanged");
    BOOST_TEST(json_at(again.out, "/started").value_or("") == "false");
    // What was accepted runs by itself.
    BOOST_TEST(box.run({"ping"}).status == 0);
    BOOST_TEST(box.run({"wait", "web", "--for", "ready"}).status == 0);
    BOOST_TEST(box.run({"status", "other"}).status == 1);
}

BOOST_AUTO_TEST_CASE(a_running_daemon_accepts_and_goes_on) {
    if (!require_root() || !require_program("systemctl")) return;
    sandbox box;
    box.config(project);
    BOOST_TEST(box.run({"ping"}).status == 0);
    const pid_t daemon = box.daemon_pid();
    BOOST_TEST(box.run({"status", "web"}).out.find("new") != std::string::npos);
    const auto done = with_systemd(box, "enable");
    BOOST_TEST(done.status == 0, done.text());
    BOOST_TEST(box.run({"wait", "web", "--for", "ready"}).status == 0);
    BOOST_TEST(box.daemon_pid() == daemon);
}

BOOST_AUTO_TEST_CASE(a_process_of_a_unit_cannot_enable) {
    if (!require_root()) return;
    sandbox box;
    box.config(
        "[task.try]\nrun = \"unshare -m sh -c 'mount -t tmpfs none /run && mkdir -p /run/systemd/system "
        "/run/user/0/systemd && touch /run/user/0/systemd/private && exec " +
        box.binary() + " enable'\"\n");
    const auto done = box.run({"run", "try"});
    BOOST_TEST(done.status == 1, done.text());
    BOOST_TEST(done.text().find("a process of a unit cannot accept units") != std::string::npos, done.text());
    BOOST_TEST(!exists(unit_path(box, ".service")));
}

BOOST_AUTO_TEST_CASE(files_changed_by_hand_are_not_lost) {
    if (!require_root() || !require_program("systemctl")) return;
    sandbox box;
    box.config(project);
    BOOST_TEST(with_systemd(box, "enable").status == 0);
    box.shell("echo '# mine' >>" + unit_path(box, ".service"));
    const std::string mine = slurp(unit_path(box, ".service"));
    box.config(std::string(project) + "[daemon]\nshutdown_timeout = \"33s\"\n");
    const auto refused = with_systemd(box, "enable");
    BOOST_TEST(refused.status == 3, refused.text());
    BOOST_TEST(refused.err.find("it was changed by hand") != std::string::npos, refused.err);
    BOOST_TEST(slurp(unit_path(box, ".service")) == mine);
    const auto forced = with_systemd(box, "enable --force");
    BOOST_TEST(forced.status == 0, forced.text());
    BOOST_TEST(line_with(slurp(unit_path(box, ".service")), "TimeoutStopSec=") == "TimeoutStopSec=38");
}

BOOST_AUTO_TEST_CASE(another_program_and_a_moved_project_are_told) {
    if (!require_root() || !require_program("systemctl")) return;
    sandbox box;
    box.config(project);
    BOOST_TEST(with_systemd(box, "enable").status == 0);
    const std::string old_key = box.key();
    const std::string first_text = slurp(unit_path(box, ".service"));
    const std::string old_program = first_text.substr(first_text.rfind("Program=") + 8);
    box.copy_binary();
    const auto examined = box.run({"doctor"});
    BOOST_TEST(examined.out.find("another program than this one") != std::string::npos, examined.out);
    const auto updated = with_systemd(box, "enable");
    BOOST_TEST(updated.status == 0, updated.text());
    BOOST_TEST(updated.out.find("updated    ") != std::string::npos, updated.out);
    BOOST_TEST(updated.out.find("no longer " + old_program) != std::string::npos, updated.out);
    BOOST_TEST(box.run({"doctor"}).out.find("enabled by " + unit_path(box, ".service")) != std::string::npos);

    const std::string moved = box.root() + "/moved";
    BOOST_REQUIRE(::rename(box.project().c_str(), moved.c_str()) == 0);
    const auto there = with_systemd(box, "enable", moved);
    BOOST_TEST(there.status == 0, there.text());
    BOOST_TEST(there.out.find("hob --instance " + old_key + " disable") != std::string::npos, there.out);
    run_options in_moved;
    in_moved.cwd = moved;
    const auto removed = box.run({"--instance", old_key, "disable"}, in_moved);
    BOOST_TEST(removed.status == 0, removed.text());
    BOOST_TEST(!exists(unit_directory_of(box) + "/hob-" + old_key + ".service"));
    BOOST_TEST(!exists(unit_directory_of(box) + "/default.target.wants/hob-" + old_key + ".service"));
}

BOOST_AUTO_TEST_CASE(a_path_too_long_for_a_socket_unit_has_none) {
    sandbox box;
    box.config("");
    box.set_env("HOB_RUNTIME_DIR", box.root() + "/" + std::string(120, 'r'));
    const auto printed = box.run({"enable", "--print"});
    BOOST_TEST(printed.status == 0, printed.text());
    BOOST_TEST(printed.out.find("[Service]") != std::string::npos);
    BOOST_TEST(printed.out.find(".socket") == std::string::npos, printed.out);
}

BOOST_AUTO_TEST_CASE(doctor_says_what_does_not_fit) {
    if (!require_root() || !require_program("systemctl")) return;
    sandbox box;
    box.config(project);
    BOOST_TEST(with_systemd(box, "doctor").out.find("boot          not enabled") != std::string::npos);
    BOOST_TEST(with_systemd(box, "enable").status == 0);
    const auto deaf = with_systemd(box, "doctor").out;
    BOOST_TEST(deaf.find("systemd does not listen at the socket") != std::string::npos, deaf);
    BOOST_TEST(box.run({"ping"}).status == 0);
    const auto outside = with_systemd(box, "doctor").out;
    BOOST_TEST(outside.find("systemd did not start the daemon that runs (pid " +
                            std::to_string(box.daemon_pid())) != std::string::npos,
               outside);
    box.shell("rm " + unit_directory_of(box) + "/default.target.wants/*");
    const auto disabled = box.run({"doctor"}).out;
    BOOST_TEST(disabled.find("exists, but is not enabled") != std::string::npos, disabled);
}

BOOST_AUTO_TEST_CASE(doctor_says_what_a_logout_ends) {
    if (!require_root()) return;
    sandbox box;
    box.config("");
    const auto logout = [&](const std::string& setting) {
        return box
            .shell(
                "unshare -m sh -c 'mount -t tmpfs none /run && mkdir -p /run/systemd/system && "
                "mount -t tmpfs none /etc/systemd && mkdir /etc/systemd/logind.conf.d && "
                "printf \"[Login]\\nKillUserProcesses=no\\n\" >/etc/systemd/logind.conf && printf \"" +
                setting + "\" >/etc/systemd/logind.conf.d/x.conf && exec " + box.binary() + " doctor'")
            .out;
    };
    const std::string kept = logout("[Login]\\n");
    BOOST_TEST(kept.find("ok    logout        the daemon goes on") != std::string::npos, kept);
    const std::string ended = logout("[Login]\\nKillUserProcesses=yes\\n");
    BOOST_TEST(ended.find("warn  logout        KillUserProcesses=yes") != std::string::npos, ended);
    BOOST_TEST(ended.find("loginctl enable-linger") != std::string::npos, ended);
}

BOOST_AUTO_TEST_CASE(options_that_do_not_fit_are_refused) {
    sandbox box;
    box.config("");
    for (const std::vector<std::string>& words : {std::vector<std::string>{"--launchd"},
                                                  {"--system"},
                                                  {"--user", "daemon"},
                                                  {"--print", "--now"},
                                                  {"extra"},
                                                  {"--system", "--user", "no-such-user", "--print"},
                                                  {"--system", "--user", "daemon", "--launchd", "--print"}}) {
        std::vector<std::string> line{"enable"};
        line.insert(line.end(), words.begin(), words.end());
        const auto done = box.run(line);
        BOOST_TEST(done.status == 2, done.text());
    }
    box.config("broken");
    BOOST_TEST(box.run({"enable", "--print"}).status == 2);
}

BOOST_AUTO_TEST_SUITE_END()

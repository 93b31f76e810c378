#include <signal.h>
#include <sys/stat.h>

#include <boost/test/unit_test.hpp>

#include "harness/calc_project.hpp"
#include "harness/sandbox.hpp"

using namespace hob::test;

namespace {

struct found {
    std::string state, message, hint;
};

found finding_of(const outcome& done, const std::string& check) {
    for (int i = 0; auto name = json_at(done.out, "/" + std::to_string(i) + "/check"); ++i) {
        if (*name != check) continue;
        const std::string at = "/" + std::to_string(i);
        return {json_at(done.out, at + "/state").value_or(""),
                json_at(done.out, at + "/message").value_or(""),
                json_at(done.out, at + "/hint").value_or("")};
    }
    return {};
}

outcome examine(sandbox& box, std::vector<std::string> more = {}) {
    more.insert(more.begin(), {"doctor", "--json"});
    return box.run(more);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(doctor)

BOOST_AUTO_TEST_CASE(a_healthy_project_passes_and_nothing_is_created) {
    sandbox box;
    make_calc_project(box);
    const auto before = examine(box);
    BOOST_TEST_CONTEXT(before.text()) { BOOST_TEST(before.status == 0); }
    BOOST_TEST(!exists(box.runtime()));
    BOOST_TEST(!exists(box.state()));
    box.run({"ping"});
    const auto running = examine(box);
    BOOST_TEST_CONTEXT(running.text()) {
        BOOST_TEST(running.status == 0);
        BOOST_TEST(finding_of(running, "daemon").message.starts_with("running, pid"));
        for (const char* check : {"runtime-dir", "state-dir", "locks", "socket-path", "config", "crash-loop",
                                  "leftovers", "database"}) {
            BOOST_TEST_CONTEXT(check) { BOOST_TEST(finding_of(running, check).state == "ok"); }
        }
    }
}

BOOST_AUTO_TEST_CASE(L28_a_broken_file_is_reported_with_its_position) {
    sandbox box;
    box.config("[worker.x]\nrun = 3\n");
    const auto done = examine(box);
    BOOST_TEST(done.status == 1);
    BOOST_TEST(finding_of(done, "config").state == "fail");
    BOOST_TEST(finding_of(done, "config").message.find("hob.toml:2:") != std::string::npos);
    BOOST_TEST(box.run({"doctor"}).out.find("FAIL  config") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(S01_directories_open_to_others_are_reported_and_made_private) {
    sandbox box;
    make_calc_project(box);
    box.run({"ping"});
    box.run({"shutdown"});
    ::chmod(box.runtime().c_str(), 0777);
    BOOST_TEST(finding_of(examine(box), "runtime-dir").state == "fail");
    const auto fixed = examine(box, {"--fix"});
    BOOST_TEST_CONTEXT(fixed.text()) { BOOST_TEST(fixed.status == 0); }
    struct stat now {};
    ::stat(box.runtime().c_str(), &now);
    BOOST_TEST((now.st_mode & 0777u) == 0700u);
}

BOOST_AUTO_TEST_CASE(leftovers_are_removed_only_with_fix_and_without_a_daemon) {
    sandbox box;
    make_calc_project(box);
    box.run({"ping"});
    examine(box, {"--fix"});
    BOOST_TEST(exists(box.socket()));
    box.kill_daemon_and_keeper();
    BOOST_TEST(finding_of(examine(box), "leftovers").state == "warn");
    BOOST_TEST(exists(box.socket()));
    BOOST_TEST(finding_of(examine(box, {"--fix"}), "leftovers").state == "ok");
    BOOST_TEST(!exists(box.socket()));
    BOOST_TEST(!exists(box.page()));
    BOOST_TEST(!exists(box.pid_file()));
    BOOST_TEST(box.run({"ping"}).status == 0);
}

BOOST_AUTO_TEST_CASE(C16_deleted_projects_are_reported_and_forgotten_with_fix) {
    sandbox box;
    make_calc_project(box);
    const std::string gone = box.root() + "/gone";
    BOOST_REQUIRE(hob::util::make_directories(gone));
    box.write(gone + "/hob.toml", "");
    BOOST_REQUIRE(box.run({"-C", gone, "ping"}).status == 0);
    BOOST_REQUIRE(box.run({"-C", gone, "shutdown"}).status == 0);
    BOOST_REQUIRE(remove_tree(gone));
    const auto found = finding_of(examine(box), "projects");
    BOOST_TEST(found.state == "warn");
    BOOST_TEST(found.message == "was deleted: " + gone);
    BOOST_TEST(finding_of(examine(box, {"--fix"}), "projects").state == "ok");
    BOOST_TEST(box.run({"list", "--json"}).out.find(gone) == std::string::npos);
}

BOOST_AUTO_TEST_CASE(L23_a_crash_loop_is_found_and_cleared) {
    sandbox box;
    make_calc_project(box);
    box.run({"ping"});
    box.run({"shutdown"});
    // A directory at the socket's path, so that it cannot be bound.
    box.shell("mkdir '" + box.socket() + "'");
    for (int i = 0; i < 3; ++i)
        BOOST_TEST(box.run({"ping"}).status == 3);
    BOOST_TEST(finding_of(examine(box), "crash-loop").state != "ok");
    box.shell("rmdir '" + box.socket() + "'");
    BOOST_TEST(finding_of(examine(box, {"--clear"}), "crash-loop").state == "ok");
    BOOST_TEST(box.run({"ping"}).status == 0);
}

BOOST_AUTO_TEST_CASE(L04_a_stopped_daemon_is_reported_as_failed_quickly) {
    sandbox box;
    make_calc_project(box);
    box.run({"ping"});
    const pid_t daemon = box.daemon_pid();
    BOOST_REQUIRE(daemon > 0);
    ::kill(daemon, SIGSTOP);
    const auto done = examine(box);
    ::kill(daemon, SIGCONT);
    BOOST_TEST(done.status == 1);
    BOOST_TEST(done.elapsed < 4s);
    BOOST_TEST(finding_of(done, "daemon").state == "fail");
    BOOST_TEST(finding_of(done, "daemon").message.find(std::to_string(daemon)) != std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()
